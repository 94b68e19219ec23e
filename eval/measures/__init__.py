"""Answers, metrics and statistics."""
