"""The version of the package, apart from what the package gives, so that asking for it imports nothing else."""

__version__ = "0.1.0"
