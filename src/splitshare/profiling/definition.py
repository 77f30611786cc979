"""What defines a module, as a digest; known without torch, so that a workflow can ask at every start."""

from __future__ import annotations

from splitshare.catalog.loader import SharedModule
from splitshare.code_digest import code_digest
from splitshare.files import canonical_json, sha256_bytes
from splitshare.modules.registry import builder_module


def definition_sha256(shared: SharedModule) -> str:
    """Digest of what defines a module: its catalogue entries and the code that builds it.

    Comments and docstrings of that code do not count, nor does code that only other builders use, nor which
    published figures the architecture has.

    Raises:
        InputError: there is no such builder.
    """
    builder = builder_module(shared.ref.architecture, shared.architecture, shared.source)
    entry = {
        "module": shared.name,
        "architecture": shared.architecture.model_dump(mode="json", exclude={"published"}),
        "items": dict(shared.head_items),
        "lengths": shared.answer_lengths,
        "code": code_digest(builder),
    }
    return sha256_bytes(canonical_json(entry).encode())
