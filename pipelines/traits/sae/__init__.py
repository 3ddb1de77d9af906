"""Sparse autoencoders over patch activations."""
