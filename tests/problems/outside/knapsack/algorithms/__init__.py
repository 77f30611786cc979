"""Knapsack algorithms, a file each."""
