"""Tests of placement as things change."""
