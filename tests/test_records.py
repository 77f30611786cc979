from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from splitshare.errors import InputError
from splitshare.locations import field_path
from splitshare.records import Count, Name, NonNegative, Positive, Record, nearest


class Wheel(Record):
    radius_m: Positive
    spokes: Count = 32


class Light(Record):
    kind: Literal["light"]
    watts: NonNegative


class Bell(Record):
    kind: Literal["bell"]
    loud: bool


class Price(Record):
    amount: NonNegative
    tax: NonNegative = 0.0

    @model_validator(mode="after")
    def _low(self) -> "Price":
        if self.tax > 0.2:
            raise ValueError("tax is more than 0.2")
        return self


class Bicycle(Record):
    schema_: Literal["test.bicycle/1"] = Field(alias="schema")
    name: Name
    wheels: tuple[Wheel, ...] = Field(min_length=1)
    spare: Wheel | None = None
    by_rider: dict[Name, Wheel] = Field(default_factory=dict)
    extra: Light | Bell | None = Field(default=None, discriminator="kind")
    price: str | Price = "gift"
    bells: tuple[Bell, ...] | None = Field(default=None, min_length=1)
    lent: dict[str, tuple[str | Price, ...]] = Field(default_factory=dict)


RIGHT: dict[str, Any] = {"schema": "test.bicycle/1", "name": "mine", "wheels": [{"radius_m": 0.3}]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"wheel": []}, "wheel: unknown key; did you mean 'wheels'?"),
        ({"zzz": 1}, "zzz: unknown key; known: bells, by_rider, extra, lent, name, price, schema, spare, wheels"),
        ({"wheels": []}, "wheels: is empty; it needs at least one entry"),
        ({"bells": []}, "bells: is empty; it needs at least one entry, or leave it out"),
        ({"wheels": [{"radius_m": 0.3, "spoke": 3}]}, "wheels[0].spoke: unknown key; did you mean 'spokes'?"),
        ({"wheels": [{"radius_m": 0.3}, {}]}, "wheels[1].radius_m: is missing; add it"),
        ({"wheels": [{"radiusm": 0.3}]}, "wheels[0].radiusm: unknown key; did you mean 'radius_m'? ("),
        ({"wheels": [{"radius_m": "0.3"}]}, "wheels[0].radius_m: input should be a valid number, not '0.3'"),
        ({"wheels": [{"radius_m": True}]}, "wheels[0].radius_m: input should be a valid number, not True"),
        ({"wheels": [{"radius_m": 0}]}, "wheels[0].radius_m: input should be greater than or equal to 1e-30, not 0"),
        ({"wheels": [{"radius_m": float("inf")}]}, "wheels[0].radius_m: input should be a finite number, not inf"),
        ({"wheels": [{"radius_m": float("nan")}]}, "wheels[0].radius_m: input should be a finite number, not nan"),
        ({"wheels": [{"radius_m": 1, "spokes": 1.5}]}, "wheels[0].spokes: input should be a valid integer"),
        ({"spare": {"radius": 1.0}}, "spare.radius: unknown key; did you mean 'radius_m'? (1 more)"),
        ({"by_rider": {"ann": {"spokes": -1, "radius_m": 1}}}, "by_rider.ann.spokes: input should be greater than or"),
        ({"by_rider": {"../ann": {"radius_m": 1}}}, "by_rider"),
        ({"by_rider": {"../ann": {"radius_m": 1}}}, "by_rider.../ann: must look like"),
        ({"by_rider": {"[key]": 3}}, "by_rider.[key]: "),
        ({"extra": {"kind": "light", "watt": 1}}, "extra.watt: unknown key; did you mean 'watts'? (1 more)"),
        ({"extra": {"kind": "horn"}}, "extra.kind: must be one of 'light', 'bell', not 'horn'"),
        ({"extra": {}}, "extra.kind: is missing; add it"),
        ({"price": {"amount": "much"}}, "price.amount: input should be a valid number, not 'much'"),
        ({"price": {"amont": 3, "tax": {}}}, "price.amont: unknown key; did you mean 'amount'? (2 more)"),
        ({"price": {"amount": 3, "tax": 0.5}}, "price: tax is more than 0.2"),
        ({"price": 3}, "price: input should be a valid string or an object, not 3"),
        ({"price": None}, "price: input should be a valid string or an object, not null"),
        ({"lent": {"price": ["gift", {"amount": []}]}}, "lent.price[1].amount: input should be a valid number, not []"),
        ({"lent": {"Price": 3}}, "lent.Price: input should be a valid array, not 3"),
        ({"schema": "test.bicycle/2"}, "schema: is of version '2', and version 1 is read; make the file anew"),
        ({"name": "a/b"}, "name: must look like ^[A-Za-z0-9]"),
        ({"name": "x" * 200}, "name: string should have at most 120 characters, not 'xxx"),
    ],
)
def test_a_mistake_is_told_with_its_field_and_its_mend(changes: dict[str, Any], told: str):
    with pytest.raises(InputError) as error:
        Bicycle.parse(RIGHT | changes, "bicycle.yaml")
    line = str(error.value)
    assert line.startswith("bicycle.yaml: ")
    assert told in line
    assert "\n" not in line
    assert len(line) < 250


@pytest.mark.parametrize("value", [None, 1, "text", [], {}])
def test_what_is_no_record_at_all_is_refused(value: Any):
    with pytest.raises(InputError):
        Bicycle.parse(value, "x")


def test_json_and_yaml_give_the_same_record(tmp_path: Path):
    bicycle = Bicycle.parse(RIGHT | {"spare": {"radius_m": 1e-3}}, "x")
    bicycle.write(tmp_path / "b.json")
    (tmp_path / "b.yaml").write_text(
        "# a comment\nwheels: [{radius_m: 0.3}]\nname: mine\n"
        "spare: {radius_m: 0.001, spokes: 32}\nschema: test.bicycle/1\n"
    )
    assert Bicycle.read(tmp_path / "b.json") == Bicycle.read(tmp_path / "b.yaml") == bicycle
    assert Bicycle.read(tmp_path / "b.yaml").sha256() == bicycle.sha256()


def test_defaults_are_left_out_and_the_digest_does_not_see_the_layout():
    short = Bicycle.parse(RIGHT, "x")
    long = Bicycle.parse(RIGHT | {"spare": None, "by_rider": {}, "wheels": [{"spokes": 32, "radius_m": 0.3}]}, "x")
    assert short.to_json() == long.to_json()
    assert short.sha256() == long.sha256() != Bicycle.parse(RIGHT | {"name": "yours"}, "x").sha256()
    assert "spare" not in short.to_json()
    assert '"schema": "test.bicycle/1"' in short.to_json()


@given(st.builds(dict, radius_m=st.floats(min_value=1e-30, max_value=1e30), spokes=st.integers(0, 10**9)))
def test_a_record_that_is_written_is_read_back_bit_for_bit(value: dict[str, Any]):
    wheel = Wheel.parse(value, "x")
    assert Wheel.model_validate_json(wheel.to_json()) == wheel
    assert wheel.radius_m == value["radius_m"]


def test_records_do_not_change():
    bicycle = Bicycle.parse(RIGHT, "x")
    for field in ("name", "wheels"):
        with pytest.raises(ValidationError):
            setattr(bicycle, field, getattr(bicycle, field))


def test_a_changed_record_is_a_new_one_that_is_validated():
    bicycle = Bicycle.parse(RIGHT | {"spare": {"radius_m": 0.2}}, "x")
    wheels = (Wheel(radius_m=0.4), *bicycle.wheels)
    changed = bicycle.with_changes(wheels=wheels, spare=None)
    assert changed == Bicycle.parse(RIGHT | {"wheels": [{"radius_m": 0.4}, {"radius_m": 0.3}]}, "y")
    assert bicycle.spare == Wheel(radius_m=0.2)
    for wrong in ({"name": "a/b"}, {"wheels": ()}, {"wheels": [1]}, {"wheel": wheels}, {"schema_": "test.bicycle/2"}):
        with pytest.raises(ValidationError):
            bicycle.with_changes(**wrong)


@given(st.text())
def test_a_name_can_be_part_of_a_file_name(text: str):
    try:
        name = TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return
    assert Path(name).name == name
    assert not name.startswith((".", "-"))


def test_hints_and_paths_are_written_as_people_do():
    assert nearest("laptp", ["laptop", "jetson"]) == "did you mean 'laptop'?"
    assert nearest("qqq", ["b", "a"]) == "known: a, b"
    assert nearest("qqq", []) == "none is known"
    assert field_path(("devices", 1, "memory_bytes")) == "devices[1].memory_bytes"
    assert field_path(("a", 0, 2, "b", "c")) == "a[0][2].b.c"
    assert field_path(()) == ""


def test_entries_that_are_wrong_are_counted_once() -> None:
    """A list of which no entry holds is not also too short."""
    for wheels, more in (([{"radius_m": 0}], ""), ([{"radius_m": 0}, {"radius_m": 0}], " (1 more)")):
        with pytest.raises(InputError) as caught:
            Bicycle.parse({**RIGHT, "wheels": wheels}, "b.yaml")
        assert str(caught.value).endswith(f"greater than or equal to 1e-30, not 0{more}")
