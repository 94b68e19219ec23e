"""Networks in training: encoders, heads, the training loop, quantisation. Imports torch and transformers."""
