"""The onloading instance and the decision: the two files of the J3O problem (contracts ours).

Only the paper's abstract could be read, so what an instance holds is *ours*. Where we went beyond the first statement
of the problem: the latency limit holds for the whole way of a query, transfers included; and a batch size comes with
the longest that a query may wait for its batch (as inference servers have it), so that which queries may join a batch
does not hang on a rate that is itself decided.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from splitshare.choices import Status
from splitshare.onloading.zoo import Share, check_variants
from splitshare.ranges import LEAST_SECONDS
from splitshare.records import (
    BytesPerS,
    Count,
    Demand,
    Factor,
    Finite,
    Joules,
    JoulesPerByte,
    Limit,
    Name,
    PositiveBytes,
    PositiveCount,
    PositiveJoules,
    PositiveSeconds,
    Record,
    Seconds,
    Versions,
    nearest,
)

Utilisation = Annotated[float, Field(ge=0.01, le=1.0, allow_inf_nan=False)]
Place = Literal["client", "edge", "cloud"]
PLACES: tuple[Place, ...] = ("client", "edge", "cloud")


class Task(Record):
    """A task: what a query weighs and how long its answer may take."""

    name: Name
    query_bytes: PositiveBytes
    latency_limit_s: PositiveSeconds
    """From the query's arrival at the client to its answer, on an idle system; the answer's way back is not counted."""
    least_accuracy: Share | None = None
    """Share of its queries, over all clients, that must be answered rightly, unanswered ones being wrong."""
    least_served: Share | None = None
    """Share of its queries, over all clients, that somebody must answer; ``None``: any."""


class Compute(Record):
    """Seconds of one model on one device class: a batch of B queries takes ``start_s + per_query_s * B``."""

    start_s: Seconds
    per_query_s: PositiveSeconds
    start_j: Joules = 0.0
    """Joules likewise: a batch of B queries takes ``start_j + per_query_j * B``."""
    per_query_j: Joules | None = None
    """``None``: not told; an instance tells it of every model and device class, or of none."""

    def batch_s(self, size: int) -> float:
        """Seconds for a batch of ``size`` queries."""
        return self.start_s + self.per_query_s * size


class Backbone(Record):
    """Weights that several models use: loaded once at a client or a server, whichever of these models stand there."""

    name: Name
    memory_bytes: PositiveBytes


class Model(Record):
    """A model: it serves the tasks that it has an accuracy for."""

    name: Name
    memory_bytes: PositiveBytes
    """Bytes of its own: a backbone that it uses comes on top, once for all models at the place that use it."""
    backbone: Name | None = None
    """The backbone that it uses, where it shares one; its seconds are still those of the whole way of a query."""
    variant_of: Name | None = None
    """The group of models, such as sizes or precisions of one, of which at most one stands at a client or a server."""
    accuracy: dict[Name, Share] = Field(min_length=1)
    """Share of right answers by task."""
    compute: dict[Name, Compute] = Field(min_length=1)
    """Seconds by device class; a class that is not named cannot run the model."""


class Batch(Record):
    """A batch size that edge servers may use, and the longest that a query may wait for its batch to fill."""

    size: PositiveCount
    wait_s: Seconds

    @property
    def least_rate_per_s(self) -> float:
        """Queries a second that must arrive for batches to fill in time: ``(size - 1) / wait_s``."""
        return (self.size - 1) / self.wait_s if self.size > 1 else 0.0

    @model_validator(mode="after")
    def _fills(self) -> Self:
        if self.size == 1 and self.wait_s != 0:
            raise ValueError("wait_s: must be 0 for a batch of one, which waits for nobody")
        if self.size > 1 and self.wait_s < LEAST_SECONDS:
            raise ValueError(f"wait_s: must be {LEAST_SECONDS:g} or more; a batch takes time to fill")
        return self


class Cloud(Record):
    """The cloud: it holds every model."""

    device: Name
    """Device class."""
    compute_limit: Limit
    """Seconds of computing per second: processors x the share of time that they may be busy."""


class Server(Record):
    """A server, at the edge or above others; what is below it reaches the cloud over its backhaul."""

    name: Name
    device: Name
    memory_bytes: PositiveBytes
    compute_limit: Factor
    backhaul_bytes_per_s: BytesPerS
    backhaul_latency_s: Seconds
    upstream: Name | None = None
    """The server that its backhaul leads to, a regional one for instance; ``None``: its backhaul leads to the cloud."""


class Client(Record):
    """A client: it asks queries, can hold models, and is attached to one server."""

    name: Name
    server: Name
    device: Name
    memory_bytes: PositiveBytes
    compute_limit: Factor
    uplink_bytes_per_s: BytesPerS
    uplink_latency_s: Seconds
    uplink_j_per_byte: JoulesPerByte = 0.0
    """Joules of sending a byte."""
    demand_per_s: dict[Name, Demand]
    """Queries a second by task; a task that is not named is not asked."""


class OnloadingInstance(Record):
    """An instance of the onloading problem."""

    LABELS = frozenset({"size_class"})
    schema_: Literal["splitshare.onloading-instance/1"] = Field(alias="schema")
    name: Name
    zoo: Name | None = None
    """Zoo that the models are of, where there is one."""
    size_class: Name | None = None
    """Size class of the suite that the instance was drawn as, where it was; no part of the digest."""
    utilisation: Utilisation | None = None
    """Share of every limit on computing and of every link that a plan may use; ``None``: all of it.

    A plan knows no queues, and at limits that it uses up queues grow: what it leaves free is room for them.
    """
    energy_limit_j: PositiveJoules | None = None
    """Most joules a query in the mean over all queries asked, answered or not; ``None``: any."""
    batches: tuple[Batch, ...] = Field(min_length=1)
    """Batch sizes to choose from, for each model on each server; the first is a batch of one."""
    tasks: tuple[Task, ...] = Field(min_length=1)
    backbones: tuple[Backbone, ...] = ()
    """Weights that models share; none where every model stands for itself."""
    models: tuple[Model, ...] = Field(min_length=1)
    cloud: Cloud
    servers: tuple[Server, ...] = Field(min_length=1)
    clients: tuple[Client, ...] = Field(min_length=1)

    @property
    def batching(self) -> bool:
        """Whether there is a batch size to choose."""
        return len(self.batches) > 1

    @property
    def tells_energy(self) -> bool:
        """Whether it says what queries take, in joules."""
        return any(compute.per_query_j is not None for model in self.models for compute in model.compute.values())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        tasks = _unique("tasks", [t.name for t in self.tasks])
        _unique("models", [m.name for m in self.models])
        servers = _unique("servers", [s.name for s in self.servers])
        clients = _unique("clients", [c.name for c in self.clients])
        for i, name in enumerate(clients):
            if name in servers:
                raise ValueError(f"clients[{i}].name: {name!r} is a server's name too; choose another")
        sizes = [batch.size for batch in self.batches]
        if sizes[0] != 1:
            raise ValueError("batches[0].size: must be 1: a model can always run without batching")
        if any(b <= a for a, b in itertools.pairwise(sizes)):
            raise ValueError("batches: sizes must ascend, each once")
        for i, model in enumerate(self.models):
            for task in model.accuracy:
                _known(f"models[{i}].accuracy", task, tasks, "task")
        self._check_backbones()
        self._check_energy()
        self._check_ways(servers)
        check_variants([model.variant_of for model in self.models])
        served = {task for model in self.models for task in model.accuracy}
        for i, task in enumerate(tasks):
            if task not in served:
                raise ValueError(f"tasks[{i}].name: no model serves {task!r}; add one that has an accuracy for it")
        for i, client in enumerate(self.clients):
            _known(f"clients[{i}].server", client.server, servers, "server")
            for task in client.demand_per_s:
                _known(f"clients[{i}].demand_per_s", task, tasks, "task")
        classes = list(dict.fromkeys(name for model in self.models for name in model.compute))
        for field, device in self._devices():
            _known(field, device, classes, "device class")
        if not any(rate > 0 for client in self.clients for rate in client.demand_per_s.values()):
            raise ValueError("clients: nobody asks anything; give a demand above 0")
        return self

    def _check_backbones(self) -> None:
        backbones = _unique("backbones", [backbone.name for backbone in self.backbones])
        for i, model in enumerate(self.models):
            if model.backbone is not None:
                _known(f"models[{i}].backbone", model.backbone, backbones, "backbone")
        used = {model.backbone for model in self.models}
        for i, name in enumerate(backbones):
            if name not in used:
                raise ValueError(f"backbones[{i}].name: no model uses {name!r}; drop it or name it in a model")

    def _check_energy(self) -> None:
        sending = next((i for i, client in enumerate(self.clients) if client.uplink_j_per_byte), None)
        starting = any(compute.start_j for model in self.models for compute in model.compute.values())
        wanted = [
            (self.energy_limit_j is not None, "energy_limit_j is given"),
            (sending is not None, f"clients[{sending}].uplink_j_per_byte is"),
            (self.tells_energy, "other joules are told"),
            (starting, "start_j is told"),
        ]
        why = next((text for given, text in wanted if given), None)
        for i, model in enumerate(self.models):
            for device, compute in model.compute.items():
                if why is not None and compute.per_query_j is None:
                    raise ValueError(f"models[{i}].compute.{device}.per_query_j: is missing, though {why}; give joules")

    def _check_ways(self, servers: list[str]) -> None:
        upstream = {server.name: server.upstream for server in self.servers}
        for i, server in enumerate(self.servers):
            if server.upstream is not None:
                _known(f"servers[{i}].upstream", server.upstream, servers, "server")
        leads: set[str | None] = {None}
        for i, server in enumerate(self.servers):
            way: list[str] = []
            above: str | None = server.name
            while above not in leads and above not in way:
                way.append(str(above))
                above = upstream[str(above)]
            if above not in leads:
                circle = " -> ".join([*way[way.index(str(above)) :], str(above)])
                raise ValueError(
                    f"servers[{i}].upstream: never leads to the cloud ({circle}); drop one server's upstream"
                )
            leads.update(way)

    def _devices(self) -> list[tuple[str, str]]:
        named = [("cloud.device", self.cloud.device)]
        named += [(f"servers[{i}].device", server.device) for i, server in enumerate(self.servers)]
        return named + [(f"clients[{i}].device", client.device) for i, client in enumerate(self.clients)]


Onloading = dict[str, dict[str, int]]
"""Batch size by model by location: a client's or a server's name; clients hold models at batch size 1."""


class Flow(Record):
    """A share of one client's queries of one task, and who answers it."""

    client: Name
    task: Name
    model: Name
    place: Place
    """Where it is answered; ``edge``: at a server."""
    server: Name | None = None
    """The server that answers at the edge, where it is one above the client's own; ``None``: the client's own."""
    fraction: Share

    @model_validator(mode="after")
    def _at_a_server(self) -> Self:
        if self.server is not None and self.place != "edge":
            raise ValueError(f"server: no server answers a query that is answered at place {self.place!r}; drop it")
        return self


class OnloadingDecision(Record):
    """Which models stand where, and who answers which queries; null where nothing feasible was found."""

    schema_: Literal["splitshare.onloading-decision/1"] = Field(alias="schema")
    instance_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    algorithm: str
    status: Status
    reason: str | None = None
    """Why an answer that the algorithm gave was not accepted: the rule that it breaks."""
    onloading: dict[Name, dict[Name, PositiveCount]] | None
    offloading: tuple[Flow, ...] | None
    objective: Finite | None
    """Mean accuracy over all queries; one that nobody answers counts as wrong."""
    bound: Finite | None
    """No decision can be better than this, as the algorithm proved."""
    unserved: Finite | None
    """Share of the queries that nobody answers."""
    iterations: Count | None = None
    build_s: Seconds
    solve_s: Seconds
    versions: Versions


def _unique(field: str, names: list[str]) -> list[str]:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f"{field}[{i}].name: {name!r} stands twice; choose another")
    return names


def _known(field: str, name: str, names: list[str], kind: str) -> None:
    if name not in names:
        raise ValueError(f"{field}: unknown {kind} {name!r}; {nearest(name, names)}")
