"""Transforms of an instance that S2M3's ideas are compared with: modules not shared, encoders not in parallel."""

from __future__ import annotations

from typing import Literal

from splitshare.names import MadeNames
from splitshare.placement.instance import EncoderUse, Module, PlacementInstance

Variant = Literal["no-sharing", "sequential-routing"]


def without_sharing(instance: PlacementInstance) -> PlacementInstance:
    """Give every request class its own copy of each module that several classes use (ours, after S2M3).

    A copy is named ``<module>+<request>``, or shorter and with a digest of these where that is too long or taken;
    modules of one class keep their name.
    """
    users: dict[str, set[str]] = {m.name: set() for m in instance.modules}
    for request in instance.requests:
        for name in (*(e.module for e in request.encoders), request.head):
            users[name].add(request.name)

    names = MadeNames(users)

    def own(module: str, request: str) -> str:
        return names.of(module, request, between="+") if len(users[module]) > 1 else module

    modules: list[Module] = []
    for module in instance.modules:
        if len(users[module.name]) <= 1:
            modules.append(module)
        else:
            modules.extend(
                module.model_copy(update={"name": own(module.name, r.name)})
                for r in instance.requests
                if r.name in users[module.name]
            )
    requests = [
        r.model_copy(
            update={
                "encoders": tuple(EncoderUse(**e.model_dump() | {"module": own(e.module, r.name)}) for e in r.encoders),
                "head": own(r.head, r.name),
            }
        )
        for r in instance.requests
    ]
    return instance.with_changes(modules=tuple(modules), requests=tuple(requests))


def with_sequential_routing(instance: PlacementInstance) -> PlacementInstance:
    """Run each request's encoders one after another instead of in parallel."""
    return instance.with_changes(routing="sequential")


def apply_variant(instance: PlacementInstance, variant: Variant | None) -> PlacementInstance:
    """The instance that a placement with this ``variant`` belongs to."""
    match variant:
        case None:
            return instance
        case "no-sharing":
            return without_sharing(instance)
        case "sequential-routing":
            return with_sequential_routing(instance)
