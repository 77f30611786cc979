"""Whether conclusions stand when times are others than those that they were drawn from (method ours)."""
