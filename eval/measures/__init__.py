"""Answers of systems, their measures, and the statistics of those."""
