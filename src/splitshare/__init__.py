"""Split and shared multi-modal models on edge devices: profile, place, replay, compare.

Each sub-package is one stage of the pipeline; a later stage may import an earlier one, never the reverse:
``catalog``, ``modules``, ``profiling``, ``placement``, ``replay``, ``results``, ``figures``.
"""

__version__ = "0.1.0"
