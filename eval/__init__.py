"""Measure a model against baselines."""
