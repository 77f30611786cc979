"""Every rule says what it is doing, where it tells of it, and what it takes."""

import re
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
OWN = {"log", "benchmark"}
"""What a rule that is made of another one says anew: the other's would be overwritten."""
ALL = OWN | {"message", "threads", "resources"}


class Rule(NamedTuple):
    """A rule as it is written."""

    heading: str
    directives: set[str]
    text: str


def rules(text: str) -> list[Rule]:
    lines = text.splitlines()
    found = []
    for i, line in enumerate(lines):
        if not re.match(r"\s*(use rule .+ with|rule( \w+)?):$", line):
            continue
        indent = len(line) - len(line.lstrip())
        body = []
        for inner in lines[i + 1 :]:
            if inner.strip() and len(inner) - len(inner.lstrip()) <= indent:
                break
            body.append(inner)
        directives = {match[1] for inner in body if (match := re.match(rf" {{{indent + 4}}}(\w+):", inner))}
        found.append(Rule(line.strip(), directives, "\n".join(body)))
    return found


def mistakes(text: str) -> list[str]:
    wrong = []
    for rule in rules(text):
        expected = OWN if rule.heading.startswith("use rule") else ALL
        wrong += [f"{rule.heading} has no {name}" for name in sorted(expected - rule.directives)]
        if "resources" in rule.directives:
            wrong += [f"{rule.heading} has no {name}" for name in ("mem_mb", "runtime") if f"{name}=" not in rule.text]
    return wrong


def test_every_rule_is_complete() -> None:
    texts = {path.name: path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")}
    assert sum(len(rules(text)) for text in texts.values()) > 50
    assert {name: mistakes(text) for name, text in texts.items() if mistakes(text)} == {}


def test_what_a_rule_lacks_is_found() -> None:
    text = "rule a:\n    output:\n        1\n    threads: 1\n    resources:\n        mem_mb=1,\n    shell:\n        2\n"
    assert mistakes(text) == [
        *("rule a: has no benchmark", "rule a: has no log", "rule a: has no message", "rule a: has no runtime")
    ]
    assert (
        mistakes(text + "\nuse rule a as b with:\n    log:\n        1\n")[-1]
        == "use rule a as b with: has no benchmark"
    )


def test_profiles_name_what_snakemake_knows() -> None:
    """A misspelt key of a profile is passed on as an option, and refused; those of plug-ins cannot be tried here."""
    for path in (ROOT / "workflow/profiles").glob("*/config.yaml"):
        keys = set(yaml.safe_load(path.read_text()))
        assert keys <= {
            *("executor", "jobs", "default-resources", "latency-wait", "rerun-triggers", "show-failed-logs"),
            *("printshellcmds", "quiet", "scheduler", "set-threads", "set-resources"),
        }, path
