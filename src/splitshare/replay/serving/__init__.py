"""How devices serve what waits for them, beyond first come, first served on one route (rules ours, see each file)."""
