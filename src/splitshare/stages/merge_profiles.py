"""Join profiles of one device into one."""

from __future__ import annotations

from splitshare.commands.merge_profiles import Options
from splitshare.errors import InputError
from splitshare.profiling.records import LayerCheck, ModuleProfile, ProfileRow, RowKey


def run(options: Options) -> None:
    """Join profiles of one device into one, in the order given.

    Raises:
        InputError: a file is wrong, speaks of another device, or repeats a module, batch and precision.
    """
    if not options.profiles:
        raise InputError("profiles", "", "none given; name at least one")
    device, notes = None, dict[str, None]()
    checks: list[LayerCheck] = []
    rows: dict[RowKey, ProfileRow] = {}
    for path in options.profiles:
        profile = ModuleProfile.read(path)
        device = device or profile.device
        if profile.device != device:
            raise InputError(path, "device", f"differs from the device of {options.profiles[0]}; measure both alike")
        notes |= dict.fromkeys(profile.notes)
        checks += profile.layer_checks
        for i, row in enumerate(profile.rows):
            if row.key in rows:
                there = "" if row.precision is None else f" in {row.precision}"
                problem = f"{row.module} at batch {row.batch}{there} is there already; keep one"
                raise InputError(path, f"rows[{i}]", problem)
            rows[row.key] = row
    assert device is not None, "there is at least one profile"
    ModuleProfile(
        schema_="splitshare.module-profile/1",
        device=device,
        notes=tuple(notes),
        layer_checks=tuple(checks),
        rows=tuple(rows.values()),
    ).write(options.output)
