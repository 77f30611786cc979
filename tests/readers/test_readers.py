"""Whatever stands in a file: its reader answers rightly, or refuses it in one short line that names the file."""

import ast
import functools
import importlib
import io
import json
import os
import pkgutil
import warnings
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import splitshare
from splitshare.errors import MESSAGE_CHARACTERS, SOURCE_CHARACTERS, InputError, WorkError, escaped
from splitshare.files import parse_yaml
from splitshare.records import Record
from tests.readers.mutate import BYTES, EDITS, Edit, all_places, changed_bytes, changed_csv, changed_table, changed_tree
from tests.readers.readers import NOT_WRITTEN_BY_PEOPLE, ROOT, Reader, all_readers

CASES = int(os.environ.get("READERS_CASES", "2000"))
SEED = int(os.environ.get("READERS_SEED", "0"))
"""Other mistakes than the fixed ones: ``READERS_SEED=7 pytest -m slow tests/readers``."""
READERS = (
    *(
        "Config",
        "ClassNamesFile",
        "PublishedAccuraciesFile",
        "HubFile",
        "Family",
        "CheckpointsFile",
        "VerdictFile",
        "TraceMapping",
        "DemandMapping",
        "TracesFile",
        "read_link_changes",
        "read_link_recording",
        "read_warp",
        "read_events",
        "read_changes",
        "read_priorities",
        "read_deadlines",
        "read_load_times",
        "load_catalog:tasks",
        "load_catalog:architectures",
        "load_catalog:models",
    ),
    *("load_catalog:workloads", "load_benchmarks", "read_device:published", "read_device:launches", "read_testbed"),
    *("ModuleDescriptions", "ModuleProfile", "PlacementInstance", "placement", "Placement alone", "PinnedInstances"),
    *("Certificate", "AccuracyRecord", "TrainingLog", "Zoo", "ZooModel", "OnloadingInstance", "decision"),
    *(
        "OnloadingDecision alone",
        "FittedHead",
        "read_lock",
        "read_pins",
        "BatchCurves",
        "Program",
        "RunningWorkers",
        "Job",
        "_State",
    ),
    *("_Shard", "read_report", "read_lines", "read_instance", "read_solution", "read_published", "read_figures"),
    *(
        "read_assignment_problems",
        "read_scores",
        "read_arrival_counts",
        "read_public_trace:csv",
        "read_public_trace:jsonl",
        "read_public_trace:parquet",
        "read_trace:csv",
        "read_trace:parquet",
        "read_reported:csv",
    ),
    *(
        "read_reported:parquet",
        "read_record",
        "read_recorded",
        "read_results",
        "read_best",
        "read_worst_cases",
        "read_baselines",
    ),
    *("read_token", "read_pem"),
)


@pytest.fixture(autouse=True)
def quick(readers: dict[str, Reader], monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML files that stay as they are, beside the one with mistakes, are parsed once."""
    kept = {data.decode() for reader in readers.values() for data in reader.others.values()}
    once = functools.cache(parse_yaml)
    parse = lambda text, source: (once if text in kept else parse_yaml)(text, source)  # noqa: E731
    monkeypatch.setattr("splitshare.records.parse_yaml", parse)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    return {reader.name: reader for reader in all_readers(tmp_path_factory.mktemp("samples"))}


def laid_out(reader: Reader, folder: Path) -> Path:
    """The reader's folder with its further files; returns where its own file goes."""
    for name, data in reader.others.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def check_line(error: Exception, names: list[str]) -> None:
    line = str(error)
    assert line.isprintable(), line
    assert len(line) <= SOURCE_CHARACTERS + MESSAGE_CHARACTERS + 4, line
    named = [name for name in names if name in line]
    assert named, line
    assert line.rpartition(named[0])[2].strip(": "), "says nothing"


def answered(reader: Reader, path: Path, data: bytes) -> Any:
    """What is read of ``data``, checked; ``None`` where it is refused as it should be."""
    path.write_bytes(data)
    names = [path.name, *(Path(name).name for name in reader.others)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            value = reader.read(path)
        except InputError as error:
            check_line(error, names)
            return None
        except WorkError as error:
            assert path.suffix == ".parquet", "only a Parquet file claims sizes"
            check_line(error, names)
            return None
        reader.right(value, data)
    return value if value is not None else True


def changed(reader: Reader, sample: int, form: int, edits: list[Edit]) -> bytes:
    data = reader.samples[sample % len(reader.samples)]
    if form % 2:
        return changed_bytes(data, edits)
    if reader.file.endswith(".csv"):
        return changed_csv(data.decode(), edits).encode()
    if reader.file.endswith(".parquet"):
        return changed_table(pq.read_table(io.BytesIO(data)), edits)
    if reader.trees:
        text = changed_tree(reader.trees[sample % len(reader.trees)], edits, shallow=reader.file.endswith(".yaml"))
        return (text + "\n").encode() * (1 + (form // 2 % 2 if reader.file.endswith(".jsonl") else 0))
    return changed_bytes(data, edits)


def test_the_readers_are_these(readers: dict[str, Reader]):
    assert set(readers) == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_a_sample_is_read(readers: dict[str, Reader], name: str, tmp_path: Path):
    path = laid_out(readers[name], tmp_path)
    for sample in readers[name].samples:
        assert answered(readers[name], path, sample) is not None


@pytest.mark.parametrize("name", READERS)
def test_what_is_quoted_from_a_file_is_short_and_printable(readers: dict[str, Reader], name: str, tmp_path: Path):
    """A few mistakes of every kind, so that each reader meets them in the default tests too."""
    reader = readers[name]
    path = laid_out(reader, tmp_path)
    for what in range(10):
        answered(reader, path, changed(reader, 0, what, [(what, what * 6007, what * 31)]))
    for number, text in enumerate(("a\nb", "\x1b[2J", "x" * 400, "\u202e", "'" * 80)):
        place = (b"schema", b"instance", b"p", b"1", b"s")[number]
        for quoted in (text.encode(), escaped(text).encode()):
            answered(reader, path, reader.samples[0].replace(place, quoted, 1))


def stands_in(field: str, tree: Any) -> bool:
    """Whether a field as a message tells it stands in a file, but for a last key that is missing there."""
    if not field:
        return True
    if isinstance(tree, dict):
        keys = [key for key in map(str, tree) if field == key or field.startswith((f"{key}.", f"{key}["))]
        inner = {str(key): value for key, value in tree.items()}
        return any(stands_in(field.removeprefix(key).removeprefix("."), inner[key]) for key in keys) or (
            field.isidentifier() and field not in inner
        )
    position, _, rest = field[1:].partition("]")
    is_there = isinstance(tree, list) and field.startswith("[") and int(position) < len(tree)
    return is_there and stands_in(rest.removeprefix("."), tree[int(position)])


def field_told(kind: type[Record], tree: Any) -> str:
    try:
        kind.parse(tree, "file")
    except InputError as error:
        return error.field
    return ""


def test_a_field_is_told_as_its_file_has_it(readers: dict[str, Reader]):
    """Never with a name of pydantic's in it, such as that of one of the kinds that a value may be of."""
    _import_all()
    records = {kind.__name__: kind for kind in _kinds_of(Record)}
    told = 0
    values: tuple[Any, ...] = (None, -1.5, "?", [], {}, [[]], {"?": "?"}, {"kind": "?"}, {"rule": "?"})
    for reader in readers.values():
        kind = records.get(reader.name.partition(" ")[0])
        for tree in reader.trees if kind is not None else ():
            assert kind is not None
            for number in range(min(60, len(all_places(tree, [])))):
                for value in values:
                    copy = json.loads(json.dumps(tree))
                    within, key = all_places(copy, [])[number]
                    within[key] = value
                    field = field_told(kind, copy)
                    told += field != ""
                    assert stands_in(field, copy), (reader.name, field, copy)
    assert told > 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_file_with_mistakes_is_read_rightly_or_refused(readers: dict[str, Reader], name: str, tmp_path: Path):
    reader = readers[name]
    path = laid_out(reader, tmp_path)
    read = 0

    @seed(SEED)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 7), st.integers(0, 7), EDITS)
    def check(sample: int, form: int, edits: list[Edit]) -> None:
        nonlocal read
        read += 1
        answered(reader, path, changed(reader, sample, form, edits))

    check()
    assert read >= CASES


def _functions_and_records() -> set[str]:
    """Functions that read a named file, and records that are read from one, by the source."""
    found: set[str] = set()
    for path in (ROOT / "src" / "splitshare").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.FunctionDef(name=name, args=arguments) if name.startswith(("read_", "load_")):
                    kinds = [ast.unparse(a.annotation) for a in arguments.args + arguments.kwonlyargs if a.annotation]
                    if any("Path" in kind for kind in kinds):
                        found.add(name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="read" | "parse")) if name[:1] != name[
                    :1
                ].lower() or name.startswith("_"):
                    found.add(name)
    return found


def _import_all() -> None:
    """Import the whole package: a record is known once its module is."""
    for module in pkgutil.walk_packages(splitshare.__path__, "splitshare."):
        importlib.import_module(module.name)


def _kinds_of(kind: type[Record]) -> set[type[Record]]:
    return {*kind.__subclasses__()} | {below for sub in kind.__subclasses__() for below in _kinds_of(sub)}


def _records(kind: type[Record]) -> set[str]:
    return {sub.__name__ for sub in _kinds_of(kind)}


def test_no_reader_is_without_a_property_test(readers: dict[str, Reader]):
    _import_all()
    covered = {name.partition(":")[0] for reader in readers.values() for name in (reader.name, *reader.covers)}
    asked = {name for name in _functions_and_records() if name.islower() or name in _records(Record)}
    assert asked - covered - set(NOT_WRITTEN_BY_PEOPLE) == set()
    assert len(asked) > 40
    assert set(NOT_WRITTEN_BY_PEOPLE) <= asked


def test_mistakes_are_not_all_refused_for_one_reason():
    """The changes reach deep: of a small file they make very different ones."""
    data = b'{"a": [1, 2, {"b": 3}]}'
    made = {changed_bytes(data, [(w, p, v)]) for w in range(8) for p in (0, 9000, 40000) for v in range(len(BYTES))}
    assert len(made) > 150
    trees = {changed_tree({"a": [1, 2, {"b": 3}]}, [(w, p, v)]) for w in range(10) for p in range(5) for v in range(40)}
    assert len(trees) > 150
