from pathlib import Path

import pytest
import yaml

from splitshare.catalog.records import DeviceSpec, Testbed
from splitshare.catalog.testbeds import check_testbed, models_memory_bytes, read_device, read_testbed
from splitshare.errors import InputError
from splitshare.profiling.records import ModuleProfile

DATA = Path(__file__).parents[2] / "data"
DEVICES = sorted((DATA / "devices").glob("*.yaml"))
TESTBEDS = sorted((DATA / "testbeds").glob("*.yaml"))


def memory_of_types():
    profiles = sorted((DATA.parent / "profiles").glob("*.json"))
    return {path.stem: ModuleProfile.read(path).device.memory_bytes for path in profiles}


@pytest.mark.parametrize("path", TESTBEDS, ids=lambda path: path.stem)
def test_shipped_testbeds_fit_the_shipped_devices(path):
    testbed = read_testbed(path)
    check_testbed(testbed, memory_of_types() | {"this-machine": 8e9}, path)
    assert testbed.source.startswith(("jetson", "small"))
    pairs = {frozenset((link.a, link.b)) for link in testbed.links}
    assert len(pairs) == len(testbed.devices) * (len(testbed.devices) - 1) // 2, "a switch joins every pair"


def test_specifications_are_the_sheets_figures():
    jetson = read_device(DATA / "devices" / "jetson-nano.yaml")
    assert jetson.profile.rule == "launches"
    assert jetson.profile.peak_float16_flops_per_s == 2 * jetson.profile.peak_float32_flops_per_s == 472e9
    assert jetson.memory_bandwidth_bytes_per_s == 8 * 3.2e9  # 64 bits at 3200 MT/s
    laptop = read_device(DATA / "devices" / "laptop-i7-12700h.yaml")
    assert laptop.memory_bandwidth_bytes_per_s == 2 * 8 * 4800e6
    desktop = read_device(DATA / "devices" / "desktop-i9-10940x.yaml")
    assert desktop.memory_bandwidth_bytes_per_s == pytest.approx(4 * 8 * 2933e6, rel=1e-3)


@pytest.mark.parametrize("path", DEVICES, ids=lambda path: path.stem)
def test_every_figure_needs_its_source(path):
    value = yaml.safe_load(path.read_text())
    for figure in value["sources"]:
        without = value | {"sources": {k: v for k, v in value["sources"].items() if k != figure}}
        with pytest.raises(InputError, match=f"'{figure}' has no source"):
            DeviceSpec.parse(without, path)
    with pytest.raises(InputError, match="'memory_byte' is no figure of this device; did you mean 'memory_bytes'"):
        DeviceSpec.parse(value | {"sources": value["sources"] | {"memory_byte": "?"}}, path)


def two_devices():
    return {
        "schema": "splitshare.testbed/1",
        "name": "pair",
        "title": "Two devices",
        "devices": [
            {"name": "one", "device_type": "laptop-i7-12700h", "models_memory_bytes": 1e9},
            {"name": "two", "device_type": "jetson-nano"},
        ],
        "links": [{"a": "one", "b": "two", "latency_s": 0.001, "bandwidth_bytes_per_s": 1e7}],
        "source": "two",
    }


def _set(value, path, new):
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


@pytest.mark.parametrize(
    ("path", "new", "expected"),
    [
        (("source",), "tow", "source: unknown device 'tow'; did you mean 'two'?"),
        (("devices", 1, "name"), "one", "devices[1].name: 'one' is the name of devices[0] too"),
        (("links", 0, "a"), "ones", "links[0].a: unknown device 'ones'; did you mean 'one'?"),
        (("links", 0, "b"), "one", "links[0].b: a link joins two different devices"),
        (("links", 0, "bandwidth_bytes_per_s"), 0, "links[0].bandwidth_bytes_per_s"),
        (("links", 0, "latency_s"), -1, "links[0].latency_s"),
        (("devices", 0, "memory_bytes"), 1, "devices[0].memory_bytes: unknown key; did you mean"),
        (("devices",), [], "devices"),
        (("name",), "pears", "name: is 'pears', but the file is called pair.yaml"),
    ],
)
def test_a_wrong_testbed_is_refused_in_one_line(tmp_path, path, new, expected):
    value = two_devices()
    _set(value, path, new)
    file = tmp_path / "pair.yaml"
    file.write_text(yaml.safe_dump(value))
    with pytest.raises(InputError) as caught:
        read_testbed(file)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pair_is_linked_once():
    value = two_devices()
    value["links"].append(value["links"][0] | {"a": "two", "b": "one"})
    with pytest.raises(InputError, match=r"links\[1\]: joins the same devices as links\[0\]"):
        Testbed.parse(value, "pair.yaml")


def test_a_device_type_without_profile_is_refused():
    value = two_devices()
    value["devices"][1]["device_type"] = "jetson-nona"
    with pytest.raises(
        InputError, match=r"devices\[1\].device_type: no profile of 'jetson-nona'; did you mean 'jetson-nano'"
    ):
        check_testbed(Testbed.parse(value, "x"), memory_of_types(), "pair.yaml")


def test_models_cannot_have_more_than_all_the_memory():
    value = two_devices()
    value["devices"][0]["models_memory_bytes"] = 1e12
    with pytest.raises(InputError, match=r"devices\[0\].models_memory_bytes: 1000000000000 is more than all"):
        check_testbed(Testbed.parse(value, "x"), memory_of_types(), "pair.yaml")


def test_memory_for_models_is_stated_or_a_share():
    one, two = Testbed.parse(two_devices(), "x").devices
    assert models_memory_bytes(one, 5e9) == 1e9
    assert models_memory_bytes(two, 1001) == 700
