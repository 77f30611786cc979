"""A change of the library reruns what uses it and nothing else, by Snakemake's own plan."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.workflow.repository import Repository, causes, rules


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository in which everything is up to date (the outputs are empty, Snakemake's records of them real)."""
    repository = Repository(tmp_path_factory.mktemp("repository"))
    repository.pretend_done()
    return repository


def with_code(text: str) -> str:
    return f"{text}\n\n_ADDED = 1\n"


def with_words(text: str) -> str:
    """Another first docstring, another text that stands alone, another comment, other layout."""
    return text.replace('"""', '"""Indeed: ', 1) + '\n\n\n# A comment.\n"""A text."""\n'


def test_an_algorithm_reruns_itself_its_subclasses_and_what_follows(done: Repository):
    with done.edited(with_code, "src/splitshare/placement/algorithms/s2m3_greedy.py"):
        plan = done.plan()
    changed = causes(plan)
    # The driver places anew after a loss, by the greedy too.
    assert set(changed) == {
        "solve_canonical",
        "solve_measured",
        "solve_local",
        "cloud_grid",
        "prompt_cache",
        "ablation",
        "emulate_every_run",
    }
    for rule, paths in ((rule, changed[rule]) for rule in ("solve_canonical", "solve_local")):
        assert all(path.startswith(f"results/{rule.removeprefix('solve_')}/placements/") for path in paths)
        assert {Path(path).parent.name for path in paths} == {"s2m3-greedy", "no-sharing", "sequential-routing"}
    drawn = {"latency", "timeline", "load", "link_models", "claims", "optimality", "effect_of_devices"}
    drawn |= {"cloud", "prompts", "greedy_readings", "measured_testbeds", "sharing_price"}
    drawn |= {"summary", "testbeds", "model_table"}
    followed = {"collect", "sweep", "timeline", "load_sweep", "load_tables", "figure_local_latency_local", "gallery"}
    drawn |= {"load_sweep", "latency_cdf", "utilisation_map"}
    followed |= {f"figure_canonical_{name}" for name in drawn}
    assert rules(plan) - set(changed) == followed


def test_a_figure_reruns_alone(done: Repository):
    with done.edited(with_code, "src/splitshare/figures/latency.py"):
        plan = done.plan()
    assert set(causes(plan)) == {"figure_canonical_latency", "figure_local_latency_local"}
    assert rules(plan) == {*causes(plan), "gallery"}


def test_words_rerun_nothing_wherever_they_are_changed(done: Repository):
    library = [str(path.relative_to(done.root)) for path in (done.root / "src").rglob("*.py")]
    assert len(library) > 50
    with done.edited(with_words, *library):
        assert done.plan() == {}


def test_a_builder_remeasures_its_own_modules(done: Repository):
    with done.edited(with_code, "src/splitshare/modules/clip_text.py"):
        changed = causes(done.plan())
    embedded = {rule for rule in changed if rule.startswith("embedded_")}
    assert {"embedded_evaluate", "embedded_profile_module"} <= embedded  # its models have text encoders too
    assert set(changed) - embedded == {"profile_module", "describe", "check_split", "emulate_every_run"}
    assert {Path(path).stem for path in changed["profile_module"]} == {
        "clip-text-512-to-1024@clip-rn50",
        "clip-text-512-to-512@clip-vit-b16",
    }


def test_the_measuring_code_remeasures_nothing(done: Repository):
    """Times are kept until somebody asks for new ones (``make remeasure``)."""
    with done.edited(with_code, *(f"src/splitshare/profiling/{name}.py" for name in ("measure", "timing", "worker"))):
        plan = done.plan()
    assert rules(plan) <= {"emulate_every_run"}  # whose workers can run modules for real


def test_new_times_are_taken_on_request_and_redo_this_machine_only(done: Repository):
    plan = done.plan("--forcerun", "profile_module")
    measured = {path for path in plan if plan[path].rule == "profile_module"}
    assert len(measured) == 10
    assert rules(plan) == {
        *("profile_module", "profile_machine", "instances_local", "solve_local", "collect"),
        *("figure_local_latency_local", "figure_local_profile"),
    }
    assert all(path.startswith("results/local/") for path in plan)


def test_without_a_local_testbed_nothing_is_measured(done: Repository):
    def without(text: str) -> str:
        text = re.sub(r"\nembedded:\n(  .*\n)+", "\n", text)
        return text.replace("local_testbed: local", "local_testbed: null")

    with done.edited(without, done.config):
        wanted = done.outputs()
    assert not rules(wanted) & {"profile_module", "profile_machine", "instances_local", "solve_local"}
    local = {path for path in wanted if path.startswith("results/local/")}
    assert {Path(path).parent.name for path in local} == {"emulation"}


def test_a_result_that_was_edited_behind_the_workflow_s_back_is_named_and_made_again(done: Repository):
    assert done.plan() == {}
    instance = done.root / "results" / "canonical" / "instances" / "retrieval-vqa.laptop-jetson.json"
    before = instance.stat()
    instance.write_text("{}")
    os.utime(instance, ns=(before.st_atime_ns, before.st_mtime_ns))
    answer = done.run("all", "--summary")
    named = [line for line in answer.stderr.splitlines() if "is not what its job wrote" in line]
    assert [line.split()[0] for line in named] == [str(instance.relative_to(done.root))]
    assert done.plan()[str(instance.relative_to(done.root))].rule == "instances_canonical"
    assert {"solve_canonical", "collect"} <= rules(done.plan())
    forced = done.plan("--forcerun", "describe")  # what the run itself forces is added to it
    assert {"describe", "instances_canonical"} <= rules(forced)
    assert "profile_module" not in rules(forced)
    instance.write_text("")
    os.utime(instance, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert done.plan() == {}


OUTSIDE = """
class First:
    name = "outside-first"

    def place(self, instance, *, seed, time_limit):
        return None
"""


def test_an_algorithm_of_another_package_is_solved_in_the_workflow(done: Repository):
    (done.root / "src/outside.py").write_text(OUTSIDE)
    about = done.root / "src/outside-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[splitshare.placement]\noutside-first = outside:First\n")

    def with_outside(text: str) -> str:
        assert text.count("\nalgorithms:\n") == 1
        return text.replace("\nalgorithms:\n", "\nalgorithms:\n  - outside-first\n")

    with done.edited(with_outside, done.config):
        solved = {path for path, planned in done.plan().items() if planned.rule == "solve_canonical"}
        assert {Path(path).parent.name for path in solved} == {"outside-first"}
    shutil.rmtree(about)
    with done.edited(with_outside, done.config):
        told = done.run("all", "--dry-run")
        assert told.returncode == 2
        assert "algorithms[0]: unknown algorithm 'outside-first'" in told.stderr


def test_loads_are_swept_by_jobs_of_few_seeds(done: Repository):
    """A job a testbed, method and few seeds; more seeds add jobs, and run no part again that is there."""
    parts = {path for path, output in done.outputs().items() if output.rule == "load_sweep"}
    folders = {Path(path).parent for path in parts}
    assert len(folders) == 2 * 4 * 2  # testbeds, methods, chunks of seeds
    with done.edited(lambda text: text.replace("\n  seeds: 6\n", "\n  seeds: 8\n"), done.config):
        plan = done.plan()
    more = {Path(path).parent.name for path, output in plan.items() if output.rule == "load_sweep"}
    assert more == {"6"}
    assert "load_tables" in rules(plan)


def test_without_a_sweep_of_load_its_figures_are_not_drawn(done: Repository):
    def without(text: str) -> str:
        return re.sub(r"\nload_sweep:\n(  .*\n)+", "\n", text)

    with done.edited(without, done.config):
        wanted = rules(done.outputs())
    assert "figure_canonical_load" in wanted
    assert not {"load_sweep", "load_tables", "figure_canonical_load_sweep", "figure_canonical_latency_cdf"} & wanted
