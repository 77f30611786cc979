import pytest

from splitshare.errors import InputError
from splitshare.placement.conformance import CHECKS
from splitshare.placement.random_instances import random_instances
from splitshare.sandbox import Limits, Run, check_contract, describe, run_limited

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


HOSTILE = """
import os, sys, time
print("printed while it is imported")

class Talker:
    name = "talker"
    def place(self, instance, *, seed, time_limit):
        print("to standard output"); os.write(2, b"to standard error")
        return None

class Killer(Talker):
    name = "killer"
    def place(self, instance, *, seed, time_limit):
        os._exit(0)

class Exits(Talker):
    name = "exits"
    def place(self, instance, *, seed, time_limit):
        sys.exit("first line" + chr(10) + "x" * 10000)

class Hashes(Talker):
    name = "hashes"
    def place(self, instance, *, seed, time_limit):
        raise ValueError(str(hash("a set's order")))

class Unnamed(Talker):
    name = 7

class Broken(Talker):
    @property
    def name(self):
        os._exit(0)

for number, text in enumerate(["", "  ", "a/b", "a" + chr(10) + "b", chr(27) + "[31m", "x" * 61, "..\\\\x"]):
    globals()[f"Named{number}"] = type(f"Named{number}", (Talker,), {"name": text})
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "hostile.py"
    path.write_text(HOSTILE)
    return path


@pytest.mark.parametrize("name", ["Unnamed", "Broken", *(f"Named{number}" for number in range(7))])
def test_names_that_cannot_be_a_methods_are_refused_in_a_line(hostile, name):
    with pytest.raises(InputError, match=r"name|cannot be loaded") as refusal:
        describe(f"{hostile}:{name}")
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 400


def test_what_an_algorithm_prints_is_dropped(hostile, capfd):
    (instance,) = random_instances(range(1))
    assert describe(f"{hostile}:Talker").name == "talker"
    list(run_limited("splitshare.placement", f"{hostile}:Talker", [Run(instance, 0)], Limits()))
    assert capfd.readouterr() == ("", "")


def test_a_family_is_given_up_after_a_few_deaths_in_a_row_and_others_go_on(hostile):
    (instance,) = random_instances(range(1))
    runs = [Run(instance, seed, group) for seed in range(3) for group in ("one", "two")] + [
        Run(instance, 9, "one")
    ] * 50
    outcomes = list(run_limited("splitshare.placement", f"{hostile}:Killer", runs, Limits()))
    assert [o.run for o in outcomes] == runs
    assert [o.failure for o in outcomes] == ["crashed"] * 6 + ["not run"] * 50


def test_leaving_the_interpreter_is_a_crash_told_in_a_short_line(hostile):
    (instance,) = random_instances(range(1))
    (outcome,) = run_limited("splitshare.placement", f"{hostile}:Exits", [Run(instance, 0)], Limits())
    assert outcome.failure == "crashed"
    assert outcome.message.startswith("SystemExit: first line x")
    assert len(outcome.message) < 250


def test_another_hash_seed_is_another_order_of_sets(hostile):
    (instance,) = random_instances(range(1))

    def said(seed):
        (outcome,) = run_limited(
            "splitshare.placement", f"{hostile}:Hashes", [Run(instance, 0)], Limits(), hash_seed=seed
        )
        return outcome.message

    assert said(0) == said(0) != said(1)


def test_every_check_has_a_result_though_each_ends_its_process(hostile):
    results = check_contract(f"{hostile}:Killer")
    assert [r.check for r in results] == [c.name for c in CHECKS]
    assert not any(r.passed for r in results)
