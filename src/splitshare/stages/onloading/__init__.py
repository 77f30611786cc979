"""The onloading problem: zoos, the suite, sweeps, studies and the replay."""
