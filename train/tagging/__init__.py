"""Fitting of everything that ranks tags."""
