"""Baselines: the systems that a model is compared with."""
