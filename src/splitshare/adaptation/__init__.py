"""Placement as things change: devices leave and join, rates and links change, modules move (ours)."""
