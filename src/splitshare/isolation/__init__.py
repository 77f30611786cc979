"""Algorithms that nobody has vetted, run in processes of their own."""
