import time
from pathlib import Path

import pytest

from splitshare.errors import InputError
from splitshare.isolation.child import RunLimits
from splitshare.isolation.runs import AlgorithmRun, check_contract, describe, run_limited
from splitshare.placement.conformance import CHECKS
from splitshare.placement.random_instances import random_instances

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
        run_limited(
            "placement", f"{offenders}:{name}", [AlgorithmRun(instance, 0), AlgorithmRun(instance, 1)], RunLimits()
        )
    )
    assert [o.failure for o in outcomes] == [failure, failure]
    assert all(message in o.message for o in outcomes)


def test_a_run_that_hangs_costs_one_run(offenders):
    instance = random_instances(range(3), replication=False)[0]
    runs = [AlgorithmRun(instance, seed) for seed in (0, 1, 2)]
    outcomes = list(run_limited("placement", f"{offenders}:Sleeper", runs, RunLimits(time_s=0.2)))
    assert [o.failure for o in outcomes] == [None, "overran", None]
    assert [o.run.seed for o in outcomes] == [0, 1, 2]


def test_an_answer_that_breaks_a_rule_is_told_with_the_rule(offenders):
    outcome = next(
        run_limited("placement", f"{offenders}:Cheater", [AlgorithmRun(random_instances(range(3))[0], 0)], RunLimits())
    )
    assert outcome.answer is not None
    assert outcome.answer.status == "infeasible"
    assert "unknown device 'nowhere'" in str(outcome.answer.reason)


def test_what_cannot_be_loaded_is_the_users_error(offenders):
    with pytest.raises(InputError, match="did you mean 'Crasher'"):
        list(
            run_limited(
                "placement", f"{offenders}:Crsher", [AlgorithmRun(random_instances(range(3))[0], 0)], RunLimits()
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
    list(run_limited("placement", f"{hostile}:Talker", [AlgorithmRun(instance, 0)], RunLimits()))
    assert capfd.readouterr() == ("", "")


def test_a_family_is_given_up_after_a_few_deaths_in_a_row_and_others_go_on(hostile):
    (instance,) = random_instances(range(1))
    runs = [AlgorithmRun(instance, seed, group) for seed in range(3) for group in ("one", "two")] + [
        AlgorithmRun(instance, 9, "one")
    ] * 50
    outcomes = list(run_limited("placement", f"{hostile}:Killer", runs, RunLimits()))
    assert [o.run for o in outcomes] == runs
    assert [o.failure for o in outcomes] == ["crashed"] * 6 + ["not run"] * 50


def test_leaving_the_interpreter_is_a_crash_told_in_a_short_line(hostile):
    (instance,) = random_instances(range(1))
    (outcome,) = run_limited("placement", f"{hostile}:Exits", [AlgorithmRun(instance, 0)], RunLimits())
    assert outcome.failure == "crashed"
    assert outcome.message.startswith("SystemExit: first line x")
    assert len(outcome.message) < 250


def test_another_hash_seed_is_another_order_of_sets(hostile):
    (instance,) = random_instances(range(1))

    def said(seed):
        (outcome,) = run_limited(
            "placement", f"{hostile}:Hashes", [AlgorithmRun(instance, 0)], RunLimits(), hash_seed=seed
        )
        return outcome.message

    assert said(0) == said(0) != said(1)


def test_every_check_has_a_result_though_each_ends_its_process(hostile):
    results = check_contract("placement", f"{hostile}:Killer")
    assert [r.check for r in results] == [c.name for c in CHECKS]
    assert not any(r.passed for r in results)


UNRULY = """
import os, time

def others():
    # all but standard streams: the pipe's number is high in a process that had many files open
    return sorted(int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2)

class Honest:
    name = "honest"
    def place(self, instance, *, seed, time_limit):
        self.misbehave()
        return {m.name: instance.devices[seed % len(instance.devices)].name for m in instance.modules}
    def misbehave(self):
        pass

class Forks(Honest):
    def misbehave(self):
        os.fork()

class Garbles(Honest):
    def misbehave(self):
        for descriptor in others():
            try:
                os.write(descriptor, bytes([0, 0, 0, 0, 0, 0, 0, 8]) + b"nonsense")
            except OSError:
                pass

class Begins(Honest):
    def misbehave(self):
        for descriptor in others():
            try:
                os.write(descriptor, bytes([0, 0, 0, 0, 0, 0, 16, 0]) + b"abc")
            except OSError:
                pass
        time.sleep(60)

class Announces(Honest):
    def misbehave(self):
        for descriptor in others():
            try:
                os.write(descriptor, bytes([255] * 8))
            except OSError:
                pass

class DiesAsParent(Honest):
    def misbehave(self):
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)

class LeavesAnother(Honest):
    def misbehave(self):
        if os.fork() == 0:
            os.setsid()
            os.execvp("sleep", ["sleep", os.environ["SECONDS_OF_THE_ORPHAN"]])

class Names(Honest):
    def misbehave(self):
        raise type("Bad" + chr(10) + "line" + "x" * 100000, (Exception,), {})("a" + chr(10))

class HidesItsError(Honest):
    def misbehave(self):
        class Hidden(Exception):
            def __str__(self):
                raise SystemExit(0)
        raise Hidden

class RaisesLate(Honest):
    def misbehave(self):
        time.sleep(0.5)
        raise TimeoutError("late")
"""


@pytest.fixture(scope="module")
def unruly(tmp_path_factory):
    path = tmp_path_factory.mktemp("unruly") / "unruly.py"
    path.write_text(UNRULY)
    return path


def tried(path, name, runs, limit_s=10.0):
    return list(run_limited("placement", f"{path}:{name}", runs, RunLimits(time_s=limit_s)))


def seeded(seeds, group=""):
    """Runs whose honest answers differ from each other."""
    instances = random_instances(range(6), replication=False)
    return [AlgorithmRun(instance, seed, group) for instance in instances for seed in seeds]


def test_copies_that_an_algorithm_forks_do_not_answer(unruly):
    runs = seeded(range(3))
    honest, forked = (tried(unruly, name, runs) for name in ("Honest", "Forks"))

    def placed(outcomes):
        return [(o.failure, o.answer.instance_sha256, o.answer.assignment, o.answer.reason) for o in outcomes]

    assert len({str(answer) for answer in placed(honest)}) > len(runs) // 3  # an answer in a wrong place would show
    assert [o.run for o in forked] == runs
    assert placed(forked) == placed(honest)


def test_copies_that_are_forked_in_a_check_do_not_multiply(unruly):
    started = time.monotonic()
    honest, forked = (check_contract("placement", f"{unruly}:{name}") for name in ("Honest", "Forks"))
    assert [(r.check, r.passed) for r in forked] == [(r.check, r.passed) for r in honest]
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("name", "failure", "message"),
    [
        ("Garbles", "crashed", "its process died"),
        ("Begins", "overran", "no answer in 1.4 s"),
        ("Announces", "crashed", "its process died"),
        ("DiesAsParent", "crashed", "its process died"),
        ("Names", "crashed", "Bad linexxx"),
        ("HidesItsError", "crashed", "Hidden: ?"),
    ],
)
def test_whatever_comes_back_is_an_outcome_in_a_short_line(unruly, name, failure, message):
    (outcome,) = tried(unruly, name, seeded([0])[:1], limit_s=0.2)
    assert outcome.failure == failure
    assert outcome.message.startswith(message)
    assert outcome.message.isprintable()
    assert len(outcome.message) <= 200


def test_what_a_check_says_is_a_short_line(unruly):
    for result in check_contract("placement", f"{unruly}:Names"):
        assert not result.passed
        assert result.message.isprintable()
        assert len(result.message) <= 200


def test_processes_in_a_session_of_their_own_end_with_the_run(unruly, monkeypatch):
    seconds = "613.25"
    monkeypatch.setenv("SECONDS_OF_THE_ORPHAN", seconds)
    wanted = f"sleep\0{seconds}\0".encode()

    def alive():
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found += [path] if path.read_bytes() == wanted else []
            except OSError:
                continue
        return found

    runs = run_limited("placement", f"{unruly}:LeavesAnother", seeded([0])[:2], RunLimits())
    next(runs)
    until = time.monotonic() + 5
    while not alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert alive()
    list(runs)
    assert not alive()


def test_failing_after_the_limit_again_and_again_is_given_up_too(unruly):
    outcomes = tried(unruly, "RaisesLate", seeded(range(5), "family"), limit_s=0.3)
    assert [o.failure for o in outcomes[:4]] == ["crashed", "crashed", "crashed", "not run"]
    assert {o.failure for o in outcomes[4:]} == {"not run"}
