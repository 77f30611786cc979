"""How methods are spelled: labels, grids of parameters, folders; and what is refused."""

import pytest

from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.lookup import look_up
from splitshare.methods import Method
from splitshare.placement.contract import FINDER
from splitshare.spelling import expand
from tests.test_config import DEFAULT


def test_a_grid_is_every_combination_of_its_values():
    spelled = expand("name[a=1,2,b=x,y,z]")
    assert spelled == [("name", (f"a={a}", f"b={b}")) for a in "12" for b in "xyz"]
    assert expand("dir [1]/file.py:Class") == [("dir [1]/file.py:Class", ())]


@pytest.mark.parametrize(
    "text", ["name[]", "[a=1]", "name[a]", "name[a=]", "name[a=1,,2]", "name[a=1,a=2]", "n[a=1,1]"]
)
def test_brackets_that_say_nothing_plain_are_refused(text: str):
    with pytest.raises(InputError):
        expand(text)


def test_labels_are_parsed_back_and_folders_are_plain():
    for method in (
        Method("optimum", "highs"),
        Method("s2m3-greedy", None, ("order=file",)),
        Method("mine.py:Mine", None, ("depth=2", "fast=true")),
    ):
        assert Method.parse(method.label) == method
        assert not set(method.folder) & set("[]*?$ ")
    assert Method("some/where/mine.py:Mine").label == "mine.py:Mine"


def test_parameters_in_brackets_reach_the_algorithm():
    assert FINDER.load("s2m3-greedy[order=file]") == FINDER.load("s2m3-greedy", ["order=file"])
    with pytest.raises(InputError, match="names 2 methods"):
        FINDER.load("s2m3-greedy[order=file,memory]")


def test_a_configuration_takes_files_and_grids(tmp_path):
    (tmp_path / "mine.py").write_text("class Mine: ...")
    asked = [*DEFAULT["algorithms"], f"{tmp_path}/mine.py:Mine", "s2m3-greedy[order=memory,file]"]
    config = Config.parse(DEFAULT | {"algorithms": asked}, "x")
    assert config.methods[-3:] == ("mine.py:Mine", "s2m3-greedy[order=memory]", "s2m3-greedy[order=file]")
    look_up(config, "x")


@pytest.mark.parametrize(
    ("algorithm", "told"),
    [
        ("none/such.py:Mine", "no such file: none/such.py"),
        ("s2m3-greedy[order=size]", "order"),
        ("s2m3-greedy[oder=file]", "did you mean 'order'"),
        ("s2m3-greedi", "did you mean 's2m3-greedy'"),
        ("s2m3-greedy", "is there twice"),
        ("heft[a", "unknown algorithm"),
        ("heft[a]", "is no parameter"),
        ("a b.py:Mine", "cannot be a folder's name"),
    ],
)
def test_a_wrong_algorithm_of_a_configuration_is_told_by_its_place(algorithm: str, told: str):
    asked = [*DEFAULT["algorithms"], algorithm]
    with pytest.raises(InputError, match=rf"algorithms\[{len(asked) - 1}\]") as refused:
        look_up(Config.parse(DEFAULT | {"algorithms": asked}, "x"), "x")
    assert told in str(refused.value)
