"""The zoo of published figures: image models of timm, six ImageNet test sets as six tasks (the reading is ours)."""

from __future__ import annotations

from pathlib import Path

from splitshare.onloading.families import marked
from splitshare.onloading.zoo import Zoo, ZooModel, ZooTask
from splitshare.profiling.batch_curve import BatchCurve
from splitshare.profiling.published import read_figures

SOURCE = "benchmark results published with pytorch-image-models (timm), folder results/"
TEST_SETS = {
    "top1_in1k": ("imagenet-1k", "ImageNet-1k, validation set", 50_000),
    "top1_real": ("imagenet-real", "ImageNet ReaL labels", 46_837),
    "top1_v2": ("imagenet-v2", "ImageNet-V2, matched frequency", 10_000),
    "top1_a": ("imagenet-a", "ImageNet-A, adversarially chosen images, 200 classes", 7_500),
    "top1_r": ("imagenet-r", "ImageNet-R, renditions, 200 classes", 30_000),
    "top1_sketch": ("imagenet-sketch", "ImageNet-Sketch", 50_889),
}
"""Task, test set and its size by column of the table."""
CLIENT, EDGE = "laptop-i7-12700h", "rtx-3090"
CLIENT_COLUMN, EDGE_COLUMN = "i7_12700h_fp32_batch1_ms", "rtx3090_amp_images_per_s"
COLUMNS = ("model", "img_size", "params_millions", "gmacs", CLIENT_COLUMN, EDGE_COLUMN, *TEST_SETS)

FAMILIES = {
    "efficientnet": "tf_efficientnet_b",
    "efficientformerv2": "efficientformerv2_",
    "efficientvit-b": "efficientvit_b",
    "efficientvit-m": "efficientvit_m",
    "eva-giant": "eva_giant_patch14_",
    "mobilenetv3-small": "mobilenetv3_small_",
    "poolformerv2": "poolformerv2_",
    "regnety": "regnety_",
    "repghostnet": "repghostnet_",
    "tiny-vit": "tiny_vit_",
    "volo": "volo_d",
    "xcit": "xcit_",
}
"""Sizes (and input sizes) of one architecture, by how timm names them."""
BATCHES = (1, 2, 4, 8, 16, 32, 64)
BYTES_PER_PARAMETER = 4
QUERY_BYTES = 40_000
"""A photograph as a JPEG of about 512 x 384 pixels, enough for every model's input; clients scale before they send."""
LAUNCH_S = 0.005
"""Seconds to start a batch on the GPU: hundreds of kernel launches in eager mode, several microseconds each."""
EDGE_BYTES_PER_S = 936e9
"""Memory bandwidth of the RTX 3090 (specification sheet): a batch reads the weights once."""
EDGE_RULE = (
    "seconds = launch + weights read once + batch / throughput; throughput published (AMP, a batch that saturates the "
    f"GPU), launch {LAUNCH_S * 1e3:g} ms assumed, weights as 2-byte numbers at {EDGE_BYTES_PER_S / 1e9:g} GB/s"
)


def published_zoo(path: Path, *, models: int = 30) -> Zoo:
    """Make the zoo from ``data/published/timm_accuracy_zoo.csv``.

    Args:
        path: the table of published figures, roughly in ascending order of work.
        models: how many: rows at equal distances in the table, the first and the last among them.

    Raises:
        InputError: the table is malformed.
        ValueError: fewer than two models, or more than there are rows.
    """
    rows = list(read_figures(path, COLUMNS).items())
    if not 2 <= models <= len(rows):
        raise ValueError(f"models must be between 2 and {len(rows)}, not {models}")
    chosen = [rows[round(i * (len(rows) - 1) / (models - 1))] for i in range(models)]
    return Zoo(
        schema_="splitshare.zoo/1",
        name="published",
        notes=(
            "Six test sets of one classifier are read as six tasks; an instance has each model serve some of them.",
            f"{models} of {len(rows)} models: rows at equal distances in the table, which roughly ascends by work.",
        ),
        tasks=tuple(
            ZooTask(
                name=name,
                metric="top-1 accuracy",
                test_set=test_set,
                queries=queries,
                query_bytes=QUERY_BYTES,
                query_bytes_provenance="assumed",
                query_bytes_source="a photograph as a JPEG of about 512 x 384 pixels; clients scale before they send",
            )
            for name, test_set, queries in TEST_SETS.values()
        ),
        models=marked([_model(name, figures) for name, figures in chosen], FAMILIES),
    )


def _model(name: str, figures: dict[str, float]) -> ZooModel:
    parameters = round(figures["params_millions"] * 1e6)
    start_s = LAUNCH_S + 2 * parameters / EDGE_BYTES_PER_S
    edge_s = tuple(round(start_s + batch / figures[EDGE_COLUMN], 9) for batch in BATCHES)
    return ZooModel(
        name=name,
        parameters=parameters,
        memory_bytes=BYTES_PER_PARAMETER * parameters,
        memory_provenance="derived",
        memory_source="4 bytes for each published parameter; activations are not counted",
        accuracy={task: round(figures[column] / 100, 5) for column, (task, _, _) in TEST_SETS.items()},
        accuracy_provenance="published",
        accuracy_source=SOURCE,
        curves=(
            BatchCurve(
                device=CLIENT,
                batches=(1,),
                seconds=(round(figures[CLIENT_COLUMN] / 1e3, 9),),
                provenance="published",
                source=f"{SOURCE}; float32, batch 1",
            ),
            BatchCurve(device=EDGE, batches=BATCHES, seconds=edge_s, provenance="derived", source=EDGE_RULE),
        ),
    )
