"""Every reader of a file that a person writes, with valid samples; ``test_readers`` sees that none is missing."""

import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

import splitshare
from splitshare.adaptation.onloading_demand import DemandMapping
from splitshare.adaptation.onloading_timeline import read_changes
from splitshare.adaptation.timeline import read_events
from splitshare.benchmarks.accuracy import AccuracyRecord
from splitshare.benchmarks.embedded.log import TrainingLog
from splitshare.benchmarks.evaluate import _Shard
from splitshare.benchmarks.fetch import _State
from splitshare.benchmarks.fitted import FittedHead
from splitshare.benchmarks.lock import read_lock
from splitshare.catalog.benchmarks import load_benchmarks
from splitshare.catalog.hub import HubFile
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.published_accuracy import ClassNamesFile, PublishedAccuraciesFile
from splitshare.catalog.records import Benchmark
from splitshare.catalog.testbeds import read_device, read_testbed
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.records import CheckpointsFile
from splitshare.config import Config
from splitshare.interface import read_instance
from splitshare.jsonl import read_lines
from splitshare.modules.hub_pins import read_pins
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.instance import OnloadingDecision, OnloadingInstance
from splitshare.onloading.published_scores import read_scores
from splitshare.onloading.published_zoo import COLUMNS as ZOO_COLUMNS
from splitshare.onloading.zoo import Zoo, ZooModel
from splitshare.placement.assignment_problems import AssignmentProblem, read_assignment_problems
from splitshare.placement.certificate import Certificate, objections
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.pinned import PinnedInstances
from splitshare.problems import problem_named
from splitshare.problems.standard import COLUMNS, read_recorded
from splitshare.profiling.job import Job, read_report
from splitshare.profiling.published import read_figures, read_published
from splitshare.profiling.read import read_profiles
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile
from splitshare.records import Record
from splitshare.replay.arrival_counts import read_arrival_counts
from splitshare.replay.batching import BatchCurves, Batching, read_batching
from splitshare.replay.emulator.credentials import read_pem, read_token
from splitshare.replay.emulator.program import Program, build_program
from splitshare.replay.emulator.real_testbed import RunningWorkers
from splitshare.replay.generators import poisson_trace
from splitshare.replay.link_changes import read_link_changes
from splitshare.replay.link_recordings import LinkRecording, read_link_recording
from splitshare.replay.public_traces import read_public_trace
from splitshare.replay.recorded import read_warp
from splitshare.replay.serving.files import read_deadlines, read_load_times, read_priorities
from splitshare.replay.trace_mapping import TraceMapping
from splitshare.replay.trace_sources import TracesFile
from splitshare.replay.traces import RequestTrace, read_trace
from splitshare.results.baselines import read_baselines
from splitshare.results.family_record import read_best, read_results
from splitshare.results.onloading import read_record
from splitshare.results.reported import read_reported
from splitshare.results.verdict_file import VerdictFile
from splitshare.results.worst_cases import read_worst_cases
from splitshare.schemas import schema_of
from splitshare.solvers.exchange import read_solution
from splitshare.stages import evaluate
from tests.onloading.examples import fields as onloading_fields
from tests.onloading.examples import tiny
from tests.placement.tiny_catalogue import DESCRIPTIONS, profile, write_catalogue
from tests.replay.examples import example, fields
from tests.replay.test_batching import LOCAL, curves_of

ROOT = Path(__file__).parents[2]
CHECKPOINTS = f"""
schema: splitshare.checkpoints/1
models: {{ clip: models/clip, llava: llava-hf/llava-1.5-7b-hf }}
encoders:
  clip.vision:
    model: clip
    module: vision
    place: vision_model
    digest: {"a" * 64}
    input_shape: [3, 24, 24]
    rows: true
    pooled:
      argument: pixel_values
      given: {{ interpolate_pos_encoding: false, output_hidden_states: -2 }}
      beside: [{{ name: grid_thw, dtype: int64, shape: [1, 3], values: [1, 4, 4], per_item: true }}]
      path: [pooler_output]
      returns: transformers.modeling_outputs.BaseModelOutputWithPooling
      shape: [32]
heads:
  llava.head:
    model: llava
    digest: {"b" * 64}
    answer: logits
    decodes: true
    arrives:
      vision:
        place: model.vision_tower
        call: {{ path: [hidden_states, 1], returns: tuple, among: 3, shape: [10, 32] }}
        items: 3
"""
MOONCAKE = b"""{"timestamp": 0, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1, 2]}
{"timestamp": 27482, "input_length": 7322, "output_length": 490, "hash_ids": [0, 14]}
"""
MAPPING = """
schema: splitshare.trace-mapping/1
classes:
  - where: { Model: GPT-4, NumImages: { at_least: 1, below: 3 } }
    requests: { pair: 2, single: 1 }
  - requests: { single: 1 }
size: { column: GeneratedTokens, per: 100, least: 0.1, most: 20 }
"""
DEMAND_MAPPING = """
schema: splitshare.demand-mapping/1
rules:
  - where: { Model: GPT-4, NumImages: { at_least: 1, below: 3 } }
    clients: [c0, c1]
    tasks: [t0]
  - tasks: [t1]
together: user
"""
SUMMARY = {"method": "mine", "instances": 40, "clusters": 40, "placed": 39, "optimal": 3, "worst_gap": 0.5}
MEAN = {"estimate": 0.1, "low": 0.05, "high": 0.2, "confidence": 0.95, "clusters": 40, "no_interval": None}
DUEL = {"baseline": "heft", "wins": 3, "ties": 1, "losses": 36, "clusters": 40, "deciding": 39, "better": False}
VERDICT = {
    "schema": "splitshare.verdict/2",
    "problem": "placement",
    "method": "mine",
    "judged": {"name": "mine.py:Mine", "file_sha256": "c" * 64, "ran_here": True},
    "made_with": {"splitshare": "0.1.0", "date": "2026-11-29T14:53:50+00:00"},
    "families": [
        {
            "family": "random-test",
            "method": "mine",
            "instances_sha256": "d" * 64,
            "summaries": [SUMMARY | {"mean_gap": MEAN}, SUMMARY | {"method": "heft", "mean_gap": None}],
            "duels": [DUEL | {"p_value": 0.01, "smallest_p": 0.001}],
        }
    ],
    "time_ratio": {"to": "s2m3-greedy", "median": 0.5},
    "checks": [{"check": "feasible", "passed": True, "message": "every answer"}],
    "repeated": {"runs": 40, "changed": []},
    "failures": [{"instance": "random-1", "seed": 0, "status": "infeasible", "reason": "too large"}],
}


@dataclass(frozen=True)
class Reader:
    """One reader: what it reads, and what must be right of an answer."""

    name: str
    file: str
    """Name of the file below a folder."""
    samples: tuple[bytes, ...]
    read: Callable[[Path], Any]
    """From the file."""
    right: Callable[[Any, bytes], None] = lambda value, data: None
    """Raises where what was read of these bytes is not right."""
    others: dict[str, bytes] = field(default_factory=dict)
    """Further files of the folder."""
    covers: tuple[str, ...] = ()
    """Records and functions that read with it, beside ``name``."""

    @cached_property
    def trees(self) -> tuple[Any, ...]:
        """Samples as plain data, where they are JSON or YAML."""
        if self.file.endswith((".yaml", ".json")):
            return tuple(yaml.safe_load(sample) for sample in self.samples)
        if self.file.endswith(".jsonl"):
            return tuple(json.loads(sample.split(b"\n")[0]) for sample in self.samples)
        return ()


def right_record(record: type[Record], *, yaml_file: bool) -> Callable[[Any, bytes], None]:
    """Another validator takes the file by its published schema, and what was read is written and read alike."""
    schema = schema_of(record) if "schema_" in record.model_fields else record.model_json_schema(by_alias=True)
    validator = jsonschema.Draft202012Validator(schema)

    def check(value: Any, data: bytes) -> None:
        assert isinstance(value, record)
        written = json.loads(value.to_json())
        validator.validate(json.loads(data) if data.lstrip()[:1] == b"{" and not yaml_file else written)
        assert record.parse(written, "again") == value
        for number in numbers(value.model_dump()):
            assert math.isfinite(number)
            assert abs(number) <= 1e100

    return check


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def of_record(record: type[Record], *samples: Any, file: str = "file.json", **more: Any) -> Reader:
    texts = tuple(s if isinstance(s, bytes) else json.dumps(s, indent=1).encode() for s in samples)
    check = right_record(record, yaml_file=file.endswith(".yaml"))
    use = more.pop("use", lambda value: None)

    def right(value: Any, data: bytes) -> None:
        check(value, data)
        use(value)

    more = {"read": record.read} | more
    return Reader(more.pop("name", record.__name__), file, texts, right=right, **more)


def right_problems(value: list[AssignmentProblem], data: bytes) -> None:
    """Tables have their shapes, all of the file's numbers stand in them, and each is a placement instance."""
    numbers = sum(2 + p.cost.size + p.size.size + p.capacity.size for p in value)
    assert len(data.decode("utf-8-sig").split()) == 1 + numbers
    for problem in value:
        assert problem.cost.shape == problem.size.shape == (len(problem.capacity), problem.cost.shape[1])
        assert len(problem.placement("x", "max").requests) == problem.cost.shape[1]


def placed(value: PlacementInstance) -> None:
    """Sums and products over an instance stay finite."""
    trace = poisson_trace(value, 1.0, requests=3, seed=0)
    assert np.isfinite(trace.arrival_s).all()
    total = sum(r.rate_per_s for r in value.requests)
    for request in value.requests:
        for j, use in enumerate(request.encoders):
            for link in value.links:
                way = value.comm_s(link.a, link.b, use.input_bytes + value.encoder_output_bytes(request, j))
                seconds = [s or 0.0 for s in value.encoder_compute_s(request, j).values()]
                assert math.isfinite((way + sum(seconds)) * request.rate_per_s * total)


def onloaded(value: OnloadingInstance) -> None:
    arrays = arrays_of(value)
    assert math.isfinite(arrays.demand)
    for name in ("rate", "size", "uplink", "backhaul", "least_rate", "memory"):
        assert np.isfinite(getattr(arrays, name)).all()
    assert np.isfinite((arrays.rate * arrays.size).sum() / arrays.uplink.min() * arrays.size.max())


def right_trace(trace: Any, data: bytes) -> None:
    assert isinstance(trace, RequestTrace)
    assert (np.diff(trace.arrival_s) >= 0).all()
    assert 0 <= trace.arrival_s[0] <= trace.arrival_s[-1] <= 1e9
    assert len(set(trace.request_id.tolist())) == len(trace)
    assert trace.request_id.min() >= 0
    assert ((trace.size >= 0) & (trace.size <= 1e6)).all()
    assert {trace.classes[i] for i in trace.request_class} <= {"pair", "single"}
    if not data.endswith(b"PAR1"):
        other = pd.read_csv(io.BytesIO(data.removeprefix(b"\xef\xbb\xbf")), dtype=str, keep_default_na=False)
        assert [int(i) for i in other["request_id"]] == trace.request_id.tolist()
        assert [float(i) for i in other["arrival_s"]] == trace.arrival_s.tolist()
        assert list(other["request"]) == [trace.classes[i] for i in trace.request_class]


def right_recording(value: Any, data: bytes) -> None:
    assert isinstance(value, LinkRecording)
    assert (np.diff(value.edge_s) > 0).all()
    assert value.edge_s[0] == 0
    for rates in (value.down_bytes_per_s, value.up_bytes_per_s):
        assert rates is None or (len(rates) == len(value.edge_s) - 1 and (rates >= 0).all())


def right_onloading_changes(events: Any, data: bytes) -> None:
    times = [event.time_s for event in events]
    assert times == sorted(times)
    assert all(float(event.value) >= 0 for event in events if event.what == "demand")


def right_events(events: Any, data: bytes) -> None:
    times = [event.time_s for event in events]
    assert times == sorted(times)
    assert all((event.value is None) is (event.what in {"leaves", "joins"}) for event in events)


def right_warp(value: Any, data: bytes) -> None:
    times, factors = value
    assert times[0] == 0
    assert (np.diff(times) > 0).all()
    assert (factors > 0).all()


def right_changes(changes: Any, data: bytes) -> None:
    for times, rates, latencies in changes.by_link.values():
        assert times[0] == 0
        assert (np.diff(times) > 0).all()
        assert rates[-1] > 0
        assert (latencies >= 0).all()


def serving_readers() -> list[Reader]:
    """The tables of rules of serving."""
    rows = ("request,single", "task,task", "model,pair", "source,a")

    def right_numbers(found: Any, data: bytes) -> None:
        assert all(0 <= value <= 1e9 for value in found.values())

    return [
        Reader(
            "read_priorities",
            "priorities.csv",
            (csv_of("by,name,priority", *(f"{row},{i}" for i, row in enumerate(rows))),),
            lambda path: read_priorities(path, example()),
            right_numbers,
        ),
        Reader(
            "read_deadlines",
            "deadlines.csv",
            (csv_of("by,name,deadline_s", *(f"{row},{i}.5" for i, row in enumerate(rows))),),
            lambda path: read_deadlines(path, example()),
            right_numbers,
        ),
        Reader(
            "read_load_times",
            "loads.csv",
            (csv_of("device,module,load_s", "a,head,0.5", "b,vision,1", "b,text,2e-1"),),
            lambda path: read_load_times(path, example()),
            right_numbers,
        ),
    ]


def right_recorded(recorded: Any, data: bytes) -> None:
    assert (np.diff(recorded.arrival_s) >= 0).all()
    assert recorded.arrival_s[0] == 0
    for values in recorded.numbers.values():
        assert not np.isinf(values).any()
        assert len(values) == len(recorded)


def right_counts(counts: Any, data: bytes) -> None:
    assert counts.width_s > 0
    assert 0 < counts.arrivals.sum() <= len(counts.arrivals) * 10**9


def right_solution(values: Any, data: bytes) -> None:
    assert values.shape == (3,)
    assert np.isfinite(values).all()


def right_figures(rows: Any, data: bytes) -> None:
    assert rows
    assert all(1e-9 <= v <= 1e12 for row in rows.values() for v in row.values())


def right_reported(found: Any, data: bytes) -> None:
    method, table = found
    assert isinstance(method, str)
    assert table["instance"].isin(["one", "two"]).all()
    seconds = table["objective"].to_numpy(float)
    assert (np.isnan(seconds) | ((seconds >= 0.5) & (seconds <= 1e9))).all()
    assert not table.duplicated(["instance", "seed"]).any()


def csv_of(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def head(path: str, lines: int) -> bytes:
    return b"".join((ROOT / path).read_bytes().splitlines(keepends=True)[:lines])


def parquet_of(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def yaml_of(value: Any) -> bytes:
    return yaml.safe_dump(value, sort_keys=False).encode()


def _first(path: str, key: str, count: int) -> Any:
    """A committed file with the first few of its list ``key``."""
    text = (ROOT / path).read_text()
    value = yaml.safe_load(text) if path.endswith(".yaml") else json.loads(text)
    return value | {key: value[key][:count]}


def standard_record(path: Path) -> Any:
    """Read results of a problem that records in no way of its own."""
    problem = replace(problem_named("onloading"), name=path.parent.name, recorded=None)
    return read_recorded(problem, path.parent.parent, [])


def reported_placements(path: Path) -> tuple[str, pd.DataFrame]:
    """Read results that were computed elsewhere, of two instances whose optima are 1 and 0.5 s."""
    known = {"instance": ["one", "two"], "reference": [1.0, 0.5], "instance_sha256": "a" * 64, "method": "heft"}
    recorded = pd.DataFrame(known)
    return read_reported(path, recorded, objective="objective_s", ignored=["optimum_s"], sense="min")


def _baselines() -> pa.Table:
    table = pq.read_table(ROOT / "data" / "baselines" / "placements.parquet")
    return table.slice(0, 3).replace_schema_metadata(None)


def _catalogue(folder: Path) -> dict[str, bytes]:
    write_catalogue(folder)
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.yaml")}


def _decision(instance: OnloadingInstance) -> Any:
    from splitshare.onloading.contract import load
    from splitshare.onloading.run import solve

    return json.loads(solve(instance, load("accuracy-greedy")).to_json())


def all_readers(folder: Path) -> list[Reader]:
    """All readers; ``folder`` is for what samples are made of."""
    instance, onloading = PlacementInstance.parse(fields(), "x"), OnloadingInstance.parse(onloading_fields(), "x")
    assignment = {"vision": ["b"], "text": ["c"], "head": ["a"]}
    versions = {"splitshare": "0.1", "python": "3.11"}
    sha = instance.sha256()
    worth = splitshare.evaluate(instance, assignment)["objective"]
    placement = {
        **{"schema": "splitshare.placement/1", "instance_sha256": sha, "algorithm": "local", "status": "feasible"},
        **{"assignment": assignment, "objective": worth, "bound": None, "build_s": 0.0, "solve_s": 0.1},
        "versions": versions,
    }
    certificate = {
        **{"schema": "splitshare.certificate/1", "instance": "example", "instance_sha256": sha, "bound": 1.0},
        **{"assignment": assignment, "objective": 1.0, "proved_by": ["highs 1"], "tolerance": 1e-6},
    }
    curves = curves_of(instance, {2: 1.5, 4: 2.5})
    program = build_program(
        instance, LOCAL, {"vision": ["b"], "text": ["b"], "head": ["b"]}, epoch=0, batching=Batching(2, curves)
    )
    source = {
        **{
            "dataset": "own/er",
            "split": "test",
            "revision": "a" * 40,
            "columns": {"image": "img", "label": "y"},
            "rows": 9,
        },
        **{"fold_column": "fold", "folds": [1, 2]},
    }
    selection = {"benchmark": "food-101", "part": "test", "source": source, "samples": 3, "seed": 1}
    entry = {
        **{"selection": selection, "rows": 3, "content_sha256": "c", "class_names": ["a"]},
        "files": [{"name": "part-0.parquet", "rows": 3, "file_sha256": "a", "content_sha256": "b"}],
    }
    benchmarks = _first("data/catalogue/benchmarks.yaml", "benchmarks", 2)
    known = {b["name"]: Benchmark(name=b["name"], title="t", task="t") for b in benchmarks["benchmarks"]}
    described = json.loads(DESCRIPTIONS.to_json())
    profiled = json.loads(profile("device", memory_bytes=1e9, read_3=0.2, see=0.1, read=0.1).to_json())
    zoo = _first("data/zoos/trained.json", "models", 2)
    kept = {task for model in zoo["models"] for task in model["accuracy"]}
    zoo["tasks"] = [task for task in zoo["tasks"] if task["name"] in kept]
    catalogue = _catalogue(folder / "catalogue-of-two")
    decision = _decision(onloading)
    trace = csv_of("request_id,arrival_s,request,size", "1,0.5,pair,1", "2,0.75,single,2.5", '7,1e1,"pair",0')
    columns = {
        "request_id": [1, 2, 3],
        "arrival_s": [0.0, 0.5, 0.5],
        "request": ["pair", "single", "pair"],
        "size": [1.0, 2, 1],
    }
    reported = pa.table({"instance": ["one", "two", "one"], "objective_s": [1.0, None, 2.5], "seed": [0, 0, 1]})
    files = {"instance.json": instance.to_json().encode(), "onloading.json": onloading.to_json().encode()}
    times = {"batch": 1, "seconds": [0.1], "peak_memory_bytes": 1.0, "load_s": 0.1, "warm_up_runs": 1, "settled": True}
    report = [
        json.dumps({"described": described["modules"][0]}),
        json.dumps({"measured": times}),
        json.dumps({"left_out": {"batch": 8, "reason": "long"}}),
    ]
    job = {
        **{"catalog_root": "data", "module": "m", "budget_s": 1.0, "longest_run_s": 9.0, "threads": 1},
        **{"torch_device": "cpu", "seed": 0, "scratch": "x"},
    }
    azure = [f"2023-11-16 18:17:{s}.9799600,{n},44" for n, s in enumerate(("03", "04", "07"))]
    pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    return [
        of_record(Config, (ROOT / "config" / "smoke.yaml").read_bytes(), file="config.yaml"),
        of_record(
            ClassNamesFile,
            (ROOT / "data" / "catalogue" / "class_names.yaml").read_bytes(),
            file="class_names.yaml",
        ),
        of_record(
            PublishedAccuraciesFile,
            (ROOT / "data" / "catalogue" / "published_accuracy.yaml").read_bytes(),
            file="published_accuracy.yaml",
        ),
        of_record(HubFile, (ROOT / "data" / "catalogue" / "hub.yaml").read_bytes(), file="hub.yaml"),
        of_record(
            Family,
            *((ROOT / "data" / "families" / f"{name}.yaml").read_bytes() for name in ("clip", "blip", "vilt")),
            file="clip.yaml",
            covers=("load_families",),
        ),
        of_record(CheckpointsFile, CHECKPOINTS.encode(), file="checkpoints.yaml", covers=("read_entry",)),
        of_record(VerdictFile, json.dumps(VERDICT).encode(), file="verdict.json", covers=("standings",)),
        *(
            Reader(
                f"load_catalog:{Path(name).stem}",
                name,
                (data,),
                lambda path: load_catalog(path.parents[1]),
                others=catalogue,
                covers=("load_catalog", "TasksFile", "ArchitecturesFile", "ModelsFile", "WorkloadsFile"),
            )
            for name, data in catalogue.items()
        ),
        Reader(
            "load_benchmarks",
            "catalogue/benchmarks.yaml",
            (yaml_of(benchmarks),),
            lambda path: load_benchmarks(path.parents[1], known),
            covers=("BenchmarksFile",),
        ),
        Reader(
            "read_device:published",
            "desktop-i9-10940x.yaml",
            ((ROOT / "data/devices/desktop-i9-10940x.yaml").read_bytes(),),
            read_device,
            covers=("read_device", "DeviceSpec"),
        ),
        Reader(
            "read_device:launches",
            "jetson-nano.yaml",
            ((ROOT / "data/devices/jetson-nano.yaml").read_bytes(),),
            read_device,
        ),
        Reader(
            "read_testbed",
            "jetson-cloud.yaml",
            ((ROOT / "data/testbeds/jetson-cloud.yaml").read_bytes(),),
            read_testbed,
            covers=("Testbed",),
        ),
        of_record(ModuleDescriptions, described),
        of_record(
            ModuleProfile,
            profiled,
            file="device.json",
            read=lambda path: read_profiles([path])["device"],
            covers=("read_profiles",),
        ),
        of_record(PlacementInstance, fields(), fields(routing="sequential", objective="max"), use=placed),
        Reader(
            "placement",
            "placement.json",
            (json.dumps(placement).encode(),),
            lambda path: evaluate.run(evaluate.Options(path.parent / "instance.json", path)),
            others=files,
            covers=("Placement", "read_pair", "read_base_pair", "read_replayable"),
        ),
        of_record(Placement, placement, name="Placement alone"),
        of_record(PinnedInstances, {"schema": "splitshare.pinned-instances/1", "instances": {"a": sha, "b": sha}}),
        of_record(Certificate, certificate, use=lambda value: objections(instance, value) and None),
        of_record(AccuracyRecord, _first("data/baselines/accuracy.json", "rows", 2)),
        of_record(
            TrainingLog,
            {
                "schema": "splitshare.embedded-training/1",
                "models": ["m"],
                "data_sha256": "d",
                "seed": 0,
                "epochs": 2,
                "threads": 1,
                "loss": [1.0, 0.5],
                "seconds": 3.0,
            },
            covers=("read_log",),
        ),
        of_record(Zoo, zoo),
        of_record(ZooModel, zoo["models"][0]),
        of_record(OnloadingInstance, onloading_fields(), onloading_fields(3, batching=True), use=onloaded),
        Reader(
            "decision",
            "decision.json",
            (json.dumps(decision).encode(),),
            lambda path: evaluate.run(evaluate.Options(path.parent / "onloading.json", path)),
            others=files,
            covers=("OnloadingDecision", "read_answer"),
        ),
        of_record(OnloadingDecision, decision, name="OnloadingDecision alone"),
        of_record(
            FittedHead,
            {
                "schema": "splitshare.fitted-head/1",
                "head": "h",
                "benchmark": "b",
                "recipe": {"a": 1, "b": 0.5},
                "data_sha256": "d",
                "weights": "w",
                "answers": ["yes"],
                "train_metric": 0.5,
            },
        ),
        Reader(
            "read_lock",
            "lock.json",
            (json.dumps({"schema": "splitshare.benchmark-lock/1", "entries": [entry]}).encode(),),
            read_lock,
            covers=("LockFile",),
        ),
        Reader(
            "read_pins",
            "hub.lock.json",
            (
                json.dumps(
                    {
                        "schema": "splitshare.hub-lock/1",
                        "pins": [
                            {"kind": "model", "repository": "a/b", "revision": "0" * 40, "files": {"c": "1" * 64}},
                            {"kind": "dataset", "repository": "a/b", "asked": "1" * 40, "revision": "0" * 40},
                        ],
                    }
                ).encode(),
            ),
            read_pins,
            covers=("PinsFile",),
        ),
        of_record(
            BatchCurves,
            json.loads(curves.to_json()),
            read=lambda path: read_batching(path, 4, instance, needed=True).curves,
            covers=("read_batching",),
        ),
        of_record(Program, json.loads(program.to_json())),
        of_record(
            RunningWorkers,
            {"schema": "splitshare.running-workers/1", "workers": {"a": "h:1", "b": "unix:x"}, "token_file": "t"},
            file="workers.yaml",
        ),
        of_record(Job, job),
        of_record(_State, {"selection": selection, "steps": 3, "files": entry["files"], "complete": True}),
        of_record(_Shard, {"identity": "i", "answers": ["a"], "top": [[1, 2]], "load_s": 0.1, "model_s": 0.2}),
        Reader("read_report", "report.jsonl", (csv_of(*report),), read_report, covers=("ReportLine",)),
        Reader(
            "read_lines",
            "set.jsonl",
            (csv_of(json.dumps(fields()), json.dumps(fields(name="two"))),),
            lambda path: read_lines(PlacementInstance, path),
        ),
        Reader(
            "read_instance",
            "instance.json",
            (json.dumps(fields()).encode(),),
            read_instance,
            covers=("problem_of_instance",),
        ),
        Reader(
            "read_solution",
            "found.sol",
            (b"# Objective value = 3\nx/a 1\nx/b 0\nc2 2.5\n", b"objective value: 3\nx/a   1 \t(obj:1)\nc2 2.5\n"),
            lambda path: read_solution(path, ["x/a", "x/b", "c2"]),
            right_solution,
        ),
        Reader("read_published", "towers.csv", (head("data/published/timm_image_towers.csv", 4),), read_published),
        Reader(
            "read_figures",
            "zoo.csv",
            (head("data/published/timm_accuracy_zoo.csv", 4),),
            lambda path: read_figures(path, ZOO_COLUMNS),
            right_figures,
        ),
        Reader("read_scores", "scores.csv", (head("data/published/multitask_zoo.csv", 4),), read_scores),
        Reader(
            "read_assignment_problems",
            "gap.txt",
            (b" 2\n 2 3\n 1 2 3\n 4 5 6\n 1 1 2 2\n 1 1\n 2 3\n 1 1\n 7\n 5\n 9\n", b"1 1 1 1 1 1"),
            read_assignment_problems,
            right_problems,
        ),
        Reader(
            "read_arrival_counts",
            "arrivals.csv",
            (csv_of("start_s,arrivals", "0,3", "10,0", "20,5"),),
            read_arrival_counts,
            right_counts,
            covers=("read_csv", "csv_rows"),
        ),
        Reader(
            "read_public_trace:csv",
            "azure.csv",
            (
                csv_of("TIMESTAMP,ContextTokens,GeneratedTokens", *azure),
                csv_of("arrival_s,kind", "0,a", "0.5,b", "2,a"),
            ),
            read_public_trace,
            right_recorded,
            covers=("read_public_trace",),
        ),
        Reader(
            "read_public_trace:jsonl",
            "mooncake.jsonl",
            (MOONCAKE,),
            read_public_trace,
            right_recorded,
        ),
        Reader(
            "read_public_trace:parquet",
            "recorded.parquet",
            (parquet_of(pa.table({"arrival_s": [0.0, 1.5], "tokens": [3, 4], "model": ["a", "b"]})),),
            read_public_trace,
            right_recorded,
        ),
        Reader(
            "read_link_changes",
            "changes.csv",
            (
                csv_of(
                    "link,time_s,bandwidth_bytes_per_s,latency_s", "a--b,1,50000,0.02", "a->b,2,0,0.1", "a->b,3,10,0"
                ),
            ),
            lambda path: read_link_changes(path, example()),
            right_changes,
        ),
        Reader(
            "read_changes",
            "changes.csv",
            (csv_of("time_s,what,name,value", "1,goes,c0,", "2,moves,c1,s0", "3,lost,s0,", "4,demand,*,2.5"),),
            lambda path: read_changes(path, tiny(0)),
            right_onloading_changes,
        ),
        Reader(
            "read_events",
            "events.csv",
            (csv_of("time_s,what,name,value", "1,leaves,b,", "2,slows,c,2", "3,rate,pair,0", "9,joins,b,"),),
            lambda path: read_events(path, example()),
            right_events,
        ),
        Reader(
            "read_warp",
            "warp.csv",
            (csv_of("time_s,rate_factor", "0,1", "60,4", "120,0.5"),),
            read_warp,
            right_warp,
        ),
        Reader(
            "read_link_recording",
            "recording.csv",
            (
                csv_of("Timestamp,DL_bitrate,UL_bitrate", "2019.12.14_10.16.30,8000,800", "2019.12.14_10.16.32,-,-"),
                b"1453121790686 1000 51.0 3.7 500000 1000\n1453121791687 2001 51.0 3.7 0 1001\n",
                b"0\n3\n3\n7\n",
            ),
            read_link_recording,
            right_recording,
        ),
        of_record(TracesFile, (ROOT / "data" / "catalogue" / "traces.yaml").read_bytes(), file="traces.yaml"),
        *serving_readers(),
        of_record(TraceMapping, MAPPING.encode(), file="mapping.yaml"),
        of_record(DemandMapping, DEMAND_MAPPING.encode(), file="mapping.yaml"),
        Reader(
            "read_trace:csv",
            "trace.csv",
            (trace,),
            lambda path: read_trace(path, example()),
            right_trace,
            covers=("read_trace",),
        ),
        Reader(
            "read_trace:parquet",
            "trace.parquet",
            (parquet_of(pa.table(columns)),),
            lambda path: read_trace(path, example()),
            right_trace,
            covers=("read_parquet",),
        ),
        Reader(
            "read_reported:csv",
            "mine.csv",
            (csv_of("instance,objective_s,seed,method", "one,1.5,0,mine", "two,,0,mine", "one,2,1,mine"),),
            reported_placements,
            right_reported,
            covers=("read_reported",),
        ),
        Reader(
            "read_reported:parquet",
            "mine.parquet",
            (parquet_of(reported),),
            reported_placements,
            right_reported,
            covers=("read_frame",),
        ),
        Reader(
            "read_recorded",
            "results.csv",
            (
                csv_of(
                    ",".join(COLUMNS),
                    f"f,one,optimum,0,{'a' * 64},optimal,0.5,0.5,0,0.1,m,r,d",
                    f"f,one,greedy,0,{'a' * 64},feasible,0.4,,0,1e-3,m,r,d",
                ),
            ),
            standard_record,
        ),
        Reader("read_record", "onloading.csv", (head("data/baselines/onloading.csv", 4),), read_record),
        Reader("read_results", "families.csv", (head("data/baselines/families.csv", 4),), read_results),
        Reader("read_best", "families_best.csv", (head("data/baselines/families_best.csv", 4),), read_best),
        Reader("read_worst_cases", "adversarial.csv", (head("data/baselines/adversarial.csv", 4),), read_worst_cases),
        Reader("read_baselines", "placements.parquet", (parquet_of(_baselines()),), read_baselines),
        Reader("read_token", "token", (b"0123456789abcdefghi\n",), read_token, covers=("read_text",)),
        Reader("read_pem", "key.pem", (pem,), read_pem),
    ]


NOT_WRITTEN_BY_PEOPLE = {
    "read_samples": "files with a digest in the lock, which is checked before they are read",
    "read_trace_source": "an entry of traces.yaml, which is TracesFile's",
    "read_trained": "weights that `embedded train` writes; test_embedded spoils them",
    "read_easy_vqa": "data of a pinned package, of a known digest",
    "ProfiledDevice": "what the program finds out of its machine",
    "JobOutputs": "what the workflow keeps of its own jobs; spoilt, it is begun anew",
    "KernelLinks": "what the emulator tells the network namespaces that it makes",
    "RelaySpec": "what the emulator tells the relays that it starts",
    "read_header": "weights that a program writes; tests/checkpoints/test_files.py spoils them",
    "read_headers": "as read_header, by an index that a program writes",
    "load_words": "a tokeniser's directory, read by transformers; its place in hub.yaml is HubFile's",
}
"""Functions and records that read no file that a person writes."""
