import sys
import time
from pathlib import Path

import pytest

from splitshare.code_digest import SOURCES, code_digest

FILES = {
    "pkg/__init__.py": '__version__ = "1"\n',
    "pkg/start.py": '''
"""Starts."""
from pkg.near import f
from pkg import by_name
import pkg.deep.dotted

def run():
    """Run."""
    from pkg.lazy import g
    return f() + g()
''',
    "pkg/near.py": "from .relative import h\n\ndef f():\n    return h()\n",
    "pkg/relative.py": "def h():\n    return 1\n",
    "pkg/by_name.py": "X = 1\n",
    "pkg/lazy.py": 'import json\nNAME = "pkg.texted"\ndef g():\n    return json.dumps(NAME)\n',
    "pkg/texted.py": "Y = 1\n",
    "pkg/deep/__init__.py": "from ..indirect import Z\n",
    "pkg/deep/dotted.py": "W = 1\n",
    "pkg/indirect.py": "Z = 1\n",
    "pkg/unrelated.py": "import pkg.start\n",
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "src"


def change(sources: Path, name: str, old: str, new: str) -> None:
    path = sources / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("pkg/start.py", "return f() + g()", "return f() - g()"),
        ("pkg/near.py", "return h()", "return -h()"),
        ("pkg/relative.py", "1", "2"),
        ("pkg/by_name.py", "1", "2"),
        ("pkg/lazy.py", "dumps", "loads"),
        ("pkg/texted.py", "1", "2"),
        ("pkg/deep/dotted.py", "1", "2"),
        ("pkg/deep/__init__.py", "import Z", "import Z as Q"),
        ("pkg/indirect.py", "1", "2"),
    ],
)
def test_a_change_of_code_anywhere_in_the_closure_counts(sources: Path, name: str, old: str, new: str):
    before = code_digest("pkg.start", sources=sources)
    change(sources, name, old, new)
    assert code_digest("pkg.start", sources=sources) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("pkg/start.py", '"""Run."""', '"""Run, and say more."""'),
        ("pkg/start.py", '    """Run."""\n', ""),
        ("pkg/start.py", '"""Starts."""', '"""Begins."""  # and a comment'),
        ("pkg/relative.py", "return 1", "\n    # one\n    return (\n        1\n    )"),
        ("pkg/by_name.py", "X = 1\n", 'X = 1\n"""What X is."""\n'),
        ("pkg/unrelated.py", "import pkg.start", "import pkg.start\nV = 3"),
        ("pkg/__init__.py", '"1"', '"2"'),
    ],
)
def test_docstrings_comments_layout_the_version_and_other_modules_do_not(sources: Path, name: str, old: str, new: str):
    before = code_digest("pkg.start", sources=sources)
    change(sources, name, old, new)
    assert code_digest("pkg.start", sources=sources) == before


def test_it_does_not_depend_on_where_the_code_lies(sources: Path, tmp_path: Path):
    before = code_digest("pkg.start", sources=sources)
    moved = sources.rename(tmp_path / "elsewhere")
    assert code_digest("pkg.start", sources=moved) == before


def test_several_modules_have_one_digest_whatever_their_order(sources: Path):
    both = code_digest("pkg.near", "pkg.lazy", sources=sources)
    assert both == code_digest("pkg.lazy", "pkg.near", sources=sources)
    assert both != code_digest("pkg.near", sources=sources)


def test_it_is_the_same_under_every_python(sources: Path):
    """Pinned, since digests are recorded in profiles that other versions of Python read."""
    assert (
        code_digest("pkg.near", sources=sources) == "2807e26f6075b2c8979787577ecf4a9de79e81b79f8f7ff372c49a29cba3affa"
    )


def test_a_module_without_a_file_is_refused(sources: Path):
    with pytest.raises(ModuleNotFoundError, match=r"pkg\.nothing"):
        code_digest("pkg.nothing", sources=sources)
    change(sources, "pkg/near.py", "from .relative", "from pkg.gone")
    with pytest.raises(ModuleNotFoundError, match=r"pkg\.gone"):
        code_digest("pkg.start", sources=sources)


def test_the_worker_that_is_run_by_its_name_belongs_to_the_profile_command(tmp_path: Path):
    copy = tmp_path / "splitshare"
    for file in (SOURCES / "splitshare").rglob("*.py"):
        target = copy / file.relative_to(SOURCES / "splitshare")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    before = code_digest("splitshare.stages.profile", sources=tmp_path)
    assert before == code_digest("splitshare.stages.profile")
    for name in ("profiling/timing.py", "modules/clip_vit.py"):
        (copy / name).write_text((copy / name).read_text() + "\nEXTRA = 1\n")
        after = code_digest("splitshare.stages.profile", sources=tmp_path)
        assert after != before, name
        before = after


def test_nothing_is_imported_and_it_is_quick():
    loaded = set(sys.modules)
    start = time.perf_counter()
    code_digest("splitshare.stages.profile")
    first = time.perf_counter() - start
    assert set(sys.modules) == loaded
    assert first < 1.0  # some 30 ms; generous for a busy machine
