"""Options of ``splitshare simulate`` beyond first come, first served: what they do, and how mistakes are told."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.placement.objective import Route
from splitshare.replay.batching import Batching
from splitshare.replay.serving.rules import Serving
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import write_trace
from tests.commands.test_replay import placement
from tests.replay.examples import example, fields, trace_of

CHANGES = ["link,time_s,bandwidth_bytes_per_s,latency_s", "a--b,0,100000,0.001"]
ARRIVALS = [(0.05 * i, ("pair", "single")[i % 2], 1.0) for i in range(40)]


def asked(folder: Path, *options: str, replication: bool = False, **changes: object) -> Result:
    instance = example(replication=replication, **changes)
    instance.write(folder / "i.json")
    hosts = {"vision": ["b", "c"] if replication else ["b"], "text": ["c"], "head": ["a"]}
    placement(instance.sha256(), assignment=hosts).write(folder / "p.json")
    write_trace(trace_of(instance, ARRIVALS), folder / "t.parquet")
    files = [str(folder / name) for name in ("i.json", "p.json", "t.parquet")]
    return CliRunner().invoke(app, ["simulate", *files, "-o", str(folder / "r.parquet"), *options])


def written(folder: Path, *rows: str) -> str:
    (folder / "given.csv").write_text("\n".join(rows) + "\n")
    return str(folder / "given.csv")


def latencies(folder: Path, *options: str, replication: bool = False) -> pd.Series:
    done = asked(folder, *options, replication=replication)
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_parquet(folder / "r.parquet")
    return table["latency_s"].fillna(-1.0).groupby(table["request"].astype(str)).mean()


def test_each_option_changes_what_it_should(tmp_path: Path) -> None:
    plain = latencies(tmp_path)
    assert latencies(tmp_path, "--queue", "fcfs").equals(plain)
    first = written(tmp_path, "by,name,priority", "request,single,1", "task,task,0")
    preferred = latencies(tmp_path, "--queue", "b=priority", "--priorities", first)
    assert preferred["single"] < plain["single"]
    assert preferred["pair"] > plain["pair"]
    assert latencies(tmp_path, "--queue", "ps").mean() != plain.mean()
    copied = latencies(tmp_path, "--routing", "least-completion", replication=True)
    assert (copied < plain).all()


def test_deadlines_and_loads_are_told(tmp_path: Path) -> None:
    done = asked(tmp_path, "--deadline-s", "1")
    assert "goodput_per_s" in done.output
    assert set(pd.read_parquet(tmp_path / "r.parquet")["status"]) == {"ok", "dropped"}
    some = written(tmp_path, "by,name,deadline_s", "request,single,1")
    asked(tmp_path, "--deadlines", some)
    table = pd.read_parquet(tmp_path / "r.parquet")
    assert set(table["request"][table["status"] == "dropped"]) == {"single"}
    loads = written(tmp_path, "device,module,load_s", "b,vision,0.5", "b,text,0.25")
    roomy = asked(tmp_path, "--load-times", loads)
    assert "No module had to be loaded" in roomy.output
    tight = fields()["devices"]
    tight[1] = {"name": "b", "memory_bytes": 1.0}
    instance = example(devices=tight)
    instance.write(tmp_path / "i.json")
    both = {"vision": ["b"], "text": ["b"], "head": ["a"]}  # more than it holds
    placement(instance.sha256(), assignment=both).write(tmp_path / "p.json")
    files = [str(tmp_path / name) for name in ("i.json", "p.json", "t.parquet")]
    ran = ["simulate", *files, "-o", str(tmp_path / "r.parquet")]
    assert "infeasible" in str(CliRunner().invoke(app, ran).exception)
    told = CliRunner().invoke(app, [*ran, "--load-times", loads])
    assert told.exit_code == 0, str(told.exception)
    assert "load_bytes" in told.output


@pytest.mark.parametrize(
    ("options", "rows", "problem"),
    [
        (["--queue", "lifo"], [], "is no queue; known: fcfs, priority, ps"),
        (["--queue", "z=ps"], [], "is no device"),
        (["--queue", "b=ps", "--queue", "b=fcfs"], [], "is told of b before"),
        (["--queue", "ps", "--queue", "fcfs"], [], "is told of all devices before"),
        (["--queue", "priority"], [], "pair: has none, and a device serves by priority"),
        (["--priorities", "FILE"], ["by,name,priority", "task,task,1"], "no device serves by priority"),
        (["--queue", "priority", "--priorities", "FILE"], ["by,name,priority", "request,pair,1"], "no row fits"),
        (["--priorities", "FILE"], ["by,name,priority", "user,me,1"], "by, row 1: must be one of request, task"),
        (["--priorities", "FILE"], ["by,name,priority", "task,tusk,1"], "name, row 1: 'tusk' is the task of no"),
        (["--priorities", "FILE"], ["by,name,priority", "task,task,1.5"], "priority, row 1"),
        (["--priorities", "FILE"], ["by,name,priority", *["task,task,1"] * 2], "name, row 2: stands in an earlier"),
        (["--queue", "b=ps", "--routing", "least-completion"], [], "choose shortest-queue or plan"),
        (["--queue", "ps", "--load-times", "FILE"], ["device,module,load_s", "b,vision,1"], "leave out ps"),
        (["--load-times", "FILE"], ["device,module,load_s", "b,vison,1"], "module, row 1: unknown module 'vison'"),
        (["--load-times", "FILE"], ["device,module,load_s", *["b,text,1"] * 2], "module, row 2"),
        (["--memory", "b=1"], [], "give --load-times, too"),
        (["--load-times", "FILE", "--memory", "b"], ["device,module,load_s", "b,text,1"], "must be device=bytes"),
        (["--load-times", "FILE", "--memory", "b=0"], ["device,module,load_s", "b,text,1"], "place it elsewhere"),
        (["--deadline-s", "1", "--deadlines", "FILE"], ["by,name,deadline_s", "task,task,1"], "leave one of them out"),
        (["--routing", "least-completion", "--link-changes", "FILE"], CHANGES, "choose shortest-queue or plan"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, options: list[str], rows: list[str], problem: str) -> None:
    path = written(tmp_path, *rows) if rows else ""
    done = asked(tmp_path, *(path if word == "FILE" else word for word in options))
    assert done.exit_code != 0
    assert problem in str(done.exception) + done.output
    assert not (tmp_path / "r.parquet").exists()


def test_batches_are_refused() -> None:
    trace = trace_of(example(), ARRIVALS)
    routes = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "a")}
    with pytest.raises(InputError, match="does not go with other queues"):
        simulate(example(), routes, trace, batching=Batching(max_batch=2), serving=Serving(queues={"b": "ps"}))


def test_a_timeline_shows_what_was_served(tmp_path: Path) -> None:
    for options in (["--queue", "ps"], ["--deadline-s", "1"]):
        done = asked(tmp_path, *options, "--perfetto", str(tmp_path / "t.json"), "--stages", str(tmp_path / "s.csv"))
        assert done.exit_code == 0, str(done.exception)
        events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
        stages = pd.read_csv(tmp_path / "s.csv")
        served = stages[stages["start_s"].notna() & (stages["device"].notna() | stages["link"].notna())]
        assert sum(event["ph"] == "X" for event in events) == len(served)


def test_seconds_of_loading_are_needed_where_modules_do_not_fit(tmp_path: Path) -> None:
    loads = written(tmp_path, "device,module,load_s", "c,text,1")
    done = asked(tmp_path, "--load-times", loads, "--memory", "b=1", "--memory", "c=1", replication=True)
    assert "vision: not all modules fit into 'c'" in str(done.exception)
