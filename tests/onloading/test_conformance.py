"""Every shipped onloading algorithm keeps the contract, and every check catches somebody who does not."""

import random
import time

import pytest

from splitshare.conformance import SLACK_S, TIME_LIMIT_S, run_checks
from splitshare.onloading.conformance import CHECKS
from splitshare.onloading.contract import load, shipped


@pytest.mark.parametrize("name", shipped())
def test_shipped_algorithms_keep_the_contract(name):
    results = run_checks(load(name), CHECKS)
    assert [r.check for r in results] == [c.name for c in CHECKS]
    assert not [r for r in results if not r.passed]


class Offender:
    """One model, the first that fits, at each server; but for what the offender does to that."""

    name = "offender"

    def onload(self, instance, *, seed, time_limit):
        held = {}
        shared = {b.name: b.memory_bytes for b in instance.backbones}
        for server in instance.servers:
            fitting = [
                m.name for m in instance.models if m.memory_bytes + shared.get(m.backbone, 0) <= server.memory_bytes
            ]
            held[server.name] = dict.fromkeys(fitting[:1], 1)
        return self.spoil(instance, held)

    def spoil(self, instance, held):
        return held


class Glutton(Offender):
    """Holds everything everywhere."""

    def spoil(self, instance, held):
        return {server: [m.name for m in instance.models] for server in held}


class Forgetful(Offender):
    """Fills servers with models that share a backbone, and forgets that it takes memory too."""

    def spoil(self, instance, held):
        sharing = [m for m in instance.models if m.backbone is not None]
        for server in instance.servers:
            free = server.memory_bytes
            for model in sharing:
                if model.memory_bytes <= free:
                    free -= model.memory_bytes
                    held[server.name][model.name] = 1
        return held


class Twins(Offender):
    """Takes variants of one model for models of their own."""

    def spoil(self, instance, held):
        variants = [m.name for m in instance.models if m.variant_of is not None]
        return {server: dict.fromkeys(variants[:2], 1) or models for server, models in held.items()}


class Renamer(Offender):
    """Knows models as m0, m1, ..."""

    def spoil(self, instance, held):
        return {server: [f"m{i}" for i, _ in enumerate(models)] for server, models in held.items()}


class Batcher(Offender):
    """Batches by four, offered or not, and tells nobody why."""

    def spoil(self, instance, held):
        return {server: dict.fromkeys(models, 4) for server, models in held.items()}


class Unfilled(Offender):
    """Batches wherever that is offered, by a size that is not."""

    def spoil(self, instance, held):
        size = 8 if len(instance.batches) > 1 else 1
        return {server: dict.fromkeys(models, size) for server, models in held.items()}


class Quitter(Offender):
    """Answers nothing at all."""

    def spoil(self, instance, held):
        return None


class Mumbler(Offender):
    """Answers names of models only."""

    def spoil(self, instance, held):
        return [model for models in held.values() for model in models]


class Lonely(Offender):
    """Needs a second model."""

    def spoil(self, instance, held):
        return held if instance.models[1] else None


class Gambler(Offender):
    """Leaves it to chance, whatever the seed."""

    dice = random.Random(0)

    def spoil(self, instance, held):
        return held if self.dice.random() < 0.5 else {}


class Vandal(Offender):
    """Makes the first model better than it is."""

    def spoil(self, instance, held):
        instance.models[0].accuracy["t0"] = 1.0
        return held


class TimeWaster(Offender):
    """Sleeps over large instances."""

    def spoil(self, instance, held):
        time.sleep(60 if len(instance.clients) > 20 else 0)
        return held


ANSWERING = {"known-names", "smallest", "no-room", "feasible", "batching", "backbones", "variants"}
OFFENDERS = {
    Glutton: {"no-room", "feasible", "batching", "backbones", "variants", "known-names", "time-limit"},
    Forgetful: {"backbones"},
    Twins: {"variants"},
    Renamer: {"known-names"},
    Batcher: {"known-names", "smallest", "feasible", "batching", "backbones", "variants"},
    Unfilled: {"batching", "time-limit"},
    Quitter: ANSWERING,
    Mumbler: {c.name for c in CHECKS},
    Lonely: {"smallest"},
    Gambler: {"deterministic"},
    Vandal: {"leaves-the-instance"},
    TimeWaster: {"time-limit"},
}


@pytest.mark.parametrize("offender", OFFENDERS, ids=lambda offender: offender.__name__)
def test_offenders_are_caught(offender):
    started = time.perf_counter()
    failed = {r.check: r.message for r in run_checks(offender(), CHECKS) if not r.passed}
    assert set(failed) == OFFENDERS[offender], failed
    assert all(failed.values())
    assert time.perf_counter() - started < TIME_LIMIT_S + SLACK_S + 5


def test_every_check_catches_somebody():
    assert set().union(*OFFENDERS.values()) == {c.name for c in CHECKS}
