"""The record of held-out families: what is best of each instance, resuming, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitshare.errors import InputError, WorkError
from splitshare.placement.held_out import held_out
from splitshare.placement.instance_families import family_instance
from splitshare.placement.run import solve
from splitshare.results import record_families as recording
from splitshare.results.family_record import BEST, BEST_COLUMNS, COLUMNS, RESULTS, read_best, read_results
from splitshare.results.family_record import recorded_families as recorded
from splitshare.results.record_families import improved, methods_of_families, prove_longer, record_families
from splitshare.version import __version__

FAMILY = "min-max"
INSTANCE = family_instance(FAMILY, 10_000)


def run(method, objective_s, bound_s=None, solve_s=1.0):
    row = dict.fromkeys(COLUMNS, "") | {
        "family": FAMILY,
        "instance": INSTANCE.name,
        "instance_sha256": INSTANCE.sha256(),
        "method": method,
        "seed": 0,
        "objective_s": objective_s,
        "bound_s": bound_s,
        "build_s": 0.0,
        "solve_s": solve_s,
        "splitshare": "1",
        "date": "2026-01-01T00:00:00",
    }
    return pd.DataFrame([row]).astype({"objective_s": float, "bound_s": float})


def best_of(*runs, before=None):
    nothing = pd.DataFrame(columns=list(BEST_COLUMNS))
    table = improved(nothing if before is None else before, pd.concat(runs, ignore_index=True), [INSTANCE])
    return table, table.iloc[0]


def test_the_least_value_and_the_highest_bound_are_kept_with_who_found_them():
    _, best = best_of(run("a", 2.0), run("b", 1.5, 1.0), run("c", None, 1.2))
    assert (best["objective_s"], best["found_by"]) == (1.5, "b")
    assert (best["bound_s"], best["proved_by"], best["optimal"]) == (1.2, "c", 0)
    assert (best["devices"], best["modules"]) == (len(INSTANCE.devices), len(INSTANCE.modules))


def test_of_equal_runs_the_fastest_is_named():
    _, best = best_of(run("slow", 1.5, 1.5, solve_s=3.0), run("fast", 1.5, 1.5, solve_s=0.1))
    assert (best["found_by"], best["proved_by"], best["optimal"]) == ("fast", "fast", 1)


def test_what_a_longer_run_found_stays_until_a_recorded_one_reaches_it():
    longer, _ = best_of(run("long", 1.0, 0.9))
    _, kept = best_of(run("short", 1.1, 0.5), before=longer)
    assert (kept["objective_s"], kept["found_by"], kept["bound_s"]) == (1.0, "long", 0.9)
    _, beaten = best_of(run("short", 0.95), before=longer)
    assert (beaten["objective_s"], beaten["found_by"], beaten["proved_by"]) == (0.95, "short", "long")


def test_a_bound_above_a_value_is_an_error():
    with pytest.raises(WorkError, match=r"b proves 1\.5 s, and a finds 1\.4 s"):
        best_of(run("a", 1.4), run("b", None, 1.5))


def test_a_method_of_its_own_instance_and_one_without_a_device_are_not_recorded():
    names = methods_of_families()
    assert not {"no-sharing", "whole-models", "sequential-routing", "cloud", "optimum"} & set(names)
    assert {"s2m3-greedy", "genetic", "optimum-builtin", "optimum-highs", "optimum-gurobi"} <= set(names)
    assert len(names) == len(set(names))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("record")
    record_families([FAMILY], ["worst-fit"], time_limit_s=10.0, output=output)
    return output


def test_a_stopped_record_goes_on_and_a_new_method_costs_its_own_runs_only(small, tmp_path, monkeypatch):
    for name in (RESULTS, BEST):
        (tmp_path / name).write_bytes((small / name).read_bytes())
    before = (tmp_path / RESULTS).read_text()
    solved: list[str] = []

    def counting(instance, method, **how):
        solved.append(method.name)
        return solve(instance, method, **how)

    monkeypatch.setattr(recording, "solve", counting)
    record_families([FAMILY], ["worst-fit"], time_limit_s=10.0, output=tmp_path)
    assert solved == []
    assert (tmp_path / RESULTS).read_text() == before
    record_families([FAMILY], ["worst-fit", "s2m3-greedy"], time_limit_s=10.0, output=tmp_path)
    assert set(solved) == {"s2m3-greedy"}
    assert set(before.splitlines()) <= set((tmp_path / RESULTS).read_text().splitlines())
    best = read_best(tmp_path / BEST)
    assert set(best["found_version"]) == {f"splitshare {__version__}"}
    assert set(best["found_by"]) <= {"s2m3-greedy", "worst-fit"}
    assert best["objective_s"].sum() < read_best(small / BEST)["objective_s"].sum()


def test_side_by_side_the_record_is_the_same_but_for_its_times(small, tmp_path):
    for folder, processes in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / RESULTS).write_bytes((small / RESULTS).read_bytes())
        methods = ["worst-fit", "best-fit", "random"]
        record_families([FAMILY], methods, time_limit_s=10.0, output=tmp_path / folder, processes=processes)
    one, two = (
        read_results(tmp_path / folder / RESULTS).drop(columns=["build_s", "solve_s", "date"])
        for folder in ("one", "two")
    )
    pd.testing.assert_frame_equal(one, two)
    assert set(two["method"]) == {"worst-fit", "best-fit", "random"}


def test_longer_proofs_better_what_is_known_and_write_no_row(small, tmp_path):
    for name in (RESULTS, BEST):
        (tmp_path / name).write_bytes((small / name).read_bytes())
    best = prove_longer([FAMILY], ["optimum-highs"], time_limit_s=60.0, output=tmp_path)
    assert (tmp_path / RESULTS).read_bytes() == (small / RESULTS).read_bytes()
    assert (best["optimal"] == 1).all()
    assert set(best["proved_by"]) == {"optimum-highs"}
    assert (best["objective_s"] <= read_best(small / BEST)["objective_s"] * (1 + 1e-9)).all()


def test_a_record_with_instances_that_nothing_has_placed_goes_on(tmp_path):
    known = record_families(["memory-tight"], ["s2m3-greedy"], time_limit_s=10.0, output=tmp_path)
    assert not np.isfinite(known["objective_s"]).any()
    assert read_best(tmp_path / BEST).empty
    record_families(["memory-tight"], ["first-fit"], time_limit_s=10.0, output=tmp_path)
    rows, best = read_results(tmp_path / RESULTS), read_best(tmp_path / BEST)
    assert 0 < len(best) < len(rows) / 2
    least = rows.dropna(subset="objective_s").groupby("instance")["objective_s"].min()
    assert dict(zip(best["instance"], best["objective_s"], strict=True)) == pytest.approx(least.to_dict())
    assert len(rows) == 2 * len(held_out("memory-tight"))
    assert len(prove_longer(["memory-tight"], ["worst-fit"], time_limit_s=10.0, output=tmp_path)) == len(rows) / 2


def test_a_bound_of_what_nothing_has_placed_is_there_once_something_is():
    _, unplaced = best_of(run("a", None, 1.2))
    assert (unplaced["objective_s"], unplaced["found_by"], unplaced["proved_by"]) == (np.inf, "", "a")
    _, placed = best_of(run("a", None, 1.2), run("b", 1.5))
    assert (placed["bound_s"], placed["proved_by"], placed["found_by"]) == (1.2, "a", "b")


def test_of_an_instance_without_a_run_nothing_is_known():
    assert improved(pd.DataFrame(columns=list(BEST_COLUMNS)), run("a", 1.0).head(0), [INSTANCE]).empty


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.assign(instance_sha256="f" * 64, bound_s=t["objective_s"], optimal=1), "another instance there"),
        (lambda t: t[t["instance"] != INSTANCE.name], "has no row"),
    ],
)
def test_longer_proofs_are_refused_where_the_record_is_of_something_else(small, tmp_path, change, complaint):
    (tmp_path / RESULTS).write_bytes((small / RESULTS).read_bytes())
    change(pd.read_csv(small / BEST)).to_csv(tmp_path / BEST, index=False)
    with pytest.raises(InputError, match=complaint):
        prove_longer([FAMILY], ["s2m3-greedy"], time_limit_s=10.0, output=tmp_path)


@pytest.mark.parametrize(
    ("file", "change", "complaint"),
    [
        (RESULTS, lambda t: t.assign(instance_sha256="f" * 64), "not comparable"),
        (RESULTS, lambda t: t[t["instance"] != INSTANCE.name], "not the instance of the recorded results"),
        (RESULTS, lambda t: pd.concat([t, t]), "two rows of 'worst-fit', seed 0"),
        (RESULTS, lambda t: t.drop(columns="seed"), "seed: column is missing"),
        (RESULTS, lambda t: t.assign(objective_s=t["objective_s"] / 2), "a recorded run has"),
        (BEST, lambda t: t.assign(instance_sha256="f" * 64), "another instance there"),
        (BEST, lambda t: t[t["instance"] != INSTANCE.name], "has no row"),
        (BEST, lambda t: t.assign(bound_s=100.0), "is above objective_s"),
        (BEST, lambda t: t.assign(objective_s=0.0), "must be above 0"),
        (BEST, lambda t: pd.concat([t, t]), "is there twice"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_in_one_line(small, tmp_path, file, change, complaint):
    for name in (RESULTS, BEST):
        table = pd.read_csv(small / name)
        (change(table) if name == file else table).to_csv(tmp_path / name, index=False)
    with pytest.raises(InputError, match=complaint) as refused:
        recorded([FAMILY], tmp_path)
    assert "\n" not in str(refused.value)
