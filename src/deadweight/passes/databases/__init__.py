"""Package databases rewritten so that a scanner reports what is there: one module for each kind of packages."""
