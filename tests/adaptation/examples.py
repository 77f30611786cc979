"""What tests of onloading over time start from."""

from pathlib import Path

import numpy as np

from splitshare.onloading.instance import OnloadingInstance
from tests.onloading.examples import tiny

COUNTS = Path(__file__).parents[2] / "data" / "traces" / "azure_llm_2023_code_arrivals_per_10s.csv"


def two(seed: int = 3) -> OnloadingInstance:
    """Three clients at two servers."""
    instance: OnloadingInstance = tiny(seed, clients=3, servers=2)
    return instance


def flat(instance: OnloadingInstance, spans: int) -> np.ndarray:
    """Demand that does not change by itself."""
    return np.ones((spans, len(instance.clients)))
