"""The embedded benchmark, from training to the accuracy record."""
