"""Joint onloading and offloading of hierarchical multi-task inference: the problem of J3O.

Only the abstract of the paper could be read. The problem that it names is stated here in full, and that statement is
*ours*: see ``instance`` for what is given, ``objective`` for what a decision is worth.
"""
