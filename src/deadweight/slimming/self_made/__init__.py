"""Probes that need no user: each asks an image what of it lacks something, and a result may lack no more than its original."""
