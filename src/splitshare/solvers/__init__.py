"""One way to solve a mixed-integer linear program, whoever solves it: Gurobi or HiGHS, each through its own package."""
