"""Module descriptions (facts of an architecture) and module profiles (times on a device)."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field

from splitshare.catalog.records import DTYPE_BYTES, EncoderOutput, ModuleKind
from splitshare.choices import Dtype
from splitshare.records import Amount, Bytes, Count, Joules, Name, PositiveCount, Record, Seconds

Provenance = Literal["measured", "published", "derived", "assumed"]
Method = Literal["whole", "layer-extrapolated"]
"""Whether the whole module was measured, or a few of its equal layers and the rest of them calculated."""


class Work(Record):
    """What a module does on one batch: exact counts from the architecture, no time.

    A decoder's counts are those of whole requests, from the prompt to the last new token.
    """

    batch: PositiveCount
    flops: Amount
    """Floating point operations, a multiply-add counted as two."""
    convolution_flops: Amount = 0
    """Those among them that convolutions take, of a decoder in its first pass; a GPU may compute these at another
    precision."""
    operations: Amount = 0
    """Operations that a device is handed one by one, in all passes (``profiling.operations``); 0 where none were
    counted."""
    input_bytes: Amount
    output_bytes: Amount
    """Bytes of the pooled output, of a head's scores, or of a decoder's token ids."""
    patches_bytes: Amount | None = None
    """Bytes of the patch states, where the module is an encoder that gives them too."""
    weight_passes: PositiveCount = 1
    """Times that the weights are read: once, but once a new token by a decoder (the prompt gives the first one)."""
    prefill_flops: Amount | None = None
    """The part of a decoder's ``flops`` that the first pass takes; the other passes share the rest."""

    def sent_bytes(self, output: EncoderOutput) -> int:
        """Bytes of what an encoder sends to the head.

        Raises:
            ValueError: the module has no patch states.
        """
        if output == "pooled":
            return self.output_bytes
        if self.patches_bytes is None:
            raise ValueError("the module gives no patch states")
        return self.patches_bytes


class ModuleDescription(Record):
    """The facts of a module that do not depend on a device, read off the built architecture."""

    module: Name
    architecture: Name
    kind: ModuleKind
    dtype: Dtype
    parameters: Amount
    embedding_parameters: Amount
    """Token embedding parameters among them (one of the two counting rules leaves them out)."""
    parameter_bytes: Amount
    definition_sha256: str
    """Digest of the catalogue entry and of the code that builds it; a profile with another digest is stale."""
    work: tuple[Work, ...]

    def moved_bytes(self, work: Work) -> int:
        """Bytes of parameters, input and output, each read or written once in a pass.

        A lower bound: activations between layers are left out, and of the token embedding a look-up reads a few rows.
        """
        items = self.embedding_parameters * DTYPE_BYTES[self.dtype]
        return self.parameter_bytes - items + work.input_bytes + work.output_bytes

    def at(self, batch: int) -> Work:
        """The counts at ``batch``; raises ``KeyError`` where it was not described."""
        for work in self.work:
            if work.batch == batch:
                return work
        raise KeyError(f"{self.module} is not described at batch {batch}")


class ModuleDescriptions(Record):
    """All modules of the catalogue (``splitshare describe``)."""

    schema_: Literal["splitshare.module-descriptions/1"] = Field(alias="schema")
    precision: Dtype | None = None
    """Type in which the catalogue was read; ``None``: as it is."""
    modules: tuple[ModuleDescription, ...]

    @cached_property
    def by_name(self) -> dict[str, ModuleDescription]:
        """Descriptions by module name."""
        return {m.module: m for m in self.modules}


class ProfiledDevice(Record):
    """The device that a profile speaks of."""

    name: Name
    cpu: str | None = None
    gpu: str | None = None
    threads: PositiveCount | None = None
    memory_bytes: Bytes
    os: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    """Library versions of a measured profile."""


RowKey = tuple[str, int, Dtype | None]
"""Module, batch and precision."""


class ProfileRow(Record):
    """One module at one batch size and precision on one device.

    Seconds are for the whole batch; a decoder's, for whole requests. A row without times says why: the module
    cannot run there (``runnable`` is false), or it can, and measuring it would have taken too long.
    """

    module: Name
    batch: PositiveCount
    precision: Dtype | None = None
    """Type in which the module was held and computed; ``None``: its own in the catalogue."""
    provenance: Provenance
    source: str
    """How the row came about: the measuring method, the published source or the rule."""
    definition_sha256: str
    runnable: bool = True
    reason: str | None = None
    compute_median_s: Seconds | None = None
    compute_p10_s: Seconds | None = None
    compute_p90_s: Seconds | None = None
    prefill_s: Seconds | None = None
    """A decoder's median seconds from its inputs to the first new token."""
    prefill_p10_s: Seconds | None = None
    prefill_p90_s: Seconds | None = None
    per_token_s: Seconds | None = None
    """A decoder's median seconds for each further token: what a request takes beyond its prefill, over these tokens."""
    per_token_p10_s: Seconds | None = None
    per_token_p90_s: Seconds | None = None
    runs: Count | None = None
    warm_up_runs: Count | None = None
    """Runs before the timed ones: those that came before two runs in a row that agreed within 10 %."""
    settled: bool | None = None
    """Two runs in a row agreed. Where not, the module was still warming up, or one run took too long for a second."""
    energy_j: Joules | None = None
    """Mean joules of a run, all that the counter saw meanwhile; only where the hardware counts them."""
    energy_source: str | None = None
    """What counted them."""
    peak_memory_bytes: Bytes | None = None
    parameter_bytes: Amount
    output_bytes: Amount
    load_s: Seconds | None = None
    method: Method = "whole"

    @property
    def key(self) -> RowKey:
        """What may stand once in a profile."""
        return self.module, self.batch, self.precision


class LayerCheck(Record):
    """The layer method held against a module that was measured whole too."""

    module: Name
    batch: PositiveCount
    part: Literal["request", "prefill", "per-token"]
    layers: PositiveCount
    """Equal layers of the module."""
    measured_layers: tuple[PositiveCount, PositiveCount]
    """Layers of the two modules that the method measures instead."""
    whole_s: Seconds
    """Seconds measured whole."""
    by_layers_s: Seconds
    """Seconds by the layer method."""


class ModuleProfile(Record):
    """``profiles/<device>.json``: the profile of every module on one device."""

    schema_: Literal["splitshare.module-profile/1"] = Field(alias="schema")
    device: ProfiledDevice
    notes: tuple[str, ...] = ()
    layer_checks: tuple[LayerCheck, ...] = ()
    """What the layer method is worth on this device, on every decoder that could be measured whole."""
    rows: tuple[ProfileRow, ...]

    @cached_property
    def by_key(self) -> dict[RowKey, ProfileRow]:
        """Rows by module name, batch and precision."""
        return {r.key: r for r in self.rows}

    def at_precision(self, precision: Dtype | None) -> tuple[ProfileRow, ...]:
        """The rows in which modules were held and computed in that type; ``None``: in the catalogue's."""
        return tuple(row for row in self.rows if row.precision == precision)
