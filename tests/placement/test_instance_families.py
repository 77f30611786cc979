"""Families of random instances keep to their rules."""

from statistics import mean
from typing import get_args

import pytest

from splitshare.choices import InstanceRules
from splitshare.commands.random_instances import Options
from splitshare.errors import InputError
from splitshare.placement.feasible import cheapest_feasible
from splitshare.placement.instance_families import FAMILIES, family_instance
from splitshare.placement.random_instances import STUDY
from splitshare.stages import random_instances
from tests.docs.test_lists import rows

SEEDS = range(6)
DIGESTS = {
    "large": "64581b3d06c3c4f4",
    "memory-tight": "83406215c920fba8",
    "communication-bound": "8fd8be1a9e28ce38",
    "heavy-sharing": "7c40f35287e446ef",
    "replicated": "c537ce42102e86d6",
    "min-max": "4cf5250776aaf56b",
}


def within(value, bounds):
    return bounds[0] <= value <= bounds[1]


def test_every_choice_is_a_family():
    assert set(get_args(InstanceRules)) == {"study", *FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_is_the_same_instance_everywhere(family):
    assert family_instance(family, 1).sha256()[:16] == DIGESTS[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_rules_are_kept(family):
    rules = FAMILIES[family]
    for seed in SEEDS:
        instance = family_instance(family, seed)
        heads = [m.name for m in instance.modules if m.kind == "head"]
        encoders = [m.name for m in instance.modules if m.kind == "encoder"]
        n = len(instance.devices)
        assert instance.name == f"{family}-{seed}"
        assert (instance.replication, instance.objective) == (rules.replication, rules.objective)
        assert within(n, rules.devices)
        assert within(len(heads), rules.heads)
        assert within(len(encoders), rules.encoders)
        assert within(len(instance.requests), rules.requests)
        assert len(instance.links) == n * (n - 1) / 2
        total, memory = (sum(m.memory_bytes for m in instance.modules), sum(d.memory_bytes for d in instance.devices))
        assert memory == pytest.approx((1 + rules.slack) * total)
        uses = [use.module for r in instance.requests for use in r.encoders]
        assert all(len({u.module for u in r.encoders}) == len(r.encoders) <= rules.most_used for r in instance.requests)
        assert len(set(uses)) >= min(len(encoders), len(instance.requests))


def test_the_page_has_the_numbers():
    told = {row[0].strip("`"): row[1:4] for row in rows("docs/hard-instances.md", "states every number")}
    assert set(told) == {"study", *FAMILIES}
    for name, rules in FAMILIES.items():
        modules = (rules.encoders[0] + rules.heads[0], rules.encoders[1] + rules.heads[1])
        assert told[name] == [f"{low} to {high}" for low, high in (modules, rules.devices, rules.requests)]
    assert told["study"] == [f"{low} to {high}" for low, high in (STUDY.modules, STUDY.devices, STUDY.requests)]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_is_feasible(family):
    for seed in SEEDS if family != "large" else (0,):
        assert cheapest_feasible(family_instance(family, seed), {}) is not None


@pytest.mark.parametrize("family", FAMILIES)
def test_transfers_take_as_long_as_the_rules_say(family):
    ratios = []
    for seed in range(20 if family != "large" else 2):
        instance = family_instance(family, seed)
        compute = mean(s for m in instance.modules for s in m.compute_s.values() if s is not None)
        inputs = mean(use.input_bytes for r in instance.requests for use in r.encoders)
        ratios.append(mean(inputs / link.bandwidth_bytes_per_s for link in instance.links) / compute)
    assert mean(ratios) == pytest.approx(FAMILIES[family].communication, rel=0.2)


def test_the_command_draws_by_rules(tmp_path):
    drawn = random_instances.run(random_instances.Options(tmp_path, "tight", 3, rules="memory-tight", count=2))
    assert [instance.name for instance in drawn] == ["tight-3", "tight-4"]
    assert drawn[0].devices == family_instance("memory-tight", 3).devices
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tight-3.json", "tight-4.json"]


@pytest.mark.parametrize("name", ["a/b", "../up", "", "x" * 120, "-first"])
@pytest.mark.parametrize("rules", ["study", "min-max"])
def test_a_name_that_no_instance_could_have_is_refused(name, rules, tmp_path):
    options = Options(output=tmp_path / "o", name=name, first_seed=0, rules=rules, count=1)
    with pytest.raises(InputError, match="cannot begin the names of instances"):
        random_instances.run(options)
    assert list(tmp_path.iterdir()) == []
