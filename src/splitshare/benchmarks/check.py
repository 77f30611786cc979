"""What the hub tells of every repository that a catalogue names, without downloading any of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huggingface_hub import HfApi

from splitshare.benchmarks.plan import duration
from splitshare.catalog.benchmarks import BenchmarkSource
from splitshare.catalog.hub import HubWeights
from splitshare.errors import SplitshareError
from splitshare.modules.hub_pins import HUB_ERRORS, SAFE, Kind, Pins, safetensors_request

TOLD_BIT_PER_S = 100e6
"""Bandwidth for which a time is told: that of the user is not known before."""


@dataclass(frozen=True)
class Found:
    """A repository, as the hub tells of it; a field that it does not tell is empty."""

    kind: Kind
    repository: str
    names: str
    """What the catalogue calls what lies there."""
    commit: str = ""
    """The one that is used: the catalogue's, the lock file's, or the one that was found now and is in that file now."""
    size_bytes: int | None = None
    """All files of the commit."""
    licence: str = ""
    gated: str = ""
    """``yes`` where its terms have to be accepted first."""
    safetensors: str = ""
    """Of a model: the files, or why there are none."""
    problem: str = ""


def repositories(
    sources: Mapping[str, BenchmarkSource], weights: Mapping[str, HubWeights]
) -> list[tuple[Kind, str, str | None, str]]:
    """Every repository once: kind, id, the catalogue's commit, and what it is for."""
    wanted: dict[tuple[Kind, str, str | None], dict[str, None]] = {}
    for source in sources.values():
        for part, split in (("test", source.test), ("train", source.train)):
            if split is not None:
                wanted.setdefault(("dataset", split.dataset, split.revision), {})[f"{source.name} ({part})"] = None
    for name, entry in weights.items():
        wanted.setdefault(("model", entry.repository, entry.revision), {})[name] = None
    return [(kind, repository, asked, ", ".join(names)) for (kind, repository, asked), names in wanted.items()]


def check(wanted: list[tuple[Kind, str, str | None, str]], pins: Pins) -> Iterator[Found]:
    """Ask the hub for each; commits that the catalogue leaves out are pinned, and one that fails is a row, too."""
    api = HfApi()
    for kind, repository, asked, names in wanted:
        try:
            revision = pins.revision(kind, repository, asked)
            ask = api.dataset_info if kind == "dataset" else api.model_info
            info: Any = ask(repository, revision=revision, files_metadata=True)
        except (*HUB_ERRORS, SplitshareError) as error:
            reason = " ".join(str(error).split())[:160]
            yield Found(kind, repository, names, commit=asked or "", problem=f"{type(error).__name__}: {reason}")
            continue
        sizes = [sibling.size for sibling in info.siblings or ()]
        files = [sibling.rfilename for sibling in info.siblings or ()]
        card = info.card_data or {}
        yield Found(
            kind,
            repository,
            names,
            commit=revision,
            size_bytes=sum(sizes) if sizes and all(size is not None for size in sizes) else None,
            licence=str(card.get("license") or "") if hasattr(card, "get") else "",
            gated="yes" if info.gated else "no",
            safetensors=_safetensors(repository, files) if kind == "model" else "",
        )


def to_fetch(found: Sequence[Found], sources: Mapping[str, BenchmarkSource], samples: int | None) -> str:
    """One line: how much there is to fetch at most, of a subset also at least, and how long that takes.

    Args:
        found: what the hub told; what it told no size of is named.
        sources: the benchmarks.
        samples: of each; ``None``: all.
    """
    shares: dict[str, float] = {}
    for source in sources.values():
        for split in filter(None, (source.test, source.train)):
            share = 1.0 if samples is None else min(1.0, samples / split.rows)
            shares[split.dataset] = max(shares.get(split.dataset, 0.0), share)
    sized = [(each, each.size_bytes) for each in found if each.size_bytes is not None]
    weights = sum(size for each, size in sized if each.kind == "model")
    most = sum(size for each, size in sized if each.kind == "dataset")
    least = sum(size * shares.get(each.repository, 1.0) for each, size in sized if each.kind == "dataset")
    of_data = f"at most {most / 1e9:.2f} GB of data sets"
    if samples is not None:
        of_data = f"{least / 1e9:.2f} to {most / 1e9:.2f} GB of data sets (parts of files are read whole)"
    took = [duration(8 * (each + weights) / TOLD_BIT_PER_S) for each in (least, most)]
    line = f"to fetch: {of_data}, {weights / 1e9:.2f} GB of weights; at {TOLD_BIT_PER_S / 1e6:.0f} Mbit/s "
    line += took[1] if samples is None else " to ".join(took)
    unknown = [each.repository for each in found if each.size_bytes is None]
    return line + (f"; not counted, of unknown size: {', '.join(unknown)}" if unknown else "")


def _safetensors(repository: str, files: list[str]) -> str:
    safe = [name for name in files if name.endswith(SAFE)]
    if safe:
        return safe[0] if len(safe) == 1 else f"{len(safe)} files"
    request = safetensors_request(repository)
    return f"none; {request[0]} has ({request[1]})" if request else "none"
