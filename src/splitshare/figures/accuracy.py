"""Accuracy of whole, split and shared models on the benchmarks; what was not run is an empty row, never left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from splitshare.benchmarks.accuracy import ARRANGEMENTS, AccuracyRow, Arrangement, in_own_precision
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.paths import EMBEDDED, published_accuracy_file
from splitshare.catalog.published_accuracy import PublishedAccuraciesFile, PublishedAccuracy
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import ARRANGEMENT_MARKS, OTHERWISE_PUBLISHED_MARK, PUBLISHED_MARK
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
from splitshare.results.claims_s2m3 import EQUIVALENCE, judged_pairs, no_loss_of_accuracy

DECLARATION = Declaration(
    name="accuracy",
    category="Accuracy",
    records=("accuracy.json", "split_equivalence.csv"),
    accuracy=True,
    tables=("accuracy", "accuracy_by_model", "accuracy_claim"),
    printed={
        "accuracy": {
            "benchmark": ("Benchmark", "2.8cm"),
            "model": ("Model", "2.6cm"),
            "metric": "Metric",
            "samples": "Samples",
            "whole": ("Whole (%)", 100),
            "split": ("Split (%)", 100),
            "shared": ("Shared (%)", 100),
            "status": "",
        }
    },
    drawn=("accuracy",),
    caption="Accuracy of split and shared models on each benchmark as a difference to the whole model.",
    takeaway="Wherever it was measured, split and shared models answer as the whole ones do.",
    claim="S3",
)

NAME, BY_MODEL, CLAIM = "accuracy", "accuracy_by_model", "accuracy_claim"
MAIN_METRICS = ("top-1", "vqa-accuracy", "cider")
"""What is drawn; top-5 stands in the table only."""
NOT_COMPARABLE = "published, not comparable"
CIDER_UNIT = 10.0
"""CIDEr ends at 10; it is drawn as a share of that."""


MARKED = 0.01
"""A difference from a published accuracy of the same thing that is marked: one point."""


def accuracy_table(
    catalog: Catalog, rows: Sequence[AccuracyRow], published: PublishedAccuraciesFile | None = None
) -> pd.DataFrame:
    """One row a benchmark, model and metric that was measured, and one for what was not run of each benchmark.

    Columns ``whole``, ``split`` and ``shared`` are the metric's values, ``ci_low`` and ``ci_high`` the whole model's
    95 % interval; ``differ_split`` and ``differ_shared`` are samples answered otherwise than by the whole model.
    ``published`` is what others report of the same weights, and ``beside_published`` says how far the whole model's is
    from it in points, marked where that is over one, or why the two cannot be compared.
    """
    catalogued = {name: [m for m in catalog.models.values() if name in m.benchmarks] for name in catalog.benchmarks}
    others = dict.fromkeys(row.benchmark for row in rows if row.benchmark not in catalogued)
    parts: list[dict[str, object]] = []
    for benchmark in [*catalogued, *others]:
        of_benchmark = [row for row in rows if row.benchmark == benchmark]
        known = [m.name for m in catalogued.get(benchmark, [])]
        groups = dict.fromkeys(
            sorted(((row.model, row.metric) for row in of_benchmark), key=lambda group: _place(group[0], known))
        )
        for model, metric in groups:
            by_arrangement = {r.arrangement: r for r in of_benchmark if (r.model, r.metric) == (model, metric)}
            part = _measured(benchmark, model, metric, by_arrangement)
            found = None if published is None else published.find(benchmark, model, metric)
            parts.append(part | _beside(by_arrangement.get("whole"), found))
        missing = [m.name for m in catalogued.get(benchmark, []) if all(m.name != row.model for row in of_benchmark)]
        if missing:
            parts.append(
                {
                    "benchmark": benchmark,
                    "source": "hub",
                    "task": catalog.benchmarks[benchmark].task,
                    "model": missing[0] if len(missing) == 1 else f"{len(missing)} models",
                    "metric": "",
                    "status": "not run",
                }
            )
    numbers = ["samples", *ARRANGEMENTS, "ci_low", "ci_high", "differ_split", "differ_shared"]
    columns = ["benchmark", "source", "task", "model", "metric", *numbers, "published", "beside_published", "status"]
    table = pd.DataFrame(parts, columns=columns)
    counts = dict.fromkeys(("samples", "differ_split", "differ_shared"), "Int64")
    return table.astype(counts | dict.fromkeys((*ARRANGEMENTS, "ci_low", "ci_high", "published"), "float64"))


def accuracy_by_model(
    catalog: Catalog, rows: Sequence[AccuracyRow], published: PublishedAccuraciesFile
) -> pd.DataFrame:
    """One row a model of the catalogue and way of having its accuracies, a column a benchmark.

    Ways are ``whole``, ``split`` and ``shared``, as measured, and ``published``, or ``published, not comparable`` where
    something else was measured (the table ``accuracy`` says what). Values are in percent, CIDEr as it is; top-1 where
    there is a top-5 too. Rows without a value are left out.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}

    def put(model: str, way: str, benchmark: str, metric: str, value: float) -> None:
        found.setdefault((model, way), {})[benchmark] = value if metric == "cider" else round(100 * value, 6)

    for model in catalog.models.values():
        for arrangement in ARRANGEMENTS:
            for row in rows:
                if (row.model, row.arrangement) == (model.name, arrangement) and row.metric in MAIN_METRICS:
                    put(model.name, arrangement, row.benchmark, row.metric, row.value)
        for benchmark, metric in product(model.benchmarks, MAIN_METRICS):
            if reported := published.find(benchmark, model.name, metric):
                value, part = reported
                put(model.name, "published" if part.comparable else NOT_COMPARABLE, benchmark, metric, value)
    parts = [{"model": model, "accuracy": way} | values for (model, way), values in found.items()]
    return pd.DataFrame(parts, columns=["model", "accuracy", *catalog.benchmarks])


def _place(model: str, known: Sequence[str]) -> int:
    """Models in the catalogue's order, others behind."""
    return known.index(model) if model in known else len(known)


def _beside(whole: AccuracyRow | None, found: tuple[float, PublishedAccuracy] | None) -> dict[str, object]:
    """The published value and how ours compares."""
    if found is None:
        return {"published": None, "beside_published": "not published"}
    value, part = found
    if whole is not None and whole.random_weights:
        return {"published": value, "beside_published": "random weights"}
    if not part.comparable or whole is None:
        return {"published": value, "beside_published": part.note or "no whole model"}
    points = 100 * (whole.value - value)
    mark = " (over one point)" if abs(whole.value - value) > MARKED else ""
    return {"published": value, "beside_published": f"{points:+.1f} points{mark}"}


def _measured(benchmark: str, model: str, metric: str, rows: Mapping[Arrangement, AccuracyRow]) -> dict[str, object]:
    any_row = next(iter(rows.values()))
    whole = rows.get("whole")
    return {
        "benchmark": benchmark,
        "source": any_row.source,
        "task": any_row.task,
        "model": model,
        "metric": metric,
        "samples": any_row.samples,
        **{arrangement: row.value for arrangement, row in rows.items()},
        "ci_low": whole.ci_low if whole else None,
        "ci_high": whole.ci_high if whole else None,
        "differ_split": rows["split"].differing_predictions if "split" in rows else None,
        "differ_shared": rows["shared"].differing_predictions if "shared" in rows else None,
        "status": "random weights" if any_row.random_weights else "measured",
    }


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``accuracy``."""
    published = PublishedAccuraciesFile.read(published_accuracy_file(inputs.catalog.root))
    rows = in_own_precision(inputs.accuracy().rows)
    table = accuracy_table(inputs.catalog, rows, published)
    save_table(
        table,
        output,
        NAME,
    )
    save_table(
        accuracy_by_model(inputs.catalog, rows, published),
        output,
        BY_MODEL,
    )
    claim = no_loss_of_accuracy(inputs.record(EQUIVALENCE), rows, judged_pairs(inputs.catalog))
    parts = {key: getattr(claim, key) for key in ("claim", "measured_value", "unit", "verdict", "note")}
    save_table(
        pd.DataFrame([parts]),
        output,
        CLAIM,
    )
    with paper_style():
        save_figure(_figure(table, published, _titles(inputs.catalog)), output, NAME)


def _figure(table: pd.DataFrame, published: PublishedAccuraciesFile, titles: Mapping[str, str]) -> Figure:
    """Split, shared and published accuracies as differences to the whole model, in points."""
    shown = table[table["metric"].isin(MAIN_METRICS) & table["whole"].notna()].reset_index(drop=True)
    unit = shown["metric"].map(lambda metric: CIDER_UNIT if metric == "cider" else 1.0)
    points = (
        shown[["split", "shared", "published", "ci_low", "ci_high"]].sub(shown["whole"], axis=0).div(unit, axis=0) * 100
    )
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.3 + 0.24 * max(len(shown), 2)))
    axes = figure.subplots()
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    interval = {"color": ARRANGEMENT_MARKS["whole"][1]["color"], "linewidth": 1.2, "zorder": 2}
    axes.hlines(shown.index, points["ci_low"], points["ci_high"], label="Whole, 95 % interval", **interval)
    for arrangement in ("split", "shared"):
        title, mark = ARRANGEMENT_MARKS[arrangement]
        axes.plot(points[arrangement], shown.index, linestyle="none", label=title, **mark)
    for label, mark, marked in _published_marks(shown, published):
        axes.plot(points["published"][marked], shown.index[marked], label=label, **mark)
    for place, row in shown.iterrows():
        told = f"{row['whole']:.1f}" if row["metric"] == "cider" else f"{100 * row['whole']:.1f} %"
        samples = f"{told} of {row['samples']:,}"
        axes.annotate(samples, (1.01, place), xycoords=("axes fraction", "data"), va="center", size=7)
    axes.set_yticks(shown.index, [_label(row, titles) for _, row in shown.iterrows()])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    not_run = table.loc[table["status"] == "not run", ["benchmark", "model"]]
    left_out = [f"{titles.get(b, b)} ({titles.get(m, m)})" for b, m in not_run.astype(str).itertuples(index=False)]
    told = "Difference to the whole model (points; of CIDEr, tenths); right: the whole model's accuracy"
    if left_out:
        told += "\n" + fill(f"Not run here: {', '.join(left_out)}", 88)
    axes.set_xlabel(told)
    legend_below(figure, axes, 5)
    return figure


def _published_marks(
    shown: pd.DataFrame, published: PublishedAccuraciesFile
) -> list[tuple[str, dict[str, Any], pd.Series[bool]]]:
    """Label, mark and rows of what is published of the same thing, and of something else; none without rows."""
    found = [published.find(row["benchmark"], row["model"], row["metric"]) for _, row in shown.iterrows()]
    kinds = (("Published", PUBLISHED_MARK, True), ("Published, not comparable", OTHERWISE_PUBLISHED_MARK, False))
    marks = [
        (label, mark, pd.Series([f is not None and f[1].comparable is kind for f in found], index=shown.index))
        for label, mark, kind in kinds
    ]
    return [mark for mark in marks if mark[2].any()]


def _titles(catalog: Catalog) -> dict[str, str]:
    """Titles of benchmarks and models, the embedded ones too, by name."""
    both = (catalog, load_catalog(catalog.root / EMBEDDED.name))
    return {name: one.title for part in both for kind in (part.benchmarks, part.models) for name, one in kind.items()}


def _label(row: pd.Series, titles: Mapping[str, str]) -> str:
    metric = f", {row['metric']}" if row["metric"] else ""
    told = [titles.get(row[field], str(row[field])) for field in ("benchmark", "model")]
    return fill(f"{told[0]}: {told[1]}{metric}", 52)
