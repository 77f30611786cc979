"""A third problem, of a package of its own: which items go into a knapsack."""
