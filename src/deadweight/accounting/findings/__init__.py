"""Kinds of dead and suspect weight: one module each, in the order that `finders` gives them."""
