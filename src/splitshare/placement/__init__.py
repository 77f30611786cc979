"""S2M3's problem: put the modules of several models on edge devices so that requests are answered soonest.

The paper's abstract gives the idea; the precise problem here is our reconstruction of it.
"""
