from pathlib import Path

import numpy as np
import pytest

from splitshare.catalog.records import DeviceSpec
from splitshare.catalog.testbeds import read_device
from splitshare.errors import InputError
from splitshare.files import parse_yaml
from splitshare.profiling.cpu_rule import FittedCpuLaunch
from splitshare.profiling.derive import derive_profile
from splitshare.profiling.gpu_rule import FittedLaunches, LaunchRule
from splitshare.profiling.predictions import FittedOn
from splitshare.profiling.published import read_published
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, Work

DATA = Path(__file__).parents[2] / "data"
TABLE = read_published(DATA / "published" / "timm_image_towers.csv")
B16 = "vit_base_patch16_clip_quickgelu_224"
NAMES = {"vit": B16}


def described(architecture="tower", *, kind="vision-encoder", flops=10**10, parameters=10**7, batches=(1, 4), **extra):
    dtype = extra.get("dtype", "float32")
    return ModuleDescription(
        module=f"{architecture}@w",
        architecture=architecture,
        kind=kind,
        dtype=dtype,
        parameters=parameters,
        embedding_parameters=extra.get("embedding_parameters", 0),
        parameter_bytes=parameters * (4 if dtype == "float32" else 2),
        definition_sha256="d" * 64,
        work=tuple(
            Work(
                batch=b,
                flops=b * flops,
                convolution_flops=b * extra.get("convolution_flops", 0),
                operations=extra.get("operations", 0),
                input_bytes=b * 1000,
                output_bytes=b * 100,
            )
            for b in batches
        ),
    )


LAUNCH_S, EFFICIENCY = 2e-5, 0.5
ON = FittedOn("measured", 10, 1.25)


def derived(device: str | DeviceSpec, *modules: ModuleDescription, names=NAMES):
    spec = read_device(DATA / "devices" / f"{device}.yaml") if isinstance(device, str) else device
    gpu = spec.profile.rule == "launches"
    fitted = FittedLaunches(LaunchRule(LAUNCH_S, EFFICIENCY), ON) if gpu else FittedCpuLaunch(LAUNCH_S, ON)
    descriptions = ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=modules)
    return derive_profile(descriptions, spec, TABLE, names, fitted)


VIT = described("vit", flops=35_160_000_000, parameters=86_192_640)


@pytest.mark.parametrize(("device", "seconds"), [("laptop-i7-12700h", 0.120215), ("desktop-i9-10940x", 0.03079)])
def test_a_published_tower_takes_its_published_latency(device, seconds):
    profile = derived(device, VIT)
    one, four = profile.by_key["vit@w", 1, None], profile.by_key["vit@w", 4, None]
    assert (one.provenance, one.compute_median_s) == ("published", seconds)
    assert B16 in one.source
    assert four.provenance == "derived"
    assert four.compute_median_s == pytest.approx(4 * seconds, rel=1e-9)
    assert four.output_bytes == 400
    assert (one.peak_memory_bytes, one.load_s, one.runs) == (None, None, None)


def test_a_derived_time_is_the_power_law_of_the_same_device():
    row = derived("laptop-i7-12700h", described(flops=10**10)).by_key["tower@w", 1, None]
    x = np.log([2e9 * t.gmacs for t in TABLE.towers])
    y = np.log([t.figures["laptop_i7_12700h_fp32_batch1_ms"] / 1e3 for t in TABLE.towers])
    expected = float(np.exp(np.polyval(np.polyfit(x, y, 1), np.log(1e10))))
    assert row.provenance == "derived"
    assert row.compute_median_s == pytest.approx(expected, rel=2e-6)


def test_a_derived_batch_takes_that_many_times_as_long():
    profile = derived("desktop-i9-10940x", described())
    one, four = (profile.by_key["tower@w", b, None].compute_median_s for b in (1, 4))
    assert one is not None
    assert four == pytest.approx(4 * one, rel=2e-6)


def test_a_module_that_mostly_moves_bytes_is_bound_by_memory():
    module = described(kind="head", flops=10, parameters=10**9, batches=(1,))
    row = derived("laptop-i7-12700h", module).by_key["tower@w", 1, None]
    assert row.compute_median_s == pytest.approx((4e9 + 1100) / (0.75 * 76.8e9), rel=1e-5)
    assert row.source.endswith("mostly memory")


def test_a_small_module_takes_its_launches():
    head = described(kind="head", flops=10, parameters=1, batches=(1,), operations=9)
    for device, factor in (("laptop-i7-12700h", 1), ("rtx-3090", 1), ("jetson-nano", 5), ("jetson-tx2", 4)):
        row = derived(device, head).by_key["tower@w", 1, None]
        assert row.compute_median_s == pytest.approx(factor * 9 * LAUNCH_S, rel=1e-3)
        assert row.source.endswith("mostly launches")


def test_bytes_moved_leave_out_the_token_embedding():
    module = described(kind="text-encoder", parameters=100, embedding_parameters=60, batches=(2,))
    assert module.moved_bytes(module.work[0]) == 40 * 4 + 2000 + 200


def test_the_rule_for_gpus_is_the_closed_form():
    big = described("big", flops=10**11, operations=100)
    half = described("half", flops=10**11, dtype="bfloat16", parameters=10)
    convolving = described("convolving", flops=10**11, convolution_flops=4 * 10**10, parameters=10)
    flat = described("flat", kind="head", flops=10, parameters=10**8, batches=(1,))
    profile = derived("a100-40gb", big, half, convolving, flat)
    seconds = {key[:2]: row.compute_median_s for key, row in profile.by_key.items()}
    assert seconds["big@w", 1] == pytest.approx(100 * LAUNCH_S + 1e11 / (EFFICIENCY * 19.5e12), rel=1e-5)
    assert seconds["big@w", 4] == pytest.approx(100 * LAUNCH_S + 4e11 / (EFFICIENCY * 19.5e12), rel=1e-5)
    assert seconds["half@w", 1] == pytest.approx(1e11 / (EFFICIENCY * 312e12), rel=1e-5)
    assert seconds["convolving@w", 1] == pytest.approx((6e10 / 19.5e12 + 4e10 / 156e12) / EFFICIENCY, rel=1e-5)
    assert seconds["flat@w", 1] == pytest.approx((4e8 + 1100) / (0.75 * 1555e9), rel=1e-5)
    assert {row.provenance for row in profile.rows} == {"assumed"}
    assert "20 microseconds" in profile.notes[0]
    assert "10 measured rows of measured" in profile.notes[1]


def test_no_gpu_takes_a_published_latency():
    """Throughput of a saturated GPU is not latency at batch 1: a tower in the table is assumed like any other."""
    assert derived("jetson-nano", VIT).by_key["vit@w", 1, None].provenance == "assumed"


@pytest.mark.parametrize("device", ["nvidia-h100-80gb-hbm3", "amd-epyc-2-threads"])
def test_a_device_that_was_measured_is_not_derived(device):
    with pytest.raises(InputError, match="the device was measured; its profile is recorded"):
        derived(device, VIT)


def test_a_gpu_does_not_take_what_was_fitted_for_a_cpu():
    spec = read_device(DATA / "devices" / "jetson-nano.yaml")
    descriptions = ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=(VIT,))
    with pytest.raises(TypeError, match="FittedCpuLaunch is nothing that 'launches' takes"):
        derive_profile(descriptions, spec, TABLE, NAMES, FittedCpuLaunch(LAUNCH_S, ON))


def test_another_device_is_an_edit_of_data():
    text = (DATA / "devices" / "jetson-nano.yaml").read_text()
    faster = text.replace("name: jetson-nano", "name: twice").replace("236_000_000_000", "472_000_000_000")
    spec = DeviceSpec.parse(parse_yaml(faster, "twice.yaml"), "twice.yaml")
    slow = derived("jetson-nano", VIT).by_key["vit@w", 1, None].compute_median_s
    fast = derived(spec, VIT).by_key["vit@w", 1, None].compute_median_s
    assert slow is not None
    assert fast == pytest.approx(slow / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("module", "names", "expected"),
    [
        (described("vit", flops=35_160_000_000), NAMES, "has 86.19 M parameters and the module 10.000 M"),
        (described("vit", flops=10**10, parameters=86_192_640), NAMES, "has 17.58 GMACs and the module 5.00"),
        (VIT, {"vit": "vit_base"}, "no row 'vit_base'"),
    ],
)
def test_what_does_not_fit_the_table_is_refused(module, names, expected):
    with pytest.raises(InputError, match=expected):
        derived("laptop-i7-12700h", module, names=names)


def test_a_column_that_is_no_latency_is_refused():
    text = (DATA / "devices" / "laptop-i7-12700h.yaml").read_text()
    wrong = text.replace("column: laptop_i7_12700h_fp32_batch1_ms", "column: rtx3090_amp_images_per_s")
    with pytest.raises(InputError, match="unknown column"):
        derived(DeviceSpec.parse(parse_yaml(wrong, "x.yaml"), "x.yaml"), VIT)


def decoder(flops, prefill_flops, passes, parameters):
    work = Work(batch=1, flops=flops, input_bytes=0, output_bytes=0, weight_passes=passes, prefill_flops=prefill_flops)
    return described("llm", kind="decoder", dtype="bfloat16", parameters=parameters).model_copy(
        update={"work": (work,)}
    )


def test_a_decoder_reads_its_weights_once_a_token():
    """A gigabyte-sized decoder: the prompt is bound by compute, every further token by reading the weights."""
    module = decoder(flops=10**13 + 19 * 10**6, prefill_flops=10**13, passes=20, parameters=10**9)
    row = derived("jetson-nano", module).by_key["llm@w", 1, None]
    assert row.compute_median_s == pytest.approx(1e13 / (EFFICIENCY * 472e9) + 19 * 2e9 / (0.75 * 25.6e9), rel=1e-5)
