"""Sizes that must not be passed: read from the project's settings, checked against an analysis."""
