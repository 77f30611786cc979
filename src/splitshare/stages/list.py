"""List what there is: algorithms, models, modules, workloads, testbeds, families, figures, problems or traces."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import typer

from splitshare.commands.list import Kind, Options

Rows = Iterator[tuple[str, str]]


def run(options: Options) -> list[tuple[str, str]]:
    """Names of a kind, each with what it is.

    Raises:
        InputError: the catalogue or a testbed is wrong.
    """
    return list(_LISTED[options.kind](options))


def show(rows: list[tuple[str, str]]) -> None:
    """Print a name a line, and what it is beside it."""
    width = max((len(name) for name, _ in rows), default=0)
    typer.echo("\n".join(f"{name:{width}}  {what}".rstrip() for name, what in rows))


def _algorithms(options: Options) -> Rows:
    from splitshare.problems import names, problem_named

    for problem in map(problem_named, names()):
        finder = problem.finder
        for name in finder.names():
            try:
                what = _first_line(finder.factory(name))
            except Exception as error:  # noqa: BLE001 - what a plug-in does as it loads is told in its line
                what = f"cannot be loaded: {type(error).__name__}: {error}"
            yield name, f"{problem.name}: {what}"


def _problems(options: Options) -> Rows:
    from splitshare.problems import names, problem_named

    for problem in map(problem_named, names()):
        better = "less" if problem.sense == "min" else "more"
        yield problem.name, f"an algorithm {problem.terms.does} by `{problem.finder.method}`; {better} is better"


def _models(options: Options) -> Rows:
    from splitshare.catalog.loader import load_catalog

    for model in load_catalog(options.catalog_root).models.values():
        yield model.name, f"{model.title} ({model.task})"


def _modules(options: Options) -> Rows:
    from splitshare.catalog.loader import load_catalog

    for module in load_catalog(options.catalog_root).modules().values():
        yield module.name, f"{module.architecture.kind}; in {', '.join(module.users)}"


def _workloads(options: Options) -> Rows:
    from splitshare.catalog.loader import load_catalog

    for workload in load_catalog(options.catalog_root).workloads.values():
        yield workload.name, f"{workload.title}: {', '.join(workload.models)}"


def _testbeds(options: Options) -> Rows:
    from splitshare.catalog.testbeds import find_testbeds, read_testbed

    for path in find_testbeds(options.catalog_root).values():
        testbed = read_testbed(path)
        yield testbed.name, f"{testbed.title} ({len(testbed.devices)} devices)"


def _families(options: Options) -> Rows:
    from splitshare.problems import names, problem_named

    for problem in map(problem_named, names()):
        yield from ((name, f"{problem.name}: new algorithms are judged on it") for name in problem.families)
        yield from ((name, f"{problem.name}: to tune an algorithm on") for name in problem.tuning_families)
        yield from ((name, f"{problem.name}: held out, to judge on") for name in problem.held_out_families)


def _figures(options: Options) -> Rows:
    from splitshare.figures.registry import figures

    for figure in figures().values():
        yield figure.name, figure.caption


def _traces(options: Options) -> Rows:
    from splitshare.catalog.paths import traces_file
    from splitshare.replay.trace_sources import TracesFile

    for name, source in TracesFile.read(traces_file(options.catalog_root)).traces.items():
        size = "" if source.size_bytes is None else f", {source.size_bytes / 1e6:.1f} MB"
        yield name, f"{source.title} ({source.format}{size}; licence: {source.licence})"


def _first_line(factory: Any) -> str:
    return (inspect.getdoc(factory) or "").partition("\n")[0]


_LISTED: dict[Kind, Callable[[Options], Rows]] = {
    "algorithms": _algorithms,
    "models": _models,
    "modules": _modules,
    "workloads": _workloads,
    "testbeds": _testbeds,
    "families": _families,
    "figures": _figures,
    "problems": _problems,
    "traces": _traces,
}
