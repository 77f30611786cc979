"""What a link model of the simulator adds to the latency of an idle request."""

from __future__ import annotations

from pathlib import Path

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import save_table

DECLARATION = Declaration(
    name="link-models",
    category="Replay",
    inputs=("replay/idle.csv",),
    tables=("link_models_idle",),
    caption="What a link that carries one transfer at a time adds to the latency of an idle request.",
    takeaway="One transfer at a time adds to an idle request only where modules are not shared.",
)

NAME = "link_models_idle"


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table ``link_models_idle``: a row a method, request and link model, with what is added in seconds.

    ``independent`` adds nothing by definition; ``serial`` makes a request's transfers over one link wait for each
    other.
    """
    idle = inputs.csv("replay/idle.csv")
    added_s = (idle["simulator_s"] - idle["evaluator_s"]).where(lambda added: added.abs() > 1e-9, 0.0)
    table = idle.assign(added_s=added_s, added_share=added_s / idle["evaluator_s"])
    save_table(table, output, NAME)
