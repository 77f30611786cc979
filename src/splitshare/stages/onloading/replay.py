"""Replay J3O's decisions query by query, batches formed at the edge, and hold them against the plan."""

from __future__ import annotations

import numpy as np
import pandas as pd

from splitshare.commands.onloading.replay import Options
from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.jsonl import read_lines
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import evaluate, hosts_of, offloading_of
from splitshare.onloading.run import solve
from splitshare.progress import track
from splitshare.records import nearest
from splitshare.replay.onloading import draw_queries, planned_latency_s, replay, summary
from splitshare.results.write import write_csv

METHOD = "j3o-batching"


def run(options: Options) -> None:
    """Write ``output``: a row an instance and load, planned and replayed.

    Raises:
        InputError: a file is wrong, or an instance is not in the suite.
    """
    config = Config.read(options.config)
    settings = config.onloading.replay
    instances = {instance.name: instance for instance in read_lines(OnloadingInstance, options.suite)}
    rows = []
    for name in track(settings.instances, "replaying"):
        if name not in instances:
            raise InputError(options.suite, name, f"is not in the suite; {nearest(name, list(instances))}")
        instance = instances[name]
        decision = solve(instance, load(METHOD))
        assert decision.onloading is not None  # holding no model is always a decision
        assert decision.offloading is not None
        arrays = arrays_of(instance)
        hosts, offloading = hosts_of(instance, decision.onloading), offloading_of(arrays, decision.offloading)
        plan = evaluate(arrays, hosts, offloading)
        share = arrays.rate[offloading.row] * offloading.fraction
        planned_s = float(np.average(planned_latency_s(arrays, hosts, offloading), weights=share))
        for load_share in settings.loads:
            queries = draw_queries(arrays, offloading, load=load_share, horizon_s=settings.horizon_s, seed=config.seed)
            table = replay(arrays, hosts, queries)
            rows.append(
                {"instance": name, "load": load_share, "planned_accuracy": plan.objective}
                | {"planned_unserved": plan.unserved, "planned_latency_s": planned_s}
                | summary(table[table["arrival_s"] >= settings.warm_up_s])
            )
    write_csv(pd.DataFrame(rows), options.output)
