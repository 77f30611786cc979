from pathlib import Path

import pytest

from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.profiling.describe import describe_module
from splitshare.profiling.job import BatchTimes, Job, LeftOut
from splitshare.profiling.layers import layers_of, measure_by_layers
from splitshare.profiling.measure import MeasuringSettings, measure_module
from tests.modules.small import edit, small_catalogue

CAPTION = "gpt2-decoder@vit-gpt2"
LAYERS = 9


@pytest.fixture
def deep(tmp_path: Path) -> Catalog:
    """A small catalogue whose caption decoder has nine layers of 3 MB."""
    small_catalogue(tmp_path)
    params = {"width": 256, "image_width": 256, "layers": LAYERS, "vocabulary": 2000}
    edit(tmp_path, "architectures", lambda c: c["architectures"]["gpt2-decoder"]["params"].update(params))
    return load_catalog(tmp_path)


def job(catalog: Catalog, scratch: Path) -> Job:
    return Job(
        catalog_root=str(catalog.root),
        module=CAPTION,
        budget_s=0.1,
        longest_run_s=10,
        threads=1,
        torch_device="cpu",
        seed=0,
        scratch=str(scratch),
    )


def test_what_layers_cost_is_added_for_those_left_out(deep: Catalog, tmp_path: Path):
    """Memory is linear in the layers, so the calculated peak must be the one of the whole module."""
    (found,) = measure_by_layers(deep.module(CAPTION), job(deep, tmp_path), [1])
    assert isinstance(found, BatchTimes)
    weights = describe_module(deep.module(CAPTION), []).parameter_bytes
    assert found.peak_memory_bytes == pytest.approx(weights, rel=0.15)
    one = describe_module(deep.with_layers("gpt2-decoder", 1).module(CAPTION), []).parameter_bytes
    assert one < weights / 4, "one layer tells little of nine"
    assert found.prefill_s is not None
    assert 0 < found.prefill_s[0] < found.seconds[0]


def test_only_stacks_of_layers_can_be_cut(deep: Catalog, tmp_path: Path):
    assert layers_of(deep.module(CAPTION)) == LAYERS
    assert layers_of(deep.module("clip-rn50-vision@clip-rn50")) is None
    assert layers_of(deep.module("vqa-classifier@ours-vqa")) is None
    with pytest.raises(ValueError, match="no layers"):
        next(measure_by_layers(deep.module("cosine-512@clip-rn101"), job(deep, tmp_path), [1]))


@pytest.mark.slow
def test_a_module_that_leaves_too_little_memory_is_measured_by_layers(deep: Catalog):
    settings = MeasuringSettings(budget_s=0.05, threads=1)
    needed = 2**30 + describe_module(deep.module(CAPTION), []).parameter_bytes
    cut = measure_module(deep.root, CAPTION, settings, memory_bytes=needed / 0.7 - 1)
    whole = measure_module(deep.root, CAPTION, settings, memory_bytes=needed / 0.7 + 1)
    for calculated, measured in zip(cut.rows, whole.rows, strict=True):
        assert (calculated.method, measured.method) == ("layer-extrapolated", "whole")
        assert calculated.compute_p10_s is calculated.compute_p90_s is calculated.runs is None
        assert calculated.compute_median_s is not None
        assert calculated.prefill_s is not None
        assert calculated.per_token_s is not None
        total = calculated.prefill_s + 19 * calculated.per_token_s
        assert calculated.compute_median_s == pytest.approx(total)
        assert calculated.load_s is not None
    assert not cut.layer_checks
    assert [check.part for check in whole.layer_checks] == ["request", "prefill", "per-token"]
    row = whole.rows[0]
    parts = (row.compute_median_s, row.prefill_s, row.per_token_s)
    for check, seconds in zip(whole.layer_checks, parts, strict=True):
        assert (check.module, check.batch, check.layers, check.measured_layers) == (CAPTION, row.batch, LAYERS, (1, 3))
        assert check.whole_s == seconds
        assert check.by_layers_s > 0


@pytest.mark.slow
def test_what_a_decoder_takes_is_its_prefill_and_its_tokens(deep: Catalog):
    """Each run is the sum of its parts, so their percentiles enclose it."""
    measured = measure_module(deep.root, CAPTION, MeasuringSettings(budget_s=0.3, threads=1))
    row = measured.rows[0]
    assert row.prefill_p10_s is not None
    assert row.prefill_p90_s is not None
    assert row.per_token_p10_s is not None
    assert row.per_token_p90_s is not None
    assert row.compute_median_s is not None
    assert row.prefill_s is not None
    assert row.per_token_s is not None
    assert 0 < row.prefill_p10_s <= row.prefill_s <= row.prefill_p90_s
    assert 0 < row.per_token_p10_s <= row.per_token_s <= row.per_token_p90_s
    assert row.compute_median_s == pytest.approx(row.prefill_s + 19 * row.per_token_s, rel=0.25)


def test_a_batch_left_out_of_the_few_layers_is_left_out_by_itself(deep: Catalog, tmp_path: Path):
    """Only batch 1 is asked for; where no run may take long, the others are left out and nothing is paired wrongly."""
    hurried = job(deep, tmp_path).model_copy(update={"longest_run_s": 1e-9})
    found = list(measure_by_layers(deep.module(hurried.module), hurried, [1, 2, 4]))
    assert [type(each) for each in found] == [BatchTimes, LeftOut, LeftOut]
    assert [each.batch for each in found] == [1, 2, 4]
