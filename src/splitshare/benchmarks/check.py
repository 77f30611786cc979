"""What the hub tells of every repository that a catalogue names, without downloading any of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import HfApi

from splitshare.catalog.benchmarks import BenchmarkSource
from splitshare.catalog.hub import HubWeights
from splitshare.errors import SplitshareError
from splitshare.modules.hub_pins import HUB_ERRORS, SAFE, Kind, Pins, safetensors_request


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


def _safetensors(repository: str, files: list[str]) -> str:
    safe = [name for name in files if name.endswith(SAFE)]
    if safe:
        return safe[0] if len(safe) == 1 else f"{len(safe)} files"
    request = safetensors_request(repository)
    return f"none; {request[0]} has ({request[1]})" if request else "none"
