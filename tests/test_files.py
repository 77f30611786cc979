import json
import stat
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitshare.errors import InputError
from splitshare.files import (
    LEFTOVER,
    atomic_path,
    canonical_json,
    csv_rows,
    parse_json,
    parse_yaml,
    read_text,
    remove_leftovers,
    sha256_bytes,
    sha256_file,
    write_text,
)


def test_a_file_is_written_whole_with_ordinary_permissions(tmp_path: Path):
    path = tmp_path / "new" / "folder" / "table.csv"
    write_text(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    write_text(path, "again\n")
    assert path.read_text() == "again\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "table.csv"
    write_text(path, "old\n")
    with pytest.raises(RuntimeError, match="half way"), atomic_path(path) as temporary:  # noqa: PT012 - fails half way
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".csv"
        temporary.write_text("new, but")
        assert path.read_text() == "old\n"
        raise RuntimeError("half way")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_leaves_is_known_and_removed(tmp_path: Path):
    kept = [tmp_path / name for name in (".lock", ".jobs.lock", "a.tmp.json", ".hidden.tmp", ".x.tmp.json", "b.json")]
    for path in kept:
        path.touch()
    with atomic_path(tmp_path / "deep" / "clip-rn50@a.b.json") as first, atomic_path(tmp_path / "no_suffix") as second:
        assert LEFTOVER.fullmatch(first.name)
        assert LEFTOVER.fullmatch(second.name)
        remove_leftovers(tmp_path)
        assert not first.exists()
        assert not second.exists()
        for temporary in (first, second):  # the writers of this test are alive after all
            temporary.touch()
    assert all(path.exists() for path in kept)
    remove_leftovers(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": [1, -Infinity]}', "-Infinity is not a JSON number"),
        ('{"a": {"b": 1, "b": 2}}', "the key 'b' stands twice in one object"),
        ('{\n  "a": 1,\n  "b": tru\n}', "at line 3, column 8"),
        ('{"a": [1, 2', "the file seems cut off"),
        ('{"a": "text', "not valid JSON at line 1, column 7"),
        ("", "at line 1, column 1: Expecting value; the file seems cut off"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": 1} {"b": 2}', "Extra data; mend the JSON there"),
    ],
)
def test_json_that_is_wrong_is_refused_with_its_place(text: str, told: str):
    with pytest.raises(InputError) as error:
        parse_json(text, "file.json")
    assert error.value.exit_code == 2
    assert str(error.value).startswith("file.json: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", "at line 3, column 2"),
        ("a: 1\na: 2\n", "at line 2, column 1: the key 'a' stands twice"),
        ("a:\n  - {b: 1, b: 2}\n", "the key 'b' stands twice"),
        ("1: a\n", "the key 1 is not text"),
        ("yes: a\n", "the key True is not text"),
        ("a: !!python/object/apply:os.system ['true']\n", "at line 1, column 4"),
        ("a: *nowhere\n", "at line 1, column 4"),
        ("a: \x00\n", "not valid YAML"),
        ("a: " + "[" * 100_000, "nested too deeply"),
        ("a: " + "9" * 5000, "at line 1, column 4: '999"),
        ("b: 1\na: !!int x", "at line 2, column 4: 'x' is not of its kind"),
        ("a: !!int ''", "'' is not of its kind"),
        ("a: !!float x", "'x' is not of its kind"),
        ("a: !!bool x", "'x' is not of its kind"),
        ("a: !!timestamp x", "'x' is not of its kind"),
        (
            "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
            + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)),
            "aliases stand for too much",
        ),
    ],
)
def test_yaml_that_is_wrong_is_refused_with_its_place(text: str, told: str):
    with pytest.raises(InputError) as error:
        parse_yaml(text, "file.yaml")
    assert str(error.value).startswith("file.yaml: not valid YAML")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_yaml_keeps_dates_as_text_and_merges_keys():
    assert parse_yaml("when: 2024-01-02\nbig: 1_000\n", "x") == {"when": "2024-01-02", "big": 1000}
    merged = parse_yaml("base: &b {x: 1, y: {z: 2}}\nmore:\n  <<: *b\n  w: 3\n", "x")
    assert merged["more"] == {"x": 1, "y": {"z": 2}, "w": 3}


def test_only_line_ends_outside_of_quotes_end_a_row_of_csv(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeffa,b\r\n"x\r\ny\u2028z",1\n"\x0c",2'.encode())
    assert csv_rows(path) == [["a", "b"], ["x\r\ny\u2028z", "1"], ["\x0c", "2"]]
    path.write_text('a,b\n1,2\n"open,3\n')
    with pytest.raises(InputError, match="line 3: not valid CSV"):
        csv_rows(path)


def test_reading_tells_what_is_in_the_way(tmp_path: Path):
    (tmp_path / "latin.txt").write_bytes("größer".encode("latin-1"))
    for name, told in (("none.txt", "no such file"), ("", "Is a directory"), ("latin.txt", "not UTF-8 text")):
        with pytest.raises(InputError, match=told):
            read_text(tmp_path / name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_is_read_back_and_written_alike(value: object):
    text = canonical_json(value)
    assert text.endswith("\n")
    assert parse_json(text, "x") == value == json.loads(text)
    assert canonical_json(parse_json(text, "x")) == text


def test_canonical_json_refuses_what_json_has_no_number_for():
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            canonical_json({"a": value})


def test_digests_are_sha256(tmp_path: Path):
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1: "abc"
    assert sha256_bytes(b"abc") == known
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_file(tmp_path / "abc") == known


def test_a_large_file_is_digested_in_pieces(tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(2**28)
    tracemalloc.start()
    digest = sha256_file(large)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest == "a6d72ac7690f53be6ae46ba88506bd97302a093f7108472bd9efc3cefda06484"
    assert peak_bytes < 2**22
