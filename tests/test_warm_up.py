"""What an algorithm compiles is compiled before it is timed: nothing is left for the instances that it is given."""

import subprocess
import sys

import pytest

from splitshare.errors import InputError, WorkError
from splitshare.onloading.contract import FINDER as ONLOADING
from splitshare.placement.contract import FINDER as PLACEMENT
from splitshare.plugins import warm_up

SCRIPT = """
import importlib, pkgutil, sys
import numba.core.dispatcher
import splitshare.onloading, splitshare.placement

def loaded():
    found = {}
    for name in [name for name in sys.modules if name.startswith("splitshare.")]:
        for value in list(vars(sys.modules[name]).values()):
            if isinstance(value, numba.core.dispatcher.Dispatcher):
                function = value.py_func
                found[f"{function.__module__}.{function.__name__}"] = [str(one) for one in value.signatures]
    return found

for package in (splitshare.onloading, splitshare.placement):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
problem, *names = sys.argv[1:]
if problem == "placement":
    from splitshare.placement.contract import FINDER
    from splitshare.placement.instance_families import FAMILIES, family_instance
    instances = [family_instance(family, 0) for family in FAMILIES if family != "large"]
else:
    from splitshare.jsonl import read_lines
    from splitshare.onloading.contract import FINDER
    from splitshare.onloading.instance import OnloadingInstance
    from splitshare.places import DATA
    suite = read_lines(OnloadingInstance, DATA / "baselines" / "onloading_instances.jsonl")
    instances = [one for one in suite if one.size_class == "small"]
algorithms = [FINDER.load(name) for name in names]
for algorithm in algorithms:
    if hasattr(algorithm, "warm_up"):
        algorithm.warm_up()
before = loaded()
for algorithm in algorithms:
    for instance in instances:
        getattr(algorithm, FINDER.method)(instance, seed=0, time_limit=1.0)
for function, signatures in loaded().items():
    for signature in set(signatures) - set(before.get(function, ())):
        print(function, signature)
"""


def cases() -> list[tuple[str, ...]]:
    """Each algorithm that warms up by itself, so that none warms up for another; all others of a problem together."""
    found: list[tuple[str, ...]] = []
    for problem, finder, more in (("placement", PLACEMENT, ["optimum[solver=builtin]"]), ("onloading", ONLOADING, [])):
        names = [*finder.shipped(), *more]
        warm = [name for name in names if hasattr(finder.load(name), "warm_up")]
        found += [(problem, name) for name in warm]
        found.append((problem, *(name for name in names if name not in warm)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", cases(), ids=lambda case: "-".join(case[:2]))
def test_nothing_is_compiled_or_loaded_within_a_timed_run(case: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *case], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    assert not done.stdout


class _Warms:
    name = "warms"

    def __init__(self, error: BaseException | None) -> None:
        self._error = error

    def warm_up(self) -> None:
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("error", [RuntimeError("no compiler\nat all"), SystemExit(4), TypeError("one too few")])
def test_an_algorithm_that_cannot_be_warmed_up_is_told_in_one_line(error: BaseException) -> None:
    with pytest.raises(InputError) as caught:
        warm_up(_Warms(error))
    told = " ".join(str(error).split())
    assert str(caught.value) == f"--algorithm: warms: cannot be warmed up: {type(error).__name__}: {told}"


def test_errors_of_ours_pass_and_who_has_nothing_to_warm_up_is_left_alone() -> None:
    with pytest.raises(WorkError, match="no licence"):
        warm_up(_Warms(WorkError("no licence")))
    warm_up(_Warms(None))
    warm_up(object())
