"""Which rows of a profile speak of modules that have changed since."""

from __future__ import annotations

from splitshare.profiling.records import ModuleDescriptions, ModuleProfile, ProfileRow


def stale_rows(profile: ModuleProfile, descriptions: ModuleDescriptions) -> list[ProfileRow]:
    """Rows at the descriptions' precision whose module was defined otherwise when they were made, or is no more.

    They are in the profile's order.
    """
    current = {module.module: module.definition_sha256 for module in descriptions.modules}
    rows = profile.at_precision(descriptions.precision)
    return [row for row in rows if current.get(row.module) != row.definition_sha256]
