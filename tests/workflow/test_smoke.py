"""The smoke run for real: cold, again, reported, and killed over and over."""

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from splitshare.figures.registry import figures as declared
from splitshare.files import LEFTOVER
from splitshare.stages import figures
from tests.explorer.browser import needs_browser, opened
from tests.workflow.repository import PARTS, Repository, locked

pytestmark = pytest.mark.slow

CONFIG = "config/smoke.yaml"
RESULTS = Path("results/smoke")
TIMEOUT_S = 900


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository after one undisturbed smoke run."""
    repository = Repository(tmp_path_factory.mktemp("smoke"), CONFIG)
    answer = repository.make("smoke", timeout_s=TIMEOUT_S)  # must run CONFIG, by which the tests below run and look
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return repository


def same_on_every_run(repository: Repository) -> dict[str, bytes]:
    """Everything canonical: all but placements (with seconds), their run tables, and what was measured here."""
    results = repository.root / RESULTS
    kept = list((results / "figures").iterdir())
    for pattern in ("*.csv", "modules.json", "instances/*.json", "replay/*", "traces/*"):
        kept += (results / "canonical").glob(pattern)
    return {str(path.relative_to(results)): path.read_bytes() for path in kept}


def test_a_cold_run_makes_every_output(smoke: Repository):
    outputs = smoke.outputs()
    assert len(outputs) > 60
    assert [path for path in outputs if not (smoke.root / path).stat().st_size] == []
    assert {"placements.csv", "replay.csv", "claims.csv"} <= {Path(path).name for path in outputs}


def test_it_writes_below_its_results_only(smoke: Repository):
    assert {path.name for path in smoke.root.iterdir()} - set(PARTS) == {"results", ".snakemake"}
    assert [path.name for path in (smoke.root / "results").iterdir()] == ["smoke"]


@pytest.mark.parametrize("scope", ["canonical", "local"])
def test_every_figure_keeps_the_rules_of_style(smoke: Repository, tmp_path: Path, scope: str):
    results = smoke.root / RESULTS
    options = figures.Options(tmp_path, results / scope, config=results / "config.json", strict=True)
    figures.run(options)
    assert len(list(tmp_path.glob("*.pdf"))) >= (25 if scope == "canonical" else 1)


def processor_s(repository: Repository, command: list[str]) -> tuple[float, str]:
    """Seconds of processor time that a command and what it starts take, and what they print."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = repository.execute(command, timeout_s=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert answer.returncode == 0, answer.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, answer.stdout + answer.stderr


def test_a_second_run_does_nothing_and_is_quick(smoke: Repository):
    imports = [sys.executable, "-c", "import numpy, pydantic, snakemake.cli"]
    shares = []
    for _ in range(3):  # seconds differ between machines and with what runs beside; what importing takes goes along
        run_s, said = processor_s(smoke, smoke.command("all"))
        assert "Nothing to be done" in said
        shares.append(run_s / processor_s(smoke, imports)[0])
    assert min(shares) < 8  # about 4


class _Loads(HTMLParser):
    """Collects what a page would fetch when it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = "href" if tag == "link" else "src"
        self.found += [value for name, value in attrs if name == wanted and value]


def test_the_report_is_one_page_that_loads_nothing(smoke: Repository):
    report = smoke.root / "report.html"
    answer = smoke.run("all", "--report", str(report))
    assert answer.returncode == 0, answer.stderr
    page = report.read_text(encoding="utf-8")
    for spec in declared().values():
        assert spec.caption in page or not spec.drawn
    parser = _Loads()
    parser.feed(page)
    assert [source for source in parser.found if not source.startswith("data:")] == []


@needs_browser
def test_the_report_opens_in_a_browser(smoke: Repository, tmp_path: Path):
    answer = smoke.run("all", "--report", str(tmp_path / "report.html"))
    assert answer.returncode == 0, answer.stderr
    with opened(tmp_path / "report.html") as (page, wrong):
        headings = page.get_by_text(re.compile(r"^\d\d "))
        headings.first.wait_for()
        told = list(dict.fromkeys(heading.inner_text() for heading in headings.all()))  # the front page names one too
        assert told == sorted(told)
        assert told[:2] == ["00 At a glance", "01 Claims"]
        headings.first.click()
        page.locator("a", has=page.locator("svg")).first.wait_for()
        rows = page.locator("tr").all_inner_texts()
        assert {row.split()[1] for row in rows if row.startswith("canonical")} == {"summary"}
        assert wrong == []


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_tables(smoke: Repository, tmp_path: Path):
    repository = Repository(tmp_path, CONFIG)
    draw = random.Random(2)
    first, second = draw.randint(1, 4), draw.randint(3, 6)

    attempt = start(repository)
    wait_until(attempt, lambda: finished_jobs(repository) >= first)
    time.sleep(draw.uniform(0, 2))
    kill_group(attempt)

    # The main process alone, in the middle of a long job: the job lives on, and the next run waits for it.
    started_s = time.time()
    attempt = start(repository)
    wait_until(attempt, lambda: measuring(repository, started_s))
    time.sleep(draw.uniform(0, 1))
    attempt.kill()
    attempt.wait()
    assert locked(repository.root / RESULTS / ".jobs.lock")

    attempt = start(repository)
    wait_until(attempt, lambda: finished_jobs(repository) >= second)
    assert "waiting for the last jobs of a killed run" in output(repository)
    time.sleep(draw.uniform(0, 2))
    kill_group(attempt)

    answer = repository.run("all", timeout_s=TIMEOUT_S)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert same_on_every_run(repository) == same_on_every_run(smoke)
    assert repository.plan() == {}
    assert [path for path in repository.root.rglob(".*") if LEFTOVER.fullmatch(path.name)] == []


def start(repository: Repository) -> subprocess.Popen[bytes]:
    with (repository.root / "output.txt").open("wb") as log:
        return subprocess.Popen(
            repository.command("all"),
            cwd=repository.root,
            env=repository.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def output(repository: Repository) -> str:
    return (repository.root / "output.txt").read_text()


def finished_jobs(repository: Repository) -> int:
    """Jobs that the present attempt has finished."""
    return output(repository).count("Finished jobid")


def measuring(repository: Repository, since_s: float) -> bool:
    """Whether a job of the present attempt measures a module: there is a log of it and no profile yet."""
    results = repository.root / RESULTS
    measured = {path.stem for path in (results / "local/profiles").glob("*.json")}
    logs = (results / "logs/profile_module").glob("*.log")
    return any(path.stem not in measured and path.stat().st_mtime > since_s for path in logs)


def wait_until(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    assert process.poll() is None, "the run ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
