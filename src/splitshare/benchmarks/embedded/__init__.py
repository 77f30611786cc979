"""The embedded benchmark: easy-VQA from the package index, and a small multi-modal model trained on it at run time."""
