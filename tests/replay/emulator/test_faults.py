"""What is broken on purpose: every form, every mistake."""

import pytest

from splitshare.errors import InputError
from splitshare.replay.emulator.faults import Fault, parse_fault
from tests.replay.examples import example, fields


def on_a_chain():
    """Devices ``a``, ``b``, ``c``; nothing joins ``b`` and ``c``."""
    return example(links=[link for link in fields()["links"] if link["a"] == "a"])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kill:b@5", Fault("kill", ("b",), 5.0)),
        ("stick:c@0.25", Fault("stick", ("c",), 0.25)),
        ("slow:b@5x3", Fault("slow", ("b",), 5.0, 3.0)),
        ("slow:b@.5x0.5", Fault("slow", ("b",), 0.5, 0.5)),
        ("cut:a--b@5", Fault("cut", ("a", "b"), 5.0)),
        ("cut:b--a@5", Fault("cut", ("b", "a"), 5.0)),
        ("restore:a--c@8", Fault("restore", ("a", "c"), 8.0)),
    ],
)
def test_a_fault_is_read(text, fault):
    assert parse_fault(text, on_a_chain()) == fault


def test_names_may_hold_what_the_form_is_made_of():
    named = [device | {"name": "edge@home-1"} if device["name"] == "b" else device for device in fields()["devices"]]
    links = [{key: "edge@home-1" if end == "b" else end for key, end in link.items()} for link in fields()["links"]]
    modules = [module | {"compute_s": {"c": 0.1}} for module in fields()["modules"]]
    instance = example(devices=named, links=links, modules=modules)
    assert parse_fault("kill:edge@home-1@2", instance) == Fault("kill", ("edge@home-1",), 2.0)
    assert parse_fault("cut:a--edge@home-1@2.5", instance) == Fault("cut", ("a", "edge@home-1"), 2.5)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is none of kill:DEVICE@5"),
        ("kill", "is none of kill:DEVICE@5"),
        ("kill:b", "is none of kill:DEVICE@5"),
        ("kill:@5", "is none of kill:DEVICE@5"),
        ("kill:b@soon", "is none of kill:DEVICE@5"),
        ("kill:b@-1", "is none of kill:DEVICE@5"),
        ("kill:b@1e3", "is none of kill:DEVICE@5"),
        ("explode:b@5", "is none of kill:DEVICE@5"),
        ("KILL:b@5", "is none of kill:DEVICE@5"),
        ("kill:b@1.2.3", "a time or factor that is no number"),
        ("kill:b@.", "a time or factor that is no number"),
        ("slow:b@5x1..2", "a time or factor that is no number"),
        ("slow:b@5x.", "a time or factor that is no number"),
        ("slow:b@5", "a factor belongs to slow"),
        ("kill:b@5x2", "a factor belongs to slow"),
        ("cut:a--b@5x2", "a factor belongs to slow"),
        ("kill:d@5", "unknown device 'd'"),
        ("kill:a--b@5", "unknown device 'a--b'"),
        ("cut:a--d@5", "unknown device 'd'"),
        ("cut:b--c@5", "names no link of the instance"),
        ("cut:a@5", "names no link of the instance"),
        ("cut:a--b--c@5", "names no link of the instance"),
        ("restore:a--a@5", "names no link of the instance"),
    ],
)
def test_a_mistake_is_told_of(text, complaint):
    with pytest.raises(InputError) as error:
        parse_fault(text, on_a_chain())
    assert str(error.value).startswith(f"--fault: {text}: " if text else "--fault: ")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)
