"""Shares of times by where they come from."""

from pathlib import Path

import pandas as pd
import pytest

from splitshare.onloading.zoo import Zoo
from splitshare.profiling.records import ModuleProfile
from splitshare.results import rests_on

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"derived": 274, "assumed": 438, "published": 18}, "2% published, 38% derived, 60% assumed"),
        ({"measured": 999, "assumed": 1}, "100% measured, <1% assumed"),
        ({"measured": 3}, "100% measured"),
    ],
)
def test_shares_in_words(counts, told):
    assert rests_on.in_words(counts) == told


def test_nothing_to_count_is_refused():
    with pytest.raises(ValueError, match="no times to count"):
        rests_on.in_words({})


def test_times_of_profiles_are_those_that_the_table_of_devices_counts():
    table = pd.read_csv(ROOT / "paper_figures/device_profiles.csv").set_index("device")
    told = table[[f"{kind}_rows" for kind in rests_on.KINDS]].sum(axis=1).to_dict()
    for device, rows in told.items():
        profile = ModuleProfile.read(ROOT / "profiles" / f"{device}.json")
        counts = rests_on.of_profiles([profile])
        without_time = sum(row.compute_median_s is None for row in profile.rows)
        assert sum(counts.values()) + without_time == rows


def test_times_of_the_trained_zoo_are_measured():
    assert set(rests_on.of_zoos([Zoo.read(ROOT / "data/zoos/trained.json")])) == {"measured"}
