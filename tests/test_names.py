"""Names made of names."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from splitshare.names import MadeNames, joined
from splitshare.records import Name

PART = st.one_of(st.text("ab@", min_size=1, max_size=4), st.text("ab", min_size=100, max_size=119)).map("a{}".format)


@given(st.lists(st.tuples(PART, PART), unique=True, max_size=30), st.sets(PART))
def test_other_parts_have_another_name(pairs: list[tuple[str, str]], taken: set[str]) -> None:
    names = MadeNames(taken)
    made = [names.of(*pair, between="@") for pair in pairs]
    assert [names.of(*pair, between="@") for pair in pairs] == made
    assert len(set(made)) == len(made)
    assert not set(made) & taken
    for name in made:
        TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize("lengths", list(itertools.product((1, 59, 60, 119, 120), repeat=2)))
def test_a_name_that_fits_is_its_parts(lengths: tuple[int, int]) -> None:
    parts = [letter * length for letter, length in zip("ab", lengths, strict=True)]
    assert (joined(*parts, between="-") == "-".join(parts)) == (sum(lengths) < 120)
