"""Formulas as MathML, which browsers draw themselves: no script has to be fetched to read a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def inline(translator: Any, node: Any) -> None:
    """Write a formula within a line."""
    translator.body.append(convert(node.astext()))
    raise SkipNode


def block(translator: Any, node: Any) -> None:
    """Write a formula on a line of its own."""
    translator.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise SkipNode


def setup(application: Sphinx) -> dict[str, bool]:
    """Offer the renderer to Sphinx, under the name that ``conf.py`` chooses."""
    application.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True}
