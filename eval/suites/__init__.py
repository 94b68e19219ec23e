"""The suites, one in each file: which systems answer which articles."""
