import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.lookup import look_up

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))
DEFAULT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_committed_configuration_is_right_and_its_names_are_known(path: Path):
    config = Config.read(path)
    resolved = look_up(config, path, ROOT / "data")
    named = {*config.testbeds, config.cloud.cloud_testbed, config.local_testbed}
    if config.measured is not None:
        named |= {*config.measured.testbeds, *(name for pair in config.measured.clouds for _, name in pair)}
    assert set(resolved.testbeds) == named
    assert Config.parse(yaml.safe_load(config.to_json()), "written") == config


def test_only_the_default_run_writes_what_is_committed():
    for path in CONFIGS:
        config = Config.read(path)
        default = path.stem == "config"
        assert (config.figures == "paper_figures") is default
        assert (config.pinned_instances is not None) is default
        assert Path(config.figures).is_relative_to(config.results) is not default
    results = [Config.read(path).results for path in CONFIGS]
    assert len(set(results)) == len(results)


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        (("workloads",), ["clip-rn50", "clip-rn50"], "workloads[1]: 'clip-rn50' is there twice; keep one"),
        (("solvers",), ["highs", "highs"], "solvers[1]: 'highs' is there twice; keep one"),
        (("solvers",), ["cplex"], "solvers[0]: input should be 'gurobi' or 'highs', not 'cplex'"),
        (("solvers",), [], "solvers: is empty; it needs at least one entry"),
        (("algorithms",), ["optimum"], "algorithms: 'optimum' is always solved, by each of `solvers`"),
        (
            ("replay", "methods"),
            ["s2m3-greedy", "optimum-scip"],
            "replay.methods[1]: 'optimum-scip' is not solved in this run",
        ),
        (("replay", "workload"), "clip-rn52", "replay.workload: 'clip-rn52' is not among this run's: clip-rn50, "),
        (("replay", "testbed"), "local", "replay.testbed: 'local' is not among this run's: laptop-jetson, "),
        (("replay", "timeline", "rate_per_s"), 0.03, "replay: timeline.rate_per_s: 0.03 is not replayed: 0.02, "),
        (("replay", "rates_per_s"), [0.0], "replay.rates_per_s[0]: input should be greater than or equal to"),
        (("replay", "link_models"), ["serial", "bus"], "replay.link_models[1]: input should be"),
        (
            ("load_sweep", "methods"),
            ["heft"],
            "load_sweep.methods: 'heft' is not solved in this run; it solves optimum",
        ),
        (("load_sweep", "reference"), "heft", "load_sweep.reference: 'heft' is not solved in this run"),
        (
            ("load_sweep", "shares"),
            [0.1, 0.1],
            "load_sweep: shares[1]: 0.1 does not come after 0.1; write them ascending",
        ),
        (("load_sweep", "latencies_at"), [0.33], "load_sweep: latencies_at[0]: 0.33 is none of `shares`: 0.02, "),
        (("load_sweep", "testbeds"), ["a", "a"], "load_sweep: testbeds: one is there twice; keep one"),
        (("load_sweep", "seeds"), 1, "load_sweep.seeds: input should be greater than or equal to 2"),
        (("profiling", "threads"), 0, "profiling.threads: input should be greater than or equal to 1"),
        (("emulation", "real"), [], "emulation.real: is empty; it needs at least one entry"),
        (
            ("emulation", "batches", "max_batch"),
            1,
            "emulation.batches.max_batch: input should be greater than or equal to 2",
        ),
        (("emulation", "requests"), 0, "emulation.requests: input should be greater than or equal to 1"),
        (("time_limit_s",), None, "time_limit_s: input should be a valid number, not null"),
    ],
)
def test_a_configuration_that_contradicts_itself_is_refused(where: tuple[str, ...], value: Any, told: str):
    changed = copy.deepcopy(DEFAULT)
    target = changed
    for part in where[:-1]:
        target = target[part]
    target[where[-1]] = value
    with pytest.raises(InputError) as error:
        Config.parse(changed, "config.yaml")
    assert str(error.value).startswith(f"config.yaml: {told}")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("testbeds", ["jetson-cloud"], "load_sweep.testbeds[0]: unknown testbed of this run 'jetson-cloud'"),
        ("workload", "four-task", "load_sweep.workload: unknown workload of this run 'four-task'; did you mean 'four-"),
    ],
)
def test_loads_are_of_what_the_run_places(field: str, value: Any, told: str):
    changed = copy.deepcopy(DEFAULT)
    changed["load_sweep"][field] = value
    with pytest.raises(InputError, match=re.escape(told)):
        look_up(Config.parse(changed, "x"), "x")


def test_the_optimum_stands_once_for_each_solver_and_first():
    config = Config.parse(DEFAULT, "x")
    assert config.methods[: len(config.solvers)] == tuple(f"optimum-{solver}" for solver in config.solvers)
    assert config.optimum == config.methods[0] == f"optimum-{DEFAULT['solvers'][0]}"
    assert set(config.methods[len(config.solvers) :]) == set(DEFAULT["algorithms"])
    assert config.directory("local") == Path("results/local")


@pytest.mark.parametrize("part", ["every_run.instances", "campaign", "real", "namespaces", "batches.instances"])
def test_an_unknown_instance_to_emulate_is_told(part: str):
    changed = copy.deepcopy(DEFAULT)
    *sections, last = part.split(".")
    target = changed["emulation"]
    for section in sections:
        target = target[section]
    target[last] = ["vqa-vit-b16.laptop-jetsn"]
    with pytest.raises(
        InputError,
        match=rf"emulation\.{re.escape(part)}\[0\]: unknown instance .* did you mean 'vqa-vit-b16\.laptop-jetson",
    ):
        look_up(Config.parse(changed, "x"), "x", ROOT / "data")


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        (("workloads", 0), "clip-rn5", r"measured\.workloads\[0\]: unknown workload .* did you mean 'clip-rn50'"),
        (("testbeds", 1), "measured-sever", r"measured\.testbeds\[1\]: unknown testbed .* mean 'measured-server'"),
        (("clouds", 1, "cloud_testbed"), "jetson-cloudy", r"measured\.clouds\[1\]\.cloud_testbed: unknown testbed"),
    ],
)
def test_an_unknown_name_of_the_measured_testbeds_is_told(where: tuple[str | int, ...], value: str, told: str):
    changed = copy.deepcopy(DEFAULT)
    target = changed["measured"]
    for part in where[:-1]:
        target = target[part]
    target[where[-1]] = value
    with pytest.raises(InputError, match=told):
        look_up(Config.parse(changed, "x"), "x", ROOT / "data")


def test_an_unknown_device_to_crash_is_told():
    changed = copy.deepcopy(DEFAULT)
    changed["emulation"]["crash"] = "server"  # of another testbed than the campaign's last one
    complaint = r"x: emulation\.crash: unknown device of desktop-laptop-two-jetsons 'server'; "
    with pytest.raises(InputError, match=complaint):
        look_up(Config.parse(changed, "x"), "x", ROOT / "data")


def test_a_name_that_a_testbed_file_does_not_bear_is_told(tmp_path: Path):
    (tmp_path / "testbeds").mkdir()
    for name in ("catalogue", "embedded"):
        (tmp_path / name).symlink_to(ROOT / "data" / name)
    for path in (ROOT / "data" / "testbeds").glob("*.yaml"):
        if path.stem != "local":
            (tmp_path / "testbeds" / path.name).symlink_to(path)
    local = tmp_path / "testbeds" / "local.yaml"
    local.write_text((ROOT / "data" / "testbeds" / "local.yaml").read_text().replace("name: local", "name: locale"))
    with pytest.raises(InputError, match=r"local\.yaml: name: is 'locale', but the file is called local\.yaml"):
        look_up(Config.parse(DEFAULT, "x"), "x", tmp_path)
