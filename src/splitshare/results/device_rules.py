"""How well the rules for devices that nobody measured predict the devices that were measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from splitshare.profiling.predictions import Prediction, geometric_mean_ratio

_ROWS = ("device", "module", "kind", "batch", "operations", "measured_s", "predicted_s", "ratio")
_ERRORS = ("device", "part", "value", "rows", "geometric_mean_ratio", "worst_ratio", "worst_module", "worst_batch")


def predictions_table(device: str, predictions: Iterable[Prediction]) -> pd.DataFrame:
    """One row a module and batch: seconds measured and predicted, and the larger of their two ratios."""
    rows = [
        {
            "device": device,
            "module": p.module,
            "kind": p.kind,
            "batch": p.batch,
            "operations": p.operations,
            "measured_s": p.measured_s,
            "predicted_s": float(f"{p.predicted_s:.6g}"),
            "ratio": p.ratio,
        }
        for p in predictions
    ]
    return pd.DataFrame(rows, columns=_ROWS)


def errors_table(device: str, predictions: Sequence[Prediction]) -> pd.DataFrame:
    """How far the predictions are off over all rows, by kind of module and by batch size."""
    parts: list[tuple[str, str, list[Prediction]]] = [("all", "all", list(predictions))]
    parts += [
        ("kind", kind, [p for p in predictions if p.kind == kind])
        for kind in dict.fromkeys(p.kind for p in predictions)
    ]
    parts += [
        ("batch", str(batch), [p for p in predictions if p.batch == batch])
        for batch in sorted({p.batch for p in predictions})
    ]
    rows = []
    for part, value, among in parts:
        worst = max(among, key=lambda p: p.ratio)
        rows.append(
            {
                "device": device,
                "part": part,
                "value": value,
                "rows": len(among),
                "geometric_mean_ratio": geometric_mean_ratio(among),
                "worst_ratio": worst.ratio,
                "worst_module": worst.module,
                "worst_batch": worst.batch,
            }
        )
    return pd.DataFrame(rows, columns=_ERRORS)
