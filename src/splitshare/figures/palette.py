"""The one place for what figures call and how they tell apart methods, stages, places: titles, colours, marks, lines.

Every colour stands out from white by 3:1 at least (WCAG 2.2, 1.4.11), and what stands side by side in a figure differs
by its mark, line or hatching too, so that it is read in grey and by the colour-blind. Across figures a colour of a
method is that method's: what S2M3 shares is S2M3's blue, a copy a model has the green of `no-sharing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from splitshare.methods import Method

BLUE, GREY, GREEN, ORANGE, VERMILION = "#0072b2", "#707070", "#008060", "#b86a00", "#c8401a"
PINK, BROWN, VIOLET, OLIVE, SKY = "#b0569a", "#7a4a1e", "#5b3a9e", "#7c7a00", "#2b8fc0"
TEAL, ROSE, SLATE = "#0b6e75", "#d0507a", "#46566b"
DARK, MIDDLE, PALE = "#0b3c5d", "#3f85b5", "#a9cbe3"
"""Shades of one colour, for classes that have an order; the palest needs an edge."""
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PINK, BROWN, VIOLET, GREY, OLIVE, SKY)

METHODS = {
    "optimum": ("Optimum", GREY),
    "s2m3-greedy": ("S2M3 greedy", BLUE),
    "sequential-routing": ("Sequential routing", ORANGE),
    "no-sharing": ("No sharing", GREEN),
    "whole-models": ("Whole models", BROWN),
    "local": ("Local only", VERMILION),
    "cloud": ("Cloud only", PINK),
}
"""Title and colour of each method, in the order in which they are drawn."""

ONLOADING_METHODS = {
    "optimum": ("Optimum", GREY),
    "j3o-batching": ("J3O, batching", BLUE),
    "j3o-decomposed": ("J3O decomposed (ours)", SLATE),
    "j3o": ("J3O", SKY),
    "lp-rounding": ("LP rounding", TEAL),
    "accuracy-greedy": ("Accuracy greedy", ORANGE),
    "density-greedy": ("Density greedy", OLIVE),
    "random": ("Random", VIOLET),
    "edge-only": ("Edge only", BROWN),
    "local-only": ("Local only", VERMILION),
    "cloud-only": ("Cloud only", PINK),
}
"""The same of the methods of the onloading problem."""

ONLOADING_MARKS = {
    "optimum": "_",
    "j3o-batching": "o",
    "j3o-decomposed": "p",
    "j3o": "x",
    "lp-rounding": "P",
    "accuracy-greedy": "s",
    "density-greedy": "D",
    "random": "+",
    "edge-only": "v",
    "local-only": "^",
    "cloud-only": "*",
}
"""Marks of the methods of the onloading problem."""

LINES = {
    "optimum": (0, (1, 1)),
    "sequential-routing": "--",
    "no-sharing": "-.",
    "whole-models": (0, (3, 1, 1, 1)),
    "local": (0, (4, 1.5, 1, 1.5, 1, 1.5)),
    "cloud": (0, (6, 2)),
}
"""Line styles of methods; solid where not named."""

MARKS: dict[str, dict[str, Any]] = {
    "optimum": {"marker": "o", "markersize": 6, "fillstyle": "none", "zorder": 3},
    "s2m3-greedy": {"marker": ".", "markersize": 5, "zorder": 4},
    "sequential-routing": {"marker": "x", "markersize": 4},
    "no-sharing": {"marker": "+", "markersize": 5},
    "whole-models": {"marker": "D", "markersize": 3},
    "local": {"marker": "s", "markersize": 3},
    "cloud": {"marker": "^", "markersize": 3.5},
}
"""Marks of methods in dot plots; the optimum is a ring, so that what reaches it is seen inside."""

OTHER_COLOURS = (SKY, BROWN, OLIVE, VIOLET)
OTHER_MARKS = ("v", "D", "<", ">", "*")
"""Of methods that are not named here."""

BASELINES: dict[str, tuple[str, dict[str, Any]]] = {
    "optimum": ("Optimum", {"color": GREY, "linestyle": (0, (1, 1))}),
    "s2m3-greedy": ("S2M3 greedy", {"color": BLUE, "linewidth": 1.8}),
    "greedy-local-search": ("Greedy + local search", {"color": SKY, "linestyle": (0, (5, 1))}),
    "simulated-annealing": ("Simulated annealing", {"color": PINK, "linestyle": (0, (3, 1, 1, 1))}),
    "heft": ("HEFT", {"color": ORANGE}),
    "cpop": ("CPOP", {"color": BROWN, "linestyle": "-."}),
    "first-fit": ("First fit", {"color": OLIVE, "linestyle": "--"}),
    "best-fit": ("Best fit", {"color": VIOLET, "linestyle": (0, (6, 2, 1, 2))}),
    "worst-fit": ("Worst fit", {"color": TEAL, "linestyle": (0, (2, 2))}),
    "random": ("Random", {"color": SLATE, "linestyle": ":"}),
    "local": ("Local only", {"color": VERMILION, "linestyle": (0, (4, 1.5, 1, 1.5, 1, 1.5))}),
}
"""Title and line of each recorded baseline."""

SOLVERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gurobi": ("Optimum by Gurobi", {"color": GREY, "linestyle": "-."}),
    "highs": ("Optimum by HiGHS", {"color": GREY, "linestyle": (0, (1, 1))}),
}
"""Title and line of each solver."""

RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "proved": ("HiGHS, proved", {"marker": "o", "markersize": 3, "color": BLUE}),
    "stopped": ("HiGHS, stopped", {"marker": "o", "markersize": 4, "fillstyle": "none", "color": BLUE}),
    "gurobi": ("Gurobi, proved", {"marker": "x", "markersize": 4, "color": ORANGE}),
}
"""Title and mark of runs of exact methods."""

QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "planned": ("Planned", {"color": GREY, "linestyle": ":", "linewidth": 1.6}),
    "mean": ("Replayed, mean", {"color": BLUE, "marker": "o", "markersize": 3}),
    "in-time": ("Replayed, in time only", {"color": ORANGE, "marker": "x", "markersize": 4, "linestyle": "--"}),
    "p95": ("Replayed, 95th percentile", {"color": PINK, "marker": "^", "markersize": 3, "linestyle": "-."}),
}
"""Title and line of what is said of a plan's queries."""

PROMPTS: dict[str, tuple[str, dict[str, Any]]] = {
    "encoded": ("Prompts encoded with each request", {"marker": "s", "markersize": 4, "color": ORANGE}),
    "cached": ("Prompts encoded beforehand", {"marker": "o", "markersize": 4, "color": BLUE}),
}
"""Title and mark of when class prompts are encoded."""

VERDICTS = {
    "exceeded": (BLUE, "▲"),
    "reproduced": (GREEN, "●"),
    "partly": (ORANGE, "◐"),
    "not reproduced": (VERMILION, "✕"),
    "cannot be judged here": (GREY, "○"),
}
"""Colour and sign of each verdict on a claim."""

TIERS: dict[str, tuple[str, dict[str, Any]]] = {
    "client": ("At the client", {"color": DARK}),
    "edge": ("At the edge", {"color": MIDDLE}),
    "cloud": ("In the cloud", {"facecolor": PALE, "edgecolor": MIDDLE, "linewidth": 0.5}),
    "unserved": ("Unserved", {"facecolor": "white", "edgecolor": VERMILION, "linewidth": 0.5, "hatch": "//////"}),
}
"""Title and bar of where queries are served."""

DUELS = {"wins": ("wins", BLUE), "ties": ("ties", "#949494"), "losses": ("losses", VERMILION)}
"""Title and colour of how duels end."""

NEW: dict[str, Any] = {"color": "black", "linewidth": 2.2, "zorder": 5}
"""Line of the method that a verdict is about."""

GAPS: dict[str, tuple[str, dict[str, Any]]] = {
    "below": ("below (other problem)", {"facecolor": "white", "edgecolor": GREEN, "linewidth": 0.5, "hatch": "...."}),
    "optimal": ("optimal", {"color": DARK}),
    "tenth": ("up to 10 % above", {"color": MIDDLE}),
    "twice": ("up to twice", {"facecolor": PALE, "edgecolor": MIDDLE, "linewidth": 0.5}),
    "more": ("more", {"facecolor": "white", "edgecolor": MIDDLE, "linewidth": 0.5}),
    "none": ("not placed", {"facecolor": "white", "edgecolor": VERMILION, "linewidth": 0.5, "hatch": "//////"}),
}
"""Title and bar of each class of gaps to the optimum."""

MEMORY = {"whole": METHODS["whole-models"][1], "split": METHODS["no-sharing"][1], "shared": METHODS["s2m3-greedy"][1]}
"""Colours of the ways to hold models: whole, a copy of each module a model, and shared modules."""

PAPER_LINE: dict[str, Any] = {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 0.9, "zorder": 1}
"""Line at what a paper states."""

REACHED: dict[str, Any] = {"color": VERMILION, "linewidth": 1.8, "solid_capstyle": "projecting"}
"""Line around the cells of a map in which what a paper states is reached."""

TASKS: tuple[dict[str, Any], ...] = tuple(
    {"marker": marker, "color": colour} for marker, colour in (("o", VIOLET), ("s", ORANGE), ("D", TEAL))
)
"""Marks of tasks that stand side by side."""

PLACES: tuple[dict[str, Any], ...] = tuple(
    {"marker": marker, "markersize": 5, "fillstyle": "none", "color": colour}
    for marker, colour in (("o", SLATE), ("s", ORANGE), ("D", TEAL), ("^", ROSE), ("x", VIOLET))
)
"""Marks of testbeds that stand side by side."""

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    kind: (title, {"marker": marker, "markersize": 3.5, "fillstyle": "none", "color": colour, "zorder": 2})
    for kind, title, marker, colour in (
        ("vision-encoder", "Image encoders", "o", TEAL),
        ("text-encoder", "Text encoders", "s", ORANGE),
        ("audio-encoder", "Audio encoders", "D", ROSE),
        ("head", "Heads", "^", SLATE),
        ("decoder", "Decoders", "v", VIOLET),
    )
}
"""Title and marks of each kind of module."""

ARRANGEMENT_MARKS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("Whole", {"marker": "o", "markersize": 7, "fillstyle": "none", "color": MEMORY["whole"], "zorder": 3}),
    "split": ("Split", {"marker": "x", "markersize": 5, "color": MEMORY["split"], "zorder": 4}),
    "shared": ("Shared", {"marker": ".", "markersize": 4, "color": MEMORY["shared"], "zorder": 5}),
}
"""Title and marks of a model's arrangements; one fits into the other, so that equal ones are all seen."""
PUBLISHED_MARK: dict[str, Any] = {"marker": "|", "markersize": 8, "linestyle": "none", "color": "0.2", "zorder": 2}
"""What others have published."""
OTHERWISE_PUBLISHED_MARK: dict[str, Any] = PUBLISHED_MARK | {"marker": "1", "color": "0.45"}
"""What others have published of something that is not quite the same."""

STAGES = {"transfer": ("Transfer", "#22303f"), "encode": ("Encoder", SKY), "head": ("Head", BROWN)}
"""Title and colour of what happens to a request."""

REPLAYS = {
    "emulated": ("Emulated", TEAL),
    "simulated": ("Simulated", ORANGE),
    "explained": ("Simulated with measured overheads", VIOLET),
}
"""Title and colour of the ways to replay a trace."""

CAUSES = {
    "overheads": ("Messages and dispatch", SKY),
    "host": ("Host slower than the device", PINK),
    "slowdown": ("CPU time, load against idle", OLIVE),
    "waiting": ("Waiting for a core", BROWN),
    "unexplained": ("Unexplained", SLATE),
}
"""Title and colour of why real modules take longer than the simulator says."""

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "proxy": ("Relays on loopback", {"marker": "o", "color": TEAL}),
    "namespaces": ("Network namespaces", {"marker": "x", "color": ROSE}),
}
"""Title and mark of the emulator's networks."""

STATUS_MARKS: dict[str, tuple[str, dict[str, Any]]] = {
    "ok": ("Served", {"marker": ".", "markersize": 4, "color": TEAL}),
    "failed": ("Failed", {"marker": "x", "markersize": 5, "color": VERMILION}),
    "dropped": ("Dropped", {"marker": "v", "markersize": 4, "color": ORANGE}),
}
"""Title and mark of what became of a request."""


FURTHER_TITLES = {
    "genetic": "Genetic algorithm",
    "lagrangian": "Lagrangian heuristic",
    "large-neighbourhood-search": "Large neighbourhood search",
    "max-min": "Max-min",
    "min-min": "Min-min",
    "peft": "PEFT",
    "ruin-and-recreate": "Ruin and recreate (ours)",
    "sufferage": "Sufferage",
    "swap-local-search": "2-swap",
}
"""Titles of methods that have no look of their own."""

TITLES = FURTHER_TITLES | {
    key: title for table in (BASELINES, ONLOADING_METHODS, METHODS) for key, (title, _) in table.items()
}
"""Titles of all known methods, without their solvers."""


def method_title(method: str) -> str:
    """What a method is called; a solver stands behind in brackets."""
    parsed = Method(method) if method.endswith("]") else Method.parse(method)
    key = replace(parsed, solver=None).label
    title = TITLES.get(key, key)
    return f"{title} ({parsed.solver})" if parsed.solver else title


def method_key(method: str) -> str:
    """The method without its solver: ``optimum`` for ``optimum-highs``."""
    return replace(Method.parse(method), solver=None).label


def methods_among(keys: Iterable[str]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Title, colour and mark of placement methods by key, in the order of drawing: those known here, then the others.

    The others are called as their label, in colours that none of the known methods has.
    """
    present = dict.fromkeys(keys)
    drawn = {key: (*METHODS[key], MARKS[key]) for key in METHODS if key in present}
    others = [key for key in present if key not in METHODS]
    return drawn | {
        key: (
            key,
            OTHER_COLOURS[i % len(OTHER_COLOURS)],
            {"marker": OTHER_MARKS[i % len(OTHER_MARKS)], "markersize": 3.5},
        )
        for i, key in enumerate(others)
    }


def line_of(problem: str, method: str, position: int) -> tuple[str, dict[str, Any]]:
    """Title and line of a method of a problem; one that is not known here is told apart by its ``position``."""
    if problem == "placement" and method in BASELINES:
        return BASELINES[method]
    known = Method(method) if method.endswith("]") else Method.parse(method)  # any name of reported results
    if problem != "onloading" or known.algorithm not in ONLOADING_METHODS:
        return method, {"color": PALETTE[position % len(PALETTE)]}
    title, colour = ONLOADING_METHODS[known.algorithm]
    style = {"highs": (0, (1, 1)), "gurobi": "-."}.get(known.solver or "", "-")
    return f"{title} ({known.solver})" if known.solver else title, {"color": colour, "linestyle": style}


_DASHES = ("-", "--", "-.", ":", (0, (5, 1)))
_SERIES_MARKS = "osD^vPX*<>"


def series_line(i: int) -> dict[str, Any]:
    """Colour and dashes of the i-th of several series that have no look of their own."""
    return {"color": PALETTE[i % len(PALETTE)], "linestyle": _DASHES[i % len(_DASHES)]}


def series_mark(i: int) -> dict[str, Any]:
    """Colour and mark of the i-th of several series that have no look of their own."""
    return {"color": PALETTE[i % len(PALETTE)], "marker": _SERIES_MARKS[i % len(_SERIES_MARKS)]}
