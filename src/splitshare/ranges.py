"""Ends of ranges that files and options share; ``splitshare.records`` has those of every unit."""

MOST_SEED = 2_000_000_000
LEAST_SECONDS = 1e-12
MOST_SECONDS = 1e9
MOST_WAIT_S = 1e6
"""Seconds that anything is waited for: the system calls that wait take a month at most."""
LONGEST_RUN_S = 10.0
"""Where nothing is said: seconds of a run beyond which it is the only one of a measurement."""
MOST_NAME = 120
"""Characters of a name that can be part of a file name."""
MOST_BATCH = 65_536
