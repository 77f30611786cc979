from pathlib import Path

import pandas as pd
import pytest

from splitshare.errors import InputError, WorkError
from splitshare.methods import Method
from splitshare.placement.instance import Placement
from splitshare.stages import collect, solve
from tests.replay.examples import example

METHODS = {name: Method.parse(name) for name in ("optimum-highs", "s2m3-greedy")}


@pytest.fixture
def placed(tmp_path: Path) -> dict[str, Path]:
    """Two instances, solved by two methods."""
    paths = [tmp_path / f"{name}.json" for name in ("one.bed", "two.bed")]
    for path in paths:
        example(name=path.stem, origin={"workload": path.stem.removesuffix(".bed"), "testbed": "bed"}).write(path)
    for name, method in METHODS.items():
        (tmp_path / "placements" / name).mkdir(parents=True)
        solve.run(
            solve.Options(
                paths,
                algorithms=[method.algorithm],
                solver=method.solver,
                seed=0,
                time_limit_s=None,
                output=tmp_path / "placements" / name,
            )
        )
    return {path.stem: path for path in paths}


def run(placed: dict[str, Path], tmp_path: Path) -> None:
    collect.run(
        collect.Options(
            list(placed.values()),
            placements=tmp_path / "placements",
            methods=list(METHODS),
            output=tmp_path / "tables",
            runs=tmp_path / "runs",
        )
    )


def test_the_tables_hold_every_method_of_every_instance_and_repeat(placed: dict[str, Path], tmp_path: Path):
    run(placed, tmp_path)
    first = {path.name: path.read_bytes() for path in (tmp_path / "tables").iterdir()}
    assert set(first) == {"placements.csv", "latencies.csv", "assignments.csv"}
    table = pd.read_csv(tmp_path / "tables" / "placements.csv")
    assert table[["workload", "method"]].to_numpy().tolist() == [[w, m] for w in ("one", "two") for m in METHODS]
    assert (table["gap"] >= 0).all()
    run(placed, tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "tables").iterdir()} == first
    runs = pd.read_parquet(tmp_path / "runs" / "runs.parquet")
    assert (runs["solve_s"] >= 0).all()
    assert {"revision", "machine", "date", "torch_version", "highspy_version"} <= set(runs)


def test_an_optimum_that_was_not_proved_in_time_fails(placed: dict[str, Path], tmp_path: Path):
    path = tmp_path / "placements" / "optimum-highs" / "two.bed.json"
    Placement.read(path).model_copy(update={"status": "time_limit"}).write(path)
    with pytest.raises(WorkError, match=r"optimum-highs on two\.bed: no optimum was proved within the time limit"):
        run(placed, tmp_path)
    assert not (tmp_path / "tables").exists()


def test_a_missing_placement_is_named(placed: dict[str, Path], tmp_path: Path):
    path = tmp_path / "placements" / "s2m3-greedy" / "one.bed.json"
    path.unlink()
    with pytest.raises(InputError, match=r"s2m3-greedy/one\.bed\.json: no such file"):
        run(placed, tmp_path)
