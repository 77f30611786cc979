"""Branch and bound for placements (ours): Lagrangian bounds over requests and knapsacks, compiled."""
