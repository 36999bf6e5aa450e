"""What a container is asked, what it answered, and whether two answers are the same one."""
