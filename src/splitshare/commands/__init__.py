"""The command line's stages, a file each; ``splitshare.cli`` parses and calls them, rules call the command line."""
