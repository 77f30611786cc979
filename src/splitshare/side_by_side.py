"""Work on many things at once, each on a processor of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from splitshare.errors import WorkError
from splitshare.progress import track

Task = TypeVar("Task")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Task], Result], tasks: Sequence[Task], processes: int, doing: str, *, in_order: bool = True
) -> Generator[Result, None, None]:
    """Results of all tasks, under a progress bar; with one process they are made here, one after another.

    Whoever may stop before the end closes it (``contextlib.closing``): what has not begun then never does.

    Args:
        work: what is done with each; it and the tasks can be pickled.
        tasks: what there is to do.
        processes: how many are done at once.
        doing: what the bar says.
        in_order: whether results come in the order of the tasks, else as they are there.

    Raises:
        WorkError: a process died.
    """
    if processes == 1:
        yield from track(map(work, tasks), doing, total=len(tasks))
        return
    # Solvers have threads, which a fork would not take along.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(work, task) for task in tasks]
        try:
            for one in track(running if in_order else as_completed(running), doing, total=len(tasks)):
                yield one.result()
        except BrokenProcessPool as error:
            problem = "a process died, of memory or by what it ran; take one process (--processes 1) to see which"
            raise WorkError(f"{doing}: {problem}") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
