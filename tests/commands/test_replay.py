import json
from typing import Any

import pandas as pd
import pytest

from splitshare.choices import TraceKind
from splitshare.errors import InputError
from splitshare.placement.instance import Placement
from splitshare.replay.traces import read_trace
from splitshare.stages import simulate, trace
from tests.replay.examples import example
from tests.replay.test_generators import COUNTS


@pytest.fixture
def files(tmp_path):
    """An instance, a placement of it and a trace for it."""
    instance = example()
    instance.write(tmp_path / "instance.json")
    placement(instance.sha256()).write(tmp_path / "placement.json")
    trace.run(
        trace.Options(
            instance=tmp_path / "instance.json",
            output=tmp_path / "trace.csv",
            kind="poisson",
            rate_per_s=1.0,
            requests=40,
        )
    )
    return {
        name: tmp_path / f"{name}{suffix}"
        for name, suffix in (("instance", ".json"), ("placement", ".json"), ("trace", ".csv"))
    }


def placement(digest: str, **changes) -> Placement:
    fields = {
        "schema": "splitshare.placement/1",
        "instance_sha256": digest,
        "algorithm": "by-hand",
        "status": "feasible",
        "assignment": {"vision": ["b"], "text": ["c"], "head": ["a"]},
        "objective": None,
        "bound": None,
        "build_s": 0.0,
        "solve_s": 0.0,
        "versions": {"splitshare": "0", "python": "3"},
    }
    return Placement.parse(fields | changes, "placement")


def test_replaying_writes_both_tables_and_returns_metrics(files, tmp_path) -> None:
    outputs = {"output": tmp_path / "out" / "requests.parquet", "stages_output": tmp_path / "out" / "stages.csv"}
    metrics = simulate.run(simulate.Options(**files, **outputs, link_model="independent")).metrics
    requests = pd.read_parquet(outputs["output"])
    assert requests["request_id"].tolist() == list(range(40))
    # The least latency is that of a request that met nobody: 0.101 + 0.2 + 0.002 + 0.01, its result already at home.
    assert requests["latency_s"].min() == pytest.approx(0.313)
    assert (
        len(pd.read_csv(outputs["stages_output"]))
        == requests["request"].map({"pair": 8, "single": 5}).astype(int).sum()
    )
    assert metrics["n"].iloc[-1] == 40
    assert metrics["mean_s"].iloc[-1] == pytest.approx(requests["latency_s"].mean())


def test_a_timeline_of_a_window_is_written_beside_the_tables(files, tmp_path) -> None:
    whole, part = tmp_path / "whole.json", tmp_path / "part.json"
    simulate.run(simulate.Options(**files, output=tmp_path / "r.parquet", perfetto=whole))
    simulate.run(simulate.Options(**files, output=tmp_path / "r.parquet", perfetto=part, from_s=5.0, until_s=10.0))
    slices = [[e for e in json.loads(f.read_text())["traceEvents"] if e["ph"] == "X"] for f in (whole, part)]
    inside = [e for e in slices[0] if e["ts"] < 10e6 and e["ts"] + e["dur"] >= 5e6]
    # Threads are numbered alike: the links of the trace are all used within any part of it.
    assert slices[1] == inside
    assert 0 < len(inside) < len(slices[0])


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"from_s": 1.0}, "--from-s: says what of the timeline is written; add --perfetto FILE"),
        ({"until_s": 1.0}, "--until-s: says what of the timeline is written"),
        ({"perfetto": "t.json", "from_s": 2.0, "until_s": 2.0}, "--until-s: is 2, not after --from-s, 2"),
        ({"perfetto": "t.pftrace"}, "t.pftrace: is to be a trace for Perfetto; end the name in .json"),
    ],
)
def test_a_timeline_that_cannot_be_meant_leaves_nothing(files, tmp_path, asked, problem) -> None:
    asked = {name: tmp_path / value if name == "perfetto" else value for name, value in asked.items()}
    with pytest.raises(InputError, match=problem):
        simulate.run(simulate.Options(**files, output=tmp_path / "r.parquet", **asked))
    assert not (tmp_path / "r.parquet").exists()


def test_how_sure_the_mean_is_is_told_of_long_traces(files, tmp_path, capsys) -> None:
    told = simulate.run(simulate.Options(**files, output=tmp_path / "r.parquet"))
    assert told.mean is None  # 40 requests
    longer = trace.Options(files["instance"], tmp_path / "l.parquet", kind="poisson", rate_per_s=1.0, requests=5000)
    trace.run(longer)
    told = simulate.run(simulate.Options(**files | {"trace": longer.output}, output=tmp_path / "r.parquet"))
    assert told.mean is not None
    simulate.show(told)
    assert "95% interval" in capsys.readouterr().out
    latency_s = pd.read_parquet(tmp_path / "r.parquet")["latency_s"]
    assert told.mean.interval.mean == pytest.approx(latency_s[500:].mean())
    assert told.mean.interval.around(latency_s.mean())


def test_a_variant_is_replayed_on_its_instance(files, tmp_path) -> None:
    digest = example().sha256()
    placement(digest, variant="sequential-routing").write(files["placement"])
    simulate.run(simulate.Options(**files, output=tmp_path / "r.parquet", stages_output=tmp_path / "s.parquet"))
    stages = pd.read_parquet(tmp_path / "s.parquet")
    text = stages[(stages["module"] == "text") & (stages["stage"] == "encode")].set_index("request_id")
    vision = stages[(stages["module"] == "vision") & (stages["stage"] == "encode")].set_index("request_id")
    assert len(text)
    assert (text["start_s"] >= vision["finish_s"].loc[text.index]).all()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"status": "infeasible", "assignment": None}, "assignment: is null"),
        ({"instance_sha256": "0" * 64}, "instance_sha256: belongs to another instance"),
        ({"assignment": {"vision": ["a"], "text": ["c"], "head": ["a"]}}, "cannot be replayed"),
        ({"assignment": {"vision": ["b"], "head": ["a"]}}, "assignment.text"),
    ],
)
def test_a_placement_that_cannot_be_replayed_leaves_nothing(files, tmp_path, changes, problem) -> None:
    placement(example().sha256(), **changes).write(files["placement"])
    with pytest.raises(InputError, match=problem):
        simulate.run(
            simulate.Options(**files, output=tmp_path / "requests.parquet", stages_output=tmp_path / "stages.parquet")
        )
    assert not list(tmp_path.glob("*.parquet"))


def test_an_unknown_suffix_is_refused_before_any_work(files, tmp_path) -> None:
    with pytest.raises(InputError, match="suffix"):
        simulate.run(
            simulate.Options(**files, output=tmp_path / "requests.parquet", stages_output=tmp_path / "stages.json")
        )
    assert not list(tmp_path.glob("requests*"))
    with pytest.raises(InputError, match="suffix"):
        trace.run(
            trace.Options(
                instance=files["instance"], output=tmp_path / "t.json", kind="poisson", rate_per_s=1.0, requests=1
            )
        )


def test_every_kind_of_trace_is_made(files, tmp_path) -> None:
    recorded = tmp_path / "recorded.csv"
    recorded.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,1,1\n2023-11-16 18:17:05.4,1,1")
    instance = example()
    made: dict[TraceKind, dict[str, Any]] = {
        "bursty": {"arrivals": COUNTS, "rate_per_s": 2.0, "horizon_s": 30.0},
        "recorded": {"arrivals": recorded},
        "gamma": {"rate_per_s": 2.0, "requests": 7, "parameters": ["cv=3"]},
        "pareto": {"rate_per_s": 2.0, "requests": 7},
        "mmpp": {"rate_per_s": 2.0, "requests": 7},
        "diurnal": {"rate_per_s": 2.0, "requests": 7, "parameters": ["period_s=100"]},
        "at-once": {"requests": 7},
    }
    lengths: dict[str, int] = {}
    for kind, arguments in made.items():
        output = tmp_path / f"{kind}.parquet"
        trace.run(trace.Options(instance=files["instance"], output=output, kind=kind, **arguments))
        lengths[kind] = len(read_trace(output, instance))
        first = output.read_bytes()
        trace.run(trace.Options(instance=files["instance"], output=output, kind=kind, **arguments))
        assert output.read_bytes() == first
    assert lengths == {"bursty": 60, "recorded": 2} | dict.fromkeys(
        ("gamma", "pareto", "mmpp", "diurnal", "at-once"), 7
    )
    assert read_trace(tmp_path / "recorded.parquet").arrival_s.tolist() == [0.0, 1.5]


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        ({"kind": "poisson", "requests": 5}, "--rate-per-s"),
        ({"kind": "poisson", "rate_per_s": 1.0, "requests": 5, "arrivals": COUNTS}, "--arrivals"),
        ({"kind": "bursty", "rate_per_s": 1.0, "requests": 5}, "--arrivals"),
        ({"kind": "poisson", "rate_per_s": 1.0, "requests": 5, "parameters": ["cv=2"]}, "--parameter"),
        ({"kind": "gamma", "rate_per_s": 1.0, "requests": 5, "from_s": 2.0}, "--from-s"),
        ({"kind": "gamma", "rate_per_s": 1.0, "requests": 5, "scale_by": "thin"}, "--scale-by"),
        ({"kind": "gamma", "rate_per_s": 1.0, "requests": 5, "parameters": ["cw=2"]}, "--parameter"),
        ({"kind": "gamma", "rate_per_s": 1.0, "requests": 5, "parameters": ["cv=-2"]}, "--parameter"),
        ({"kind": "gamma", "rate_per_s": 1.0, "requests": 5, "parameters": ["cv=1", "cv=2"]}, "--parameter"),
        ({"kind": "at-once", "requests": 5, "rate_per_s": 1.0}, "--rate-per-s"),
        ({"kind": "recorded", "arrivals": COUNTS, "horizon_s": 5.0}, "--horizon-s"),
    ],
)
def test_arguments_that_do_not_fit_the_kind_are_refused(files, tmp_path, arguments, source) -> None:
    with pytest.raises(InputError) as error:
        trace.run(trace.Options(instance=files["instance"], output=tmp_path / "t.csv", **arguments))
    assert error.value.source == source
    assert not (tmp_path / "t.csv").exists()
