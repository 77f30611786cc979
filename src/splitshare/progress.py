"""Progress bars on standard error, only where a person is watching."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], description: str, *, total: int | None = None) -> Iterator[T]:
    """Yield ``items`` under a progress bar if standard error is a terminal, plainly if it is not."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track as rich_track

    yield from rich_track(items, description, total=total, console=Console(stderr=True), transient=True)


@contextmanager
def counter(description: str, total: int) -> Iterator[Callable[[], None]]:
    """Count what ends by itself: yields what to call once for each of ``total`` ends."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(description, total=total)
        yield lambda: bars.advance(task)


Advance = Callable[[int], None]
"""Told how many more are done."""
StartStep = Callable[[str, int, float], Advance]
"""Starts a step: its description, how many things it counts, and what it weighs of all."""


@contextmanager
def steps(description: str, weight: float) -> Iterator[StartStep]:
    """A bar over steps of different weight, ``weight`` in all, and one for the step in work; both say the time left."""
    if not sys.stderr.isatty():
        yield lambda *_: lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        overall = bars.add_task(description, total=weight)
        current = bars.add_task("", total=None, visible=False)
        started = 0.0

        def start(name: str, count: int, weighs: float) -> Advance:
            nonlocal started
            # A step that failed midway is over as well.
            bars.update(overall, completed=started)
            started += weighs
            bars.reset(current, description=name, total=count, visible=True)

            def advance(done: int) -> None:
                bars.advance(current, done)
                bars.advance(overall, weighs * done / count)

            return advance

        yield start


LINES_EVERY_S = 2.0


@contextmanager
def lines(every_s: float = LINES_EVERY_S) -> Iterator[Callable[[str], None]]:
    """Yields what takes a line of progress and shows it if the last one is old enough; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    last = time.monotonic()

    def show(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= every_s:
            last = time.monotonic()
            sys.stderr.write(line + "\n")

    yield show
