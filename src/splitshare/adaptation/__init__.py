"""Placement and onloading as things change: devices, clients and servers come and go, weights move (ours)."""
