"""Write the testbed that this machine stands in, its GPUs as devices of their own."""

from __future__ import annotations

import yaml

from splitshare.catalog.gpus import with_gpus
from splitshare.catalog.testbeds import read_testbed
from splitshare.commands.local_testbed import Options
from splitshare.files import write_text


def run(options: Options) -> None:
    """Write ``splitshare.testbed/1``.

    Raises:
        InputError: the testbed is wrong, or has no ``this-machine``.
    """
    testbed = with_gpus(read_testbed(options.testbed), options.gpus, str(options.testbed))
    fields = testbed.model_dump(mode="json", by_alias=True, exclude_none=True)
    write_text(options.output, yaml.safe_dump(fields, sort_keys=False, allow_unicode=True))
