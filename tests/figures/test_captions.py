"""Captions: what every figure tells beside what is to be seen."""

import re
from pathlib import Path

import pandas as pd
import pytest

from splitshare.commands.gallery import Options
from splitshare.errors import InputError
from splitshare.figures.declaration import CATEGORIES
from splitshare.figures.registry import figures
from splitshare.jsonl import read_lines
from splitshare.onloading.instance import OnloadingInstance
from splitshare.stages import gallery

COMMITTED = Path(__file__).parents[2] / "paper_figures"
DRAWN = {name: figure for figure in figures().values() if "canonical" in figure.scopes for name in figure.drawn}


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_tells_what_it_shows_what_is_seen_and_what_it_rests_on(name):
    figure, caption = DRAWN[name], (COMMITTED / f"{name}.caption.txt").read_text()
    assert caption.startswith(f"{figure.caption} {figure.takeaway}")
    facts = caption.removeprefix(f"{figure.caption} {figure.takeaway}").strip()
    if not figure.tells_itself:
        assert re.search(r"n = \d+|Recorded on|Times|requests a trace", facts), caption
    in_latex = (COMMITTED / f"{name}.figure.tex").read_text()
    assert f"{{{name}.pdf}}" in in_latex


def test_facts_are_those_of_the_data():
    caption = (COMMITTED / "optimality.caption.txt").read_text()
    table = pd.read_csv(COMMITTED / "optimality.csv").query("testbed == '(all)' and method == 's2m3-greedy'")
    assert f"n = {table['instances'].iloc[0]} instances: 19 workloads on " in caption
    assert "% assumed. Seed 0." in caption
    suite = pd.read_csv(COMMITTED / "onloading_run_time.csv")
    assert f"Suite of n = {len(suite)} seeded instances" in (COMMITTED / "onloading_accuracy.caption.txt").read_text()


def test_studies_are_of_an_instance_of_the_suite_and_their_captions_count_what_is_there():
    baselines = COMMITTED.parent / "data" / "baselines"
    studied = OnloadingInstance.read(baselines / "studies" / "instance.json")
    assert studied in read_lines(OnloadingInstance, baselines / "onloading_instances.jsonl")
    for name, what, count in (
        (
            "onloading_headroom",
            "Replays of each point",
            pd.read_csv(COMMITTED / "onloading_headroom.csv")["seed"].max() + 1,
        ),
        (
            "onloading_robustness",
            "the mean one among them",
            pd.read_csv(COMMITTED / "onloading_robustness.csv")["draw"].max() + 1,
        ),
        (
            "onloading_over_time",
            "Spans",
            (pd.read_csv(COMMITTED / "onloading_over_time.csv")["policy"] == "keep").sum(),
        ),
    ):
        caption = (COMMITTED / f"{name}.caption.txt").read_text()
        assert f"{len(studied.clients)} clients and {len(studied.servers)} servers" in caption
        assert f"{what}: n = {count}." in caption


def test_what_is_drawn_from_one_zoo_tells_of_that_zoo_alone():
    swept = (COMMITTED / "onloading_sweep.caption.txt").read_text()
    assert "means over seeds 11 and 12" in swept
    assert "Times of models: 50% published, 50% derived." in swept  # nothing of the trained zoo, which is measured
    assert "% measured" in (COMMITTED / "onloading_accuracy.caption.txt").read_text()


def test_the_gallery_has_every_figure_claims_first():
    page = (COMMITTED / "README.md").read_text()
    headings = re.findall(r"^## (.*)$", page, flags=re.MULTILINE)
    assert headings == [heading for heading in CATEGORIES if heading in headings]
    assert page.index("### summary") < page.index("### claims")
    assert set(re.findall(r"!\[[^\]]*\]\((\w+)\.png\)", page)) == set(DRAWN)
    for target in re.findall(r"\]\(([^)]+)\)", page):
        assert (COMMITTED / target).is_file(), target


def test_no_committed_table_is_empty():
    assert [path.name for path in COMMITTED.glob("*.csv") if pd.read_csv(path).empty] == []


def test_an_empty_folder_has_no_gallery(tmp_path):
    with pytest.raises(InputError, match="has no figure"):
        gallery.run(Options(tmp_path, tmp_path / "README.md"))
    assert not (tmp_path / "README.md").exists()
