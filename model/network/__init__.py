"""The encoder and its heads: artifact, runtimes, tokens and windows, span decoding, topic probabilities."""
