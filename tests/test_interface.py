"""``import splitshare`` against the command line's own ways, and against what is recorded."""

import subprocess
import sys

import pandas as pd
import pytest

import splitshare
from splitshare import interface
from splitshare.errors import InputError, WorkError
from splitshare.jsonl import write_lines
from splitshare.places import DATA
from splitshare.replay.serving.rules import Serving, Swapping
from splitshare.results.baselines import read_baselines
from tests.onloading.examples import tiny
from tests.replay.examples import example

WHOLE = {"vision": "b", "text": ["b"], "head": ("a",)}


def test_names_are_those_of_the_interface_and_come_late():
    assert splitshare.__all__ == interface.__all__
    assert {name for name in dir(splitshare) if name in interface.__all__} == set(interface.__all__)
    assert all(getattr(splitshare, name).__doc__ for name in interface.__all__)
    program = "import sys, splitshare; print([m for m in ('numpy', 'pandas', 'numba', 'typer') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'solved'"):
        _ = splitshare.solved


def test_an_assignment_is_worth_what_its_placement_is():
    placement = splitshare.solve(example(), "optimum")
    assert splitshare.evaluate(example(), placement)["objective"] == placement.objective
    worth = splitshare.evaluate(example(), WHOLE)
    assert worth["objective"] >= placement.objective
    assert worth == splitshare.evaluate(example(), {m: list(d) for m, d in WHOLE.items()})


def test_what_breaks_a_rule_is_told():
    with pytest.raises(InputError, match="assignment"):
        splitshare.evaluate(example(), {"vision": "b", "text": "b"})
    with pytest.raises(InputError, match="is of another instance"):
        splitshare.simulate(
            example(name="other"),
            splitshare.solve(example(), "optimum"),
            splitshare.poisson_trace(example(), 1.0, requests=3, seed=0),
        )
    with pytest.raises(InputError, match="which no problem has"):
        splitshare.solve("instance.json", "optimum")
    with pytest.raises(InputError, match="unknown family 's2m33'; did you mean 's2m3'"):
        splitshare.instances("s2m33")
    with pytest.raises(InputError, match="has none of the methods `place`, `onload`"):
        splitshare.compare(object())
    with pytest.raises(InputError, match="has no such families"):
        splitshare.compare("j3o", split="tuning")


def test_onloading_is_solved_and_evaluated_alike(tmp_path):
    write_lines([tiny()], tmp_path / "suite.jsonl")
    tiny().write(tmp_path / "instance.json")
    instance = splitshare.read_instance(tmp_path / "instance.json")
    assert instance == tiny()
    decision = splitshare.solve(instance, "j3o")
    assert splitshare.evaluate(instance, decision)["objective"] == pytest.approx(decision.objective)


def test_a_comparison_finds_what_is_recorded():
    """A deterministic method, run again here, has the recorded objectives."""
    compared = splitshare.compare("heft", split="tuning")
    recorded = read_baselines(DATA / "baselines/placements.parquet")
    recorded = recorded[(recorded["method"] == "heft") & (recorded["family"] == "random-tuning")]
    both = compared.results.merge(recorded, on="instance")
    assert len(both) == len(compared.results) == 40
    pd.testing.assert_series_equal(both["objective"], both["objective_s"], check_names=False, rtol=1e-12)
    assert compared.mean_gap == pytest.approx(recorded["gap"].mean())
    assert compared.answered == recorded["objective_s"].notna().mean()
    assert "heft places" in str(compared)
    assert set(compared.summary["method"]) > {"heft", "s2m3-greedy"}


def test_tuning_and_test_instances_are_apart():
    problem = splitshare.known_problems()["placement"]
    assert not set(problem.families) & set(problem.tuning_families)
    tuning = {i.sha256() for family in problem.tuning_families for i in splitshare.instances(family)}
    assert not tuning & {i.sha256() for family in problem.families for i in splitshare.instances(family)}


def test_what_an_algorithm_raises_is_raised():
    class Broken:
        name = "broken"

        def place(self, instance, *, seed, time_limit):
            raise ZeroDivisionError("no idea")

    with pytest.raises(ZeroDivisionError, match="no idea"):
        splitshare.compare(Broken(), split="tuning")


def test_an_algorithm_that_changes_its_instance_is_refused():
    class Greedy:
        name = "greedy"

        def place(self, instance, *, seed, time_limit):
            instance.modules[0].compute_s.clear()

    with pytest.raises(WorkError, match="changed the instance"):
        splitshare.solve(example(), Greedy())


class Source:
    name = "source"

    def place(self, instance, *, seed, time_limit):
        return {module.name: instance.requests[0].source for module in instance.modules}


class Says:
    name = "says"

    def __init__(self, answer):
        self.answer = answer

    def place(self, instance, *, seed, time_limit):
        return self.answer


def test_what_is_no_algorithm_is_told_with_its_mend():
    instance = splitshare.instances("random-tuning")[0]
    with pytest.raises(InputError, match=r"is a class; give an object of it: Source\(\)"):
        splitshare.compare(Source, split="tuning")
    with pytest.raises(InputError, match=r"is a class; give an object of it: Source\(\)"):
        splitshare.solve(instance, Source)
    with pytest.raises(InputError, match="no attribute `name` or no method `place`"):
        splitshare.solve(instance, object())
    with pytest.raises(InputError, match="is no split; did you mean 'tuning'"):
        splitshare.compare(Source(), split="tunning")  # type: ignore[arg-type]
    with pytest.raises(WorkError, match="is not devices by module but str"):
        splitshare.solve(instance, Says("hi"))
    with pytest.raises(WorkError, match="has int for 'm'; it must be a device, or several"):
        splitshare.solve(instance, Says({"m": 3}))
    with pytest.raises(InputError, match="says no class; write the class of that file behind it"):
        splitshare.algorithm("mine.py", "placement")


def test_paths_may_be_text(tmp_path):
    instance = splitshare.instances("s2m3")[0]
    instance.write(f"{tmp_path}/i.json")
    assert splitshare.read_instance(f"{tmp_path}/i.json") == instance
    (tmp_path / "t.csv").write_text("request_id,arrival_s,request\n0,0,a\n")
    assert len(splitshare.read_trace(f"{tmp_path}/t.csv")) == 1


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("request_id;arrival_s;request", "has fields separated by semicolons; separate them by commas"),
        ("request_id, arrival_s,request", "arrival_s: stands with a blank before or behind it"),
    ],
)
def test_what_tables_are_commonly_wrong_in(tmp_path, header, problem):
    (tmp_path / "t.csv").write_text(f"{header}\n0,0,a\n")
    with pytest.raises(InputError, match=problem):
        splitshare.read_trace(tmp_path / "t.csv")


def test_rules_of_serving_are_held_against_the_placement():
    placement = splitshare.solve(example(), "optimum")
    trace = splitshare.poisson_trace(example(), 4.0, requests=200, seed=0)
    plain = splitshare.simulate(example(), placement, trace)
    shared = splitshare.simulate(example(), placement, trace, serving=Serving(queues=dict.fromkeys("abc", "ps")))
    assert not plain.requests["latency_s"].equals(shared.requests["latency_s"])
    # A byte a module: where all fit, nothing is loaded; where two share one byte, every change of module loads.
    short = Serving(swapping=Swapping({(d, m): 0.1 for d in "abc" for m in WHOLE}, dict.fromkeys("abc", 1.0)))
    crowded = splitshare.solve(example(), _OnOne())
    loads = splitshare.simulate(example(), crowded, trace, serving=short).loads
    assert loads is not None
    assert loads["loads"].sum() > 1


class _OnOne:
    name = "on-one"

    def place(self, instance, *, seed, time_limit):
        return {"vision": "b", "text": "b", "head": "b"}
