"""Scripts that run beyond the border: each stands alone, and needs nothing but Python's standard library."""
