"""Real services for tests: started on loopback, spoken with over their own protocols, stopped by process id."""
