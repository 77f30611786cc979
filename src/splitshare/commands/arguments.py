"""Arguments and options that several commands have: what they are called, their ranges and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from splitshare.choices import ComputeKind, Dtype, EmulatedNetwork, WeightsKind
from splitshare.ranges import MOST_BATCH, MOST_SECONDS, MOST_SEED, MOST_WAIT_S

# Ranges of options, so wide that nobody who means what is written meets one.
WAIT: dict[str, Any] = {"min": 1e-6, "max": MOST_WAIT_S}
LIMIT: dict[str, Any] = {"min": 0.0, "max": MOST_WAIT_S}
RATE: dict[str, Any] = {"min": 1e-9, "max": 1e12}
SPAN: dict[str, Any] = {"min": 1e-12, "max": MOST_SECONDS}
BATCH: dict[str, Any] = {"min": 1, "max": MOST_BATCH}
AMOUNT: dict[str, Any] = {"min": 0.0, "max": 1e18}
COUNT: dict[str, Any] = {"min": 1, "max": 10**6}
THREADS: dict[str, Any] = {"min": 1, "max": 4096}

InstanceFile = Annotated[Path, typer.Argument(metavar="INSTANCE", help="Instance (JSON).")]
AnswerFile = Annotated[Path, typer.Argument(metavar="PLACEMENT", help="Placement or decision (JSON).")]
TraceFile = Annotated[Path, typer.Argument(metavar="TRACE", help="Request trace (Parquet or CSV).")]
InstanceFiles = Annotated[list[Path], typer.Argument(metavar="INSTANCE...", help="Placement instances (JSON).")]
Suite = Annotated[Path, typer.Argument(metavar="SUITE", help="Onloading instances, one a line (JSONL).")]
Algorithms = Annotated[
    list[str],
    typer.Option(
        "--algorithm", help="Name, or path/to/file.py:Class; with parameters: 'name[order=memory,compute]'; repeatable."
    ),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.")]
OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder where the results go.")]
OutputFileOrFolder = Annotated[
    Path, typer.Option("--output", "-o", help="Where the answer goes: a file, or a folder, for one or several.")
]
Seed = Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of whatever is random.")]
CatalogRoot = Annotated[Path, typer.Option("--data", help="Directory of the catalogue.")]
Descriptions = Annotated[Path, typer.Option("--modules", help="Module descriptions, the output of `describe`.")]
Profiles = Annotated[list[Path], typer.Option("--profile", help="Profile of a device of the testbeds; repeatable.")]
Testbeds = Annotated[list[Path], typer.Option("--testbed", help="Testbed (YAML); repeatable.")]
Placements = Annotated[Path, typer.Option(help="Directory of <method>/<instance>.json.")]
RunConfig = Annotated[Path, typer.Option("--config", help="The run's configuration.")]
RecordFile = Annotated[Path, typer.Option("--record", help="Recorded results of the suite (CSV).")]
Threads = Annotated[int | None, typer.Option(**THREADS, help="Torch threads; default: all processors.")]
Device = Annotated[
    str,
    typer.Option(metavar="DEVICE", help="Where torch computes: auto, cpu, cuda, cuda:<index> or mps; auto says which."),
]
Fetched = Annotated[Path, typer.Option("--fetched", help="Directory of `splitshare benchmarks`.")]
Locks = Annotated[list[Path], typer.Option("--lock", help="Repeatable; default the fetched directory's.")]
Work = Annotated[Path, typer.Option(help="Directory of intermediate results.")]
Samples = Annotated[int | None, typer.Option(**COUNT, help="The fetched subset; default whole splits.")]
Batch = Annotated[int, typer.Option(**BATCH, help="Samples at once.")]
DecoderBatch = Annotated[
    int,
    typer.Option(**BATCH, help="Samples at once of a model that answers in words: it holds keys and values of each."),
]
Weights = Annotated[WeightsKind, typer.Option(help="Published weights, or seeded random ones.")]
PinsPath = Annotated[
    Path, typer.Option("--pins", help="Lock file of the commits that were found at the first use; commit it.")
]
Tokenizers = Annotated[Path | None, typer.Option(help="Directory of a tokeniser for each weights; default: the hub's.")]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Exit code 0 though some of it could not be done.")]
NETWORK_HELP = "Relays on loopback, or network namespaces (root or user namespaces)."
Network = Annotated[EmulatedNetwork, typer.Option(help=NETWORK_HELP)]
Compute = Annotated[ComputeKind, typer.Option(help="Sleep for recorded times, or run real modules.")]
LinkChangesFile = Annotated[
    Path | None, typer.Option(help="How links change (CSV): link,time_s,bandwidth_bytes_per_s,latency_s.")
]
AnyLinks = Annotated[bool, typer.Option(help="Go on when links are not as configured.")]
MaxBatch = Annotated[int, typer.Option(**BATCH, help="Most runs of one module that go as one batch.")]
BatchCurvesFile = Annotated[Path | None, typer.Option(help="What batches take: the output of `batch-curves`.")]

Precision = Annotated[
    Dtype | None,
    typer.Option(help="Type in which modules are held and compute; default: each module's own in the catalogue."),
]


def _known_precisions(values: list[str]) -> list[str]:
    for value in values:
        if value not in get_args(Dtype):
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(get_args(Dtype))}.")
    return values


Precisions = Annotated[  # typer takes no list of literals
    list[str],
    typer.Option(
        "--precision",
        metavar=f"[{'|'.join(get_args(Dtype))}]",
        callback=_known_precisions,
        help="Judge in this type too, and tell what it answers otherwise; repeatable.",
    ),
]
ModuleNames = Annotated[list[str], typer.Option("--module", help="Module to measure; repeatable; default all.")]
LongestRun = Annotated[
    float,
    typer.Option(
        **WAIT,
        help="Seconds of a run beyond which it is the only one, and batches that no request asks for are left out.",
    ),
]
Budget = Annotated[float | None, typer.Option(**WAIT, help="Seconds of runs for each module and batch.")]


def tell_of_failure(line: str) -> None:
    """Tell of a part of the work that failed while the rest goes on."""
    typer.echo(f"error: {line}", err=True)
