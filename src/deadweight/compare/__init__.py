"""Two images side by side: what grew, by how much, and who brought it."""
