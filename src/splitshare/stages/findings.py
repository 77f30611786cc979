"""What a comparison found, as files: tables, a figure, words and the machine-readable verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from splitshare.conformance import CheckResult
from splitshare.figures.performance import PROFILE, profile_figure
from splitshare.figures.style import paper_style, save_figure
from splitshare.files import write_text
from splitshare.isolation.runs import GIVE_UP
from splitshare.problems.problem import Problem, Recorded
from splitshare.results.by_family import by_family
from splitshare.results.provenance import provenance
from splitshare.results.verdict import Verdict, in_words, shown, summary_table
from splitshare.results.verdict_file import Judged, VerdictFile, digest_of
from splitshare.results.write import write_csv


@dataclass(frozen=True)
class Findings:
    """What is known of a new method beside its verdicts."""

    method: str
    judged: Judged
    results: pd.DataFrame
    """A row a run: family, instance, workload, seed, status, reason, objective, reference, gap, solve_s."""
    checks: tuple[CheckResult, ...] = ()
    repeated: int = 0
    changed: tuple[str, ...] = ()
    """Instances (of the ``repeated`` ones) that were answered otherwise the second time, with the same seed."""
    time_ratio: float | None = None
    """Median run time as a multiple of the timed baseline's, both taken here."""

    @property
    def failures(self) -> pd.DataFrame:
        """Runs that gave no answer that holds."""
        return self.results.loc[self.results["objective"].isna(), ["instance", "seed", "status", "reason"]]


def write_findings(
    problem: Problem[Any, Any],
    findings: Findings,
    verdicts: Sequence[Verdict],
    recorded: Recorded[Any],
    output: Path,
    *,
    html: bool = False,
) -> None:
    """Write all files of a comparison into ``output``.

    Args:
        problem: whose algorithm was judged.
        findings: of the new method.
        verdicts: one a family that has a run.
        recorded: what the method was held against.
        output: directory.
        html: whether to write the page ``verdict.html`` too.
    """
    summary = pd.concat([summary_table(verdict) for verdict in verdicts], ignore_index=True)
    own = {"objective": problem.objective_column, "reference": problem.reference_column}
    if recorded.held_out:  # the best known is no optimum
        own["reference"] = problem.best_known_column
    write_csv(findings.results.rename(columns=own), output / "results.csv")
    write_summary(summary, output)
    _write_by_family(verdicts, findings.results, recorded, output)
    others = recorded.results[recorded.results["method"] != findings.method]
    both = pd.concat([others, findings.results.assign(method=findings.method)], ignore_index=True)
    with paper_style():
        families = [verdict.family for verdict in verdicts]
        figure = profile_figure(both, families, findings.method, problem=problem.name, sense=problem.sense)
        save_figure(figure, output, PROFILE)
    terms = {"does": problem.terms.does, "reference": problem.terms.reference, "unit": problem.unit}
    paragraphs = [in_words(verdict, **terms) for verdict in verdicts]
    judged = {verdict.family for verdict in verdicts}
    paragraphs += [
        f"{family}: NOT REPORTED: none of its {len(part)} instances has a row; nothing is said of this family."
        for family, part in recorded.instances.items()
        if family not in judged
    ]
    paragraphs.append(_words(problem, findings, sum(len(part) for part in recorded.instances.values())))
    write_text(output / "verdict.txt", "\n".join(paragraphs) + "\n")
    if html:
        from splitshare.explorer.verdict_page import verdict_page  # of an extra, and half a second to import

        page = verdict_page(findings.method, paragraphs, verdicts, both, findings.failures, problem.sense)
        write_text(output / "verdict.html", page)
    _verdict_file(problem, findings, verdicts, recorded).write(output / "verdict.json")


def _verdict_file(
    problem: Problem[Any, Any], findings: Findings, verdicts: Sequence[Verdict], recorded: Recorded[Any]
) -> VerdictFile:
    ratio = findings.time_ratio
    plain = {
        "schema": "splitshare.verdict/2",
        "problem": problem.name,
        "method": findings.method,
        "judged": findings.judged.model_dump(),
        "made_with": provenance(),
        "families": [
            verdict.to_plain() | {"instances_sha256": digest_of(recorded.instances[verdict.family])}
            for verdict in verdicts
        ],
        "time_ratio": None if ratio is None else {"to": problem.timed_baseline, "median": ratio},
        "checks": [vars(check) for check in findings.checks],
        "repeated": {"runs": findings.repeated, "changed": list(findings.changed)},
        "failures": findings.failures.to_dict("records"),
    }
    return VerdictFile.parse(plain, "verdict.json")


def _write_by_family(verdicts: Sequence[Verdict], runs: pd.DataFrame, recorded: Recorded[Any], output: Path) -> None:
    table = by_family(verdicts, runs, recorded.results)
    write_csv(table, output / "by_family.csv")
    write_text(output / "by_family.md", str(table.map(shown).to_markdown(index=False)) + "\n")


def write_summary(summary: pd.DataFrame, output: Path) -> str:
    """Write ``summary.csv`` (full precision), ``summary.md`` and ``summary.tex``; returns the second."""
    readable = summary.map(shown)
    text: str = readable.to_markdown(index=False) + "\n"
    write_csv(summary, output / "summary.csv")
    write_text(output / "summary.md", text)
    write_text(output / "summary.tex", readable.to_latex(index=False, escape=True))
    return text


def _words(problem: Problem[Any, Any], findings: Findings, recorded: int) -> str:
    """Time, contract, repetition and failures, as a paragraph."""
    answer = problem.terms.answer
    sentences = []
    if findings.time_ratio is not None:
        times = f"{findings.time_ratio:.3g} times that of {problem.timed_baseline}"
        sentences.append(f"Its median run time is {times} on this machine.")
    if findings.checks:
        broken = [check for check in findings.checks if not check.passed]
        passed = f"It passes {len(findings.checks) - len(broken)} of {len(findings.checks)} checks of the contract"
        told = [f"{check.check} fails ({check.message})" for check in broken]
        sentences.append(passed + (f": {'; '.join(told)}." if broken else "."))
    else:
        sentences.append("Its objectives are as reported; nothing was run or checked here.")
        missing = recorded - len(findings.results["instance"].unique())
        if missing:
            sentences.append(f"NOT ALL WERE REPORTED: {missing} of {recorded} instances have no row.")
    if findings.changed:
        sentences.append(
            f"It is NOT DETERMINISTIC: of {findings.repeated} runs that were repeated with the same seed in another "
            f"process, those on {len(findings.changed)} instances gave another {answer}; the first: "
            f"{findings.changed[0]}."
        )
    elif findings.repeated:
        again = f"{findings.repeated} runs were repeated with the same seed in another process"
        sentences.append(f"{again} and gave the same {answer}s.")
    failures = findings.failures
    if len(failures):
        first = failures.iloc[0]
        sentences.append(
            f"{len(failures)} of {len(findings.results)} runs gave no feasible {answer}; the first: "
            f"{first['instance']}: {first['status']}{': ' + first['reason'] if first['reason'] else ''}."
        )
    skipped = int((failures["status"] == "not run").sum())
    if skipped:
        why = f"after {GIVE_UP} in a row of a family that overran or ended their process"
        sentences.append(f"{skipped} of these runs were not tried, {why}.")
    return " ".join(sentences)
