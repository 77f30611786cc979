"""`splitshare list` against the files that it speaks of."""

import pytest

from splitshare.figures.registry import figures
from splitshare.onloading.contract import shipped as onloading_shipped
from splitshare.placement.contract import shipped
from splitshare.problems import problem_named
from splitshare.stages import list as stage

COUNTS = {"models": 14, "testbeds": 11, "problems": 2, "figures": len(figures())}


@pytest.mark.parametrize("kind", ["algorithms", "models", "modules", "workloads", "testbeds", "families", "figures"])
def test_everything_is_said_to_be_something(kind):
    rows = stage.run(stage.Options(kind))
    assert rows
    assert all(name and what for name, what in rows)
    assert len(rows) == COUNTS.get(kind, len(rows))


def test_algorithms_of_all_problems_are_listed():
    rows = stage.run(stage.Options("algorithms"))
    assert [name for name, what in rows if what.startswith("placement: ")] == shipped()
    assert [name for name, what in rows if what.startswith("onloading: ")] == onloading_shipped()


def test_families_are_those_that_are_recorded(capsys):
    rows = stage.run(stage.Options("families"))
    for name, what in rows:
        recorded = problem_named(what.partition(":")[0]).recorded
        assert recorded is not None
        assert recorded(stage.Options("families").catalog_root / "baselines", [name]).instances[name]
    stage.show(rows)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [name for name, _ in rows]
