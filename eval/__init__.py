"""Measure models against baselines."""
