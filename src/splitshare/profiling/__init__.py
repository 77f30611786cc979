"""How long each module takes on a device: measured here, or derived for devices that are not at hand."""
