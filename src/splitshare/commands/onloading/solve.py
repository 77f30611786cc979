"""``splitshare solve`` for onloading instances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.errors import InputError
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingDecision, OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.progress import track


def run(
    instances: Sequence[Path],
    *,
    algorithm: str,
    solver: str | None,
    seed: int,
    time_limit_s: float | None,
    output: Path,
    parameters: Sequence[str] = (),
) -> list[OnloadingDecision]:
    """Decide ``instances`` and write a decision file each.

    Args:
        instances: instance files.
        algorithm: name or ``file.py:Class``.
        solver: solver of an exact algorithm; ``None`` for the algorithm's default.
        seed: of whatever is random in the algorithm.
        time_limit_s: limit for each instance, in seconds.
        output: file for one instance, directory for several (``<output>/<instance file name>``).
        parameters: other parameters of the algorithm than its own, as ``name=value``; the decisions' ``algorithm``
            names them too.

    Raises:
        InputError: an instance, the algorithm's name or an option is wrong; nothing is written then.
        WorkError: the algorithm's answer does not hold.
    """
    options = {} if solver is None else {"solver": solver}
    made = load(algorithm, parameters, **options)
    label = f"{made.name}[{','.join(parameters)}]" if parameters else made.name
    if len({path.name for path in instances}) != len(instances):
        raise InputError("INSTANCE", "", "two instances have the same file name; solve them one by one")
    read = [OnloadingInstance.read(path) for path in instances]
    decisions: list[OnloadingDecision] = []
    for path, instance in track(zip(instances, read, strict=True), f"solving with {algorithm}", total=len(read)):
        decision = solve(instance, made, seed=seed, time_limit_s=time_limit_s)
        decision = decision.model_copy(update={"algorithm": label})
        decision.write(output / path.name if len(instances) > 1 or output.is_dir() else output)
        decisions.append(decision)
    return decisions
