"""Which tables and figures there are, what each is drawn from, and who draws it.

Reading this costs nothing: the drawing code is imported when a figure is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["canonical", "local"]


@dataclass(frozen=True)
class FigureSpec:
    """One table, with or without a figure.

    ``module`` is the file of this package that draws it, ``inputs`` are files below a scope's results, ``tables`` are
    base names, and those in ``drawn`` are figures too.
    """

    name: str
    module: str
    inputs: tuple[str, ...]
    tables: tuple[str, ...]
    drawn: tuple[str, ...]
    scopes: tuple[Scope, ...]
    caption: str
    category: str
    records: tuple[str, ...] = ()
    """Recorded baselines that it reads too, files below ``data/baselines``."""
    uses_accuracy: bool = False
    """Whether it also reads the accuracies of the run, if the run measures any."""
    uses_profiles: bool = False
    """Whether it also reads the profiles of the testbeds' devices."""
    every_profile: bool = False
    """Whether it also reads all committed profiles."""
    uses_zoos: bool = False
    """Whether it also reads the zoos, the files in ``data/zoos``."""

    def files(self) -> list[str]:
        """File names that drawing writes."""
        tables = [f"{name}.{suffix}" for name in self.tables for suffix in ("csv", "tex")]
        return tables + [f"{name}.{suffix}" for name in self.drawn for suffix in ("pdf", "png")]


FIGURES: dict[str, FigureSpec] = {
    spec.name: spec
    for spec in (
        FigureSpec(
            name="catalogue",
            module="catalogue",
            inputs=("modules.json",),
            tables=("catalogue", "modules"),
            drawn=(),
            scopes=("canonical",),
            caption="Models and modules of the catalogue (ours).",
            category="Catalogue",
        ),
        FigureSpec(
            name="sharing",
            module="sharing",
            inputs=("modules.json",),
            tables=("sharing_as_tasks_are_added",),
            drawn=("sharing_as_tasks_are_added",),
            scopes=("canonical",),
            caption="Parameters as models of further tasks are added, with a copy a model and with shared modules.",
            category="Memory",
        ),
        FigureSpec(
            name="effect-of-devices",
            module="devices_effect",
            inputs=("placements.csv",),
            tables=("effect_of_devices",),
            drawn=("effect_of_devices",),
            scopes=("canonical",),
            caption="Latency of the optimum on each testbed, as a ratio to the first one.",
            category="Latency",
        ),
        FigureSpec(
            name="optimality",
            module="optimality",
            inputs=("placements.csv",),
            tables=("optimality",),
            drawn=("optimality",),
            scopes=("canonical",),
            caption="Share of the instances whose gap to the proved optimum is at most so much.",
            category="Optimality",
        ),
        FigureSpec(
            name="baselines",
            module="comparison",
            inputs=(),
            records=("placements.parquet",),
            tables=("baselines",),
            drawn=("performance_profile",),
            scopes=("canonical",),
            caption="Share of the instances on which a recorded method is within a factor of the best one.",
            category="Optimality",
        ),
        FigureSpec(
            name="solve-times",
            module="solve_times",
            inputs=(),
            records=("placements.parquet", "proofs.csv"),
            tables=("solve_times",),
            drawn=("solve_times",),
            scopes=("canonical",),
            caption="Seconds that a method takes for an instance, recorded on the machine that the table names.",
            category="Optimality",
        ),
        FigureSpec(
            name="memory",
            module="memory",
            inputs=("modules.json",),
            tables=("memory_split", "memory_shared"),
            drawn=("memory_split", "memory_shared"),
            scopes=("canonical",),
            caption="Parameters of each model whole and split, and of each workload unshared and shared.",
            category="Memory",
        ),
        FigureSpec(
            name="embedded",
            module="embedded",
            inputs=("embedded_modules.json",),
            records=("accuracy.json",),
            tables=("embedded_arrangements",),
            drawn=("embedded_arrangements",),
            scopes=("canonical",),
            caption="The embedded benchmark: parameters and accuracy of a model a task and of shared encoders.",
            category="Accuracy",
        ),
        FigureSpec(
            name="latency",
            module="latency",
            inputs=("placements.csv", "cloud_grid.csv"),
            tables=("latency_by_method",),
            drawn=("latency_by_method",),
            scopes=("canonical",),
            caption="Mean latency of an idle request by method, workload and testbed.",
            category="Latency",
            uses_profiles=True,
        ),
        FigureSpec(
            name="latency-here",
            module="latency",
            inputs=("placements.csv",),
            tables=("latency_by_method",),
            drawn=("latency_by_method",),
            scopes=("local",),
            caption="Mean latency of an idle request by method and workload, with this machine.",
            category="Latency",
            uses_profiles=True,
        ),
        FigureSpec(
            name="cloud",
            module="cloud",
            inputs=("cloud_grid.csv",),
            tables=("edge_against_cloud", "edge_against_cloud_stated"),
            drawn=("edge_against_cloud",),
            scopes=("canonical",),
            caption="Reduction of latency by the edge against the cloud; the square marks the cell of the verdict.",
            category="Latency",
        ),
        FigureSpec(
            name="prompts",
            module="prompts",
            inputs=("prompt_cache.csv",),
            tables=("cached_prompts",),
            drawn=("cached_prompts",),
            scopes=("canonical",),
            caption="Latency with class prompts encoded in each request and beforehand.",
            category="Latency",
        ),
        FigureSpec(
            name="readings",
            module="ablation",
            inputs=("ablation.csv",),
            tables=("greedy_readings",),
            drawn=(),
            scopes=("canonical",),
            caption="Every reading of the greedy that the abstract allows.",
            category="Optimality",
        ),
        FigureSpec(
            name="derivation",
            module="derivation",
            inputs=(),
            tables=("derivation_errors",),
            drawn=(),
            scopes=("canonical",),
            caption="Leave-one-out error of the rules for devices that nobody measured.",
            category="Devices",
        ),
        FigureSpec(
            name="timeline",
            module="timeline",
            inputs=("replay/timeline.parquet",),
            tables=("request_timeline",),
            drawn=("request_timeline",),
            scopes=("canonical",),
            caption="Stages of the first requests of a replay, by device and link.",
            category="Replay",
        ),
        FigureSpec(
            name="load",
            module="load",
            inputs=("replay/replay.csv",),
            tables=("latency_against_load",),
            drawn=("latency_against_load",),
            scopes=("canonical",),
            caption="Median and 95th percentile of latency against offered load, for steady and bursty arrivals.",
            category="Replay",
        ),
        FigureSpec(
            name="fidelity",
            module="fidelity",
            inputs=(),
            records=tuple(
                f"emulation/{name}.csv"
                for name in (
                    "fidelity",
                    "fidelity-namespaces",
                    "fidelity-batches",
                    "timeline",
                    "recovery",
                    "recoveries",
                )
            ),
            tables=("fidelity", "emulated_timeline", "recovery"),
            drawn=("fidelity", "emulated_timeline", "recovery"),
            scopes=("canonical",),
            caption="Replays by worker processes over shaped links beside the simulator's, recorded on one machine.",
            category="Replay",
        ),
        FigureSpec(
            name="emulation-causes",
            module="emulation_causes",
            inputs=(),
            records=("emulation/causes.csv", "emulation/computing.csv"),
            tables=("emulation_causes", "emulation_computing"),
            drawn=("emulation_causes",),
            scopes=("canonical",),
            caption="Real modules in worker processes: what the simulator lacks, by measured causes.",
            category="Replay",
        ),
        FigureSpec(
            name="shaping",
            module="shaping",
            inputs=(),
            records=("emulation/shaping-proxy.csv", "emulation/shaping-namespaces.csv"),
            tables=("link_shaping",),
            drawn=("link_shaping",),
            scopes=("canonical",),
            caption="Rates and latencies of the emulator's links beside what was configured, recorded on one machine.",
            category="Replay",
        ),
        FigureSpec(
            name="link-models",
            module="link_models",
            inputs=("replay/idle.csv",),
            tables=("link_models_idle",),
            drawn=(),
            scopes=("canonical",),
            caption="What a link that carries one transfer at a time adds to the latency of an idle request.",
            category="Replay",
        ),
        FigureSpec(
            name="accuracy",
            module="accuracy",
            inputs=(),
            records=("accuracy.json",),
            tables=("accuracy",),
            drawn=("accuracy",),
            scopes=("canonical",),
            caption="Accuracy of whole, split and shared models on each benchmark; what was not run is empty.",
            category="Accuracy",
            uses_accuracy=True,
        ),
        FigureSpec(
            name="onloading-accuracy",
            module="onloading_accuracy",
            inputs=("onloading/results.csv",),
            tables=("onloading_accuracy",),
            drawn=("onloading_accuracy",),
            scopes=("canonical",),
            caption="Accuracy of every onloading method as a share of the optimum; dots are means.",
            category="Onloading",
        ),
        FigureSpec(
            name="onloading-run-time",
            module="onloading_time",
            inputs=(),
            records=("onloading.csv",),
            tables=("onloading_run_time", "onloading_run_time_summary"),
            drawn=("onloading_run_time",),
            scopes=("canonical",),
            caption="Run time of J3O and of the solver that proves the optimum, recorded on one machine.",
            category="Onloading",
        ),
        FigureSpec(
            name="onloading-sweep",
            module="onloading_sweep",
            inputs=("onloading/sweep.csv",),
            tables=("onloading_sweep",),
            drawn=("onloading_sweep",),
            scopes=("canonical",),
            caption="Mean accuracy as memory, demand, bandwidth and the number of clients vary.",
            category="Onloading",
        ),
        FigureSpec(
            name="onloading-batching",
            module="onloading_batching",
            inputs=("onloading/results.csv",),
            tables=("onloading_batching",),
            drawn=("onloading_batching",),
            scopes=("canonical",),
            caption="What choosing batch sizes adds to the accuracy.",
            category="Onloading",
        ),
        FigureSpec(
            name="onloading-convergence",
            module="onloading_convergence",
            inputs=("onloading/convergence.csv", "onloading/ablation.csv"),
            tables=("onloading_convergence", "onloading_ablation"),
            drawn=("onloading_convergence",),
            scopes=("canonical",),
            caption="J3O round by round: this round's decision, the best so far, and the bound.",
            category="Onloading",
        ),
        FigureSpec(
            name="onloading-replay",
            module="onloading_replay",
            inputs=("onloading/replay.csv",),
            tables=("onloading_replay",),
            drawn=("onloading_replay",),
            scopes=("canonical",),
            caption="J3O's decisions as planned and as replayed, with queues and real batches.",
            category="Onloading",
        ),
        FigureSpec(
            name="onloading-zoos",
            module="onloading_zoos",
            inputs=(),
            tables=("onloading_zoo_models", "onloading_batch_curves"),
            drawn=(),
            scopes=("canonical",),
            caption="Models of the zoos, and the lines through their batch curves.",
            category="Onloading",
            uses_zoos=True,
        ),
        FigureSpec(
            name="claims",
            module="claims",
            inputs=("modules.json", "placements.csv", "cloud_grid.csv", "onloading/results.csv"),
            records=("split_equivalence.csv", "accuracy.json", "onloading.csv"),
            uses_accuracy=True,
            tables=("claims",),
            drawn=(),
            scopes=("canonical",),
            caption="The claims of the papers' abstracts, with verdicts by rule.",
            category="Claims",
        ),
        FigureSpec(
            name="devices",
            module="devices",
            inputs=(),
            tables=("device_profiles",),
            drawn=(),
            scopes=("canonical",),
            caption="Where the compute times of each device come from: measured, published, derived or assumed.",
            category="Devices",
            uses_profiles=True,
        ),
        FigureSpec(
            name="measured-devices",
            module="measured",
            inputs=(),
            tables=("measured_devices", "layer_method_error"),
            drawn=(),
            scopes=("canonical",),
            caption="Devices that were measured, and what the layer method is worth there.",
            category="Devices",
            every_profile=True,
        ),
        FigureSpec(
            name="profile",
            module="profile",
            inputs=("this-machine.json",),
            tables=("module_profile", "layer_method_error"),
            drawn=("module_profile",),
            scopes=("local",),
            caption="Seconds of each module on this machine by batch size, measured.",
            category="Profile",
        ),
    )
}
