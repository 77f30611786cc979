"""The metrics of the tasks: plain functions of predictions and references, one score a sample."""
