"""Words of fixed choice, as files, options and the library spell them; light to import."""

from __future__ import annotations

from typing import Literal

Solver = Literal["gurobi", "highs"]
Sense = Literal["min", "max"]
"""Whether less or more of an objective is better."""
