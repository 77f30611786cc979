"""The onloading problem through the commands: files in, files out, and errors of one line."""

import copy
import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.errors import InputError, SplitshareError, WorkError
from splitshare.jsonl import read_lines, write_lines
from splitshare.onloading.instance import OnloadingInstance
from splitshare.results.onloading import read_record, references, size_of, write_record
from splitshare.stages import compare, record
from splitshare.stages.onloading import solve_suite, study
from tests.onloading.examples import fields, tiny

RUNNER = CliRunner()


def invoke(*arguments):
    return RUNNER.invoke(app, [str(a) for a in arguments], catch_exceptions=True)


@pytest.fixture
def instance(tmp_path):
    path = tmp_path / "instance.json"
    tiny(2, clients=4, models=4, batching=True).write(path)
    return path


def test_solve_and_evaluate_know_the_problem_by_the_file(instance, tmp_path):
    decision = tmp_path / "decision.json"
    solved = invoke("solve", instance, "--algorithm", "j3o-batching", "--parameter", "rounds=5", "-o", decision)
    assert solved.exit_code == 0
    assert solved.output.startswith("j3o-batching[rounds=5]: feasible, accuracy 0.")
    written = json.loads(decision.read_text())
    assert written["schema"] == "splitshare.onloading-decision/1"
    assert written["algorithm"] == "j3o-batching[rounds=5]"
    evaluated = invoke("evaluate", instance, decision)
    assert json.loads(evaluated.output)["objective"] == pytest.approx(written["objective"])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda f: [], "input should be an object, not []"),
        (lambda f: None, "input should be an object, not null"),
        (lambda f: {k: v for k, v in f.items() if k != "schema"}, "schema: is missing; say of which problem"),
        (lambda f: f | {"schema": 3}, "schema: must be a text, not 3; say of which problem"),
        (
            lambda f: f | {"schema": "splitshare.onloding-instance/1"},
            "schema: the file is 'splitshare.onloding-instance/1'",
        ),
    ],
)
def test_a_file_that_does_not_say_what_it_is_is_told_before_the_algorithm(tmp_path, spoil, complaint):
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(spoil(fields(2))))
    solved = invoke("solve", path, "--algorithm", "j3o", "-o", tmp_path / "decision.json")
    assert isinstance(solved.exception, InputError)
    assert str(solved.exception).startswith(f"{path}: {complaint}")


def test_a_parameter_out_of_its_range_is_told_in_one_line(instance, tmp_path):
    solved = invoke("solve", instance, "--algorithm", "j3o-batching[rounds=-1]", "-o", tmp_path / "decision.json")
    assert isinstance(solved.exception, InputError)
    told = "--algorithm: j3o-batching[rounds=-1]: cannot be made: rounds must be from 1 to 1e+15, not -1"
    assert str(solved.exception) == told


def test_several_instances_go_into_a_directory(instance, tmp_path):
    other = tmp_path / "other.json"
    tiny(3).write(other)
    assert invoke("solve", instance, other, "--algorithm", "cloud-only", "-o", tmp_path / "out").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["instance.json", "other.json"]


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda f: f["clients"][0]["demand_per_s"].update(t0=-1), "clients[0].demand_per_s.t0"),
        (lambda f: f["clients"][0].update(memory_bytes=0), "clients[0].memory_bytes"),
        (lambda f: [m.update(accuracy={"t0": 0.5}) for m in f["models"]], "no model serves 't1'"),
        (lambda f: f["clients"][0].update(uplink_latency_s=float("nan")), "NaN is not a JSON number"),
    ],
)
def test_a_bad_instance_gives_one_line_and_exit_code_2(edit, complaint, tmp_path):
    given = copy.deepcopy(fields())
    edit(given)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(given))
    answer = invoke("solve", path, "--algorithm", "j3o", "-o", tmp_path / "x.json")
    assert isinstance(answer.exception, SplitshareError)
    assert answer.exception.exit_code == 2
    assert complaint in str(answer.exception)
    assert "\n" not in str(answer.exception)
    assert not (tmp_path / "x.json").exists()


def test_a_decision_of_another_instance_or_a_spoilt_one_is_refused(instance, tmp_path):
    decision = tmp_path / "decision.json"
    invoke("solve", instance, "--algorithm", "accuracy-greedy", "-o", decision)
    other = tmp_path / "other.json"
    tiny(3).write(other)
    assert "belongs to another instance" in str(invoke("evaluate", other, decision).exception)
    half = json.loads(decision.read_text()) | {"offloading": None}
    (tmp_path / "half.json").write_text(json.dumps(half))
    assert "onloading: is null" in str(invoke("evaluate", instance, tmp_path / "half.json").exception)
    spoilt = json.loads(decision.read_text())
    spoilt["offloading"] = [flow | {"fraction": 1.0} for flow in spoilt["offloading"]]
    decision.write_text(json.dumps(spoilt))
    answer = invoke("evaluate", instance, decision)
    assert isinstance(answer.exception, InputError)
    assert "above its limit" in str(answer.exception)


def test_a_decision_that_states_another_worth_is_refused(tmp_path):
    instance, decision = tmp_path / "instance.json", tmp_path / "decision.json"
    tiny(1, clients=6).write(instance)
    invoke("solve", instance, "--algorithm", "cloud-only", "-o", decision)
    right = json.loads(decision.read_text())
    assert right["unserved"] > 0
    for field in ("objective", "unserved"):
        for value in (right[field] * 1.01, 0.0):
            decision.write_text(json.dumps(right | {field: value}))
            told = str(invoke("evaluate", instance, decision).exception)
            assert f"{field}: is {value!r}, where the evaluator finds {right[field]!r}; write that, or null" in told
        for value in (right[field] * (1 + 1e-9), None):
            decision.write_text(json.dumps(right | {field: value}))
            assert json.loads(invoke("evaluate", instance, decision).output)[field] == pytest.approx(right[field])


def test_an_unserved_query_is_counted(tmp_path):
    instance, decision = tmp_path / "instance.json", tmp_path / "decision.json"
    tiny(1, clients=6).write(instance)
    solved = invoke("solve", instance, "--algorithm", "cloud-only", "-o", decision)
    assert "of the queries unserved" in solved.output
    worth = json.loads(invoke("evaluate", instance, decision).output)
    assert worth["unserved"] > 0
    assert sum(worth["answered_at"].values()) == pytest.approx(1 - worth["unserved"])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A suite of three tiny instances and its record."""
    directory = tmp_path_factory.mktemp("recorded")
    given = {"zoo": "published", "size_class": "small"}
    suite = [
        tiny(s, clients=4, models=4, batching=s == 1).model_copy(update=given | {"name": f"small-0{s}"})
        for s in range(3)
    ]
    write_lines(suite, directory / "onloading_instances.jsonl")
    record.run(
        record.Options(
            [directory / "onloading_instances.jsonl"],
            family="j3o",
            methods=["optimum-highs", "optimum-gurobi", "j3o-batching", "cloud-only", "random"],
            time_limit_s=10,
            output=directory,
        )
    )
    return directory


def test_a_record_is_resumed_and_not_repeated(recorded, tmp_path):
    whole = read_record(recorded / "onloading.csv")
    assert whole.groupby("method").size().to_dict() == {
        "optimum-highs": 3,
        "optimum-gurobi": 3,
        "j3o-batching": 3,
        "cloud-only": 3,
        "random": 30,
    }
    part = tmp_path / "onloading.csv"
    kept = whole[whole["instance"] != "small-01"].assign(date="before")
    kept.to_csv(part, index=False)
    suite = [recorded / "onloading_instances.jsonl"]
    record.run(record.Options(suite, family="j3o", methods=["cloud-only"], time_limit_s=10, output=tmp_path))
    again = read_record(part)
    assert set(again.loc[again["date"] != "before", "instance"]) == {"small-01"}
    assert len(again) == len(kept) + 1


def test_recording_some_instances_keeps_the_others(recorded, tmp_path):
    whole = read_record(recorded / "onloading.csv")
    write_record(whole, tmp_path / "onloading.csv")
    first, *others = read_lines(OnloadingInstance, recorded / "onloading_instances.jsonl")
    changed = first.model_copy(update={"utilisation": 0.5})
    changed.write(tmp_path / "first.json")
    assert invoke("record", tmp_path / "first.json", "--method", "cloud-only", "-o", tmp_path).exit_code == 0
    again = read_record(tmp_path / "onloading.csv")
    assert set(again.loc[again["instance"] == first.name, "method"]) == {"cloud-only"}  # others were of what it was
    assert set(again.loc[again["instance"] == first.name, "instance_sha256"]) == {changed.sha256()}
    kept = whole["instance"] != first.name
    assert len(again) == 1 + kept.sum()
    assert list(again["instance"].unique()) == [first.name, *(instance.name for instance in others)]


def test_a_record_without_a_proof_is_written_and_has_no_references(recorded, tmp_path):
    suite = recorded / "onloading_instances.jsonl"
    assert invoke("record", suite, "--method", "cloud-only", "-o", tmp_path).exit_code == 0
    assert references(read_record(tmp_path / "onloading.csv")).empty
    answer = invoke("record", suite, "--method", "cloud-only", "--family", "s2m3", "-o", tmp_path)
    assert isinstance(answer.exception, InputError)
    assert "one family, 'j3o'" in str(answer.exception)


def test_a_result_above_a_proved_bound_is_an_error(recorded):
    table = read_record(recorded / "onloading.csv")
    table.loc[table["method"] == "cloud-only", "objective"] = 0.999
    with pytest.raises(WorkError, match="exceeds the proved bound"):
        references(table)


def test_without_a_proof_the_bound_is_the_reference(recorded):
    table = read_record(recorded / "onloading.csv")
    exact = table["method"].str.startswith("optimum") & (table["instance"] == "small-00")
    table.loc[exact, "status"] = "time_limit"
    table.loc[exact, "bound"] = 0.995
    table.loc[(table["method"] == "j3o-batching") & (table["instance"] == "small-00"), "bound"] = 0.99
    found = references(table)
    assert not found.loc["small-00", "proved"]
    assert found.loc["small-00", "reference"] == 0.99
    assert found.loc["small-01", "proved"]


def test_the_suite_again_gives_what_was_recorded_the_same_twice(recorded, tmp_path):
    for name in ("one", "two"):
        solve_suite.run(
            solve_suite.Options(
                recorded / "onloading_instances.jsonl",
                record=recorded / "onloading.csv",
                sizes=["small"],
                output=tmp_path / f"{name}.csv",
                times=tmp_path / "times.csv",
            )
        )
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    results = pd.read_csv(tmp_path / "one.csv")
    before = read_record(recorded / "onloading.csv").groupby(["instance", "method"])["objective"].mean()
    assert results.set_index(["instance", "method"])["objective"].to_dict() == pytest.approx(before.to_dict(), abs=1e-6)
    assert (results.loc[results["method"] == "optimum-highs", "ratio"] == 1).all()
    assert set(results["method"]) == {"optimum-highs", "optimum-gurobi", "j3o-batching", "cloud-only", "random"}


def test_the_study_takes_j3o_apart(recorded, tmp_path):
    study.run(
        study.Options(
            recorded / "onloading_instances.jsonl",
            record=recorded / "onloading.csv",
            size="small",
            converging=["small-01"],
            output=tmp_path,
        )
    )
    shares = pd.read_csv(tmp_path / "ablation.csv").groupby("variant")["ratio"].mean()
    assert set(shares.index) == set(study.VARIANTS)
    assert shares["as it is"] >= shares.max() - 1e-9
    rounds = pd.read_csv(tmp_path / "convergence.csv")
    assert (rounds["bound"] >= rounds["incumbent"]).all()
    with pytest.raises(InputError, match="did you mean 'small-01'"):
        study.run(
            study.Options(
                recorded / "onloading_instances.jsonl",
                record=recorded / "onloading.csv",
                size="small",
                converging=["small-1"],
                output=tmp_path,
            )
        )


MINE = """
class Nothing:
    name = "nothing"

    def onload(self, instance, *, seed, time_limit):
        return {}

class Sometimes:
    name = "sometimes"

    def onload(self, instance, *, seed, time_limit):
        if instance.name == "small-01":
            raise ValueError("no idea")
        return {server.name: [instance.models[0].name] for server in instance.servers}
"""


def test_compare_judges_an_onloading_algorithm_too(recorded, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(MINE)
    answer = invoke("compare", "--algorithm", f"{mine}:Nothing", "--baselines", recorded, "-o", tmp_path / "out")
    assert answer.exit_code == 0, answer.exception
    verdict = json.loads((tmp_path / "out" / "verdict.json").read_text())
    # Holding nothing is what cloud-only does: never better, never worse.
    (duel,) = [d for d in verdict["families"][0]["duels"] if d["baseline"] == "cloud-only"]
    assert (duel["wins"], duel["ties"], duel["losses"]) == (0, 3, 0)
    words = (tmp_path / "out" / "verdict.txt").read_text()
    assert words.startswith("j3o: nothing decides 3 of 3 instances")
    assert verdict["repeated"] == {"runs": 3, "changed": []}


def test_compare_counts_runs_that_fail(recorded, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(MINE)
    compare.run(
        compare.Options(
            algorithms=[f"{mine}:Sometimes"],
            results=None,
            problem=None,
            families=[],
            baselines=recorded,
            time_limit_s=5,
            seed=0,
            output=tmp_path / "out",
        )
    )
    words = (tmp_path / "out" / "verdict.txt").read_text()
    assert "1 of 3 runs gave no feasible decision; the first: small-01: crashed: ValueError: no idea" in words
    assert "decides 2 of 3 instances" in words


def test_a_size_class_is_said_by_the_instance_and_not_by_its_name():
    instance = tiny().model_copy(update={"zoo": "published", "size_class": "small"})
    assert instance.sha256() == tiny().model_copy(update={"zoo": "published"}).sha256()
    assert size_of(instance) == "small"
    assert size_of(instance.model_copy(update={"zoo": "trained", "name": "large-07"})) == "trained-small"
    assert size_of(instance.model_copy(update={"size_class": None})) == "own"
