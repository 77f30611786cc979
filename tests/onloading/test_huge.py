"""The family of large instances: fixed, by the generator's rules, written by a command."""

from pathlib import Path

from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.onloading.generate import PUBLISHED_ROLES
from splitshare.onloading.huge import SIZES, huge
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.zoo import Zoo

ZOO = Path("data/zoos/published.json")
DIGESTS = {
    "huge-200": "d83de1240313e110056e4718b8b8358689bea6909291c3f93f05d197e15bbb32",
    "huge-200-batching": "7ef50894367a321439382407fbf8792e516df7bf27e1a8e4ad82309f4ea62153",
}
"""Fixed before any was solved."""


def test_the_family_is_what_was_fixed():
    drawn = {i.name: i for i in huge(Zoo.read(ZOO), PUBLISHED_ROLES, most_clients=500)}
    assert list(drawn) == ["huge-200", "huge-200-batching", "huge-500", "huge-500-batching"]
    assert {name: drawn[name].sha256() for name in DIGESTS} == DIGESTS
    for instance in drawn.values():
        assert len(instance.clients) == 20 * len(instance.servers)
        assert (len(instance.tasks), len(instance.models)) == (6, 30)
        assert instance.batching == instance.name.endswith("batching")
        assert instance.size_class == "huge"


def test_sizes_ascend_and_end_at_ten_thousand():
    assert [*SIZES] == sorted(SIZES)
    assert SIZES[-1] == (10_000, 500)


def test_the_command_writes_what_the_family_has(tmp_path):
    answer = CliRunner().invoke(
        app, ["onloading", "huge", str(ZOO), "-o", str(tmp_path), "--most-clients", "200"], catch_exceptions=False
    )
    assert answer.exit_code == 0
    drawn = {i.name: i for i in huge(Zoo.read(ZOO), PUBLISHED_ROLES, most_clients=200)}
    written = {path.stem: OnloadingInstance.read(path) for path in tmp_path.glob("*.json")}
    assert written == drawn
