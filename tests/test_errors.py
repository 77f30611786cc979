"""Messages are one short line, whatever a file holds."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitshare.errors import MESSAGE_CHARACTERS, SOURCE_CHARACTERS, InputError, escaped, one_line, shortened, shown


@given(st.text(), st.text(), st.text())
def test_a_message_is_one_short_printable_line(source: str, field: str, problem: str):
    for times in (1, 1000):
        error = InputError(source * times, field * times, problem * times)
        assert str(error).isprintable()
        assert len(str(error)) <= SOURCE_CHARACTERS + MESSAGE_CHARACTERS + 4
        copied = pickle.loads(pickle.dumps(error))
        assert (str(copied), copied.source, copied.field) == (str(error), error.source, error.field)


def test_what_is_short_is_left_as_it_is():
    assert str(InputError("a b.json", "devices[1].name", "is 'größer'; mend it")) == (
        "a b.json: devices[1].name: is 'größer'; mend it"
    )


def test_of_a_long_message_both_ends_stay_and_of_a_long_path_the_name():
    line = str(InputError("/deep" * 100 + "/file.json", "devices[1]." + "x" * 500, "is 'a" + "y" * 900 + "'; mend it"))
    assert "/file.json: devices[1].xxx" in line
    assert "xxx: is 'ayyy" in line
    assert line.endswith("yyy'; mend it")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("plain", "'plain'"),
        ("a\nb\x1b[2J", r"'a\nb\x1b[2J'"),
        ("\u202egnp.exe", r"'\u202egnp.exe'"),
        ("\ud800", r"'\ud800'"),
        (1e308, "1e+308"),
        (None, "None"),
    ],
)
def test_a_value_is_shown_so_that_it_can_be_read(value: object, told: str):
    assert shown(value) == told
    assert shown(16**5000) == "a number too long to show"


@given(
    st.recursive(
        st.text() | st.floats() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_every_value_is_shown_in_sixty_characters(value: object):
    for shown_value in (shown(value), shown([value] * 100), shown(str(value) * 100)):
        assert shown_value.isprintable()
        assert len(shown_value) <= 60
    assert len(shown("x" * 10**6)) == 60


def test_the_parts_do_what_they_say():
    assert escaped("a\tb\x00é") == r"a\tb\x00é"
    assert one_line(" a\n  b\u2028c ") == "a b c"
    assert shortened("0123456789", 7, head=1) == "0123..."
    assert shortened("0123456789", 7, head=0) == "...6789"
