"""Words of fixed choice, as files, options and the library spell them; light to import."""

from __future__ import annotations

from typing import Literal

Solver = Literal["gurobi", "highs"]
"""Of any mixed-integer program."""
ExactSolver = Literal["gurobi", "highs", "builtin"]
"""Of the placement problem; ``builtin`` is our branch and bound, which knows no other."""
Sense = Literal["min", "max"]
"""Whether less or more of an objective is better."""
Status = Literal["optimal", "feasible", "infeasible", "time_limit"]
"""How an algorithm's run on an instance ended."""
SideLimit = Literal["accuracy", "served", "energy"]
"""What onloading may be held to beside memory, computing and links."""
AssignmentSense = Literal["max", "min"]
"""What is asked of the sum in a generalised assignment problem."""
InstanceRules = Literal[
    "study", "large", "memory-tight", "communication-bound", "heavy-sharing", "replicated", "min-max"
]
"""Rules by which random placement instances are drawn."""
DrawnTrace = Literal["poisson", "bursty"]
"""Kinds of request traces that the workflow draws."""
TraceKind = Literal["poisson", "gamma", "pareto", "mmpp", "diurnal", "at-once", "bursty", "recorded"]
"""How requests arrive: drawn, at once, after recorded counts, or as somebody recorded them."""
DrawnKind = Literal["poisson", "gamma", "pareto", "mmpp", "diurnal"]
"""Processes that have a rate."""
LinkProcess = Literal["outages", "markov", "recorded"]
"""How links change: drawn, or as somebody recorded it."""
Scaling = Literal["stretch", "thin"]
"""How a recorded trace comes to another rate: time is stretched, or requests are left out at random."""
DemandShape = Literal["flat", "diurnal", "bursts", "recorded", "counts"]
"""How demand changes over hours: by a rule, or as requests were recorded or counted."""
MovingPolicy = Literal["keep", "anew", "priced"]
"""When models that are held are changed."""
Think = Literal["exponential", "constant"]
"""How long users think between an answer and the next request."""
LinkModel = Literal["independent", "serial", "shared-medium"]
"""How transfers delay each other."""
Queue = Literal["fcfs", "ps", "priority"]
"""How a device serves what waits for it: first come first served, all at once in equal parts (processor sharing), or
the highest priority first."""
Routing = Literal["plan", "least-completion", "shortest-queue"]
"""Which copies of its modules a request goes to."""
EmulatedLinks = Literal["serial", "shared-medium"]
EmulatedNetwork = Literal["proxy", "namespaces"]
MemoryLimits = Literal["auto", "kernel", "declared"]
ComputeKind = Literal["recorded", "real"]
OnFailure = Literal["drop", "replace"]
"""What follows a lost device."""
Dtype = Literal["float32", "float16", "bfloat16"]
"""Floating point types in which modules are held and computed."""
WeightsKind = Literal["hub", "random"]
BenchmarkPart = Literal["test", "train"]
BenchmarkParts = Literal["test", "train", "both"]
SizeClass = Literal["small", "medium", "large"]
"""Of onloading instances."""
TORCH_DEVICE = r"auto|cpu|cuda(:\d+)?|mps"
"""What the device that torch computes on may be called."""
