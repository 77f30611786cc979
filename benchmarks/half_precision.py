"""How long torch takes for a product in half precision on this processor, as a ratio to float32.

A processor without instructions for a type computes it in software, and half precision then saves memory only. The
products are those of a text tower's layer. Times depend on the machine; read the ratios.
Run: ``python benchmarks/half_precision.py``.
"""

import statistics
import sys
import time

import torch

ROWS, WIDTH = 512, 1024
WARM_UP_RUNS, RUNS = 2, 5


def seconds(dtype: torch.dtype) -> float:
    """Median seconds of a product of (``ROWS``, ``WIDTH``) with a square matrix."""
    left, right = torch.randn(ROWS, WIDTH).to(dtype), torch.randn(WIDTH, WIDTH).to(dtype)
    taken = []
    for run in range(WARM_UP_RUNS + RUNS):
        start = time.perf_counter()
        left @ right
        if run >= WARM_UP_RUNS:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Print milliseconds and the ratio of each type."""
    torch.manual_seed(0)
    whole_s = seconds(torch.float32)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        taken_s = seconds(dtype)
        sys.stdout.write(f"{dtype}: {1e3 * taken_s:.3g} ms, {taken_s / whole_s:.3g} times float32\n")


if __name__ == "__main__":
    main()
