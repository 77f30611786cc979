"""Small modules for tests that compute for real."""

from pathlib import Path

from splitshare.placement.instance import Assignment, PlacementInstance
from tests.replay.examples import DEVICES, fields, module, request

EMBEDDED = Path(__file__).parents[3] / "data" / "embedded"
"""Root of their catalogue."""
EMBEDDED_ASSIGNMENT: Assignment = {
    "small-vision@together": ("b",),
    "small-text@together": ("c",),
    "vqa-13@together": ("c",),
}


def embedded() -> PlacementInstance:
    """Questions to images of 64 x 64: the image encoder on a slow device, the rest on one quicker than any host."""
    model = "embedded-vqa-together"
    encoders = {"small-vision@together": 3 * 64 * 64 * 4.0, "small-text@together": 12 * 4.0}
    return PlacementInstance.parse(
        fields(
            name="embedded",
            devices=[{"name": name, "memory_bytes": 1e9} for name in DEVICES],
            modules=[
                module("small-vision@together", b=0.1) | {"output_bytes": 256},
                module("small-text@together", c=1e-6) | {"output_bytes": 256},
                module("vqa-13@together", c=1e-6),
            ],
            requests=[request(model, encoders, head="vqa-13@together", result_bytes=13 * 4)],
        ),
        "embedded",
    )
