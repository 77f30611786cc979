"""The matrix of worst ratios, and what its figure says is to be seen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitshare.errors import InputError
from splitshare.results.worst_cases import COLUMNS, RECORD, matrix_of, read_worst_cases

RECORDED = Path(__file__).parents[2] / "data" / "baselines" / RECORD


def test_the_takeaway_is_what_the_record_has() -> None:
    matrix = matrix_of(read_worst_cases(RECORDED))
    greedy, searched, optimum = "s2m3-greedy", "greedy-local-search", "optimum-builtin"
    others = [name for name in matrix.index if name not in {greedy, searched}]
    assert (matrix.loc[greedy, others] > 1).all()
    assert (matrix.loc[greedy, others] < matrix.loc[others, greedy]).all()
    assert matrix[optimum].idxmin() == searched
    assert (matrix[optimum] >= 1 - 1e-9).all()


def test_a_matrix_has_the_order_of_its_rows_and_a_gap_where_there_is_no_ratio() -> None:
    rows = [("b", "a", 2.0), ("b", "best", np.nan), ("a", "b", 3.0), ("a", "best", np.nan)]
    matrix = matrix_of(pd.DataFrame(rows, columns=["of", "against", "ratio"]))
    assert list(matrix.index) == ["b", "a"]
    assert list(matrix.columns) == ["b", "a", "best"]
    assert matrix.loc["b", "a"] == 2.0
    assert matrix.loc["a", "b"] == 3.0
    assert matrix["best"].isna().all()


def test_a_pair_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    table = pd.read_csv(RECORDED)
    assert list(table.columns) == list(COLUMNS)
    pd.concat([table, table.head(1)]).to_csv(tmp_path / "w.csv", index=False)
    with pytest.raises(InputError, match="is held twice against 'heft'"):
        read_worst_cases(tmp_path / "w.csv")
