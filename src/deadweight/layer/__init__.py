"""Layers: one pass from a compressed stream to an index; deterministic writers."""
