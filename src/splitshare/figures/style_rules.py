"""The rules of style that every figure keeps, computed from what was drawn.

A figure has the width of a column or of a page; its type has 7 to 9 points; no text is cut, or lies over another; every
mark stands out from what is behind it by 3:1; and what a legend tells apart differs by more than its hue.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from splitshare.figures.sizes import BACKGROUND, COLUMN_WIDTH_IN, PAGE_WIDTH_IN, TYPE_PT

LEAST_CONTRAST = 3.0
"""Of a mark or a text against what is behind it (WCAG 2.2, 1.4.11)."""
GREYS_APART = 1.25
"""Contrast from which on two greys are told apart side by side, in a bar or line of the same kind."""
SLACK_PT = 0.6
"""By how much boxes of texts, which are larger than their letters, may lie over each other or beyond the figure."""
_WHITE = (1.0, 1.0, 1.0)

Colour = tuple[float, float, float]


def faults(figure: Figure) -> list[str]:
    """What breaks the rules, a sentence each; none where the figure keeps them all."""
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    return [*_size(figure), *_texts(figure), *_marks(figure), *_legends(figure)]


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def _over(colour: Any, alpha: float | None, behind: Colour = _WHITE) -> Colour | None:
    """A colour as it is seen over what is behind it; ``None`` where it is not seen."""
    red, green, blue, own = to_rgba(colour)
    opacity = own if alpha is None else alpha
    if opacity == 0:
        return None
    mixed = [opacity * c + (1 - opacity) * b for c, b in zip((red, green, blue), behind, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _renderer(figure: Figure | None) -> Any:
    assert figure is not None
    return FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]


def _size(figure: Figure) -> Iterator[str]:
    width = float(figure.get_figwidth())
    if not any(abs(width - allowed) < 1e-6 for allowed in (COLUMN_WIDTH_IN, PAGE_WIDTH_IN)):
        yield f"is {width:.2f} in wide: {COLUMN_WIDTH_IN} (a column) or {PAGE_WIDTH_IN} (a page) are the widths"


def _shown(figure: Figure) -> Iterator[Artist]:
    """Artists that are drawn, ticks outside of their axis left out."""
    hidden: set[int] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-9 * (high - low)
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not (low - room <= tick.get_loc() <= high + room and axis.get_visible() and axes.axison):
                    hidden |= {id(artist) for artist in tick.findobj()}
    stack: list[Artist] = [figure]
    while stack:
        artist = stack.pop()
        if artist.get_visible() and id(artist) not in hidden:
            yield artist
            stack.extend(artist.get_children())


def _texts(figure: Figure) -> Iterator[str]:
    renderer = _renderer(figure)
    slack = SLACK_PT * figure.dpi / 72
    boxes: list[tuple[str, Bbox]] = []
    for text in _shown(figure):
        if not isinstance(text, Text) or not text.get_text().strip():
            continue
        said, size = repr(text.get_text()), float(text.get_fontsize())
        if not TYPE_PT[0] <= size <= TYPE_PT[1]:
            yield f"{said} has {size:g} points, not {TYPE_PT[0]:g} to {TYPE_PT[1]:g}"
        # Not of an annotation's arrow: of its words.
        box = Text.get_window_extent(text, renderer)
        page = figure.bbox
        beyond = max(page.x0 - box.x0, page.y0 - box.y0, box.x1 - page.x1, box.y1 - page.y1)
        if beyond > slack:
            yield f"{said} is cut at the figure's edge by {beyond * 72 / figure.dpi:.1f} points"
        boxes.append((said, box))
    for (one, box), (other, another) in combinations(boxes, 2):
        across = min(box.x1, another.x1) - max(box.x0, another.x0)
        along = min(box.y1, another.y1) - max(box.y0, another.y0)
        if across > slack and along > slack:
            yield f"{one} lies over {other}"


def _marks(figure: Figure) -> Iterator[str]:
    for axes in figure.axes:
        told: set[str] = set()
        for artist in (*axes.lines, *axes.patches, *axes.collections):
            if not artist.get_visible() or artist.get_gid() == BACKGROUND:
                continue
            colours = [c for c in _colours(artist) if c is not None]
            if colours and max(contrast(c, _WHITE) for c in colours) < LEAST_CONTRAST:
                told.add(f"a mark has a contrast of {max(contrast(c, _WHITE) for c in colours):.1f}:1 to white")
        yield from sorted(told)
        yield from _texts_on_bars(axes)


def _colours(artist: Artist) -> list[Colour | None]:
    """Colours by which a mark is seen; one that stands out is enough."""
    alpha = artist.get_alpha()
    opacity = alpha if isinstance(alpha, float | int) else None
    if isinstance(artist, Line2D):
        found: list[Any] = []
        if artist.get_linestyle() not in ("None", "none", "", " "):
            found.append(artist.get_color())
        if artist.get_marker() not in ("None", None, "", " "):
            found += [artist.get_markeredgecolor(), artist.get_markerfacecolor()]
        return [_over(c, opacity) for c in found if not (isinstance(c, str) and c == "none")]
    if isinstance(artist, Patch):
        return [_over(artist.get_facecolor(), None), _over(artist.get_edgecolor(), None)]
    if isinstance(artist, Collection):
        if artist.get_array() is not None:
            return []
        return [_over(c, None) for c in (*artist.get_facecolor(), *artist.get_edgecolor())]
    return []


def _texts_on_bars(axes: Axes) -> Iterator[str]:
    """Texts that stand in a bar or on an image, against its colour; all others against white."""
    renderer = _renderer(axes.get_figure(root=True))
    bars = [(p, p.get_window_extent(renderer)) for p in axes.patches if p.get_visible()]
    images = [image for image in axes.images if isinstance(image, AxesImage)]
    for text in axes.texts:
        if not text.get_visible() or not text.get_text().strip():
            continue
        box = Text.get_window_extent(text, renderer)
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        behind: Colour = _WHITE
        for patch, area in bars:
            if area.contains(x, y) and not patch.get_hatch():
                behind = _over(patch.get_facecolor(), None) or behind
        for image in images:
            cell = _cell(image, x, y)
            behind = cell or behind
        ink = _over(text.get_color(), text.get_alpha(), behind)
        if ink is not None and contrast(ink, behind) < LEAST_CONTRAST:
            yield f"{text.get_text()!r} has a contrast of {contrast(ink, behind):.1f}:1 to what is behind it"


def _cell(image: AxesImage, x: float, y: float) -> Colour | None:
    """Colour of an image under a place of the page; ``None`` beside it."""
    left, right, bottom, top = image.get_extent()
    column, row = image.axes.transData.inverted().transform((x, y))
    values = image.get_array()
    if values is None:
        return None
    rows, columns = values.shape[:2]
    i = int((row - top) / (bottom - top) * rows)
    j = int((column - left) / (right - left) * columns)
    if not (0 <= i < rows and 0 <= j < columns):
        return None
    return _over(image.cmap(image.norm(values[i, j])), None)


def _legends(figure: Figure) -> Iterator[str]:
    """What is told apart by its colour alone, and by greys that look alike at that."""
    for legend in (*figure.legends, *(axes.get_legend() for axes in figure.axes)):
        if legend is None:
            continue
        entries = [
            (text.get_text(), look)
            for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
            if (look := _look(handle)) is not None
        ]
        for (one, first), (other, second) in combinations(entries, 2):
            if first[0] == second[0] and contrast(first[1], second[1]) < GREYS_APART:
                yield f"{one!r} and {other!r} look alike in grey: give one another mark, line or hatching"


def _look(handle: Any) -> tuple[tuple[Any, ...], Colour] | None:
    """Form and colour of a legend's entry."""
    if isinstance(handle, ErrorbarContainer):
        handle = handle.lines[0]
    if isinstance(handle, Line2D):
        # The pattern, too: all dashes of one's own are called "--".
        dashes = handle._unscaled_dash_pattern  # type: ignore[attr-defined]
        form: tuple[Any, ...] = ("line", str(dashes), handle.get_marker(), handle.get_fillstyle())
        return (*form, round(handle.get_linewidth(), 1)), _over(handle.get_color(), None) or _WHITE
    if isinstance(handle, Patch):
        return ("bar", handle.get_hatch()), _over(handle.get_facecolor(), None) or _WHITE
    return None
