"""Every command that the Makefile, the README and the docs promise is executed, planned or at least read.

A target or a block that is in none of the tables here fails: whoever adds one says how it is held.
"""

import fnmatch
import json
import re
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.docs import commands
from tests.docs.commands import PAGES, ROOT, Block, blocks, make_targets, mistakes, named_commands, parse
from tests.docs.test_python import EXECUTED as EXECUTED_PAGES
from tests.docs.test_walks import WALKED
from tests.workflow.repository import Repository

PAPER = "v/bin/python workflow/run.py --config-file config/paper.yaml --cores all"
RUN = "v/bin/python workflow/run.py --cores all --config-file config/config.yaml"
STAGES = ("profiles", "instances", "embedded", "solve", "replay", "emulate", "fidelity", "onloading", "figures")
PLACEMENT = (
    *("s2m3-greedy", "local", "random", "first-fit", "best-fit", "worst-fit", "heft", "cpop"),
    *("greedy-local-search", "simulated-annealing"),
)
WORST_FROM = ("memory-tight", "communication-bound", "heavy-sharing", "min-max")
WORST_OF = ["s2m3-greedy", "heft", "cpop", "peft", "min-min", "max-min", "sufferage", "best-fit", "greedy-local-search"]
ONLOADING = (
    *("optimum-highs", "optimum-gurobi", "j3o-batching", "j3o-decomposed", "j3o", "lp-rounding"),
    *("accuracy-greedy", "density-greedy", "random", "edge-only", "local-only", "cloud-only"),
)
LOCK = (
    "v/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "
    "--quiet --override v/overrides.txt"
)
RECORD = " ".join(("-o data/baselines", *(f"--method {name}" for name in PLACEMENT)))

EXECUTED = {  # by a test below, or where it says
    "help": "here",
    "schemas": "here",
    "record-profiles": "here",
    "pin": "here",
    "compare": "here",
    "clean": "here",
    "docs": "tests/docs/test_site.py",
    "smoke": "tests/workflow/test_smoke.py",
}
# What `make -n` says of the others, which take minutes, measure this machine or would start this test again. Lines of
# the workflow are planned by Snakemake, those of splitshare are read by its command line.
EXPECTED = {
    "install": [],
    "reproduce": [f"{RUN} all"],
    **{stage: [f"{RUN} {stage}"] for stage in STAGES},
    "benchmarks": [
        "v/bin/splitshare benchmarks --check",
        'mkdir -p results/paper/ && echo "" > results/paper/samples',
        f"{PAPER} benchmarks --keep-going",
    ],
    "accuracy": [f"{PAPER} accuracy"],
    "report": [f"{RUN} all explore", f"{RUN} all explore --report results/report.html"],
    "remeasure": [f"{RUN} all --forcerun profile_module"],
    "lock": [
        "echo \"torch ; sys_platform == 'never'\" > v/overrides.txt",
        f"{LOCK} --extra all --output-file requirements.lock",
        f"{LOCK} --extra dev --output-file requirements-dev.lock",
    ],
    "record-machine-profile": ["v/bin/splitshare record-profile --budget-s 0.3 -o profiles"],
    "record-split": [
        "v/bin/splitshare check-split -o results/local/record-split",
        "cp results/local/record-split/split_equivalence.csv data/baselines/",
    ],
    "record-baselines": [
        f"{RUN} instances",
        f"v/bin/splitshare record results/canonical/instances/*.json --family s2m3 {RECORD}",
        "v/bin/splitshare random-instances --name random-tuning --first-seed 0 -o results/random/tuning",
        f"v/bin/splitshare record $(ls -v results/random/tuning/*.json) --family random-tuning {RECORD}",
        "v/bin/splitshare random-instances --name random-test --first-seed 10000 -o results/random/test",
        f"v/bin/splitshare record $(ls -v results/random/test/*.json) --family random-test {RECORD}",
    ],
    "record-families": [
        "v/bin/splitshare record-families -o data/baselines",
        "v/bin/splitshare record-families -o data/baselines --only-best --method optimum-builtin --time-limit-s 60",
    ],
    "record-adversarial": [
        "rm -rf results/adversarial",
        *(
            f"v/bin/splitshare random-instances --rules {rules} --name {rules} --first-seed 0 --count 1 "
            "-o results/adversarial/starts"
            for rules in WORST_FROM
        ),
        "v/bin/splitshare adversarial "
        + " ".join(f"results/adversarial/starts/{rules}-0.json" for rules in WORST_FROM)
        + "".join(f" --of {name} --against {name}" for name in WORST_OF)
        + " --against optimum-builtin --steps 150 --processes 2 -o results/adversarial",
        "rm -rf data/adversarial",
        "mkdir -p data/adversarial",
        "cp results/adversarial/instances/*-against-optimum*.json data/adversarial/",
        "cp results/adversarial/worst.csv data/baselines/adversarial.csv",
    ],
    "record-onloading": [
        "v/bin/splitshare record data/baselines/onloading_instances.jsonl --family j3o --time-limit-s 30 "
        "-o data/baselines " + " ".join(f"--method {name}" for name in ONLOADING)
    ],
    "record-huge": [
        "v/bin/splitshare onloading huge data/zoos/published.json --most-clients 1000 -o results/huge/to-1000",
        "v/bin/splitshare record $(ls -v results/huge/to-1000/*.json) --time-limit-s 60 -o data/baselines/huge "
        "--method optimum-highs --method j3o-batching",
        "v/bin/splitshare onloading huge data/zoos/published.json -o results/huge/all",
        "v/bin/splitshare record $(ls -v results/huge/all/*.json) --time-limit-s 120 -o data/baselines/huge "
        "--method j3o-decomposed",
    ],
    "record-studies": [
        'v/bin/python -c \'import splitshare; i = {i.name: i for i in splitshare.instances("j3o")}'
        '["medium-06-batching"]; i.write("results/studies/instance.json")\'',
        "v/bin/splitshare onloading headroom results/studies/instance.json -o results/studies/headroom",
        "v/bin/splitshare onloading uncertain results/studies/instance.json --samples 40 --draws 40 "
        "-o results/studies/uncertain",
        "v/bin/splitshare onloading follow results/studies/instance.json -o results/studies/follow",
        "mkdir -p data/baselines/studies",
        "cp results/studies/instance.json data/baselines/studies/",
        "cp results/studies/headroom/replays.csv data/baselines/studies/headroom.csv",
        "cp results/studies/uncertain/draws.csv data/baselines/studies/uncertain.csv",
        "cp results/studies/follow/over_time.csv data/baselines/studies/follow.csv",
    ],
    "record-robustness": [
        f"{RUN} instances",
        "v/bin/splitshare robustness --modules results/canonical/modules.json "
        + " ".join(f"--profile profiles/{path.name}" for path in sorted((ROOT / "profiles").glob("*.json")))
        + " -o data/baselines/robustness.csv",
    ],
    "record-accuracy": [
        f"{RUN} embedded",
        "v/bin/splitshare embedded evaluate results/local/embedded/weights --precision float16 --precision bfloat16 "
        "-o results/local/embedded_accuracy_by_precision.json",
        "v/bin/splitshare embedded record results/local/embedded_accuracy_by_precision.json "
        "-o data/baselines/accuracy.json",
    ],
    "record-zoo": ["v/bin/splitshare onloading train-zoo --work results/zoo -o data/zoos/trained.json"],
    "record-perception": [
        "v/bin/splitshare onloading perception-zoo data/published/multitask_zoo.csv --work results/perception "
        "-o data/perception --zoo data/zoos/perception.json",
    ],
    "record-emulation": [
        f"{RUN} fidelity --forcerun emulate_campaign emulate_real emulate_namespaces emulate_batches measure_shaping",
        "mkdir -p data/baselines/emulation",
        "cp results/local/fidelity/*.csv results/local/fidelity-real/causes.csv"
        " results/local/fidelity-real/computing.csv data/baselines/emulation/",
        "cp results/local/fidelity-batches/fidelity.csv data/baselines/emulation/fidelity-batches.csv",
        "cp results/local/shaping/proxy.csv data/baselines/emulation/shaping-proxy.csv",
        "if [ -f results/local/shaping/namespaces.csv ]; then"
        " cp results/local/shaping/namespaces.csv data/baselines/emulation/shaping-namespaces.csv &&"
        " cp results/local/fidelity-namespaces/fidelity.csv data/baselines/emulation/fidelity-namespaces.csv; fi",
    ],
    "test": [
        'v/bin/pytest -m "not slow and not gpu and not network and not alone" --numprocesses 2 --dist loadfile '
        '&& v/bin/pytest -m "not slow and not gpu and not network and alone"',
    ],
    "test-all": [
        'v/bin/pytest -m "not gpu and not network and not alone" --numprocesses 2 --dist loadfile '
        '&& v/bin/pytest -m "not gpu and not network and alone"',
    ],
    "lint": [
        "v/bin/ruff format --check src tests workflow benchmarks docs",
        "v/bin/ruff check src tests workflow benchmarks docs",
        "v/bin/mypy",
        "v/bin/snakefmt --check Snakefile workflow",
        "v/bin/python workflow/lint.py",
        "v/bin/codespell",
        "v/bin/reuse lint --quiet",
    ],
    "coverage": [
        'v/bin/pytest -m "not slow and not gpu and not network and not alone" --numprocesses 2 --dist loadfile '
        "--cov --cov-report=html:results/coverage --cov-report=term:skip-covered"
    ],
}

# How each block is held, by its page and first line: "walk" (executed by test_walks.py), "run" (executed below),
# "plan" (planned by Snakemake below), "targets" (of make, see above), "read" (by the command line, and why), "drawing".
BLOCKS = {
    ("README.md", "$ make reproduce    # everything, end to end: measure, place, prove, replay, draw"): "targets",
    ("docs/house.md", "data/catalogue ──> modules ─────> profiles ──────> instances ──────> placements"): "drawing",
    ("docs/first-steps.md", "$ pip install ."): "read: by tests/test_package.py in an environment of its own",
    ("docs/workflow.md", "$ source .venv/bin/activate"): "run",
    ("docs/workflow.md", "$ snakemake --workflow-profile workflow/profiles/slurm"): "read: needs a cluster",
    ("docs/workflow.md", "$ aws s3 sync data"): "read: needs a cluster and a bucket",
    ("docs/workflow.md", "$ apt-get install --yes munge"): "read: tests/workflow/test_clusters.py runs it",
    ("docs/accuracy.md", "$ make benchmarks SAMPLES=500"): "targets",
    ("docs/accuracy.md", "$ snakemake benchmarks --cores all"): "plan",
    ("docs/accuracy.md", "$ splitshare benchmarks food-101"): "read: needs the network, and hours",
    ("docs/onloading-problem.md", "splitshare onloading suite"): "read: tests/onloading/test_generate.py draws it",
    ("docs/workflow.md", "$ splitshare init my-study"): "run",
    (
        "docs/placement-problem.md",
        "splitshare compare",
    ): "read: minutes; tests/placement/test_heuristics.py has what it runs",
    ("README.md", "$ splitshare compare --algorithm mine.py:NearestFirst"): "run",
    ("docs/real-testbed.md", "splitshare worker jetson --listen 0.0.0.0:47302"): "read: waits for other machines",
    ("docs/real-testbed.md", "pip wheel --no-deps packages/worker"): "read: tests/test_worker_package.py installs it",
    ("docs/placement-problem.md", "splitshare solve docs/examples/two-devices.json --algorithm o"): (
        "read: tests/placement/test_branching.py"
    ),
    ("docs/placement-problem.md", "splitshare solve docs/examples/two-devices.json --algorithm r"): (
        "read: tests/placement/test_ruin_and_recreate.py"
    ),
    ("docs/real-testbed.md", "openssl req -x509"): "run",
    ("docs/your-own-models.md", "schema: splitshare.family/1"): "read: tests/checkpoints/test_cut.py holds it",
    ("docs/your-own-models.md", 'pip install "splitshare[measure'): "read: tests/workflow/test_own_models.py runs it",
    ("docs/your-own-models.md", "schema: splitshare.testbed/1"): "read: tests/workflow/test_own_models.py runs it",
    ("docs/your-own-models.md", "splitshare catalogue ../clip ../vit"): "read: tests/benchmarks/test_own_models.py",
    ("docs/your-own-models.md", "splitshare describe --data models"): "read: tests/workflow/test_own_models.py runs it",
}


def held(block: Block) -> str:
    """The class of a block, or the empty string."""
    if block.language == "bash" and Path(block.page).name in WALKED:
        return "walk"
    if block.language == "python" and block.page in EXECUTED_PAGES:
        return "python: executed by test_python.py"
    found = [kind for (page, first), kind in BLOCKS.items() if block.page == page and block.first.startswith(first)]
    return found[0] if len(found) == 1 else ""


def of_kind(kind: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if held(block).partition(":")[0] == kind]


def told(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `make -n` would run, the environment being there as ``v``."""
    (tmp_path / "v").mkdir(exist_ok=True)
    (tmp_path / "v" / ".installed").touch()
    return subprocess.run(
        ["make", "-n", f"VENV={tmp_path}/v", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def lines(answer: subprocess.CompletedProcess[str], tmp_path: Path) -> list[str]:
    assert answer.returncode == 0, answer.stderr
    joined = answer.stdout.replace("\\\n", " ").replace(f"{tmp_path}/v/", "v/")
    found = [re.sub(r" +", " ", line).strip() for line in joined.splitlines()]
    return [line for line in found if not line.startswith("make: Nothing to be done")]


# Make


def test_every_target_is_in_one_table_and_listed_wherever_targets_are(tmp_path: Path) -> None:
    targets = set(make_targets())
    assert Counter([*EXECUTED, *EXPECTED]) == Counter(targets)
    makefile = (ROOT / "Makefile").read_text()
    rules = {name for names in re.findall(r"^([a-z][a-z -]*):", makefile, flags=re.MULTILINE) for name in names.split()}
    assert rules == targets  # none without a description
    assert Counter(re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)[0].split()) == Counter(targets)
    helped = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert dict(line.split(maxsplit=1) for line in helped.splitlines()) == make_targets()
    table = (ROOT / "docs/workflow.md").read_text().partition("| target | does |")[2].partition("\n\n")[0]
    first = [cell for row in table.splitlines()[2:] for cell in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert Counter(cell.removeprefix("make ").split()[0] for cell in first) == Counter(targets)


@pytest.mark.parametrize("target", EXPECTED)
def test_make_runs_what_is_expected(target: str, tmp_path: Path) -> None:
    assert lines(told(tmp_path, target), tmp_path) == EXPECTED[target]


def test_options_reach_every_target_that_runs_the_workflow(tmp_path: Path) -> None:
    given = ("CORES=1", "CONFIG=config/paper.yaml")
    of_workflow = [name for name, expected in EXPECTED.items() if any(RUN in line for line in expected)]
    assert len(of_workflow) > 12
    for target in of_workflow:
        answer = told(tmp_path, target, *given)
        if target.startswith("record-"):  # what is committed is of the default configuration
            assert answer.returncode == 2, target
            assert f"{target} writes committed files, from config/config.yaml: leave CONFIG out" in answer.stderr
        else:
            assert RUN.replace("all", "1").replace("config/config", "config/paper") in lines(answer, tmp_path)[0]
    assert told(tmp_path, "pin", given[1]).returncode == 2
    assert told(tmp_path, "record-profiles", given[1]).returncode == 2
    machine = lines(told(tmp_path, "record-machine-profile", "MACHINE=mine"), tmp_path)
    assert machine == ["v/bin/splitshare record-profile --device-name mine --budget-s 0.3 -o profiles"]


def test_smoke_and_compare_refuse_what_they_would_get_wrong(tmp_path: Path) -> None:
    smoke = RUN.replace("config/config", "config/smoke")
    assert lines(told(tmp_path, "smoke"), tmp_path) == [f"{smoke} all"]
    assert lines(told(tmp_path, "smoke", "CORES=1"), tmp_path) == [f"{smoke.replace('--cores all', '--cores 1')} all"]
    answer = told(tmp_path, "smoke", "CONFIG=config/paper.yaml")
    assert answer.returncode == 2
    assert "smoke has a configuration of its own" in answer.stderr
    answer = told(tmp_path, "compare")
    assert answer.returncode == 2
    assert "name it: make compare ALGORITHM=mine.py:Mine" in answer.stderr
    given = lines(told(tmp_path, "compare", "ALGORITHM=mine.py:Mine", "CONFIG=config/smoke.yaml"), tmp_path)
    assert given == [f"""{smoke} compare --config 'compared=["mine.py:Mine"]'"""]


def test_a_missing_environment_is_made_from_the_lock(tmp_path: Path) -> None:
    for target in make_targets().keys() - {"help", "clean"}:
        answer = subprocess.run(
            ["make", "-n", f"VENV={tmp_path}/none", "ALGORITHM=a", target],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        first = answer.stdout.splitlines()[:5]
        pip = f"{tmp_path}/none/bin/pip install --quiet --disable-pip-version-check"
        assert first == [
            f"python3.11 -m venv {tmp_path}/none",
            f"{pip} --require-hashes --requirement requirements-dev.lock",
            f"{pip} --requirement requirements-torch.lock",
            f"{pip} --no-deps --editable .",
            f"touch {tmp_path}/none/.installed",
        ], target


def test_the_command_line_reads_every_line_of_make() -> None:
    of_splitshare = [line for expected in EXPECTED.values() for line in expected if "/bin/splitshare " in line]
    assert len(of_splitshare) > 8
    for line in of_splitshare:
        parse(line)


def test_what_make_records_is_what_is_recorded() -> None:
    """The lists of methods in the Makefile (held against the expected lines above) and the records."""
    placements = pd.read_parquet(ROOT / "data/baselines/placements.parquet")
    assert set(placements["method"]) == {*PLACEMENT, "optimum"}
    assert set(pd.read_csv(ROOT / "data/baselines/onloading.csv")["method"]) == set(ONLOADING)


# Blocks and prose


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_held_by_something(page: str) -> None:
    assert [(block.page, block.first) for block in blocks(page) if not held(block)] == []


def test_the_tables_name_no_block_that_is_gone() -> None:
    there = [block for page in PAGES for block in blocks(page)]
    for page, first in BLOCKS:
        assert sum(block.page == page and block.first.startswith(first) for block in there) == 1, first
    assert {Path(block.page).name for block in of_kind("walk")} == WALKED


def test_the_command_line_reads_every_block_of_the_docs() -> None:
    read = [
        line.split(" > ")[0]
        for page in PAGES
        for block in blocks(page)
        for line in block.commands
        if line.startswith("splitshare ")
    ]
    assert len(read) > 30
    for line in read:
        parse(line.split(";")[0])
        for word in shlex.split(line, comments=True):
            if word.startswith(("data/", "config/")) and "$" not in word:
                assert (ROOT / word).exists() or word == "data/testbeds/office.yaml", line  # which the walk writes


def test_the_targets_of_blocks_are_targets() -> None:
    named = [line.split("#")[0].split()[1] for block in of_kind("targets") for line in block.commands]
    assert named == ["reproduce", "test", "benchmarks", "accuracy"]
    assert set(named) <= set(make_targets())


@pytest.mark.parametrize("page", PAGES)
def test_what_prose_names_is_there(page: str) -> None:
    assert mistakes((ROOT / page).read_text(), (ROOT / page).parent) == []


@pytest.mark.parametrize(
    ("prose", "problem"),
    [
        ("run `make smok`", "no target smok"),
        ("run `make compare ALGORITM=x`", "no variable ALGORITM"),
        ("run `splitshare solv x`", "no command solv"),
        ("run `splitshare solve --algoritm x`", "solve has no option --algoritm"),
        ("run `splitshare onloading\nstudy --sizes x`", "onloading study has no option --sizes"),
        ("run `splitshare onloading stdy`", "onloading has no command stdy"),
        ("run `emulate --run FILE`", "emulate has no option --run"),
        ("with `--netwrk proxy`", "no command has this option"),
        ("with `--network wire`", "no command takes 'wire' there"),
        ("see `splitshare.replay.batches`", "no such module"),
        ("see `batches.py`", "no such file of the library"),
        ("see `data/none.yaml`", "no such file"),
        ("see `profiles/<hardware>.yaml`", "no such file"),
        ("see [it](docs/none.md)", "link to docs/none.md"),
    ],
)
def test_a_promise_that_nothing_keeps_is_found(prose: str, problem: str) -> None:
    found = mistakes(prose, ROOT)
    assert len(found) == 1
    assert problem in found[0]


def test_what_code_tells_its_user_to_run_is_there() -> None:
    files = [ROOT / "Makefile", ROOT / "Snakefile"]
    for pattern in ("src/**/*.py", "workflow/**/*.py", "workflow/**/*.smk", "config/*.yaml", "data/**/*.yaml"):
        files += ROOT.glob(pattern)
    named = [(path, span) for path in files for span in named_commands(path.read_text())]
    assert len(named) > 30
    check = {"make": commands.of_make, "splitshare": commands.of_splitshare}
    wrong = [(path.name, span, check[span.split()[0]](span.split()[1:])) for path, span in named]
    assert [entry for entry in wrong if entry[2]] == []


# What takes longer: about 4 minutes in all, on two busy cores


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("copy"))


def succeeded(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


@pytest.mark.slow
def test_the_workflow_plans_every_line_of_make(copy: Repository) -> None:
    """Rules that are to run by force exist, too, which Snakemake does not check, and what is copied is made."""
    planned = {line for expected in EXPECTED.values() for line in expected if RUN in line and "--report" not in line}
    assert len(planned) > 10
    rules = set(succeeded(copy.run("--list-rules")).split())
    for line in sorted(planned):
        arguments = shlex.split(line.removeprefix(RUN))
        if "--forcerun" in arguments:
            assert set(arguments[arguments.index("--forcerun") + 1 :]) <= rules
        assert "This was a dry-run" in succeeded(copy.run(*arguments, "--dry-run")), line
    summary = succeeded(copy.run("fidelity", "--summary"))
    made = [line.split("\t")[0] for line in summary.splitlines() if "\t" in line]
    copied = re.findall(r"(results/local/\S+\.csv)", " ".join(EXPECTED["record-emulation"]))
    assert len(copied) > 5
    assert [path for path in copied if not fnmatch.filter(made, path)] == []


@pytest.mark.slow
def test_results_that_prose_names_are_made(copy: Repository) -> None:
    made = [*copy.outputs(), "results/report.html", "results/smoke/config.json"]
    assert len(made) > 300
    beside = {
        "results/*/runs",  # tables of run times beside the placements
        *(
            "results/compare",
            "results/side-by-side",
            "results/held-out",
            "results/heavy-sharing",
        ),  # the verdicts of the walks
        *("results/site", "results/site/index.html", "results/coverage"),  # by make
        "results/paper/figures/accuracy.csv",  # with a network, by config/paper.yaml
        "results/digests",  # what `splitshare shared` keeps
        *("results/own/placements.csv", "results/own/replay"),  # of a study with models of its own
        "results/job_outputs.json",  # written by the run itself
    }
    for page in PAGES:
        for named in commands.named_results((ROOT / page).read_text()):
            there = named in beside or any(
                fnmatch.fnmatch(path, named) or path.startswith(f"{named}/") for path in made
            )
            assert there, f"{page}: {named}"


@pytest.mark.slow
def test_the_workflow_plans_the_snakemake_lines_of_the_docs(copy: Repository) -> None:
    (block,) = of_kind("plan")
    assert len(block.commands) == 2
    for line in block.commands:
        assert "This was a dry-run" in succeeded(copy.shell(f"{line.split('#')[0]} --dry-run")), line


@pytest.mark.slow
def test_the_stages_of_the_docs_by_hand(copy: Repository) -> None:
    (copy.root / ".venv").symlink_to(copy.venv)
    stages = next(block for block in of_kind("run") if block.first == "$ source .venv/bin/activate")
    assert len(stages.commands) == 10
    succeeded(copy.shell("\n".join(stages.commands), timeout_s=600))
    greedy, optimum = (json.loads((copy.root / name).read_text()) for name in ("greedy.json", "optimum.json"))
    assert optimum["status"] == "optimal"
    assert 0 < optimum["objective"] <= greedy["objective"] * (1 + 1e-9)
    assert (
        len(pd.read_parquet(copy.root / "replay.parquet")) == len(pd.read_parquet(copy.root / "trace.parquet")) == 2000
    )


@pytest.mark.slow
def test_the_algorithm_of_the_readme_by_hand_and_by_make(copy: Repository) -> None:
    written = next(block for block in of_kind("python") if block.page == "README.md")
    (copy.root / "mine.py").write_text(written.text.partition("\n\nprint(")[0] + "\n")
    judged = next(block for block in of_kind("run") if block.first.startswith("$ splitshare compare"))
    answer = succeeded(copy.shell("\n".join(judged.commands), timeout_s=300))
    assert "nearest-first places " in answer
    answer = succeeded(copy.make("compare", "ALGORITHM=mine.py:NearestFirst", timeout_s=300))
    assert "nearest-first places " in answer
    verdict = json.loads((copy.root / "results/compare/mine.py:NearestFirst/verdict.json").read_text())
    assert verdict["method"] == "nearest-first"


@pytest.mark.slow
def test_certificates_as_the_docs_make_them(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    block = next(block for block in of_kind("run") if block.first.startswith("openssl"))
    subprocess.run(["bash", "-euc", block.text], cwd=tmp_path, check=True, capture_output=True)
    checked = subprocess.run(
        ["openssl", "verify", "-CAfile", "ca.pem", "jetson.pem"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert checked.stdout == "jetson.pem: OK\n"
    (worker,) = next(block for block in of_kind("read") if block.first.startswith("splitshare worker")).commands
    given = parse(worker)
    assert {str(given[name]) for name in ("tls_certificate", "tls_key", "tls_ca")} <= {
        p.name for p in tmp_path.iterdir()
    }


@pytest.mark.slow
def test_what_make_writes_again_is_what_is_committed(copy: Repository) -> None:
    for target in ("schemas", "record-profiles", "pin"):
        succeeded(copy.make(target, timeout_s=300))
    for folder in ("schemas", "profiles", "data"):
        again = {path.relative_to(copy.root) for path in (copy.root / folder).rglob("*") if path.is_file()}
        committed = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert again == committed
        assert [p for p in again if (copy.root / p).read_bytes() != (ROOT / p).read_bytes()] == []


@pytest.mark.slow
def test_pin_follows_a_meant_change_and_clean_leaves_nothing(copy: Repository) -> None:
    """Also after the workflow has refused the change, and has taken away the instances that it had made before."""
    path = copy.root / "data/testbeds/laptop-jetson.yaml"
    pins = copy.root / "data/baselines/instances.json"
    before, pinned = path.read_text(), json.loads(pins.read_text())["instances"]
    testbed = yaml.safe_load(before)
    testbed["links"][0]["latency_s"] *= 2
    path.write_text(yaml.safe_dump(testbed, sort_keys=False))
    try:
        refused = copy.run("instances_canonical")
        assert refused.returncode == 1
        assert "run `make pin`" in refused.stdout + refused.stderr
        succeeded(copy.make("pin"))
        now = json.loads(pins.read_text())["instances"]
        changed = {name for name in pinned if now[name] != pinned[name]}
        assert now.keys() == pinned.keys()
        assert changed == {name for name in pinned if name.endswith(".laptop-jetson")}
        succeeded(copy.run("instances_canonical"))
    finally:
        path.write_text(before)
    succeeded(copy.make("clean"))
    assert not (copy.root / "results").exists()
    assert not (copy.root / ".snakemake").exists()
