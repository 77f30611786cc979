"""The commands of the onloading problem: ``splitshare onloading ...``."""
