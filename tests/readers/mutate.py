"""Files with mistakes: valid samples in which bytes, structure, types, numbers, names and cells are changed.

What is changed is drawn by hypothesis as a few small numbers, which mean places and replacements here: a failing
case shrinks to few and early ones.
"""

import copy
import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

Edit = tuple[int, int, int]
"""What is done, where, and what is put there."""
small = st.integers(0, 2**16 - 1)
EDITS = st.lists(st.tuples(small, small, small), min_size=1, max_size=3)

RAW = {
    f"<raw {i}>": text
    for i, text in enumerate(
        (
            "9" * 5000,
            "-" + "9" * 400,
            "1e999",
            "NaN",
            "-Infinity",
            "01",
            "tru",
            '"\\ud800"',
            '"\\u0000"',
            '{"a": 1, "a": 2}',
            "[" * 900 + "]" * 900,
            "[" * 3000 + "]" * 3000,
            '{"a":' * 400 + "1" + "}" * 400,
        )
    )
}
"""What a JSON file can hold and Python's own writer does not write."""
TEXTS = (
    *("", " ", "a\nb", "a\r\nb", "\x1b[2J\x1b[31mred", "\u202egnp", "\u2028", "x" * 400, "'" * 80, "y" * 5000),
    *(
        "../../etc/passwd",
        "nan",
        "inf",
        "-1",
        "0",
        "1e308",
        "é" * 130,
        "null",
        "unix:x",
        "h:99999",
        "1:99",
        "{}",
        "{0!r}",
    ),
)
NUMBERS = (
    *(0, -0.0, -1, 1, 2, 3, 0.5, 1.5, 1e-12, 1e-9, 1e6, 1e9, 1e12, 1e18, 5e-324, 1e-308, 1e-300, 1e100, 1e300, 1e308),
    *(-1e308, 2**31, 2**53 + 1, 10**9, 10**18, 2**63 - 1, 2**63, 2**64, 10**300, -(10**20)),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, [], {}, [[]], {"a": 1}, [None], [1, 2], {"": None}, [["x"] * 3] * 3),
    *NUMBERS,
    *TEXTS,
    *RAW,
)
BYTES = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b"\x1b[31m", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\t"),
    *(
        b'"',
        b"'",
        b",",
        b"{",
        b"}",
        b"[",
        b"]",
        b": ",
        b"- ",
        b"#",
        b"|",
        b">",
        b"&a ",
        b"*a",
        b"<<: ",
        b"? ",
        b"%",
        b"@",
    ),
    *(
        b"!!int x",
        b"!!float x",
        b"!!timestamp x",
        b"!!bool x",
        b"!!int ''",
        b"!!set ",
        b"!!binary ",
        b"!!python/name:os",
    ),
    *(b"9" * 400, b"9" * 5000, b"1e308", b"-", b"nan", b".inf", b"0x" + b"f" * 5000, b"1:99", b"- " * 300, b"[" * 200),
    *(b"&a [*a]", b"\n---\n", b"=", b"~", b"x" * 300, b"\n" * 20),
)


def pick(options: Any, number: int) -> Any:
    return options[number % len(options)]


def changed_bytes(data: bytes, edits: list[Edit]) -> bytes:
    for what, where, value in edits:
        at = where * (len(data) + 1) >> 16
        lines = data.splitlines(keepends=True)
        match what % 8:
            case 0:
                data = data[:at]
            case 1:
                data = data[:at] + data[at + 1 + value % 40 :]
            case 2 | 3:
                data = data[:at] + pick(BYTES, value) + data[at:]
            case 4:
                data = data[:at] + pick(BYTES, value) + data[at + 1 + value % 7 :]
            case 5:
                data = data[:at] + bytes([value % 256]) + data[at + 1 :]
            case 6 if lines:
                line = where % len(lines)
                data = b"".join(lines[: line + 1] + lines[line:])
            case _ if lines:
                line = where % len(lines)
                data = b"".join(lines[:line] + lines[line + 1 :])
    return data


def all_places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        all_places(value[key], found)
    return found


def changed_tree(tree: Any, edits: list[Edit], *, shallow: bool = False) -> str:
    """Plain data with changes, as JSON (which YAML readers read too); ``shallow``: nothing that PyYAML is slow with."""
    tree = copy.deepcopy(tree)
    for what, where, value in edits:
        places = all_places(tree, [])
        if not places:
            return json.dumps(pick(VALUES, value))
        holder, key = pick(places, where)
        match what % 10:
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                renamed = pick((f"{key}x", str(key)[:-1], pick(TEXTS, value)), where // 7)
                holder[renamed] = holder.pop(key)
            case 1 | 2 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 2:
                holder[pick(("unheard_of", "x" * 300, "a\nb", "\x1b[2J"), value)] = copy.deepcopy(pick(VALUES, where))
            case 3:
                _, other = pick(places, value)
                holder[key] = copy.deepcopy(other) if not isinstance(other, int) else [copy.deepcopy(holder[key])]
            case 4 if isinstance(holder[key], int | float):
                holder[key] = pick((str(holder[key]), -holder[key], holder[key] * 10, [holder[key]]), value)
            case 4 | 5:
                found, at = pick(places, value)
                holder[key] = copy.deepcopy(found[at])
            case 6 | 7 if isinstance(holder[key], int | float):
                holder[key] = pick(NUMBERS, value)
            case _:
                holder[key] = copy.deepcopy(pick(VALUES, value))
    text = json.dumps(tree)
    for name, raw in RAW.items():
        brief = "[" * 50 + "]" * 50 if shallow and raw.startswith(("[", '{"a":{')) else raw
        text = text.replace(json.dumps(name), brief)
    return text


def changed_csv(text: str, edits: list[Edit]) -> str:
    rows = list(csv.reader(io.StringIO(text)))
    for what, where, value in edits:
        at = where % len(rows) if rows else 0
        if not rows:
            return text
        match what % 9:
            case 0:
                del rows[at]
            case 1:
                rows.insert(at, list(rows[at]))
            case 2:
                rows[at].append(pick(TEXTS, value))
            case 3 if rows[at]:
                del rows[at][value % len(rows[at])]
            case 4:
                column = value % (len(rows[0]) or 1)
                rows = [row[:column] + row[column + 1 :] for row in rows]
            case 5:
                column = value % (len(rows[0]) or 1)
                rows = [row[: column + 1] + row[column:] for row in rows]
            case 6 if rows[0]:
                rows[0][value % len(rows[0])] = pick(TEXTS, value // 16)
            case _ if rows[at]:
                rows[at][where // 64 % len(rows[at])] = str(pick((*TEXTS, *NUMBERS), value))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


COLUMNS: tuple[pa.Array, ...] = (
    *(
        pa.array([v, v, v])
        for v in (0, -1, 1, 2**62, 0.5, 1e308, float("nan"), float("inf"), -0.0, "", "pair", "x" * 500, "a\nb")
    ),
    *(pa.array([v, v, v], pa.uint64()) for v in (1, 2**64 - 1)),
    *(pa.array([None, None, None], kind) for kind in (pa.null(), pa.int64(), pa.float64(), pa.string())),
    pa.array([1, None, 2]),
    pa.array([b"a", b"b", b"\xff"]),
    pa.array([True, False, True]),
    pa.array([[1], [2], []]),
    pa.array([{"a": 1}, {"a": 2}, {"a": 3}]),
    pa.array([1, 2, 3], pa.timestamp("ns")),
    pa.array([1, 2, 3], pa.date32()),
    pa.array([1, 2, 3], pa.duration("s")),
    pa.array([1, 2, 3], pa.decimal128(30, 2)),
    pa.array(["1", "2", "3"]).dictionary_encode(),
    pa.array([1, 2, 3]).dictionary_encode(),
    pa.array([1, 2, 3], pa.float16()),
)


def changed_table(table: pa.Table, edits: list[Edit]) -> bytes:
    """A table of at most three rows with changes, as Parquet."""
    names, columns = list(table.column_names), [c.combine_chunks() for c in table.columns]
    for what, where, value in edits:
        at = where % len(names) if names else 0
        match what % 6:
            case 0 if names:
                del names[at], columns[at]
            case 1 if names:
                names.insert(at, names[at])
                columns.insert(at, columns[at])
            case 2 if names:
                names[at] = pick(TEXTS, value)
            case 3:
                columns = [column.slice(0, value % 3) for column in columns]
            case _ if names:
                columns[at] = pick(COLUMNS, value).slice(0, len(columns[at]))
    out = io.BytesIO()
    pq.write_table(pa.table(columns, names=names), out)
    return out.getvalue()
