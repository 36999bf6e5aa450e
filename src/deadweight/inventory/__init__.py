"""Who owns a path: readers of package databases and package metadata."""
