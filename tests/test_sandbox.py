import pytest

from splitshare.errors import InputError
from splitshare.placement.random_instances import random_instances
from splitshare.sandbox import Limits, Run, run_limited

OFFENDERS = """
import os, time

class Crasher:
    name = "crasher"
    def place(self, instance, *, seed, time_limit):
        raise ValueError("no idea")

class Sleeper:
    name = "sleeper"
    def place(self, instance, *, seed, time_limit):
        if seed == 1:
            time.sleep(60)
        return {m.name: instance.devices[0].name for m in instance.modules}

class Quitter:
    name = "quitter"
    def place(self, instance, *, seed, time_limit):
        os._exit(3)

class Glutton:
    name = "glutton"
    def place(self, instance, *, seed, time_limit):
        return bytearray(2**36)

class Vandal:
    name = "vandal"
    def place(self, instance, *, seed, time_limit):
        instance.modules[0].compute_s[instance.devices[0].name] = 0.0

class Cheater:
    name = "cheater"
    def place(self, instance, *, seed, time_limit):
        return {m.name: "nowhere" for m in instance.modules}
"""


@pytest.fixture(scope="module")
def offenders(tmp_path_factory):
    path = tmp_path_factory.mktemp("algorithms") / "offenders.py"
    path.write_text(OFFENDERS)
    return path


@pytest.mark.parametrize(
    ("name", "failure", "message"),
    [
        ("Crasher", "crashed", "ValueError: no idea"),
        ("Quitter", "crashed", "its process died"),
        ("Glutton", "crashed", "MemoryError"),
        ("Vandal", "broke the contract", "changed the instance"),
    ],
)
def test_offences_are_results(offenders, name, failure, message):
    instance = random_instances(range(3))[0]
    outcomes = list(
        run_limited("splitshare.placement", f"{offenders}:{name}", [Run(instance, 0), Run(instance, 1)], Limits())
    )
    assert [o.failure for o in outcomes] == [failure, failure]
    assert all(message in o.message for o in outcomes)


def test_a_run_that_hangs_costs_one_run(offenders):
    instance = random_instances(range(3), replication=False)[0]
    runs = [Run(instance, seed) for seed in (0, 1, 2)]
    outcomes = list(run_limited("splitshare.placement", f"{offenders}:Sleeper", runs, Limits(time_s=0.2)))
    assert [o.failure for o in outcomes] == [None, "overran", None]
    assert [o.run.seed for o in outcomes] == [0, 1, 2]


def test_an_answer_that_breaks_a_rule_is_told_with_the_rule(offenders):
    outcome = next(
        run_limited("splitshare.placement", f"{offenders}:Cheater", [Run(random_instances(range(3))[0], 0)], Limits())
    )
    assert outcome.answer is not None
    assert outcome.answer.status == "infeasible"
    assert "unknown device 'nowhere'" in str(outcome.answer.reason)


def test_what_cannot_be_loaded_is_the_users_error(offenders):
    with pytest.raises(InputError, match="did you mean 'Crasher'"):
        list(
            run_limited(
                "splitshare.placement", f"{offenders}:Crsher", [Run(random_instances(range(3))[0], 0)], Limits()
            )
        )
