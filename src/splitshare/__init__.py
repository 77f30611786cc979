"""Split and shared multi-modal models on edge devices: profile, place, replay, compare.

What a notebook needs is here, imported when it is asked for (``splitshare.interface``)::

    import splitshare
    instance = splitshare.instances("s2m3")[0]
    placement = splitshare.solve(instance, "s2m3-greedy")
    print(splitshare.compare("s2m3-greedy", split="tuning").mean_gap)

Each sub-package is one stage of the pipeline; a later stage may import an earlier one, never the reverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from splitshare.version import __version__ as __version__

if TYPE_CHECKING:
    from splitshare.interface import (
        Comparison,
        algorithm,
        bursty_trace,
        compare,
        evaluate,
        instances,
        known_problems,
        poisson_trace,
        read_instance,
        read_trace,
        request_metrics,
        simulate,
        solve,
        trace_at,
    )

__all__ = [
    "Comparison",
    "algorithm",
    "bursty_trace",
    "compare",
    "evaluate",
    "instances",
    "known_problems",
    "poisson_trace",
    "read_instance",
    "read_trace",
    "request_metrics",
    "simulate",
    "solve",
    "trace_at",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from splitshare import interface

        return getattr(interface, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
