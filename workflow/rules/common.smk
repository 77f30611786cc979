# What every stage needs: the checked configuration, the catalogue, paths, and digests of the code that a rule runs.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_testbed
from splitshare.config import Config
from splitshare.errors import SplitshareError
from splitshare.code_digest import code_digest

try:
    CONFIG = Config.parse(config, " + ".join(map(str, workflow.configfiles)))
    CATALOG = load_catalog(Path("data"))
    for workload in CONFIG.workloads:
        CATALOG.workload(workload)
    TESTBED_OF = {
        name: read_testbed(Path(f"data/testbeds/{name}.yaml"))
        for name in (*CONFIG.testbeds, *filter(None, [CONFIG.local_testbed]))
    }
except SplitshareError as error:
    raise WorkflowError(str(error)) from None

# The commands of the environment that Snakemake runs in, whether or not it is activated.
shell.prefix(f'export PATH="{Path(sys.executable).parent}:$PATH"; set -euo pipefail; ')

RESULTS = CONFIG.results
PAPER_FIGURES = CONFIG.figures
LOCAL_FIGURES = f"{RESULTS}/local/figures"
RUN_CONFIG = f"{RESULTS}/config.json"
DESCRIPTIONS = f"{RESULTS}/canonical/modules.json"
CATALOGUE_FILES = [f"data/catalogue/{name}.yaml" for name in ("tasks", "architectures", "models", "workloads")]

TESTBEDS = {"canonical": list(CONFIG.testbeds), "local": [t for t in [CONFIG.local_testbed] if t]}
SCOPES = [scope for scope, testbeds in TESTBEDS.items() if testbeds]
INSTANCE_NAMES = {
    scope: [f"{workload}.{testbed}" for testbed in testbeds for workload in CONFIG.workloads]
    for scope, testbeds in TESTBEDS.items()
}
INSTANCES = {
    scope: [f"{RESULTS}/{scope}/instances/{name}.json" for name in names] for scope, names in INSTANCE_NAMES.items()
}


def code(*modules):
    """Digest of what the library modules do, all that they import included: a rule runs again when it changes."""
    return code_digest(*(f"splitshare.{module}" for module in modules))


wildcard_constraints:
    module="[A-Za-z0-9@._+-]+",
    method="[a-z0-9-]+",
    kind="[a-z]+",


rule run_config:
    output:
        RUN_CONFIG,
    params:
        config=CONFIG.to_json(),
    log:
        f"{RESULTS}/logs/run_config.log",
    shell:
        "printf '%s' {params.config:q} > {output} 2> {log}"
