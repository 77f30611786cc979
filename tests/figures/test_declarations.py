"""Figures as their files declare them: found without being imported, given what they name and nothing else."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.code_digest import SOURCES, code_digest
from splitshare.config import Config
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs, UndeclaredError
from splitshare.figures.registry import figures

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src/splitshare/figures"
EXAMPLE = """
from splitshare.figures.declaration import Declaration

DECLARATION = Declaration(
    name="mine", category="Ours", tables=("mine",), caption="A table.", takeaway="Something is to be seen.", {more}
)
"""


def test_listing_figures_imports_no_drawing():
    program = "import sys; from splitshare.figures.registry import figures; figures()\n"
    program += "print([m for m in ('pandas', 'matplotlib', 'seaborn', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_new_figure_is_one_file(tmp_path):
    (tmp_path / "mine.py").write_text(EXAMPLE.format(more='drawn=("mine",)'))
    declared = figures(tmp_path)["mine"]
    assert (declared.module, declared.scopes) == ("mine", ("canonical",))
    assert declared.files() == ["mine.csv", "mine.png", "mine.pdf", "mine.caption.txt", "mine.figure.tex"]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("colour=1", r"mine.py, line 4: .*unexpected keyword argument 'colour'"),
        ("inputs=tuple(FILES)", r"mine.py, line 4: malformed node"),
    ],
)
def test_a_wrong_declaration_names_its_place(tmp_path, more, complaint):
    (tmp_path / "mine.py").write_text(EXAMPLE.format(more=more))
    with pytest.raises(ValueError, match=complaint):
        figures(tmp_path)


def test_a_name_that_is_declared_twice_is_refused(tmp_path):
    for name in ("mine.py", "yours.py"):
        (tmp_path / name).write_text(EXAMPLE.format(more=""))
    with pytest.raises(ValueError, match=r"yours.py: the figure 'mine' is declared in mine.py too"):
        figures(tmp_path)


def test_what_is_not_declared_is_not_given(tmp_path):
    declared = Declaration(
        name="mine",
        module="mine",
        category="Ours",
        tables=("mine",),
        caption="A table.",
        takeaway="Nothing.",
        inputs=("placements.csv",),
    )
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "placements.csv", index=False)
    config = Config.read(ROOT / "config/config.yaml")
    inputs = Inputs(declared, tmp_path, config, load_catalog(ROOT / "data"))
    assert inputs.csv("placements.csv")["a"].tolist() == [1]
    for read in (
        lambda: inputs.csv("cloud_grid.csv"),
        lambda: inputs.record("proofs.csv"),
        inputs.descriptions,
        inputs.accuracy,
        lambda: inputs.device_profile("jetson-nano"),
        inputs.all_profiles,
        inputs.zoos,
    ):
        with pytest.raises(UndeclaredError, match=r"'mine' reads .*; declare it in figures/mine.py: "):
            read()


def test_every_figure_says_what_is_to_be_seen_and_names_a_claim_that_there_is():
    claims = set(pd.read_csv(ROOT / "paper_figures/claims.csv")["claim"])
    for figure in figures().values():
        assert figure.takeaway.endswith(".")
        assert not re.search(r"\d", figure.takeaway.replace("S2M3", "").replace("J3O", "")), figure.takeaway
        assert figure.claim is None or figure.claim in claims


def test_no_figure_imports_another():
    drawing = {figure.module for figure in figures().values()}
    for module in drawing:
        tree = ast.parse((FOLDER / f"{module}.py").read_text())
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        assert {f"splitshare.figures.{other}" for other in drawing} & imported == set()


@pytest.mark.parametrize("field", ["caption", "takeaway"])
def test_another_caption_redraws_its_figure_alone(tmp_path, field):
    def digests():
        return {
            figure.name: code_digest(
                "splitshare.stages.figures", f"splitshare.figures.{figure.module}", sources=tmp_path
            )
            for figure in figures().values()
        }

    shutil.copytree(SOURCES / "splitshare", tmp_path / "splitshare", ignore=shutil.ignore_patterns("__pycache__"))
    before = digests()
    path = tmp_path / "splitshare/figures/load.py"
    text = path.read_text()
    declared = figures()["load"]
    assert text.count(getattr(declared, field)[:60]) == 1
    path.write_text(text.replace(getattr(declared, field)[:60], "Something else " + getattr(declared, field)[:60]))
    after = digests()
    assert [name for name, digest in after.items() if digest != before[name]] == ["load"]
