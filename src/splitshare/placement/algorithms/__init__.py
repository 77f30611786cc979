"""Placement algorithms, a file each; the file ``first_fit.py`` holds the algorithm ``first-fit``.

An algorithm is a class with a ``name``, its parameters with defaults as fields, and a method ``place``. Drop a file
in here, publish an entry point in the group ``splitshare.placement``, or name ``path/to/file.py:Class``.
"""
