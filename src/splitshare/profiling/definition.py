"""What defines a module, as a digest; known without torch, so that a workflow can ask at every start."""

from __future__ import annotations

from splitshare.catalog import paths
from splitshare.catalog.loader import Catalog
from splitshare.code_digest import code_digest
from splitshare.files import canonical_json, sha256_bytes
from splitshare.modules.registry import builder_module


def definition_sha256(catalog: Catalog, name: str) -> str:
    """Digest of what defines a module: its catalogue entries and the code that builds it.

    Comments and docstrings of that code do not count, nor does code that only other builders use, nor which
    published figures the architecture has.

    Raises:
        InputError: the catalogue has no such module, or there is no such builder.
    """
    shared = catalog.module(name)
    builder = builder_module(shared.ref.architecture, shared.architecture, paths.architectures_file(catalog.root))
    entry = {
        "module": name,
        "architecture": shared.architecture.model_dump(mode="json", exclude={"published"}),
        "items": catalog.head_items(name),
        "lengths": catalog.answer_lengths(name),
        "code": code_digest(builder),
    }
    return sha256_bytes(canonical_json(entry).encode())
