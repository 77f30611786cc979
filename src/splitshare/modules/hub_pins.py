"""Commits of the hub's repositories: found once, written down, and held to from then on.

A catalogue may leave a commit out, or name one that has no safetensors file. At the first use the hub is asked: a data
set's commit is that of its main branch; a model's is the asked one or main's if it has a safetensors file, else that of
its newest pull request that has one, as the hub's own conversions do. The lock file keeps it, with digests of what was
fetched of a model; the user commits that file, and nothing is asked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from huggingface_hub.constants import HF_HUB_OFFLINE
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]  # the client's own lock of files

from splitshare.catalog.hub import Pin, PinsFile
from splitshare.errors import InputError, WorkError
from splitshare.files import sha256_file
from splitshare.places import HUB_PINS

SAFE = ".safetensors"
_HTTP_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]
HUB_ERRORS = (OSError, HfHubHTTPError, _HTTP_ERROR)
"""What the hub's client raises; the last is the root of the errors of whatever HTTP library it uses."""

Kind = Literal["dataset", "model"]


def read_pins(path: Path) -> PinsFile:
    """The lock file at ``path``; an empty one if there is none.

    Raises:
        InputError: it is malformed.
    """
    return PinsFile.read(path) if path.is_file() else PinsFile(schema_="splitshare.hub-lock/1", pins=())


class Pins:
    """A lock file of commits, read and written by several processes at once.

    Args:
        path: of the file, which need not be there.

    Raises:
        InputError: it is there and malformed: told at once, not of every repository.
    """

    def __init__(self, path: Path = HUB_PINS) -> None:
        self.path = path
        read_pins(path)
        self._checked: set[tuple[str, Path]] = set()

    def revision(self, kind: Kind, repository: str, asked: str | None) -> str:
        """The commit to use of a repository.

        Args:
            kind: whether it is a model or a data set.
            repository: its id on the hub.
            asked: the catalogue's commit, if it names one.

        Raises:
            InputError: the lock file is malformed.
            WorkError: a model has no safetensors file there, nor in a pull request.
            OSError: the hub cannot be reached, or has no such repository or commit.
        """
        if kind == "dataset" and asked is not None:
            return asked
        with self._lock():
            found = self._find(kind, repository, asked)
            if found is None and asked is not None and HF_HUB_OFFLINE:
                return asked  # nothing can be asked, and only what is in the cache is read
            if found is None:
                found = Pin(
                    kind=kind, repository=repository, asked=asked, revision=found_revision(kind, repository, asked)
                )
                self._put(found)
            return found.revision

    def check(self, repository: str, asked: str | None, name: str, path: Path) -> None:
        """Hold a file of a model against its digest of the first use, or write that down.

        Raises:
            WorkError: the file is another one than at the first use; both digests are named.
        """
        if (repository, path) in self._checked:  # gigabytes, and every arrangement of a model reads them
            return
        digest = sha256_file(path)
        with self._lock():
            pin = self._find("model", repository, asked)
            if pin is None and HF_HUB_OFFLINE:
                return
            if pin is None:
                raise InputError(self.path, "pins", f"no commit of {repository}; it was deleted meanwhile: run again")
            locked = pin.files.get(name)
            if locked is None:
                self._put(pin.model_copy(update={"files": dict(sorted((pin.files | {name: digest}).items()))}))
            elif locked != digest:
                raise WorkError(
                    f"{name} of {repository} at {pin.revision} is another one than at the first use: locked {locked}, "
                    f"fetched {digest}; delete it from the hub's cache and run again, or take its pin out of "
                    f"{self.path} to start anew"
                )
        self._checked.add((repository, path))

    def _find(self, kind: Kind, repository: str, asked: str | None) -> Pin | None:
        key = (kind, repository, asked or "no commit")
        return next((pin for pin in read_pins(self.path).pins if pin.key == key), None)

    def _put(self, pin: Pin) -> None:
        kept = [old for old in read_pins(self.path).pins if old.key != pin.key]
        pins = tuple(sorted([*kept, pin], key=lambda p: p.key))
        PinsFile(schema_="splitshare.hub-lock/1", pins=pins).write(self.path)

    def _lock(self) -> AbstractContextManager[object]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return WeakFileLock(self.path.with_name(f".{self.path.name}.lock"))


def found_revision(kind: Kind, repository: str, asked: str | None) -> str:
    """The commit that the hub tells for a repository, as ``Pins.revision`` says.

    Raises:
        WorkError: a model has no safetensors file there, nor in a pull request.
        OSError: the hub cannot be reached, or has no such repository or commit.
    """
    from huggingface_hub import HfApi  # slow to import

    api = HfApi()
    if kind == "dataset":
        return str(api.dataset_info(repository, revision=asked).sha)
    info = api.model_info(repository, revision=asked)
    names = [sibling.rfilename for sibling in info.siblings or ()]
    if has_safetensors(names):
        return str(info.sha)
    where = safetensors_request(repository)
    if where is None:
        pickles = [name for name in names if name.endswith((".bin", ".pt", ".pth"))]
        told = f"only {', '.join(pickles)}, which are pickles and never read" if pickles else "no weights at all"
        raise WorkError(
            f"{repository} has no safetensors file at {info.sha} nor in a pull request, but {told}: choose another "
            "copy and write it into hub.yaml"
        )
    return where[1]


def has_safetensors(names: Iterable[str]) -> bool:
    """Whether one of a repository's files holds weights as safetensors."""
    return any(name.endswith(SAFE) for name in names)


def safetensors_request(repository: str) -> tuple[str, str] | None:
    """Name and commit of a model's newest pull request that has a safetensors file."""
    from huggingface_hub import HfApi

    api = HfApi()
    requests = api.list_repo_refs(repository, include_pull_requests=True).pull_requests or []
    for request in sorted(requests, key=lambda r: _number(r.ref), reverse=True):
        if has_safetensors(api.list_repo_files(repository, revision=request.ref)):
            return request.ref, request.target_commit
    return None


def _number(ref: str) -> int:
    last = ref.rsplit("/", 1)[-1]
    return int(last) if last.isdigit() else 0
