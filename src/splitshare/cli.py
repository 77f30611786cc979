"""``splitshare``: every stage without Snakemake.

Exit code 0: done; 1: the work failed; 2: the input is wrong. Errors are one line on standard error. Stages are
imported when they are called, so that the command line answers at once.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from splitshare import __version__
from splitshare.catalog.paths import DATA, EMBEDDED
from splitshare.choices import Solver
from splitshare.errors import SplitshareError, escaped, one_line
from splitshare.ranges import MOST_BATCH, MOST_SECONDS, MOST_SEED, MOST_WAIT_S
from splitshare.stopping import Stopped, end, stop_when_asked

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Profile, place, replay and compare split and shared multi-modal models on edge devices.",
)

# Ranges of options, so wide that nobody who means what is written meets one.
WAIT: dict[str, Any] = {"min": 1e-6, "max": MOST_WAIT_S}
LIMIT: dict[str, Any] = {"min": 0.0, "max": MOST_WAIT_S}
RATE: dict[str, Any] = {"min": 1e-9, "max": 1e12}
SPAN: dict[str, Any] = {"min": 1e-12, "max": MOST_SECONDS}
BATCH: dict[str, Any] = {"min": 1, "max": MOST_BATCH}
AMOUNT: dict[str, Any] = {"min": 0.0, "max": 1e18}
COUNT: dict[str, Any] = {"min": 1, "max": 10**6}
THREADS: dict[str, Any] = {"min": 1, "max": 4096}
Instance = Annotated[Path, typer.Argument(metavar="INSTANCE", help="Instance (JSON).")]
PlacementFile = Annotated[Path, typer.Argument(metavar="PLACEMENT", help="Placement or decision (JSON).")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.")]
Seed = Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of whatever is random.")]
DataRoot = Annotated[Path, typer.Option("--data", help="Directory of the catalogue.")]
Instances = Annotated[list[Path], typer.Argument(metavar="INSTANCE...", help="Placement instances (JSON).")]
Descriptions = Annotated[Path, typer.Option("--modules", help="Module descriptions, the output of `describe`.")]
Profiles = Annotated[list[Path], typer.Option(help="Profile of a device of the testbeds; repeatable.")]
Testbeds = Annotated[list[Path], typer.Option(help="Testbed (YAML); repeatable.")]
RunConfig = Annotated[Path, typer.Option("--config", help="The run's configuration.")]
Fetched = Annotated[Path, typer.Option("--fetched", help="Directory of `splitshare benchmarks`.")]
Locks = Annotated[list[Path] | None, typer.Option("--lock", help="Repeatable; default the fetched directory's.")]
WeightsKind = Annotated[Literal["hub", "random"], typer.Option("--weights", help="Published, or seeded random ones.")]
Tokenizers = Annotated[Path | None, typer.Option(help="Directory of a tokeniser for each weights; default: the hub's.")]
KeepGoing = Annotated[bool, typer.Option("--keep-going", help="Exit code 0 though some of it could not be done.")]
TraceKind = Literal["poisson", "bursty", "azure-llm-2023"]
LinkModel = Literal["independent", "serial", "shared-medium"]
EmulatedLinks = Literal["serial", "shared-medium"]
EmulatedNetwork = Literal["proxy", "namespaces"]
NETWORK_HELP = "Relays on loopback, or network namespaces (root or user namespaces)."
MemoryLimits = Literal["auto", "kernel", "declared"]
ComputeKind = Literal["recorded", "real"]
MaxBatch = Annotated[int, typer.Option(**BATCH, help="Most runs of one module that go as one batch.")]
BatchCurvesFile = Annotated[Path | None, typer.Option(help="What batches take: the output of `batch-curves`.")]


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _tell(line: str) -> None:
    """Tell of a part of the work that failed while the rest goes on."""
    typer.echo(f"error: {line}", err=True)


@app.command()
def describe(
    output: Output,
    module: Annotated[list[str] | None, typer.Option(help="Module to describe; repeatable; default all.")] = None,
    data: DataRoot = DATA,
) -> None:
    """Count parameters, operations and bytes of the catalogue's modules."""
    from splitshare.commands import describe as stage

    stage.run(catalog_root=data, output=output, modules=module)


@app.command()
def profile(
    output: Output,
    module: Annotated[list[str] | None, typer.Option(help="Module to measure; repeatable; default all.")] = None,
    budget_s: Annotated[float | None, typer.Option(**WAIT, help="Seconds of runs for each module and batch.")] = None,
    threads: Annotated[int | None, typer.Option(**THREADS, help="Torch threads; default: all processors.")] = None,
    torch_device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    device_name: Annotated[str, typer.Option(help="What the profile calls this machine.")] = "this-machine",
    seed: Seed = 0,
    data: DataRoot = DATA,
) -> None:
    """Measure modules on this machine, each in a process of its own."""
    from splitshare.commands import profile as stage
    from splitshare.profiling.measure import Settings

    chosen: dict[str, Any] = {"budget_s": budget_s, "threads": threads}
    stage.run(
        catalog_root=data,
        output=output,
        modules=module,
        settings=Settings(torch_device=torch_device, seed=seed, **{k: v for k, v in chosen.items() if v is not None}),
        device_name=device_name,
    )


@app.command()
def record_profile(
    output: Output,
    module: Annotated[list[str] | None, typer.Option(help="Module to measure; repeatable; default all.")] = None,
    budget_s: Annotated[float | None, typer.Option(**WAIT, help="Seconds of runs for each module and batch.")] = None,
    threads: Annotated[int | None, typer.Option(**THREADS, help="Torch threads; default: all processors.")] = None,
    torch_device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    device_name: Annotated[str | None, typer.Option(help="Device type; default: after the processor.")] = None,
    busiest_share: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Share of the processors that other work may take.")
    ] = None,
    data: DataRoot = DATA,
) -> None:
    """Measure this quiet machine and keep its profile as a device type in the directory OUTPUT."""
    from splitshare.commands import record_profile as stage
    from splitshare.profiling.measure import Settings

    chosen: dict[str, Any] = {"budget_s": budget_s, "threads": threads}
    path = stage.run(
        catalog_root=data,
        output=output,
        device_name=device_name,
        modules=module,
        settings=Settings(torch_device=torch_device, **{k: v for k, v in chosen.items() if v is not None}),
        busiest_share=stage.BUSIEST_SHARE if busiest_share is None else busiest_share,
    )
    typer.echo(path)


@app.command()
def merge_profiles(
    profiles: Annotated[list[Path], typer.Argument(metavar="PROFILE...", help="Profiles of one device.")],
    output: Output,
) -> None:
    """Join profiles of one device into one."""
    from splitshare.commands import merge_profiles as stage

    stage.run(profiles=profiles, output=output)


@app.command()
def derive(
    device: Annotated[Path, typer.Argument(metavar="DEVICE", help="Device type (YAML).")],
    descriptions: Descriptions,
    output: Output,
    data: DataRoot = DATA,
) -> None:
    """Write the profile of a device that is not at hand, by the rule that its file names."""
    from splitshare.commands import derive as stage

    stage.run(device=device, modules=descriptions, catalog_root=data, output=output)


@app.command()
def instances(
    output: Output,
    descriptions: Descriptions,
    profile: Profiles,
    testbed: Testbeds,
    workload: Annotated[list[str] | None, typer.Option(help="Workload; repeatable; default all.")] = None,
    pinned: Annotated[Path | None, typer.Option(help="Digests that the instances must have.")] = None,
    data: DataRoot = DATA,
) -> None:
    """Write the placement instances of workloads on testbeds into the directory OUTPUT."""
    from splitshare.commands import instances as stage

    stage.run(
        catalog_root=data,
        descriptions=descriptions,
        profiles=profile,
        workloads=workload or [],
        testbeds=testbed,
        pinned=pinned,
        output_dir=output,
    )


@app.command()
def pin(instances: Instances, output: Output) -> None:
    """Write down the digests of instances, to be held against later ones."""
    from splitshare.commands import pin as stage

    stage.run(instances, output)


@app.command()
def solve(
    instances: Instances,
    output: Output,
    algorithm: Annotated[str, typer.Option(help="Name of an algorithm, or path/to/file.py:Class.")],
    solver: Annotated[Solver | None, typer.Option(help="For the exact algorithms.")] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="name=value of the algorithm; repeatable.")] = None,
    seed: Seed = 0,
    time_limit_s: Annotated[float | None, typer.Option(**LIMIT, help="Seconds for each instance.")] = None,
) -> None:
    """Place modules, or onload models, whichever problem the instances are of; several write into a directory."""
    from splitshare.commands import solve as stage

    lines = stage.run(
        instances,
        algorithm=algorithm,
        solver=solver,
        parameters=parameter or [],
        seed=seed,
        time_limit_s=time_limit_s,
        output=output,
    )
    for line in lines:
        typer.echo(line)


@app.command()
def evaluate(instance: Instance, placement: PlacementFile) -> None:
    """Print the objective of a placement or an onloading decision, and what it is made of, as JSON."""
    from splitshare.commands import evaluate as stage

    _print_json(stage.run(instance, placement))


@app.command()
def verify(
    instance: Instance,
    certificate: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="Certificate of an optimum (JSON).")],
) -> None:
    """Recheck a certificate in plain arithmetic, without a solver; exit code 1 where it does not hold."""
    from splitshare.commands import verify as stage

    held = stage.run(instance, certificate)
    typer.echo(f"{held.instance}: holds, {held.objective:.6g} s, proved by {', '.join(held.proved_by)}")


@app.command()
def record(
    instances: Annotated[
        list[Path],
        typer.Argument(metavar="INSTANCE...", help="Instances of one problem (JSON), or one a line (JSONL)."),
    ],
    output: Output,
    method: Annotated[list[str], typer.Option(help="Algorithm, or optimum-<solver>; repeatable.")],
    family: Annotated[str, typer.Option(help="What the instances are called together.")] = "s2m3",
    time_limit_s: Annotated[float, typer.Option(**LIMIT, help="Seconds for each run.")] = 60.0,
) -> None:
    """Record what known methods do over a family of instances into the directory OUTPUT."""
    from splitshare.commands import record as stage

    stage.run(instances, family=family, methods=method, time_limit_s=time_limit_s, output=output)


@app.command()
def random_instances(
    output: Output,
    name: Annotated[str, typer.Option(help="Name of the family.")],
    first_seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Where the seeds begin.")],
    count: Annotated[int, typer.Option(**COUNT, help="How many feasible instances.")] = 40,
    time_limit_s: Annotated[float, typer.Option(**LIMIT, help="Seconds to prove one feasible.")] = 60.0,
) -> None:
    """Write a family of seeded random instances that have a feasible placement into the directory OUTPUT."""
    from splitshare.commands import random_instances as stage

    stage.run(name=name, first_seed=first_seed, count=count, time_limit_s=time_limit_s, output=output)


@app.command()
def compare(
    algorithm: Annotated[str | None, typer.Option(help="Name of an algorithm, or path/to/file.py:Class.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="Instead: a table (CSV or Parquet) of results that were computed elsewhere.")
    ] = None,
    output: Output = Path("results/compare"),
    problem: Annotated[str | None, typer.Option(help="Where several have an algorithm of that name.")] = None,
    baselines: Annotated[Path, typer.Option(help="Directory of recorded baselines.")] = DATA / "baselines",
    family: Annotated[
        list[str] | None, typer.Option(help="Family of instances; repeatable; default the problem's.")
    ] = None,
    time_limit_s: Annotated[float, typer.Option(**LIMIT, help="Seconds for each run.")] = 10.0,
    seed: Seed = 0,
) -> None:
    """Hold a new algorithm, or results that were computed elsewhere, against the recorded baselines."""
    from splitshare.commands import compare as stage

    stage.run(
        algorithm=algorithm,
        results=results,
        problem=problem,
        families=family or [],
        baselines=baselines,
        time_limit_s=time_limit_s,
        seed=seed,
        output=output,
    )
    typer.echo((output / "summary.md").read_text(encoding="utf-8"))
    typer.echo((output / "verdict.txt").read_text(encoding="utf-8"))


@app.command()
def collect(
    instances: Instances,
    output: Output,
    placements: Annotated[Path, typer.Option(help="Directory of <method>/<instance>.json.")],
    method: Annotated[list[str], typer.Option(help="Method to collect; repeatable.")],
    runs: Annotated[Path, typer.Option(help="Directory of the tables with times and provenance.")],
) -> None:
    """Write the placements of several methods as tables into the directory OUTPUT."""
    from splitshare.commands import collect as stage

    stage.run(instances, placements=placements, methods=method, output=output, runs=runs)


@app.command()
def cloud_grid(
    output: Output,
    descriptions: Descriptions,
    profile: Profiles,
    config: RunConfig = Path("config/config.yaml"),
    data: DataRoot = DATA,
) -> None:
    """Hold the edge against the cloud over networks and speeds of the small device."""
    from splitshare.commands import cloud_grid as stage

    stage.run(config=config, catalog_root=data, descriptions=descriptions, profiles=profile, output=output)


@app.command()
def prompt_cache(
    output: Output,
    descriptions: Descriptions,
    profile: Profiles,
    testbed: Testbeds,
    workload: Annotated[list[str], typer.Option(help="Workload; repeatable.")],
    data: DataRoot = DATA,
) -> None:
    """Compare requests that encode their class prompts with requests that find them encoded."""
    from splitshare.commands import prompt_cache as stage

    stage.run(
        catalog_root=data,
        descriptions=descriptions,
        profiles=profile,
        workloads=workload,
        testbeds=testbed,
        output=output,
    )


@app.command()
def ablation(
    instances: Instances,
    output: Output,
    placements: Annotated[Path, typer.Option(help="Directory of <method>/<instance>.json.")],
    optimum: Annotated[str, typer.Option(help="Method that proved the optima.")] = "optimum-highs",
) -> None:
    """Try every reading of S2M3's greedy that the abstract allows."""
    from splitshare.commands import ablation as stage

    stage.run(instances=instances, placements=placements, optimum=optimum, output=output)


@app.command()
def check_split(
    output: Output,
    model: Annotated[list[str] | None, typer.Option(help="Model to compare; repeatable; default all.")] = None,
    seed: Seed = 0,
    data: DataRoot = DATA,
) -> None:
    """Hold the split models' answers against the whole models', at true size."""
    from splitshare.commands import check_split as stage

    stage.run(catalog_root=data, models=model, output=output, seed=seed)


@app.command()
def benchmarks(
    output: Output,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Which; default all.")] = None,
    part: Annotated[
        Literal["test", "train", "both"], typer.Option(help="What is judged, what heads learn from.")
    ] = "both",
    samples: Annotated[int | None, typer.Option(**COUNT, help="Seeded subset; default whole splits.")] = None,
    lock: Annotated[Path | None, typer.Option(help="File of digests; default OUTPUT/benchmarks.lock.json.")] = None,
    seed: Seed = 0,
    data: DataRoot = DATA,
) -> None:
    """Fetch benchmarks from the hub into the directory OUTPUT; run again to go on after a failure."""
    from splitshare.commands import benchmarks as stage

    for entry in stage.run(
        catalog_root=data,
        output=output,
        names=names,
        parts=("test", "train") if part == "both" else (part,),
        samples=samples,
        seed=seed,
        tell=_tell,
        lock=lock,
    ):
        typer.echo(f"{entry.selection.directory}: {entry.rows} samples, {entry.content_sha256}")


@app.command()
def fit_heads(
    output: Output,
    fetched: Fetched = Path("results/benchmarks"),
    lock: Locks = None,
    work: Annotated[Path, typer.Option(help="Directory of intermediate results.")] = Path("results/accuracy"),
    weights: Annotated[
        Literal["hub", "random"], typer.Option(help="Published weights, or seeded random ones.")
    ] = "hub",
    tokenizers: Tokenizers = None,
    samples: Annotated[int | None, typer.Option(**COUNT, help="The fetched subset; default whole splits.")] = None,
    batch: Annotated[int, typer.Option(**BATCH, help="Samples at once.")] = 32,
    threads: Annotated[int | None, typer.Option(**THREADS, help="Torch threads; default: all processors.")] = None,
    seed: Seed = 0,
    keep_going: KeepGoing = False,
    data: DataRoot = DATA,
) -> None:
    """Train the heads that nobody has published on the train splits; into the directory OUTPUT."""
    from splitshare.commands import fit_heads as stage
    from splitshare.commands.accuracy import Settings

    settings = Settings(
        fetched, work, weights, None, tokenizers, samples, seed, batch, threads, tuple(lock or ()), keep_going
    )
    for head in stage.run(catalog_root=data, output=output, settings=settings, tell=_tell):
        typer.echo(f"{head.head}: {head.train_metric:.3f} on the train split of {head.benchmark}")


@app.command()
def accuracy(
    output: Output,
    model: Annotated[list[str] | None, typer.Option(help="Model; repeatable; default all.")] = None,
    benchmark: Annotated[list[str] | None, typer.Option(help="Repeatable; default all that were fetched.")] = None,
    fetched: Fetched = Path("results/benchmarks"),
    lock: Locks = None,
    work: Annotated[Path, typer.Option(help="Directory of intermediate results.")] = Path("results/accuracy"),
    weights: Annotated[
        Literal["hub", "random"], typer.Option(help="Published weights, or seeded random ones.")
    ] = "hub",
    heads: Annotated[Path, typer.Option(help="Directory of fitted heads.")] = Path("results/heads"),
    tokenizers: Tokenizers = None,
    samples: Annotated[int | None, typer.Option(**COUNT, help="The fetched subset; default whole splits.")] = None,
    batch: Annotated[int, typer.Option(**BATCH, help="Samples at once.")] = 32,
    threads: Annotated[int | None, typer.Option(**THREADS, help="Torch threads; default: all processors.")] = None,
    seed: Seed = 0,
    keep_going: KeepGoing = False,
    data: DataRoot = DATA,
) -> None:
    """Judge models on the fetched benchmarks, whole, split and shared; writes the record OUTPUT."""
    from splitshare.commands import accuracy as stage

    locks = tuple(lock or ())
    settings = stage.Settings(
        fetched, work, weights, heads, tokenizers, samples, seed, batch, threads, locks, keep_going
    )
    for row in stage.run(
        catalog_root=data, output=output, settings=settings, models=model, benchmarks=benchmark, tell=_tell
    ):
        typer.echo(
            f"{row.model} on {row.benchmark}, {row.arrangement}: {row.metric} {row.value:.4f} "
            f"({row.ci_low:.4f} to {row.ci_high:.4f}), {row.differing_predictions} of {row.samples} otherwise"
        )


@app.command()
def trace(
    instance: Instance,
    output: Output,
    kind: Annotated[TraceKind, typer.Option(help="How requests arrive.")],
    rate_per_s: Annotated[float | None, typer.Option(**RATE, help="Mean rate over all classes.")] = None,
    requests: Annotated[int | None, typer.Option(min=1, max=10**12, help="How many requests.")] = None,
    horizon_s: Annotated[float | None, typer.Option(**SPAN, help="How long, instead of how many.")] = None,
    arrivals: Annotated[
        Path | None, typer.Option(help="Recorded arrivals: counts (bursty) or a trace (azure-llm-2023).")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Write a seeded request trace for the request classes of an instance."""
    from splitshare.commands import trace as stage

    stage.run(
        instance=instance,
        output=output,
        kind=kind,
        rate_per_s=rate_per_s,
        requests=requests,
        horizon_s=horizon_s,
        arrivals=arrivals,
        seed=seed,
    )


@app.command()
def simulate(
    instance: Instance,
    placement: PlacementFile,
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="Request trace (Parquet or CSV).")],
    output: Output,
    stages: Annotated[Path | None, typer.Option(help="Where the stages of every request go.")] = None,
    link_model: Annotated[LinkModel, typer.Option(help="How transfers delay each other.")] = "serial",
    max_batch: MaxBatch = 1,
    batch_curves: BatchCurvesFile = None,
) -> None:
    """Replay a trace on a placement, request by request, and print the metrics."""
    from splitshare.commands import simulate as stage

    metrics = stage.run(
        instance=instance,
        placement=placement,
        trace=trace,
        output=output,
        stages_output=stages,
        link_model=link_model,
        max_batch=max_batch,
        batch_curves=batch_curves,
    )
    typer.echo(metrics.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


@app.command()
def batch_curves(
    instance: Instance,
    output: Output,
    testbed: Annotated[Path, typer.Option(help="Testbed of the instance (YAML).")],
    profiles: Profiles,
    data: DataRoot = DATA,
) -> None:
    """Write what batches take on the devices of an instance, from profiles of several batch sizes."""
    from splitshare.commands import batch_curves as stage

    stage.run(instance=instance, testbed=testbed, profiles=profiles, catalog_root=data, output=output, tell=typer.echo)


@app.command()
def worker(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its name in the instances.")],
    listen: Annotated[list[str], typer.Option(help="host:port (port 0: any) or unix:path; repeatable.")],
    compute: Annotated[ComputeKind, typer.Option(help="Sleep for recorded times, or run real modules.")] = "recorded",
    memory_bytes: Annotated[float | None, typer.Option(**AMOUNT, help="Refuse modules that need more.")] = None,
    max_live: Annotated[int, typer.Option(**COUNT, help="Requests in work at a time; more are dropped.")] = 1000,
    max_batch: Annotated[
        int | None,
        typer.Option(**BATCH, help="Runs in a batch at most, whatever a driver asks; default any."),
    ] = None,
    threads: Annotated[int, typer.Option(**THREADS, help="Torch threads.")] = 1,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM; needed beyond loopback.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    tls_ca: Annotated[Path | None, typer.Option(help="PEM that peers' certificates are checked against.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="Shared token; needed beyond loopback.")] = None,
    end_with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
    data: DataRoot = DATA,
) -> None:
    """Hold a device's modules and serve them to the other workers, until interrupted."""
    from splitshare.commands import worker as stage

    stage.run(
        device,
        listen=listen,
        compute=compute,
        memory_bytes=memory_bytes,
        max_live=max_live,
        max_batch=max_batch,
        threads=threads,
        catalog_root=data,
        tls=(tls_certificate, tls_key, tls_ca),
        token_file=token_file,
        ends_with_parent=end_with_parent,
        tell=lambda ready: typer.echo(json.dumps(ready)),
    )


@app.command()
def emulate(
    instance: Instance,
    placement: PlacementFile,
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="Request trace (Parquet or CSV).")],
    output: Output,
    stages: Annotated[Path | None, typer.Option(help="Where the stages of every request go.")] = None,
    report: Annotated[Path | None, typer.Option(help="Where links, losses and recoveries go (JSON).")] = None,
    runs: Annotated[Path | None, typer.Option(help="Where wall and CPU times of real modules go.")] = None,
    network: Annotated[EmulatedNetwork | None, typer.Option(help=NETWORK_HELP, show_default="proxy")] = None,
    link_model: Annotated[EmulatedLinks, typer.Option(help="What links share.")] = "serial",
    compute: Annotated[ComputeKind, typer.Option(help="Sleep for recorded times, or run real modules.")] = "recorded",
    limits: Annotated[MemoryLimits, typer.Option(help="Memory: control groups, or what modules declare.")] = "auto",
    fault: Annotated[list[str] | None, typer.Option(help="Such as kill:DEVICE@5 or cut:A--B@5; repeatable.")] = None,
    on_failure: Annotated[Literal["drop", "replace"], typer.Option(help="What follows a lost device.")] = "drop",
    algorithm: Annotated[str, typer.Option(help="Places anew after a loss.")] = "s2m3-greedy",
    any_links: Annotated[bool, typer.Option(help="Go on when links are not as configured.")] = False,
    deadline_s: Annotated[float, typer.Option(min=0.001, max=MOST_WAIT_S, help="A later request has failed.")] = 60.0,
    workers: Annotated[Path | None, typer.Option(help="Addresses of workers that run already (YAML).")] = None,
    max_batch: MaxBatch = 1,
    batch_curves: BatchCurvesFile = None,
    data: DataRoot = DATA,
) -> None:
    """Replay a trace on worker processes over shaped links, or on real devices."""
    from splitshare.commands import emulate as stage

    stage.run(
        instance=instance,
        placement=placement,
        trace=trace,
        output=output,
        stages_output=stages,
        report_output=report,
        runs_output=runs,
        network=network,
        link_model=link_model,
        compute=compute,
        limits=limits,
        faults=fault or [],
        on_failure=on_failure,
        algorithm=algorithm,
        any_links=any_links,
        deadline_s=deadline_s,
        testbed_file=workers,
        max_batch=max_batch,
        batch_curves=batch_curves,
        catalog_root=data,
        tell=typer.echo,
    )


@app.command()
def fidelity(
    instances: Instances,
    output: Output,
    placements: Annotated[Path, typer.Option(help="Directory of <method>/<instance>.json.")],
    method: Annotated[str, typer.Option(help="Method whose placements are replayed.")],
    network: Annotated[EmulatedNetwork, typer.Option(help=NETWORK_HELP)] = "proxy",
    load: Annotated[float, typer.Option(min=0.01, max=0.95, help="Utilisation of the busiest device or link.")] = 0.4,
    requests: Annotated[int, typer.Option(**COUNT, help="Requests of each trace, for each request class.")] = 30,
    least_requests: Annotated[int, typer.Option(**COUNT, help="Requests of each trace at least.")] = 1,
    repeats: Annotated[int, typer.Option(**COUNT, help="Emulated runs of each trace.")] = 1,
    compute: Annotated[ComputeKind, typer.Option(help="Sleep for recorded times, or run real modules.")] = "recorded",
    any_links: Annotated[bool, typer.Option(help="Go on when links are not as configured.")] = False,
    crash: Annotated[str | None, typer.Option(help="Device to kill in a further run of the last instance.")] = None,
    max_batch: MaxBatch = 1,
    batch_curves: Annotated[Path | None, typer.Option(help="Directory of <instance>.json from `batch-curves`.")] = None,
    seed: Seed = 0,
    data: DataRoot = DATA,
) -> None:
    """Replay the same requests emulated and simulated; tables into the directory OUTPUT."""
    from splitshare.commands import fidelity as stage

    stage.run(
        instances,
        placements=placements,
        method=method,
        output=output,
        network=network,
        load=load,
        requests=requests,
        least_requests=least_requests,
        repeats=repeats,
        compute=compute,
        any_links=any_links,
        seed=seed,
        crash=crash,
        max_batch=max_batch,
        batch_curves=batch_curves,
        catalog_root=data,
        tell=typer.echo,
    )


@app.command()
def shaping(
    output: Output,
    network: Annotated[EmulatedNetwork, typer.Option(help=NETWORK_HELP)] = "proxy",
    bytes_per_s: Annotated[list[float] | None, typer.Option(min=1.0, max=1e18, help="Rates; repeatable.")] = None,
    latency_s: Annotated[list[float] | None, typer.Option(**LIMIT, help="Latencies; repeatable.")] = None,
    repeats: Annotated[int, typer.Option(**COUNT, help="How often everything is measured.")] = 3,
) -> None:
    """Measure how well the emulator's links are shaped, over rates and latencies; a table to the file OUTPUT."""
    from splitshare.commands import shaping as stage

    stage.run(
        network=network,
        bytes_per_s=bytes_per_s or stage.BYTES_PER_S,
        latency_s=latency_s or stage.LATENCY_S,
        repeats=repeats,
        output=output,
        tell=typer.echo,
    )


@app.command()
def sweep(
    instance: Instance,
    traces: Annotated[list[Path], typer.Argument(metavar="TRACE...", help="Traces <kind>-<rate>.parquet.")],
    output: Output,
    placements: Annotated[Path, typer.Option(help="Directory of <method>/<instance>.json.")],
    method: Annotated[list[str], typer.Option(help="Method to replay; repeatable.")],
    link_model: Annotated[list[str], typer.Option(help="How transfers delay each other; repeatable.")],
) -> None:
    """Replay several traces on the placements of several methods; tables into the directory OUTPUT."""
    from splitshare.commands import sweep as stage

    stage.run(instance, traces, placements=placements, methods=method, link_models=link_model, output=output)


@app.command()
def figures(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Which; default all.")] = None,
    *,
    output: Output,
    results: Annotated[Path, typer.Option(help="Directory of a run's results: canonical or local.")],
    config: RunConfig = Path("config/config.yaml"),
    data: DataRoot = DATA,
) -> None:
    """Draw tables and figures from a run's results into the directory OUTPUT."""
    from splitshare.commands import figures as stage

    stage.run(names, results=results, config=config, catalog_root=data, output=output)


embedded = typer.Typer(
    no_args_is_help=True,
    help="The embedded benchmark: small models, trained here on a data set from the package index.",
)
app.add_typer(embedded, name="embedded")


@embedded.command("train")
def embedded_train(
    output: Output,
    model: Annotated[list[str] | None, typer.Option(help="Model to train; repeatable; default all.")] = None,
    epochs: Annotated[int | None, typer.Option(**COUNT, help="Passes over the training images.")] = None,
    seed: Seed = 0,
    data: DataRoot = EMBEDDED,
) -> None:
    """Train models, those that share modules together; weights go into the directory OUTPUT."""
    from splitshare.benchmarks.embedded.training import Recipe
    from splitshare.commands import embedded as stage

    recipe = Recipe(seed=seed) if epochs is None else Recipe(seed=seed, epochs=epochs)
    stage.run_train(catalog_root=data, models=model, output=output, recipe=recipe)


@embedded.command("evaluate")
def embedded_evaluate(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="Directory of `embedded train`.")],
    output: Output,
    threads: Annotated[int, typer.Option(**THREADS, help="Torch threads.")] = 1,
    data: DataRoot = EMBEDDED,
) -> None:
    """Record the test accuracy of every model whole, split and shared as OUTPUT."""
    from splitshare.commands import embedded as stage

    record = stage.run_evaluate(catalog_root=data, weights=weights, output=output, threads=threads)
    for row in record.rows:
        typer.echo(
            f"{row.model} {row.arrangement} {row.metric}: {row.value:.4f} ({row.ci_low:.4f} to {row.ci_high:.4f}), "
            f"{row.differing_predictions} of {row.samples} otherwise than the whole model"
        )


@embedded.command("record")
def embedded_record(
    accuracy: Annotated[Path, typer.Argument(metavar="ACCURACY", help="Output of `embedded evaluate`.")],
    output: Output,
) -> None:
    """Put measured accuracies into the record OUTPUT, in the place of older ones."""
    from splitshare.commands import embedded as stage

    stage.run_record(accuracy=accuracy, output=output)


@app.command()
def schemas(output: Output) -> None:
    """Write the JSON Schemas of all files that are read or written into the directory OUTPUT."""
    from splitshare.commands import schemas as stage

    stage.run(output)


onloading = typer.Typer(
    no_args_is_help=True, help="The onloading problem: which models clients and edge servers hold, who answers what."
)
app.add_typer(onloading, name="onloading")
Suite = Annotated[Path, typer.Argument(metavar="SUITE", help="Onloading instances, one a line (JSONL).")]


@onloading.command()
def zoo(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Published accuracy and latency (CSV).")],
    output: Output,
) -> None:
    """Make the zoo of published figures."""
    from splitshare.commands.onloading import zoo as stage

    stage.run(table, output)


@onloading.command()
def train_zoo(
    output: Output,
    work: Annotated[Path, typer.Option(help="Directory of finished models; a later run goes on from there.")],
    threads: Annotated[int, typer.Option(**THREADS, help="Torch threads while models are timed.")] = 1,
    budget_s: Annotated[float, typer.Option(**WAIT, help="Seconds of timed runs for each batch.")] = 1.0,
    data: DataRoot = EMBEDDED,
) -> None:
    """Train, judge and time the models of the trained zoo on this machine."""
    from splitshare.commands.onloading import train_zoo as stage

    zoo = stage.run(catalog_root=data, output=output, work=work, threads=threads, budget_s=budget_s)
    for model in zoo.models:
        found = ", ".join(f"{task} {share:.4f}" for task, share in model.accuracy.items())
        typer.echo(f"{model.name}: {model.memory_bytes / 1e6:.2f} MB, {found}")


@onloading.command()
def suite(
    zoos: Annotated[list[Path], typer.Argument(metavar="ZOO...", help="Zoos (JSON), the plain-named first.")],
    output: Output,
) -> None:
    """Write the named suite of instances, and its digests, into the directory OUTPUT."""
    from splitshare.commands.onloading import suite as stage

    stage.run(zoos, output)


RecordFile = Annotated[Path, typer.Option("--record", help="Recorded results of the suite (CSV).")]


@onloading.command()
def solve_suite(
    instances: Suite,
    output: Output,
    record: RecordFile,
    times: Annotated[Path, typer.Option(help="Where this machine's run times go.")],
    size: Annotated[list[str], typer.Option(help="Size class to solve; repeatable.")],
) -> None:
    """Decide the suite again by J3O, prove small optima again, and join what is recorded of the others."""
    from splitshare.commands.onloading import solve_suite as stage

    stage.run(instances, record=record, sizes=size, output=output, times=times)


@onloading.command("sweep")
def sweep_onloading(
    output: Output,
    zoo: Annotated[Path, typer.Option(help="Zoo that models are drawn from.")],
    config: RunConfig = Path("config/config.yaml"),
) -> None:
    """Accuracy of several methods as memory, load, bandwidth and the number of clients vary."""
    from splitshare.commands.onloading import sweep as stage

    stage.run(config, zoo=zoo, output=output)


@onloading.command()
def study(
    instances: Suite,
    output: Output,
    record: RecordFile,
    size: Annotated[str, typer.Option(help="Size class of the ablation.")],
    converging: Annotated[list[str], typer.Option(help="Instance whose rounds are written down; repeatable.")],
) -> None:
    """What the parts of J3O are worth, and how its rounds converge; tables into the directory OUTPUT."""
    from splitshare.commands.onloading import study as stage

    stage.run(instances, record=record, size=size, converging=converging, output=output)


@onloading.command("replay")
def replay_onloading(instances: Suite, output: Output, config: RunConfig = Path("config/config.yaml")) -> None:
    """Replay J3O's decisions query by query, batches formed at the edge, and hold them against the plan."""
    from splitshare.commands.onloading import replay as stage

    stage.run(instances, config=config, output=output)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"splitshare {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


OUT_OF_MEMORY = re.compile("not enough memory|out of memory|n.t allocate memory", re.IGNORECASE)
"""How torch says that it could not allocate."""


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    typer.echo(f"error: {escaped(message)}", err=True)
    sys.exit(exit_code)


def main() -> None:
    """Entry point: run the command line and turn errors into one line and an exit code."""
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it would log of a failed call is in the error that it raises
    stop_when_asked()
    try:
        app()
    except SplitshareError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:  # what is read is told of as an InputError; this is a place that cannot be written
        _fail(f"{error.filename}: {error.strerror or error}" if error.filename else str(error.strerror or error))
    except MemoryError as error:
        _fail(f"out of memory ({one_line(str(error)) or 'no more could be had'}); ask for less at a time")
    except RuntimeError as error:
        if not OUT_OF_MEMORY.search(str(error)):
            raise
        _fail(f"out of memory ({one_line(str(error))}); ask for less at a time")
    except Stopped as stopped:
        end(stopped)


if __name__ == "__main__":
    main()
