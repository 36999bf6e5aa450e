"""deadweight against other tools, and against inflating the same bytes and doing nothing else. Run by `make bench`."""
