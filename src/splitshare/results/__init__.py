"""Tidy tables of what was computed, and where they come from."""
