"""Scripts that the image's own programs run: each stands alone. What is Python needs 3.6, and its standard library."""
