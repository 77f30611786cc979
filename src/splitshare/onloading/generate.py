"""Seeded onloading instances from a zoo (ours).

Shapes, memory, compute, links and demand are drawn; models, their accuracy and their latencies are the zoo's. Every
model serves some of the tasks only: if all served all, the best model alone would nearly be an answer. Models of a zoo
with backbones serve what they do in truth (``drawn_models``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from splitshare.errors import InputError
from splitshare.onloading.instance import (
    Backbone,
    Batch,
    Client,
    Cloud,
    Compute,
    Model,
    OnloadingInstance,
    Server,
    Task,
)
from splitshare.onloading.zoo import Zoo, ZooModel
from splitshare.profiling.batch_curve import fit


@dataclass(frozen=True)
class Role:
    """Which device of the zoo a tier is made of, and how much faster it is than the zoo says (1: as it says)."""

    device: str
    speed: float = 1.0


@dataclass(frozen=True)
class Roles:
    """The device of each tier, and factors that bring what is drawn to the scale of a zoo."""

    client: Role
    edge: Role
    cloud: Role
    memory: float = 1.0
    load: float = 1.0
    bandwidth: float = 1.0
    patience: float = 1.0
    """Factor on latency limits and on how long a query may wait for its batch."""


PUBLISHED_ROLES = Roles(Role("laptop-i7-12700h"), Role("rtx-3090"), Role("rtx-3090"))
"""Laptops at their published latency, a GPU at the edge, several of them in the cloud."""

MEASURED = "this-machine"
"""Device of a zoo that was measured on one machine."""
MEASURED_SPEEDS = (0.25, 1.0, 2.0)
"""Speed of clients, servers and the cloud's processors, as multiples of that machine's (assumed)."""


def roles_of(zoo: Zoo, source: Path | str) -> Roles:
    """What the devices of a zoo stand for.

    The zoo of published figures gives laptops, GPUs at the edge and GPUs in the cloud. A zoo that was measured on one
    machine gives that machine at the edge, with slower clients and a faster cloud; its models are of another scale,
    so memory, demand and bandwidth are drawn in proportion to the zoo's median model and query.

    A zoo with backbones has the devices of the first, and models of another scale: what is drawn is stretched in
    space, by its median model, and in time, by what that takes a client.

    Raises:
        InputError: its models were not timed on the devices of either kind of zoo.
    """
    devices = set.intersection(*(set(model.by_device) for model in zoo.models))
    published = PUBLISHED_ROLES
    if {role.device for role in (published.client, published.edge, published.cloud)} <= devices:
        return published if not zoo.backbones else _stretched(zoo, published)
    if MEASURED in devices:
        client, edge, cloud = (Role(MEASURED, speed) for speed in MEASURED_SPEEDS)
        seconds = median(fit(model.by_device[MEASURED]).batch_s(1) for model in zoo.models) / client.speed
        load = MEDIAN_CLIENT_S / seconds
        return Roles(
            client,
            edge,
            cloud,
            memory=median(model.memory_bytes for model in zoo.models) / MEDIAN_MEMORY_BYTES,
            load=load,
            bandwidth=load * median(task.query_bytes for task in zoo.tasks) / MEDIAN_QUERY_BYTES,
        )
    raise InputError(source, "models", f"have no common devices that tiers are made of: {', '.join(sorted(devices))}")


def _stretched(zoo: Zoo, roles: Roles) -> Roles:
    seconds = median(fit(model.by_device[roles.client.device]).batch_s(1) for model in zoo.models)
    pace = seconds / MEDIAN_CLIENT_S
    return replace(
        roles,
        memory=median(zoo.alone_bytes.values()) / MEDIAN_MEMORY_BYTES,
        load=1 / pace,
        bandwidth=median(task.query_bytes for task in zoo.tasks) / MEDIAN_QUERY_BYTES / pace,
        patience=pace,
    )


NO_BATCHING = (Batch(size=1, wait_s=0.0),)
BATCHES = (*NO_BATCHING, Batch(size=4, wait_s=0.05), Batch(size=16, wait_s=0.2))
"""Batch sizes of instances with batching, and how long a query may wait at most (ours)."""


@dataclass(frozen=True)
class Shape:
    """How large an instance is and how scarce things are; factors of 1 are the suite's middle."""

    clients: int
    servers: int
    tasks: int
    models: int
    memory: float = 1.0
    """Factor on the memory of clients and servers."""
    compute: float = 1.0
    """Factor on computing of clients, servers and the cloud."""
    bandwidth: float = 1.0
    """Factor on uplinks and backhauls."""
    load: float = 1.0
    """Factor on the demand."""
    skew: float = 0.0
    """Zipf's exponent of the demand over the tasks, in their order; at 0 all are as popular."""
    batches: tuple[Batch, ...] = field(default=NO_BATCHING)


MEDIAN_MEMORY_BYTES, MEDIAN_CLIENT_S, MEDIAN_QUERY_BYTES = 50e6, 0.06, 40e3
"""About those of the zoo of published figures, for which the ranges below are meant."""
CLIENT_MEMORY_BYTES = (40e6, 250e6)
SERVER_MEMORY_BYTES = (0.8e9, 3e9)
UPLINK_BYTES_PER_S = (0.6e6, 4e6)
"""5 to 32 Mbit/s."""
BACKHAUL_BYTES_PER_S = (5e6, 15e6)
"""40 to 120 Mbit/s."""
UPLINK_LATENCY_S = (0.002, 0.015)
BACKHAUL_LATENCY_S = (0.01, 0.04)
LATENCY_LIMITS_S = (0.3, 0.5, 1.0)
DEMAND_PER_S = (1.0, 12.0)
"""Queries a second of one client and task that it asks."""
COMPUTE_LIMIT = 0.8
"""Share of time that a processor may be busy."""
CLIENTS_PER_CLOUD_PROCESSOR = 50
ASKED = 0.75
"""Probability that a client asks a task."""
SERVED = 0.5
"""Probability that a model serves a task."""


# Long: an instance's fields one after the other.
def generate(
    zoo: Zoo,
    roles: Roles,
    shape: Shape,
    *,
    seed: int,
    name: str,
    size_class: str | None = None,
    variants: bool = False,
) -> OnloadingInstance:
    """Draw an instance; the same on every machine for the same arguments.

    Factors of the shape scale what is drawn and change no draw, so that instances that differ in one factor only
    are otherwise the same. So is one with ``variants``, but that of a family of the zoo (``variant_of``) at most one
    model stands at a place.

    Raises:
        InputError: the zoo has fewer tasks or models than asked for, or no times for a role's device.
    """
    for what, wanted, there in (("tasks", shape.tasks, len(zoo.tasks)), ("models", shape.models, len(zoo.models))):
        if not 1 <= wanted <= there:
            raise InputError(f"zoo {zoo.name}", what, f"has {there}; ask for 1 to {there}, not {wanted}")
    shape = replace(
        shape,
        memory=shape.memory * roles.memory,
        load=shape.load * roles.load,
        bandwidth=shape.bandwidth * roles.bandwidth,
    )
    draw = random.Random(seed)
    tasks = sorted(draw.sample(range(len(zoo.tasks)), shape.tasks))
    chosen = [zoo.tasks[i] for i in tasks]
    names = [task.name for task in chosen]
    whole = bool(zoo.backbones)
    drawn = drawn_models(draw, zoo, names, shape.models) if whole else draw.sample(zoo.models, shape.models)
    drawn.sort(key=zoo.models.index)
    used = {model.backbone for model in drawn}
    return OnloadingInstance(
        schema_="splitshare.onloading-instance/1",
        name=name,
        zoo=zoo.name,
        size_class=size_class,
        batches=tuple(Batch(size=b.size, wait_s=_stretched_by(b.wait_s, roles.patience)) for b in shape.batches),
        tasks=tuple(
            Task(
                name=task.name,
                query_bytes=task.query_bytes,
                latency_limit_s=_stretched_by(draw.choice(LATENCY_LIMITS_S), roles.patience),
            )
            for task in chosen
        ),
        backbones=tuple(
            Backbone(name=backbone.name, memory_bytes=backbone.memory_bytes)
            for backbone in zoo.backbones
            if backbone.name in used
        ),
        models=_models(draw, drawn, names, roles, whole=whole, variants=variants),
        cloud=Cloud(
            device="cloud",
            compute_limit=_rounded(
                shape.compute * COMPUTE_LIMIT * max(1, round(shape.clients / CLIENTS_PER_CLOUD_PROCESSOR))
            ),
        ),
        servers=tuple(_server(draw, i, shape) for i in range(shape.servers)),
        clients=tuple(_client(draw, i, shape, names) for i in range(shape.clients)),
    )


def drawn_models(draw: random.Random, zoo: Zoo, tasks: list[str], count: int) -> list[ZooModel]:
    """Models that together serve all of ``tasks``: one drawn for each task first, then others that serve any of them.

    A backbone comes with all of its models that serve any of the tasks, and counts as one.

    Args:
        draw: the seeded draw.
        zoo: where they are from.
        tasks: names of the tasks.
        count: how many, where so many are needed and there; never fewer than the tasks need.
    """
    families: dict[str, list[ZooModel]] = {}
    for model in zoo.models:
        if any(task in model.accuracy for task in tasks):
            families.setdefault(model.backbone or model.name, []).append(model)
    taken: list[str] = []
    for task in tasks:
        serving = [name for name, models in families.items() if any(task in model.accuracy for model in models)]
        if not any(name in taken for name in serving):
            taken.append(draw.choice(serving))
    rest = [name for name in families if name not in taken]
    taken += draw.sample(rest, min(max(count - len(taken), 0), len(rest)))
    return [model for name in taken for model in families[name]]


def _models(
    draw: random.Random, models: list[ZooModel], tasks: list[str], roles: Roles, *, whole: bool, variants: bool
) -> tuple[Model, ...]:
    """The models with the tasks that each serves, such that each task has one and each model has one.

    Args:
        draw: the seeded draw.
        models: of the zoo.
        tasks: names of the instance's tasks.
        roles: the device of each tier.
        whole: whether models serve every task that they can, and nothing is drawn.
        variants: whether models of one family exclude each other; a family with one of them here is none.
    """
    serves: list[set[str]] = []
    for model in models:
        able = [task for task in tasks if task in model.accuracy]
        if whole:
            serves.append(set(able))
            continue
        kept = [task for task in able if draw.random() < SERVED]
        serves.append(set(kept if kept or not able else [draw.choice(able)]))
    for task in tasks:
        servers = [i for i, model in enumerate(models) if task in model.accuracy]
        if servers and not any(task in serves[i] for i in servers):
            serves[draw.choice(servers)].add(task)
    families = [model.variant_of for model, served in zip(models, serves, strict=True) if served and variants]
    return tuple(
        Model(
            name=model.name,
            memory_bytes=model.memory_bytes,
            backbone=model.backbone,
            variant_of=model.variant_of if families.count(model.variant_of) > 1 else None,
            accuracy={task: model.accuracy[task] for task in tasks if task in served},
            compute={
                tier: _compute(model, role)
                for tier, role in (("client", roles.client), ("edge", roles.edge), ("cloud", roles.cloud))
            },
        )
        for model, served in zip(models, serves, strict=True)
        if served
    )


def _compute(model: ZooModel, role: Role) -> Compute:
    if role.device not in model.by_device:
        raise InputError(f"model {model.name}", "curves", f"has none for {role.device!r}; choose another device")
    line = fit(model.by_device[role.device])
    return Compute(start_s=_rounded(line.start_s / role.speed), per_query_s=_rounded(line.per_query_s / role.speed))


def _server(draw: random.Random, index: int, shape: Shape) -> Server:
    return Server(
        name=f"s{index}",
        device="edge",
        memory_bytes=_whole(shape.memory * draw.uniform(*SERVER_MEMORY_BYTES)),
        compute_limit=_rounded(shape.compute * COMPUTE_LIMIT),
        backhaul_bytes_per_s=_whole(shape.bandwidth * draw.uniform(*BACKHAUL_BYTES_PER_S)),
        backhaul_latency_s=_rounded(draw.uniform(*BACKHAUL_LATENCY_S)),
    )


def _client(draw: random.Random, index: int, shape: Shape, tasks: list[str]) -> Client:
    memory = shape.memory * draw.uniform(*CLIENT_MEMORY_BYTES)
    uplink = shape.bandwidth * draw.uniform(*UPLINK_BYTES_PER_S)
    latency = draw.uniform(*UPLINK_LATENCY_S)
    asked = [task for task in tasks if draw.random() < ASKED] or [draw.choice(tasks)]
    return Client(
        name=f"c{index}",
        server=f"s{index % shape.servers}",
        device="client",
        memory_bytes=_whole(memory),
        compute_limit=_rounded(shape.compute * COMPUTE_LIMIT),
        uplink_bytes_per_s=_whole(uplink),
        uplink_latency_s=_rounded(latency),
        demand_per_s={
            task: _rounded(shape.load * popularity(tasks, shape.skew)[task] * draw.uniform(*DEMAND_PER_S))
            for task in asked
        },
    )


def popularity(tasks: list[str], skew: float) -> dict[str, float]:
    """How much more than the mean each task is asked: in proportion to ``rank ** -skew``, with mean one."""
    weights = [(rank + 1) ** -skew for rank in range(len(tasks))]
    return {task: weight * len(tasks) / sum(weights) for task, weight in zip(tasks, weights, strict=True)}


def _stretched_by(seconds: float, patience: float) -> float:
    return seconds if patience == 1 else _rounded(seconds * patience)


def _rounded(value: float) -> float:
    """Six significant digits: instances are read by people too, and are the same on every machine."""
    return float(f"{value:.6g}")


def _whole(value: float) -> float:
    """Whole thousands, or three digits where that is less."""
    return max(float(round(value, -3)), float(f"{value:.3g}")) if value < 1e4 else float(round(value, -3))
