"""Generalised assignment problems as the OR-Library publishes them, and the same as placement instances.

A file has the number of problems, then for each problem the numbers of agents and jobs, the cost of each job to each
agent, an agent after the other, what of the agent's resource each job takes, in the same order, and the agents'
capacities; whole numbers with white space between them, lines broken anywhere. Source: J. E. Beasley, *OR-Library:
Distributing Test Problems by Electronic Mail*, J. Oper. Res. Soc. 41 (1990).

The mapping to a placement is exact (ours). An agent is a device and its capacity the memory, in bytes; a job is a
module, used by one request class of its own, its resource on an agent the module's bytes on that device and its cost
there the seconds. All classes ask at equal rates, bytes travel in no time, and what a request needs beside its
module, a head, is one module without bytes and seconds. The mean latency is then the sum of the costs over the number
of jobs. Where costs are profits to be maximised, seconds are what is missing to one more than the largest profit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from splitshare.choices import AssignmentSense
from splitshare.errors import InputError, shown
from splitshare.files import read_text
from splitshare.placement.instance import Device, EncoderUse, Link, Module, PlacementInstance, Request

Ints = npt.NDArray[np.int64]

MOST_NUMBERS = 10**7
"""Numbers of a problem at most: agents times jobs."""
MOST_VALUE = 10**9
"""Costs, resources and capacities at most."""
HEAD = "head"
"""The module that every request has beside its job."""


@dataclass(frozen=True)
class AssignmentProblem:
    """One problem; every job goes to one agent, and what the jobs of an agent take is within its capacity."""

    cost: Ints
    """Of shape (agents, jobs); profit where the sum is maximised."""
    size: Ints
    """Of shape (agents, jobs): how much of the agent's resource the job takes there."""
    capacity: Ints
    """Of shape (agents,)."""

    def placement(self, name: str, sense: AssignmentSense) -> PlacementInstance:
        """The problem as a placement instance of that name: agents ``a1``, ..., jobs ``j1``, ...."""
        agents = [f"a{i}" for i in range(1, len(self.capacity) + 1)]
        jobs = [f"j{i}" for i in range(1, self.cost.shape[1] + 1)]
        seconds = self.cost if sense == "min" else self._most() - self.cost
        first, *others = agents
        return PlacementInstance(
            schema_="splitshare.placement-instance/1",
            name=name,
            objective="mean",
            devices=tuple(
                Device(name=agent, memory_bytes=float(most)) for agent, most in zip(agents, self.capacity, strict=True)
            ),
            # Everything is asked from the first agent; nothing has bytes, so links take no time.
            links=tuple(Link(a=first, b=agent, latency_s=0.0, bandwidth_bytes_per_s=1.0) for agent in others),
            modules=(
                *(
                    Module(
                        name=job,
                        kind="job",
                        memory_bytes=float(size[0]),
                        memory_bytes_on=dict(zip(agents, map(float, size), strict=True)),
                        output_bytes=0.0,
                        compute_s=dict(zip(agents, map(float, on), strict=True)),
                    )
                    for job, size, on in zip(jobs, self.size.T, seconds.T, strict=True)
                ),
                Module(name=HEAD, kind="head", memory_bytes=0.0, output_bytes=0.0, compute_s={first: 0.0}),
            ),
            requests=tuple(
                Request(
                    name=job,
                    task="job",
                    model=job,
                    source=first,
                    rate_per_s=1.0,
                    encoders=(EncoderUse(module=job, input_bytes=0.0),),
                    head=HEAD,
                    result_bytes=0.0,
                )
                for job in jobs
            ),
        )

    def total(self, objective_s: float, sense: AssignmentSense) -> float:
        """Sum of costs, or of profits, of a placement whose mean latency is ``objective_s`` seconds."""
        jobs = self.cost.shape[1]
        return float(jobs * (objective_s if sense == "min" else self._most() - objective_s))

    def _most(self) -> int:
        return int(self.cost.max()) + 1


def read_assignment_problems(path: Path) -> list[AssignmentProblem]:
    """Read a file of problems, costs and all as they stand there.

    Raises:
        InputError: a number is missing, is none, is out of range, or there are numbers after the last problem.
    """
    numbers = _Numbers(path)
    count = numbers.take("the number of problems", least=1, most=1000)
    problems: list[AssignmentProblem] = []
    for i in range(1, count + 1):
        where = f"problem {i}"
        agents = numbers.take(f"{where}, the number of agents", least=1, most=MOST_NUMBERS)
        jobs = numbers.take(f"{where}, the number of jobs", least=1, most=MOST_NUMBERS // agents)
        problems.append(
            AssignmentProblem(
                cost=numbers.table(f"{where}, cost", agents, jobs),
                size=numbers.table(f"{where}, resource", agents, jobs),
                capacity=numbers.table(f"{where}, capacity", 1, agents)[0],
            )
        )
    numbers.end()
    return problems


class _Numbers:
    """The whole numbers of a file, one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._words: Iterator[str] = iter(read_text(path).split())

    def take(self, what: str, *, least: int = 0, most: int = MOST_VALUE) -> int:
        word = next(self._words, None)
        if word is None:
            raise InputError(self._path, what, "is missing: the file ends before it; is it cut off?")
        # Python reads more as a whole number (1_000, other scripts' digits) than people write.
        digits = word.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))):
            raise InputError(self._path, what, f"{shown(word)} is no whole number from {least} to {most}")
        if not least <= int(word) <= most:
            raise InputError(self._path, what, f"must be from {least} to {most}, not {word}")
        return int(word)

    def table(self, what: str, rows: int, columns: int) -> Ints:
        cells = [
            self.take(f"{what} {i + 1} of {columns}" + (f", agent {row + 1}" if rows > 1 else ""))
            for row in range(rows)
            for i in range(columns)
        ]
        return np.array(cells, dtype=np.int64).reshape(rows, columns)

    def end(self) -> None:
        word = next(self._words, None)
        if word is not None:
            raise InputError(
                self._path, "", f"{shown(word)} stands after the last problem; is the number of problems right?"
            )
