"""The embedded benchmark: small models, trained here on a data set from the package index."""

COMMANDS = ("train", "evaluate", "record")
