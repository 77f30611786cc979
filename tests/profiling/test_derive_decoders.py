"""Decoders on devices that nobody measured, against closed forms."""

from pathlib import Path

import numpy as np
import pytest

from splitshare.catalog.testbeds import read_device
from splitshare.profiling.cpu_rule import FittedCpuLaunch
from splitshare.profiling.derive import derive_profile
from splitshare.profiling.gpu_rule import FittedLaunches, LaunchRule
from splitshare.profiling.predictions import FittedOn
from splitshare.profiling.published import read_published
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, Work

DATA = Path(__file__).parents[2] / "data"
TABLE = read_published(DATA / "published" / "timm_image_towers.csv")
TOKENS = 20
PARAMETERS = 10**9
OPERATIONS = 300
"""Of a pass."""
LAUNCH_S = 2e-5
ON = FittedOn("measured", 10, 1.25)


def seconds(device: str, *, prefill_flops: int, step_flops: int, batch: int = 1) -> float:
    """Seconds of whole requests to a decoder in bfloat16 that moves its parameters alone."""
    flops = prefill_flops + (TOKENS - 1) * step_flops
    work = Work(
        batch=batch,
        flops=batch * flops,
        input_bytes=0,
        output_bytes=0,
        weight_passes=TOKENS,
        prefill_flops=batch * prefill_flops,
        operations=TOKENS * OPERATIONS,
    )
    module = ModuleDescription(
        module="decoder@w",
        architecture="decoder",
        kind="decoder",
        dtype="bfloat16",
        parameters=PARAMETERS,
        embedding_parameters=0,
        parameter_bytes=2 * PARAMETERS,
        definition_sha256="d" * 64,
        work=(work,),
    )
    descriptions = ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=(module,))
    spec = read_device(DATA / "devices" / f"{device}.yaml")
    gpu = spec.profile.rule == "launches"
    fitted = FittedLaunches(LaunchRule(LAUNCH_S, 0.5), ON) if gpu else FittedCpuLaunch(LAUNCH_S, ON)
    profile = derive_profile(descriptions, spec, TABLE, {}, fitted)
    value = profile.by_key["decoder@w", batch, None].compute_median_s
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("device", "bandwidth", "launch_factor"),
    [
        ("laptop-i7-12700h", 76.8e9, 1),
        ("desktop-i9-10940x", 93.9e9, 1),
        ("jetson-tx2", 59.7e9, 4),
        ("rtx-3090", 936e9, 1),
        ("a100-40gb", 1555e9, 1),
    ],
)
def test_every_token_reads_the_weights_and_launches_a_pass_once(device, bandwidth, launch_factor):
    """With next to nothing to compute, each pass takes its two bytes a parameter and its launches."""
    expected = TOKENS * (2 * PARAMETERS / (0.75 * bandwidth) + launch_factor * OPERATIONS * LAUNCH_S)
    assert seconds(device, prefill_flops=1000, step_flops=10) == pytest.approx(expected, rel=1e-5)


def test_a_batch_reads_the_weights_no_more_often():
    one, four = (seconds("laptop-i7-12700h", prefill_flops=1000, step_flops=10, batch=batch) for batch in (1, 4))
    assert four == one


def test_a_processor_computes_bfloat16_as_fast_as_float32():
    """A prompt that is bound by compute takes what the power law through the published float32 latencies says."""
    x = np.log([2e9 * t.gmacs for t in TABLE.towers])
    y = np.log([t.figures["laptop_i7_12700h_fp32_batch1_ms"] / 1e3 for t in TABLE.towers])
    prompt_s = float(np.exp(np.polyval(np.polyfit(x, y, 1), np.log(1e11))))
    step_s = 2 * PARAMETERS / (0.75 * 76.8e9)
    assert prompt_s > 5 * step_s
    assert seconds("laptop-i7-12700h", prefill_flops=10**11, step_flops=10) == pytest.approx(
        prompt_s + (TOKENS - 1) * step_s + TOKENS * OPERATIONS * LAUNCH_S, rel=1e-5
    )
