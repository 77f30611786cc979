"""Onloading algorithms, a file each; a new file here is found by its class's ``name``.

File ``lp_rounding.py`` holds the algorithm ``lp-rounding``.
"""
