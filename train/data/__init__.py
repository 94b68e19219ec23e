"""Corpora, labels and tokenised examples for training."""
