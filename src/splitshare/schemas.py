"""The JSON Schemas of the file contracts, generated from the records that read them.

A schema tells a file's shape; what fields must agree with each other (a link's devices, a model's architecture) is
checked on reading only.
"""

from __future__ import annotations

from typing import Any, get_args

from splitshare.adaptation.onloading_demand import DemandMapping
from splitshare.benchmarks.accuracy import AccuracyRecord
from splitshare.benchmarks.embedded.log import TrainingLog
from splitshare.benchmarks.fitted import FittedHead
from splitshare.benchmarks.lock import LockFile
from splitshare.catalog.benchmarks import BenchmarksFile
from splitshare.catalog.hub import HubFile, PinsFile
from splitshare.catalog.published_accuracy import ClassNamesFile, PublishedAccuraciesFile
from splitshare.catalog.records import ArchitecturesFile, DeviceSpec, ModelsFile, TasksFile, Testbed, WorkloadsFile
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.records import CheckpointsFile
from splitshare.config import Config
from splitshare.files import canonical_json
from splitshare.onloading.instance import OnloadingDecision, OnloadingInstance
from splitshare.onloading.zoo import Zoo
from splitshare.placement.certificate import Certificate
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.pinned import PinnedInstances
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile
from splitshare.records import Record
from splitshare.replay.batching import BatchCurves
from splitshare.replay.emulator.program import Program
from splitshare.replay.emulator.real_testbed import RunningWorkers
from splitshare.replay.trace_mapping import TraceMapping
from splitshare.replay.trace_sources import TracesFile
from splitshare.results.verdict_file import VerdictFile

CONTRACTS: tuple[type[Record], ...] = (
    Config,
    TasksFile,
    ArchitecturesFile,
    ModelsFile,
    WorkloadsFile,
    HubFile,
    PinsFile,
    ClassNamesFile,
    PublishedAccuraciesFile,
    DeviceSpec,
    Testbed,
    ModuleDescriptions,
    ModuleProfile,
    PlacementInstance,
    Placement,
    PinnedInstances,
    Certificate,
    AccuracyRecord,
    TrainingLog,
    Zoo,
    OnloadingInstance,
    OnloadingDecision,
    BenchmarksFile,
    LockFile,
    FittedHead,
    BatchCurves,
    TraceMapping,
    DemandMapping,
    TracesFile,
    Program,
    RunningWorkers,
    Family,
    CheckpointsFile,
    VerdictFile,
)
"""The records of files that people or other programs write or read."""


def contract_of(record: type[Record]) -> str:
    """Name and version of a contract, such as ``splitshare.placement/1``: the value of its files' ``schema``."""
    (name,) = get_args(record.model_fields["schema_"].annotation)
    return str(name)


def schema_of(record: type[Record]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a contract."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{contract_of(record).replace('.', ':').replace('/', ':')}",
    } | record.model_json_schema(by_alias=True)


def schema_files() -> dict[str, str]:
    """Texts of all schemas by file name, such as ``placement.json``."""
    return {
        f"{contract_of(record).removeprefix('splitshare.').partition('/')[0]}.json": canonical_json(schema_of(record))
        for record in CONTRACTS
    }
