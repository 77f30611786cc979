"""A page in which every result can be looked at: filtered, its placement drawn, its requests' stages over time."""
