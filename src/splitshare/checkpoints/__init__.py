"""Checkpoints as transformers writes them: cut into functional modules, and what several of them have in common."""
