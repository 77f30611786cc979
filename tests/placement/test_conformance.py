"""Every shipped algorithm keeps the contract, and every check catches somebody who does not."""

import random
import re
import sys
import time
from typing import Any

import pytest

from splitshare.conformance import SLACK_S, TIME_LIMIT_S, run_checks
from splitshare.placement.algorithms.first_fit import FirstFit
from splitshare.placement.conformance import CHECKS
from splitshare.placement.contract import load, shipped


@pytest.mark.parametrize("name", shipped())
def test_shipped_algorithms_keep_the_contract(name):
    results = run_checks(load(name), CHECKS)
    assert [r.check for r in results] == [c.name for c in CHECKS]
    assert not [r for r in results if not r.passed]


class Offender:
    """First fit, but for what the offender does to its answer."""

    def place(self, instance: Any, *, seed: int, time_limit: float | None) -> Any:
        placed = FirstFit().place(instance, seed=seed, time_limit=time_limit)
        return None if placed is None else self.spoil(instance, placed)

    def spoil(self, instance: Any, placed: Any) -> Any:
        raise NotImplementedError


class Cheater(Offender):
    """Puts everything on the device with the most memory, full or not."""

    name = "cheater"

    def spoil(self, instance, placed):
        largest = max(instance.devices, key=lambda d: d.memory_bytes)
        return dict.fromkeys(placed, largest.name)


class Optimist(Offender):
    """Answers something where there is nothing."""

    name = "optimist"

    def place(self, instance, *, seed, time_limit):
        placed = FirstFit().place(instance, seed=seed, time_limit=time_limit)
        crowded = instance.name.startswith("too-")
        return {m.name: instance.devices[0].name for m in instance.modules} if crowded else placed


class Quitter(Offender):
    """Never finds anything."""

    name = "quitter"

    def place(self, instance, *, seed, time_limit):
        return None


class Lonely(Offender):
    """Needs a second module."""

    name = "lonely"

    def spoil(self, instance, placed):
        return {m.name: placed[m.name] for m in (instance.modules[0], instance.modules[1], *instance.modules[2:])}


class Leaver(Offender):
    """Ends the program over a single device."""

    name = "leaver"

    def spoil(self, instance, placed):
        return placed if len(instance.devices) > 1 else sys.exit("not worth it")


class Divider(Offender):
    """Divides by the number of other devices."""

    name = "divider"

    def spoil(self, instance, placed):
        return placed if 1 / (len(instance.devices) - 1) else None


class Doubler(Offender):
    """Names a device twice where several are allowed."""

    name = "doubler"

    def spoil(self, instance, placed):
        return {module: list(hosts) * (2 if instance.replication else 1) for module, hosts in placed.items()}


class Gambler(Offender):
    """Leaves the last module to chance, whatever the seed."""

    name = "gambler"
    dice = random.Random(0)

    def spoil(self, instance, placed):
        return placed if instance.name != "roomy" else {m: self.dice.choice(instance.devices).name for m in placed}


class Diarist(Offender):
    """Remembers the call before."""

    name = "diarist"

    def __init__(self) -> None:
        self.called = 0

    def spoil(self, instance, placed):
        self.called += 1
        changed = {"m0": instance.devices[self.called % len(instance.devices)].name}
        return placed | changed if instance.name == "roomy" and "m0" in placed else placed


class Vandal(Offender):
    """Makes the first module faster than it is."""

    name = "vandal"

    def spoil(self, instance, placed):
        instance.modules[0].compute_s[instance.devices[0].name] = 0.0
        return placed


class TimeWaster(Offender):
    """Sleeps over large instances and lets nothing disturb it."""

    name = "time-waster"

    def spoil(self, instance, placed):
        until = time.monotonic() + 60 * (len(placed) > 20)
        while time.monotonic() < until:
            try:
                time.sleep(0.01)
            except Exception:  # noqa: BLE001 - an algorithm that swallows what is to stop it
                continue
        return placed


class Stranger(Offender):
    """Makes up a device where names are unusual."""

    name = "stranger"

    def spoil(self, instance, placed):
        plain = all(d.name.startswith("d") for d in instance.devices)
        return placed if plain else dict.fromkeys(placed, "gpu0")


class Forgetful(Offender):
    """Leaves a module out."""

    name = "forgetful"

    def spoil(self, instance, placed):
        return dict(list(placed.items())[1:])


class Mumbler(Offender):
    """Answers numbers of devices."""

    name = "mumbler"

    def spoil(self, instance, placed):
        return [0] * len(placed)


ANSWERING = {c.name for c in CHECKS} - {"no-feasible-placement"}
"""Checks on instances that have a feasible placement."""

OFFENDERS = {
    Cheater: {"feasible", "time-limit"},
    Optimist: {"no-feasible-placement"},
    Quitter: {"roomy", "one-module", "one-device", "replication"},
    Lonely: {"one-module"},
    Leaver: {"one-device", "feasible", "replication"},
    Divider: {"one-device", "feasible", "replication"},
    Doubler: {"replication", "feasible"},
    Gambler: {"deterministic"},
    Diarist: {"deterministic"},
    Vandal: {"leaves-the-instance"},
    TimeWaster: {"time-limit"},
    Stranger: {"known-names"},
    Forgetful: ANSWERING - {"deterministic", "leaves-the-instance"},
    Mumbler: ANSWERING,
}


@pytest.mark.parametrize("offender", OFFENDERS, ids=lambda offender: offender.name)
def test_offenders_are_caught(offender):
    started = time.perf_counter()
    failed = {r.check: r.message for r in run_checks(offender(), CHECKS) if not r.passed}
    assert set(failed) == OFFENDERS[offender]
    assert all(failed.values())
    assert time.perf_counter() - started < TIME_LIMIT_S + SLACK_S + 5


def test_every_check_catches_somebody():
    assert set().union(*OFFENDERS.values()) == {c.name for c in CHECKS}


@pytest.mark.parametrize(
    ("offender", "check", "complaint"),
    [
        (Cheater, "feasible", r"random-\d+: not feasible, and not said so .* bytes of modules on 'd\d', which has"),
        (Divider, "one-device", r"^roomy: raised ZeroDivisionError: "),
        (Leaver, "one-device", r"^roomy: raised SystemExit: not worth it$"),
        (Gambler, "deterministic", r"^roomy: two runs with seed \d place modules differently$"),
        (Stranger, "known-names", "unknown device 'gpu0'"),
        (Mumbler, "roomy", r"not a device, or devices, by module: \[0, 0, "),
    ],
)
def test_messages_name_the_instance_and_what_is_wrong(offender, check, complaint):
    (result,) = run_checks(offender(), [c for c in CHECKS if c.name == check])
    assert not result.passed
    assert re.search(complaint, result.message)
