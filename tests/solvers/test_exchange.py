"""A program that is written, solved by a solver that knows nothing of the library, and read back."""

import json
from pathlib import Path

import gurobipy
import highspy
import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.errors import InputError, WorkError
from splitshare.solvers.exchange import NamedProgram, column_names, read_solution, write_program
from splitshare.solvers.program import Milp
from tests.onloading.examples import tiny
from tests.replay.examples import example

INSTANCES = {"placement": example(), "onloading": tiny(2, clients=4, models=4, batching=True)}


def highs(program: Path, solution: Path) -> None:
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.readModel(str(program))
    model.run()
    model.writeSolution(str(solution), 0)


def gurobi(program: Path, solution: Path) -> None:
    with gurobipy.Env(params={"OutputFlag": 0}) as environment, gurobipy.read(str(program), environment) as model:
        model.optimize()
        model.write(str(solution))


def told(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("solver", [highs, gurobi])
@pytest.mark.parametrize("problem", INSTANCES)
def test_another_solver_gives_the_same_optimum(problem, solver, tmp_path):
    instance, program, answer = (tmp_path / name for name in ("instance.json", "program.mps", "answer.json"))
    INSTANCES[problem].write(instance)
    told("solve", instance, "--algorithm", "optimum", "--write-program", program, "-o", answer)
    solver(program, tmp_path / "found.sol")
    ours, theirs = (json.loads(told("evaluate", instance, path)) for path in (answer, tmp_path / "found.sol"))
    assert theirs["objective"] == pytest.approx(ours["objective"], rel=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("answer.json", "found.sol", "instance.json", "program.mps")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# Objective value = 3\nx/a 1\nx/b 0\nc2 2.5\n",  # Gurobi
        "Model status\nOptimal\n\n# Primal solution values\nFeasible\nObjective 3\n# Columns 3\nx/a 1\nx/b 0\nc2 2.5\n"
        "# Rows 1\nr0 1\n\n# Dual solution values\nFeasible\n# Columns 3\nx/a 7\nx/b 7\nc2 7\n",  # HiGHS
        "solution status: optimal solution found\nobjective value:   3\nx/a     1 \t(obj:1)\nc2    2.5 \t(obj:2)\n",
        "Optimal - objective value 3.0\n      0 x/a        1      0\n      2 c2       2.5     1\n",  # CBC
    ],
)
def test_what_solvers_write_is_read(text, tmp_path):
    path = tmp_path / "found.sol"
    path.write_text(text)
    assert read_solution(path, ["x/a", "x/b", "c2"]).tolist() == [1.0, 0.0, 2.5]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no column of this program, such as x/a"),
        ("x/a one\n", "line 1: 'one' is no number"),
        ("x/a nan", "no"),
    ],
)
def test_what_is_no_solution_is_refused(text, problem, tmp_path):
    (tmp_path / "found.sol").write_text(text)
    with pytest.raises(InputError, match=problem):
        read_solution(tmp_path / "found.sol", ["x/a"])


def test_a_solution_that_breaks_a_rule_is_refused_with_the_rule(tmp_path):
    INSTANCES["placement"].write(tmp_path / "instance.json")
    (tmp_path / "found.sol").write_text("x/vision/a 1\nx/vision/b 1\nx/text/b 1\nx/head/a 1\n")
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "instance.json"), str(tmp_path / "found.sol")])
    assert isinstance(result.exception, InputError)
    assert "holds no feasible placement: " in str(result.exception)


def test_programs_that_cannot_be_written_are_refused(tmp_path):
    milp = Milp()
    named = NamedProgram(milp.program(), (), lambda values: None)
    with pytest.raises(WorkError, match="no columns"):
        write_program(named, tmp_path / "program.mps")
    milp.add_column(upper=1.0)
    with pytest.raises(InputError, match=r"written as \.mps"):
        write_program(NamedProgram(milp.program(), column_names(1, {}), lambda values: None), tmp_path / "program.lp")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("algorithm", "copies"), [("s2m3-greedy", 1), ("optimum", 2)])
def test_only_the_program_of_one_instance_is_written(algorithm, copies, tmp_path):
    paths = [tmp_path / f"{number}.json" for number in range(copies)]
    for path in paths:
        INSTANCES["placement"].write(path)
    options = ["--algorithm", algorithm, "--write-program", str(tmp_path / "p.mps"), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["solve", *map(str, paths), *options])
    assert isinstance(result.exception, InputError)
    assert "--write-program" in str(result.exception)
    assert not (tmp_path / "out").exists()
