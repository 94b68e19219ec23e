"""Train the encoder and its heads."""
