"""Measurements of weather."""
