"""The onloading problem: which models clients and edge servers hold, who answers what."""

COMMANDS = (
    *("zoo", "train-zoo", "perception-zoo", "suite", "huge", "regions", "solve-suite"),
    *("sweep", "study", "replay", "uncertain", "headroom", "follow", "limit", "price"),
)
