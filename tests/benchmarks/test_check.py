"""How much there is to fetch, by what the hub tells."""

from splitshare.benchmarks.check import Found, to_fetch
from splitshare.catalog.benchmarks import load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.places import DATA

SOURCES = {
    name: source
    for name, source in load_benchmarks(DATA, load_catalog().benchmarks).items()
    if name in ("cifar-10", "esc-50")
}
FOUND = [
    Found("dataset", "uoft-cs/cifar10", "cifar-10 (test)", size_bytes=10_000_000_000),
    Found("dataset", "ashraq/esc50", "esc-50 (test), esc-50 (train)", size_bytes=2_000_000_000),
    Found("model", "owner/model", "weights", size_bytes=5_000_000_000),
]


def test_all_samples_take_whole_repositories():
    """17 GB are 136 Gbit, 1360 s at 100 Mbit/s."""
    assert to_fetch(FOUND, SOURCES, None) == (
        "to fetch: at most 12.00 GB of data sets, 5.00 GB of weights; at 100 Mbit/s 23 min"
    )


def test_a_subset_takes_its_share_at_least():
    """500 of 10,000 pictures and of 2,000 sounds: 0.5 GB of each; with weights, 6 GB are 480 s."""
    assert to_fetch(FOUND, SOURCES, 500) == (
        "to fetch: 1.00 to 12.00 GB of data sets (parts of files are read whole), 5.00 GB of weights; "
        "at 100 Mbit/s 8 min to 23 min"
    )


def test_what_the_hub_tells_no_size_of_is_named():
    line = to_fetch([*FOUND, Found("model", "owner/other", "others", problem="gone")], SOURCES, None)
    assert line.endswith("; not counted, of unknown size: owner/other")
