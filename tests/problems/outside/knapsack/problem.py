"""The knapsack: an instance, an answer, an evaluator; the rest is the library's."""

import random
import time
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from knapsack import algorithms
from splitshare.conformance import BrokenError, standard_checks
from splitshare.errors import WorkError
from splitshare.plugins import Finder
from splitshare.problems.problem import Problem, Terms
from splitshare.records import Finite, Name, Positive, Record, Seconds


class Item(Record):
    name: Name
    weight: Positive
    value: Positive


class KnapsackInstance(Record):
    schema_: Literal["knapsack.knapsack-instance/1"] = Field(alias="schema")
    name: Name
    capacity: Positive
    items: tuple[Item, ...] = Field(min_length=1)


class Packing(Record):
    schema_: Literal["knapsack.packing/1"] = Field(alias="schema")
    instance_sha256: str
    algorithm: str
    status: Literal["optimal", "feasible", "infeasible"]
    reason: str | None = None
    items: tuple[Name, ...] | None
    objective: Finite | None
    build_s: Seconds = 0.0
    solve_s: Seconds


def evaluate(instance, chosen):
    items = {item.name: item for item in instance.items}
    if set(chosen) - set(items) or len(set(chosen)) != len(chosen):
        raise WorkError("an item that there is not, or twice the same")
    weight = sum(items[name].weight for name in chosen)
    if weight > instance.capacity:
        raise WorkError(f"{weight:g} in a knapsack that holds {instance.capacity:g}")
    return sum(items[name].value for name in chosen)


def solve(instance, algorithm, *, seed=0, time_limit_s=None):
    started = time.perf_counter()
    chosen = algorithm.pack(instance, seed=seed, time_limit=time_limit_s)
    took_s = time.perf_counter() - started
    answer = {"schema_": "knapsack.packing/1", "instance_sha256": instance.sha256(), "algorithm": algorithm.name}
    try:
        value = None if chosen is None else evaluate(instance, chosen)
    except WorkError as error:
        fields = {"status": "infeasible", "reason": str(error), "items": None, "objective": None}
        return Packing(**answer, **fields, solve_s=took_s)
    status = "optimal" if getattr(algorithm, "exact", False) else "feasible"
    return Packing(**answer, status=status, items=tuple(chosen), objective=value, solve_s=took_s)


@runtime_checkable
class KnapsackAlgorithm(Protocol):
    name: str

    def pack(self, instance, *, seed, time_limit): ...


class Contract:
    def prepared(self, algorithm, base):
        return base.model_copy(deep=True)

    def ask(self, algorithm, instance, *, seed, time_limit):
        return algorithm.pack(instance, seed=seed, time_limit=time_limit)

    def decided(self, answer):
        if answer is not None and not isinstance(answer, list):
            raise BrokenError("the answer is no list of items")
        return answer

    def hold(self, instance, decided):
        try:
            evaluate(instance, decided)
        except WorkError as error:
            raise BrokenError(f"{instance.name}: {error}") from None


def random_instance(seed, items=9):
    draw = random.Random(seed)
    drawn = [{"name": f"i{i}", "weight": draw.uniform(1, 9), "value": draw.uniform(1, 9)} for i in range(items)]
    fields = {"schema": "knapsack.knapsack-instance/1", "name": f"k{seed}", "capacity": 20.0, "items": drawn}
    return KnapsackInstance.parse(fields, f"seed {seed}")


PROBLEM = Problem(
    name="knapsack",
    instance=KnapsackInstance,
    answer=Packing,
    finder=Finder(algorithms, "knapsack.algorithms", KnapsackAlgorithm, "pack"),
    solve=solve,
    score=lambda instance, packing: {"objective": evaluate(instance, packing.items)},
    worth=lambda packing: f"value {packing.objective:g}",
    decided=lambda packing: packing.items,
    sense="max",
    unit="",
    terms=Terms(does="packs", answer="packing", decided="items"),
    checks=standard_checks(Contract(), [random_instance(s) for s in range(4)], random_instance(9, 15), "15 items"),
    families=("drawn",),
    timed_baseline="by-density",
)
