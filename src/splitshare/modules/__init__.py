"""The torch modules of the catalogue: built from their true configurations, split and whole."""
