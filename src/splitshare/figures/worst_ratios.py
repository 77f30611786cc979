"""How far apart two algorithms can be: the worst cases that a search found of each against each (ours)."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.ratio_matrix import WORST_RATIOS, ratio_figure
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.results.worst_cases import RECORD, matrix_of, read_worst_cases

DECLARATION = Declaration(
    name="worst-ratios",
    category="Optimality",
    records=("adversarial.csv",),
    tables=("worst_ratios",),
    drawn=("worst_ratios",),
    caption=(
        "Largest ratio of the row's mean or largest latency to the column's that a search found, by annealed "
        "perturbation of the times, links and memory of instances to tune on (after PISA, Coleman and Krishnamachari); "
        "a larger ratio may be there that it did not find. Only instances that both place have a ratio."
    ),
    takeaway=(
        "S2M3's greedy is never as far behind list scheduling, the batch rules and packing as they are behind it, "
        "though there are instances on which it is behind each of them. Local search over the greedy stays closest to "
        "the optimum."
    ),
)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``worst_ratios``."""
    matrix = matrix_of(read_worst_cases(inputs.recorded(RECORD)))
    save_table(matrix.rename_axis("of").reset_index(), output, WORST_RATIOS)
    with paper_style():
        save_figure(ratio_figure(matrix), output, WORST_RATIOS)
