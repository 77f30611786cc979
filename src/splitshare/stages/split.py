"""Cut models into functional modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import typer

from splitshare.checkpoints.chain import Checked, check
from splitshare.checkpoints.cut import Cut, CutModule, cut
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.inputs import REQUESTS
from splitshare.checkpoints.operations import operations
from splitshare.checkpoints.roles import Sends, what_is_sent
from splitshare.checkpoints.sizes import bytes_in_words, count_in_words
from splitshare.checkpoints.source import load_checkpoint, quiet_library
from splitshare.checkpoints.tensors import DTYPE_NAMES
from splitshare.commands.split import Options
from splitshare.errors import WorkError
from splitshare.files import write_text
from splitshare.modules.hub_pins import Pins


def run(options: Options) -> Iterator[str]:
    """Cut each model, and with ``check`` hold its chained modules against the whole.

    Yields:
        The tree of a model, as soon as it is cut.

    Raises:
        InputError: there is no such model, or its files are wrong.
        WorkError: at the end, if a model cannot be split, or its modules answer otherwise than the whole.
    """
    quiet_library()
    families = load_families(options.catalog_root)
    pins = Pins(options.pins)
    rows: list[dict[str, object]] = []
    failed: list[str] = []
    for model in options.models:
        try:
            found = cut(load_checkpoint(model, pins), families)
            checked = check(found, families) if options.check else None
            sends = what_is_sent(found, families) if options.check else []
        except WorkError as error:
            if len(options.models) == 1:
                raise
            failed.append(str(error))
            continue
        counted = operations(found, families)
        rows += [_row(found, module, counted.get(module.name)) for module in found.modules]
        yield tree(found, counted, checked, sends)
        if checked is not None and not checked.agrees:
            failed.append(f"{found.checkpoint.name} answers otherwise in parts: {checked.told}")
    if options.table is not None:
        write_text(options.table, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    if failed:
        raise WorkError("; ".join(failed))


def show(text: str) -> None:
    """Print a model's tree."""
    typer.echo(text)


def tree(found: Cut, counted: dict[str, int], checked: Checked | None, sends: Sequence[Sends] = ()) -> str:
    """A model and its modules, a line each."""
    by = f"by the family {found.family}" if found.family else "by the general rule: nobody described this family"
    checkpoint = found.checkpoint
    at = f" at {checkpoint.commit}" if checkpoint.commit else ""
    lines = [f"{checkpoint.name}{at} ({type(checkpoint.skeleton).__name__}), {by}"]
    width = max(len(module.name) for module in found.modules)
    for i, module in enumerate(found.modules):
        branch = "`--" if i == len(found.modules) - 1 else "|--"
        flops = counted.get(module.name)
        told = [
            f"{count_in_words(module.parameters)} parameters",
            f"{bytes_in_words(module.bytes)} {'/'.join(_types(module.dtypes))}",
            *([f"{count_in_words(flops)} operations a request"] if flops is not None else []),
        ]
        lines.append(f"{branch} {module.name:{width}}  {module.kind}: {', '.join(told)}")
    for kind, names in (("missing", checkpoint.missing), ("not used by the class", checkpoint.extra)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            lines.append(f"    {kind}: {', '.join(names[:3])}{more}")
    lines += [f"    {s.module} sends {s.told}, {bytes_in_words(s.bytes / REQUESTS)} a request" for s in sends]
    if checked is not None:
        lines.append(f"    checked: {checked.told}")
    return "\n".join(lines)


def _types(dtypes: Sequence[str]) -> list[str]:
    return [DTYPE_NAMES.get(dtype, dtype.lower()) for dtype in dtypes]


def _row(found: Cut, module: CutModule, flops: int | None) -> dict[str, object]:
    return {
        "model": module.model,
        "family": found.family or "",
        "module": module.name,
        "kind": module.kind,
        "parameters": module.parameters,
        "bytes": module.bytes,
        "dtype": "/".join(_types(module.dtypes)),
        "flops": flops,
    }
