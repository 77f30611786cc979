"""Sizes that all figures have."""

from __future__ import annotations

COLUMN_WIDTH_IN, PAGE_WIDTH_IN = 3.4, 7.0
"""Widths of a column and of a page of a two-column paper: a figure has one or the other, and is read at it."""
TYPE_PT = 7.0, 9.0
"""Smallest and largest type of a figure, at its width."""
BACKGROUND = "background"
"""``gid`` of what lies behind the marks, and need not stand out."""
