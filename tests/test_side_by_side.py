"""Work side by side: the same results, in order or not, and a process that dies is told."""

import os
from contextlib import closing

import pytest

from splitshare.errors import WorkError
from splitshare.side_by_side import side_by_side


def square(number: int) -> int:
    return number * number


def die(number: int) -> int:
    os._exit(number)


@pytest.mark.parametrize("processes", [1, 2])
def test_results_are_those_of_the_tasks(processes: int) -> None:
    assert list(side_by_side(square, range(7), processes, "squaring")) == [n * n for n in range(7)]
    found = side_by_side(square, range(7), processes, "squaring", in_order=False)
    assert sorted(found) == [n * n for n in range(7)]
    with closing(side_by_side(square, range(10_000), processes, "squaring")) as some:
        assert next(some) == 0


def test_a_process_that_dies_is_told_in_one_line() -> None:
    with pytest.raises(WorkError, match=r"^dying: a process died, .*--processes 1"):
        list(side_by_side(die, [3], 2, "dying"))
