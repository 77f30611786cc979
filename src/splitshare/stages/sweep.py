"""Replay several traces on the placements of several methods; tables into the directory OUTPUT."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.commands.sweep import Options
from splitshare.errors import InputError
from splitshare.layout import placement_file
from splitshare.placement.objective import evaluate
from splitshare.placement.pairs import read_base_pair
from splitshare.placement.variants import apply_variant
from splitshare.progress import track
from splitshare.records import nearest
from splitshare.replay.metrics import request_metrics, utilisation
from splitshare.replay.plan import LINK_MODELS, LinkModel
from splitshare.replay.simulator import idle_latency_s, simulate
from splitshare.replay.traces import RequestTrace, read_trace
from splitshare.results.write import write_csv


def run(options: Options) -> None:
    """Replay every trace on ``placements/<method>/<instance file name>`` under every link model.

    Writes ``replay.csv`` (metrics by trace, method, link model and request class) and ``idle.csv`` (latency of each
    request class alone, by the evaluator and under each link model) into ``output``. A method without a placement
    has no rows.

    Raises:
        InputError: a file is wrong or the files do not belong together.
    """
    models = [_link_model(name) for name in options.link_models]
    traces: dict[Path, RequestTrace] = {}
    metrics: list[pd.DataFrame] = []
    idle: list[dict[str, object]] = []
    for method in track(options.methods, "replaying"):
        placement = placement_file(options.placements, method, options.instance)
        base, placed = read_base_pair(options.instance, placement)
        if placed.assignment is None:
            continue
        solved = apply_variant(base, placed.variant)
        worth = evaluate(solved, placed.assignment)
        for link_model in models:
            alone = idle_latency_s(solved, worth.routes, link_model=link_model)
            idle.extend(
                {
                    "method": method,
                    "request": request,
                    "link_model": link_model,
                    "evaluator_s": worth.latency_s[request],
                    "simulator_s": latency_s,
                }
                for request, latency_s in alone.items()
            )
            for path in options.traces:
                if path not in traces:
                    traces[path] = read_trace(path, base)
                trace = traces[path]
                result = simulate(solved, worth.routes, trace, link_model=link_model, source=placement)
                busiest = utilisation(result.requests, result.stages, solved)["utilisation"].max()
                table = request_metrics(result.requests)
                table.insert(0, "instance", base.name)
                table.insert(1, "method", method)
                table.insert(2, "link_model", link_model)
                table.insert(3, "trace", trace.kind or path.stem)
                table.insert(4, "offered_per_s", trace.mean_rate_per_s)
                metrics.append(table.assign(busiest_utilisation=busiest))
    write_csv(pd.concat(metrics, ignore_index=True), options.output / "replay.csv")
    write_csv(pd.DataFrame(idle), options.output / "idle.csv")


def _link_model(name: str) -> LinkModel:
    for known in LINK_MODELS:
        if name == known:
            return known
    raise InputError("--link-model", "", f"unknown link model {name!r}; {nearest(name, list(LINK_MODELS))}")
