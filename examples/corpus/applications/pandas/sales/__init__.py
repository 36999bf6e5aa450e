"""Sales, summed up."""
