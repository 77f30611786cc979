"""The tables and figures, a file each, and the claims; everything is drawn from files that a run has written."""
