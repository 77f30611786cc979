"""What every caption tells beside what is to be seen: instances, testbeds, seed, and what the times rest on.

It follows from the files that the figure declares to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from pathlib import PurePath

import pandas as pd

from splitshare.benchmarks.accuracy import AccuracyRecord
from splitshare.catalog.gpus import THIS_MACHINE
from splitshare.catalog.testbeds import profile_file
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import method_title
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.zoo import Zoo
from splitshare.profiling.records import ModuleProfile
from splitshare.replay.capacity import WARM_UP
from splitshare.replay.confidence import LEVEL
from splitshare.results import rests_on
from splitshare.results.onloading import title_of
from splitshare.results.worst_cases import RECORD as WORST_CASES
from splitshare.results.worst_cases import read_worst_cases

Told = Callable[[Inputs, str], str]


def caption_of(declared: Declaration, inputs: Inputs) -> str:
    """The whole caption: what is drawn, what is to be seen, and the facts."""
    told = [] if declared.tells_itself else facts(declared, inputs)
    return " ".join([declared.caption, declared.takeaway, *told])


def facts(declared: Declaration, inputs: Inputs) -> list[str]:
    """A sentence or more for each kind of file that the figure reads, in their order, each once."""
    told = [tell(inputs, name) for name in declared.inputs if (tell := _teller(name))]
    told += [_study(inputs, name) for name in declared.records if name.startswith(STUDIES)]
    told += [_searched(inputs, name) for name in declared.records if name == WORST_CASES]
    if declared.records:
        told.append(_recorded(inputs, declared.records))
    return list(dict.fromkeys(sentence for sentence in told if sentence))


def _times(inputs: Inputs, testbeds: Iterable[str]) -> str:
    """What the times of testbeds' devices rest on."""
    types = dict.fromkeys(d.device_type for name in testbeds for d in inputs.testbed(name).devices)
    files = [
        inputs.results / f"{name}.json" if name.startswith(THIS_MACHINE) else profile_file(name, shared=inputs.profiles)
        for name in types
    ]
    return f"Times: {rests_on.in_words(rests_on.of_profiles(map(ModuleProfile.read, files)))}."


def _listed(names: Iterable[str]) -> str:
    return "; ".join(names)


def _placements(inputs: Inputs, name: str) -> str:
    """What a table of instances is of; one that does not name them is of those of the configuration."""
    table = pd.read_csv(inputs.result(name))
    if not {"workload", "testbed"} <= set(table):
        pairs = list(product(inputs.config.workloads, inputs.config.testbeds))
        table = pd.DataFrame(pairs, columns=["workload", "testbed"])
    testbeds = list(table["testbed"].unique())
    where = _listed(inputs.testbed(testbed).title for testbed in testbeds)
    workloads, instances = table["workload"].nunique(), len(table.drop_duplicates(["workload", "testbed"]))
    what = f"n = {instances} instances: {workloads} workloads on {where}."
    return f"{what} {_times(inputs, testbeds)} Seed {inputs.config.seed}."


def _cloud(inputs: Inputs, _name: str) -> str:
    cloud, cell = inputs.config.cloud, inputs.config.cloud.stated
    edge, far = (inputs.testbed(name).title for name in (cloud.edge_testbed, cloud.cloud_testbed))
    where = f"Edge: {edge}; cloud: {far}, at the cell of the verdict over {cell.round_trip_s * 1e3:g} ms and "
    where += f"{cell.bandwidth_bytes_per_s * 8e-6:g} Mbit/s."
    return f"{where} {_times(inputs, (cloud.edge_testbed, cloud.cloud_testbed))}"


def _replay(inputs: Inputs, _name: str) -> str:
    replay = inputs.config.replay
    what = f"{inputs.workload_title(replay.workload)} on {inputs.testbed(replay.testbed).title}"
    traces = " and ".join(replay.traces)
    return (
        f"{what}; {replay.requests:,} requests a trace ({traces}), seed {inputs.config.seed}. "
        f"{_times(inputs, [replay.testbed])}"
    )


def _load(inputs: Inputs, _name: str) -> str:
    sweep = inputs.config.load_sweep
    assert sweep is not None  # only figures of such a sweep read its tables
    where = _listed(inputs.testbed(testbed).title for testbed in sweep.testbeds)
    reference = method_title(sweep.reference)
    return (
        f"{inputs.workload_title(sweep.workload)} on {where}; {sweep.requests:,} Poisson requests a replay, the first "
        f"{WARM_UP:.0%} not counted, {sweep.seeds} seeds from {inputs.config.seed} on; bands and bounds are "
        f"{LEVEL:.0%} intervals (Student's t over seeds). In time: up to {sweep.limit_factor:g} times the class's idle "
        f"latency, for {sweep.attainment:.0%} of the requests at the knee. That latency, and the rate that is 100% "
        f"load, are of the placement by: {reference}. {_times(inputs, sweep.testbeds)}"
    )


def _modules(inputs: Inputs, _name: str) -> str:
    models = len(inputs.catalog.models)
    return f"n = {models} models; bytes and operations are counted on the modules themselves."


def _teller(name: str) -> Told | None:
    """What tells of a file: the longest beginning of its name decides."""
    fitting = [start for start in INPUTS if name.startswith(start)]
    return INPUTS[max(fitting, key=len)] if fitting else None


def _suite(inputs: Inputs, name: str) -> str:
    table = pd.read_csv(inputs.result(name), usecols=["instance", "zoo"]).drop_duplicates()
    by_zoo = ", ".join(f"{count} of the zoo {zoo!r}" for zoo, count in table["zoo"].value_counts(sort=False).items())
    what = f"Suite of n = {len(table)} seeded instances ({by_zoo}), ours."
    return f"{what} {_times_of_zoos(inputs, map(str, table['zoo'].unique()))}"


def _sweep(inputs: Inputs, _name: str) -> str:
    sweep = inputs.config.onloading.sweep
    size = f"{sweep.clients} clients, {sweep.servers} servers, {sweep.tasks} tasks and {sweep.models} models"
    seeds = " and ".join(map(str, sweep.seeds))
    what = f"Instances (ours) of {size} where these are not varied; means over seeds {seeds}."
    return f"{what} {_times_of_zoos(inputs, [_zoo(inputs)])}"


def _studied(inputs: Inputs, _name: str) -> str:
    return f"Instances of the suite, ours. {_times_of_zoos(inputs, [_zoo(inputs)])}"


def _study(inputs: Inputs, name: str) -> str:
    """The instance of the recorded studies, or how much one of its tables holds."""
    if name == STUDIED:
        instance = OnloadingInstance.read(inputs.recorded(name))
        size = f"{len(instance.clients)} clients and {len(instance.servers)} servers"
        zoos = [instance.zoo] if instance.zoo else []
        return f"Instance: {title_of(instance.name)}, {size}. {_times_of_zoos(inputs, zoos)}"
    what, column = COUNTED[name]
    return f"{what}: n = {inputs.record(name)[column].nunique()}."


def _zoo(inputs: Inputs) -> str:
    """The zoo that sweeps and studies draw from."""
    return PurePath(inputs.config.onloading.zoo).stem


def _times_of_zoos(inputs: Inputs, names: Iterable[str]) -> str:
    files = [inputs.catalog.root / "zoos" / f"{name}.json" for name in names]
    zoos = [Zoo.read(path) for path in files if path.is_file()]  # instances of one's own are of no zoo
    return f"Times of models: {rests_on.in_words(rests_on.of_zoos(zoos))}." if zoos else ""


def _machine(inputs: Inputs, _name: str) -> str:
    device = ModuleProfile.read(inputs.results / f"{THIS_MACHINE}.json").device
    return f"Measured on {device.cpu or device.name}, {device.threads} threads."


INPUTS: dict[str, Told] = {
    "placements.csv": _placements,
    "measured/placements.csv": _placements,
    "prompt_cache.csv": _placements,
    "ablation.csv": _placements,
    "cloud_grid.csv": _cloud,
    "replay/": _replay,
    "load/": _load,
    "modules.json": _modules,
    "onloading/": _studied,
    "onloading/results.csv": _suite,
    "onloading/sweep.csv": _sweep,
    f"{THIS_MACHINE}.json": _machine,
}
"""What is told of a file of the run, by how its name begins."""


STUDIES = "studies/"
"""Records of one onloading instance, below ``data/baselines``."""
STUDIED = f"{STUDIES}instance.json"
COUNTED = {
    f"{STUDIES}headroom.csv": ("Replays of each point", "seed"),
    f"{STUDIES}uncertain.csv": ("Demands, the mean one among them", "draw"),
    f"{STUDIES}follow.csv": ("Spans", "start_s"),
}
"""What there are several of in a table of the studies, and the column that tells them apart."""


def _searched(inputs: Inputs, name: str) -> str:
    """How long and how far was searched for worst cases."""
    table = read_worst_cases(inputs.catalog.root / "baselines" / name)
    starts, steps, reach, seed = (table[column].max() for column in ("starts", "steps", "reach", "seed"))
    return (
        f"Of each pair, n = {starts} starts and {steps} instances tried from each; no number becomes more than "
        f"{reach:g} times larger or smaller than it was. Seed {seed}."
    )


def _recorded(inputs: Inputs, records: Iterable[str]) -> str:
    """Machines and days of records."""
    machines: dict[str, None] = {}
    days: set[str] = set()
    for name in records:
        for machine, day in _origins(inputs, name):
            machines.setdefault(machine)
            days.add(day)
    if not machines:
        return ""
    when = min(days) if len(days) == 1 else f"{min(days)} to {max(days)}"
    return f"Recorded on {_listed(machines)}; {when}."


def _origins(inputs: Inputs, name: str) -> list[tuple[str, str]]:
    path = inputs.catalog.root / "baselines" / name
    if name == STUDIED:
        return []  # an instance, which no machine has a part in
    if path.suffix == ".json":
        rows = AccuracyRecord.read(path).rows
        return list(dict.fromkeys((row.provenance["machine"], row.provenance["date"][:10]) for row in rows))
    if path.suffix == ".jsonl":
        return []  # instances, which no machine has a part in
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    if not {"machine", "date"} <= set(table):
        return []
    known = table[["machine", "date"]].drop_duplicates().astype(str)
    return [(machine, date[:10]) for machine, date in known.itertuples(index=False)]
