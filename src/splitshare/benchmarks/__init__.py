"""Benchmarks: downloaded and verified, evaluated with the field's metrics, recorded as accuracy."""
