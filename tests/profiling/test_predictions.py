"""The rules for devices that nobody measured: values found again, honest errors, errors on measured devices."""

from pathlib import Path

import numpy as np
import pytest

from splitshare.catalog.records import MeasuredGpu
from splitshare.catalog.testbeds import read_device
from splitshare.errors import InputError
from splitshare.profiling.cpu_rule import CpuRule, cpu_seconds, fit_cpu_launch, predicted_cpu
from splitshare.profiling.fit import PowerLaw
from splitshare.profiling.gpu_rule import LaunchRule, fit_launches, gpu_seconds, predicted_launches
from splitshare.profiling.predictions import MeasuredWork, geometric_mean_ratio, measured_work
from splitshare.profiling.records import ModuleDescription, ModuleProfile, ProfiledDevice, ProfileRow, Work
from splitshare.results.device_rules import errors_table

ROOT = Path(__file__).parents[2]
GPU, CPU = (read_device(ROOT / f"data/devices/{name}.yaml") for name in ("nvidia-h100-80gb-hbm3", "amd-epyc-2-threads"))
LAUNCHES = LaunchRule(launch_s=2e-5, efficiency=0.4)
CPU_RULE = CpuRule(PowerLaw(-23.0, 0.9), 7e-6)


def module(architecture: str, *, flops: int, operations: int, kind="vision-encoder", batch=1, parameters=1000):
    return ModuleDescription(
        module=f"{architecture}@w",
        architecture=architecture,
        kind=kind,
        dtype="float32",
        parameters=parameters,
        embedding_parameters=0,
        parameter_bytes=4 * parameters,
        definition_sha256="d" * 64,
        work=(Work(batch=batch, flops=flops, operations=operations, input_bytes=0, output_bytes=0),),
    )


def made_up(seconds) -> list[MeasuredWork]:
    """Rows of small heads and ever larger towers, with times by a rule."""
    described = [
        *(module(f"head-{i}", flops=1000, operations=5 + i, kind="head") for i in range(6)),
        *(module(f"tower-{i}", flops=3**i * 10**9, operations=200 + 10 * i, parameters=10**6) for i in range(8)),
    ]
    return [MeasuredWork(d, d.work[0], seconds(d, d.work[0])) for d in described]


def by_gpu_rule(described, work):
    assert isinstance(GPU.profile, MeasuredGpu)
    return gpu_seconds(LAUNCHES, GPU, GPU.profile, described, work)[0]


def by_cpu_rule(described, work):
    return cpu_seconds(CPU_RULE, CPU, described, work)[0]


def test_the_values_of_a_gpu_are_found_again():
    fitted = fit_launches(made_up(by_gpu_rule), GPU)
    assert (fitted.rule.launch_s, fitted.rule.efficiency) == pytest.approx((2e-5, 0.4), rel=1e-2)
    assert fitted.on.error == pytest.approx(1, abs=0.01)
    assert (fitted.on.device, fitted.on.rows) == ("nvidia-h100-80gb-hbm3", 14)


def test_the_launch_of_a_cpu_is_found_again():
    rows = made_up(by_cpu_rule)
    fitted = fit_cpu_launch(rows, CPU)
    assert fitted.launch_s == pytest.approx(7e-6, rel=0.05)
    assert fitted.on.error == pytest.approx(1, abs=0.02)


def test_odd_rows_do_not_pull_the_values():
    rows = made_up(by_gpu_rule)
    rows[0] = MeasuredWork(rows[0].module, rows[0].work, 30 * rows[0].seconds)
    rows[-1] = MeasuredWork(rows[-1].module, rows[-1].work, 30 * rows[-1].seconds)
    fitted = fit_launches(rows, GPU).rule
    assert (fitted.launch_s, fitted.efficiency) == pytest.approx((2e-5, 0.4), rel=0.1)


def test_no_architecture_is_predicted_from_itself():
    """Whatever is measured of an architecture, its own prediction does not move; those of others may."""
    rows = made_up(by_gpu_rule)
    before = predicted_launches(rows, GPU)
    rows[3] = MeasuredWork(rows[3].module, rows[3].work, 2 * rows[3].seconds)
    after = predicted_launches(rows, GPU)
    assert after[3].predicted_s == before[3].predicted_s
    assert after[3].ratio == pytest.approx(2, rel=0.02)
    assert [p.module for p in after] == [row.module.module for row in rows]


def test_no_tower_is_predicted_by_a_law_through_itself():
    rows = made_up(by_cpu_rule)
    before = predicted_cpu(rows, CPU)
    rows[8] = MeasuredWork(rows[8].module, rows[8].work, 3 * rows[8].seconds)
    after = predicted_cpu(rows, CPU)
    assert after[8].predicted_s == before[8].predicted_s
    assert after[9].predicted_s != before[9].predicted_s


def test_a_rule_is_fitted_on_its_own_kind_of_device():
    with pytest.raises(InputError, match=r"amd-epyc-2-threads.yaml: profile.rule: must be 'measured-gpu'"):
        fit_launches(made_up(by_gpu_rule), CPU)
    with pytest.raises(InputError, match=r"nvidia-h100-80gb-hbm3.yaml: profile.rule: must be 'measured-cpu'"):
        fit_cpu_launch(made_up(by_cpu_rule), GPU)


def test_a_law_needs_towers():
    heads = [row for row in made_up(by_cpu_rule) if row.module.kind == "head"]
    with pytest.raises(InputError, match="image towers at batch 1"):
        fit_cpu_launch(heads, CPU)


def profile(*rows: ProfileRow) -> ModuleProfile:
    device = ProfiledDevice(name="one", memory_bytes=1e9)
    return ModuleProfile(schema_="splitshare.module-profile/1", device=device, rows=rows)


def row(name: str, **changes) -> ProfileRow:
    facts = {"batch": 1, "provenance": "measured", "source": "made up", "definition_sha256": "d" * 64}
    return ProfileRow.model_validate(
        {"module": name, "compute_median_s": 0.5, "parameter_bytes": 1, "output_bytes": 1} | facts | changes
    )


def test_only_rows_with_times_of_the_same_definition_count(descriptions):
    known = descriptions.modules[0]
    good = row(known.module, definition_sha256=known.definition_sha256)
    for other in (
        row(known.module),  # of another definition
        row("unknown@w"),
        good.model_copy(update={"compute_median_s": None, "reason": "cold"}),
        good.model_copy(update={"batch": 77}),
    ):
        with pytest.raises(InputError, match=r"one.json: rows: none is of a described module"):
            measured_work(descriptions, profile(other))
    assert [r.seconds for r in measured_work(descriptions, profile(good))] == [0.5]


def test_uncounted_operations_are_told(descriptions):
    known = descriptions.modules[0]
    uncounted = known.model_copy(update={"work": tuple(w.model_copy(update={"operations": 0}) for w in known.work)})
    old = descriptions.model_copy(update={"modules": (uncounted,)})
    with pytest.raises(InputError, match="were not counted; describe it again"):
        measured_work(old, profile(row(known.module, definition_sha256=known.definition_sha256)))


@pytest.mark.parametrize(("device", "predicted", "most"), [(GPU, predicted_launches, 1.3), (CPU, predicted_cpu, 1.35)])
def test_the_rules_are_close_on_devices_that_were_measured(descriptions, device, predicted, most):
    """The errors that docs/limits.md states; computed here from the table's own seconds."""
    rows = measured_work(descriptions, ModuleProfile.read(ROOT / f"profiles/{device.name}.json"))
    predictions = predicted(rows, device)
    logs = [abs(np.log(p.predicted_s / p.measured_s)) for p in predictions]
    assert geometric_mean_ratio(predictions) == pytest.approx(float(np.exp(np.mean(logs))))
    assert geometric_mean_ratio(predictions) < most
    readme = " ".join((ROOT / "docs/limits.md").read_text(encoding="utf-8").split())
    told = readme.partition("Held against these two")[2].partition("What carrying")[0]
    assert f"{geometric_mean_ratio(predictions):.2f} in the geometric mean over {len(rows)} rows" in told or (
        f"{geometric_mean_ratio(predictions):.2f} over {len(rows)}" in told
    )
    for kinds in ("encoder", "head", "decoder"):
        error = geometric_mean_ratio([p for p in predictions if p.kind.endswith(f"-{kinds}") or p.kind == kinds])
        assert f"{kinds}s {error:.2f}" in told
    errors = errors_table(device.name, predictions)
    assert errors["rows"][0] == len(rows) == errors.loc[errors["part"] == "kind", "rows"].sum()
    assert errors["worst_ratio"].max() == errors["worst_ratio"][0] == pytest.approx(float(np.exp(max(logs))))
