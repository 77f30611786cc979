# What every stage needs: the checked configuration, the catalogue, paths, and digests of the code that rules run.
# Functions of all stages stand here, rules in the file of their stage.
import atexit
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from snakemake.exceptions import WorkflowError

from splitshare import places
from splitshare.catalog.gpus import machine_types, with_gpus
from splitshare.catalog.testbeds import find_testbeds, own_profile, profile_file, read_device
from splitshare.code_digest import code_digest
from splitshare.config import Config
from splitshare.errors import SplitshareError
from splitshare.files import sha256_file
from splitshare.layout import MEASURED, Layout
from splitshare.job_outputs import LEDGER, changed_outputs
from splitshare.lookup import look_up
from splitshare.onloading.contract import shipped as ONLOADING_ALGORITHMS
from splitshare.placement.contract import FINDER
from splitshare.places import PROFILES, found
from splitshare.profiling.machine import gpus_here

try:
    CONFIG_SOURCE = " + ".join(map(str, workflow.configfiles))
    CONFIG = Config.parse(config, CONFIG_SOURCE)
    NAMED = look_up(CONFIG, CONFIG_SOURCE)
except SplitshareError as error:
    raise WorkflowError(str(error)) from None


def gpus_of_the_run():
    """Torch's names of the GPUs that are measured beside this machine."""
    if not CONFIG.local_testbed:
        return ()
    if CONFIG.profiling.gpus != "auto":
        return CONFIG.profiling.gpus
    return gpus_here() if CONFIG.profiling.torch_device == "cpu" else ()


DATA = places.DATA.as_posix()
TESTBED_FILES = find_testbeds()
CATALOG, TESTBED_OF, EMBEDDED, OWN = NAMED.catalog, dict(NAMED.testbeds), NAMED.embedded, NAMED.own

RESULTS = CONFIG.results
LAYOUT = Layout(RESULTS)
PAPER_FIGURES = CONFIG.figures
LOCAL_FIGURES = f"{RESULTS}/local/figures"
RUN_CONFIG = f"{RESULTS}/config.json"
DESCRIPTIONS = f"{RESULTS}/canonical/modules.json"
EMBEDDED_DESCRIPTIONS = f"{RESULTS}/canonical/embedded_modules.json"
EMBEDDED_ACCURACY = f"{RESULTS}/local/embedded_accuracy.json"
EMBEDDED_WEIGHTS = f"{RESULTS}/local/embedded/weights"
EMBEDDED_RESULTS = [EMBEDDED_ACCURACY] if CONFIG.embedded else []
METHOD_IN = {method.folder: method for method in CONFIG.solved}
EMBEDDED_DATA = f"{DATA}/embedded"
EMBEDDED_FILES = [
    f"{EMBEDDED_DATA}/catalogue/{name}.yaml" for name in ("tasks", "architectures", "models", "workloads")
]
CATALOGUE_FILES = [f"{DATA}/catalogue/{name}.yaml" for name in ("tasks", "architectures", "models", "workloads")]

# This machine, and each of its GPUs as a device of its own beside it in the local testbed.
MACHINES = machine_types(gpus_of_the_run(), CONFIG.profiling.torch_device)
GPU_TYPES = list(MACHINES)[1:]
LOCAL_PROFILES = {name: f"{RESULTS}/local/{name}.json" for name in MACHINES}
LOCAL_TESTBED = CONFIG.local_testbed and LAYOUT.testbed("local", CONFIG.local_testbed)
LOCAL_TESTBED_BASE = CONFIG.local_testbed and str(TESTBED_FILES[CONFIG.local_testbed])
if CONFIG.local_testbed:
    TESTBED_FILES[CONFIG.local_testbed] = LOCAL_TESTBED
    TESTBED_OF[CONFIG.local_testbed] = with_gpus(TESTBED_OF[CONFIG.local_testbed], len(GPU_TYPES), LOCAL_TESTBED_BASE)

# Cores of a job that has its machine to itself: all that the run has. A run on a cluster has no number of its own, and
# `set-threads` in its profile says how many its nodes have.
WHOLE_MACHINE = workflow.resource_settings.cores or 1
BIN = Path(sys.executable).parent.as_posix()
JOB_CLIENT = (places.WORKFLOW.parent / "workflow" / "job_client.py").as_posix()


def start_job_server():
    """Start what this run's jobs are forks of, and give its address; it ends with this process."""
    address = Path(tempfile.mkdtemp(prefix="splitshare-"), "jobs")  # only this user may enter that folder
    server = subprocess.Popen(
        [sys.executable, Path(JOB_CLIENT).with_name("job_server.py"), address],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    atexit.register(server.stdin.close)
    return address.as_posix()


# On Linux: elsewhere libraries do not take to forks. Here and not as the run starts: Snakemake has no hook for that in
# a workflow that another one uses as its module. Jobs on a cluster have none: they start the plain command.
JOB_SERVER = start_job_server() if workflow.is_main_process and hasattr(os, "pidfd_open") else os.devnull

# Every job finds the commands of the environment that Snakemake runs in, activated or not, and holds a shared lock
# for as long as it lives: workflow/run.py waits for the jobs that a killed run has left behind. (In a container of a
# cluster there is no folder of results yet.) `splitshare` is a fork of a process that has imported the libraries
# (workflow/job_server.py).
shell.prefix(
    "export PATH={BIN:q}:$PATH; set -euo pipefail; "
    "[ -d {RESULTS:q} ] || mkdir -p {RESULTS:q}; exec 9>>{RESULTS:q}/.jobs.lock; python -SEc 'import fcntl; fcntl.flock(9, fcntl.LOCK_SH)'; "
    'splitshare() {{ python -SE {JOB_CLIENT:q} {JOB_SERVER:q} "$@"; }}; '
)

TESTBEDS = {
    "canonical": list(CONFIG.testbeds),
    MEASURED: list(CONFIG.measured.testbeds) if CONFIG.measured else [],
    "local": [t for t in [CONFIG.local_testbed] if t],
    "own": list(CONFIG.own_models.testbeds) if CONFIG.own_models else [],
}
WORKLOADS = {
    "canonical": list(CONFIG.workloads),
    MEASURED: list(CONFIG.measured.workloads) if CONFIG.measured else [],
    "local": list(CONFIG.local_workloads) if CONFIG.local_testbed else [],
    "own": list(CONFIG.own_models.workloads) if CONFIG.own_models else [],
}
EMBEDDED_WORKLOADS = list(CONFIG.embedded.workloads) if CONFIG.embedded else []
SCOPES = [scope for scope, testbeds in TESTBEDS.items() if testbeds]
INSTANCE_NAMES = {
    scope: [f"{workload}.{testbed}" for testbed in testbeds for workload in WORKLOADS[scope]]
    for scope, testbeds in TESTBEDS.items()
}
EMBEDDED_NAMES = [f"{workload}.{testbed}" for testbed in TESTBEDS["local"] for workload in EMBEDDED_WORKLOADS]
EMBEDDED_INSTANCES = [LAYOUT.instance("local", name) for name in EMBEDDED_NAMES]
OWN_REPLAYED = [
    f"{RESULTS}/own/replay/{name}.{how}.parquet"
    for name in INSTANCE_NAMES["own"]
    for how in ("simulated", "emulated")
    if CONFIG.own_models.replay
]
OWN_RESULTS = ([f"{RESULTS}/own/placements.csv"] if CONFIG.own_models else []) + OWN_REPLAYED
INSTANCES = {scope: [LAYOUT.instance(scope, name) for name in names] for scope, names in INSTANCE_NAMES.items()}


def keep_digests():
    """Take digests of what this run's jobs have written: the next run finds by them what was changed since."""
    changed_outputs(Path(RESULTS, LEDGER), [Path(RESULTS), Path(PAPER_FIGURES)])


def code(*modules):
    """Digest of what the library modules do, all that they import included: a rule runs again when it changes."""
    return code_digest(*(f"splitshare.{module}" for module in modules))


def flags(option, values):
    """An option once a value."""
    return [f"{option} {shlex.quote(str(value))}" for value in values]


def from_inputs(option, name):
    """An option once a file of the inputs ``name``."""
    return lambda wildcards, input: flags(option, input.get(name, []))


def folder_of(name, above=0):
    """The folder of the first of the inputs ``name``, or one further above."""
    return lambda wildcards, input: Path(input.get(name)[0]).parents[above]


def tables(directory, *names):
    """Tables of a directory of results."""
    return [f"{directory}/{name}.csv" for name in names]


def instance_files(names):
    """Canonical instances by name."""
    return [LAYOUT.instance("canonical", name) for name in names]


def placement_files(method, names, scope="canonical"):
    """A method's placements of instances by name."""
    return [LAYOUT.placement(scope, method, name) for name in names]


def heading(figure):
    """Heading of a figure in the report, which sorts by it: the page of claims first, then as the papers go."""
    if figure.name == "summary":
        return "00 At a glance"
    return f"{CATEGORIES.index(figure.category) + 1:02d} {figure.category}"


def profiles_of(testbeds):
    """Profiles of the devices of testbeds, each device once, in order."""
    types = dict.fromkeys(device.device_type for name in testbeds for device in TESTBED_OF[name].devices)
    return [LOCAL_PROFILES.get(name) or str(profile_file(name)) for name in types]


def measured_device(wildcards):
    """What the rule of a device that nobody measured is fitted on."""
    name = getattr(read_device(Path(DATA, "devices", f"{wildcards.device}.yaml")).profile, "measured_on", None)
    return [profile_file(name).as_posix(), f"{DATA}/devices/{name}.yaml"] if name else []


def testbed_paths(testbeds):
    """Files of testbeds."""
    return [str(TESTBED_FILES[name]) for name in testbeds]


def method_options(folder):
    """The options of `splitshare solve` that name a method, by the folder of its placements."""
    method = METHOD_IN[folder]
    return f"--algorithm {shlex.quote(method.spec)}" + (f" --solver {method.solver}" if method.solver else "")


def algorithm_code(problem, algorithm):
    """Modules of an algorithm of ours, and of what runs it."""
    return [f"{problem}.run", f"{problem}.algorithms.{algorithm.replace('-', '_')}"]


def solving_code(folder):
    """Digest of the code that a method's placements come from; of an algorithm that is not ours, of its file."""
    method = METHOD_IN[folder]
    algorithm, file = method.algorithm, method.file or FINDER.source(method.algorithm)
    if file is None:
        return code("stages.solve", *algorithm_code("placement", algorithm))
    return code("stages.solve", "placement.run") + sha256_file(file)


def instances_of(wildcards):
    """Instances of a scope; the local ones with those of the embedded benchmark."""
    return INSTANCES[wildcards.scope] + (EMBEDDED_INSTANCES if wildcards.scope == "local" else [])


def onloading_code(command):
    """Digest of the code of a command and of every onloading algorithm, which it finds by name."""
    algorithms = [name.replace("-", "_") for name in ONLOADING_ALGORITHMS()]
    return code(f"stages.onloading.{command}", *(f"onloading.algorithms.{name}" for name in algorithms))


def placements_of(wildcards):
    """Placements of a scope's instances by every method of the run."""
    return [
        LAYOUT.placement(wildcards.scope, method, Path(instance).stem)
        for method in CONFIG.methods
        for instance in instances_of(wildcards)
    ]


def trained_files(group):
    """What training a group of the embedded benchmark's models leaves: weights by module, and a log."""
    names = [f"{module}.safetensors" for module in EMBEDDED.modules(model.name for model in group)]
    return [f"{EMBEDDED_WEIGHTS}/{name}" for name in (*names, f"training-{group[0].name}.json")]


wildcard_constraints:
    module="[A-Za-z0-9@._+-]+",
    method="[A-Za-z0-9@._+:=,-]+",
    kind="[a-z]+",
    device="[a-z0-9-]+",
