"""Keyword tags: vocabulary, candidates, features, ranking and selection."""
