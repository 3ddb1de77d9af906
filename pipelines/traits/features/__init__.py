"""Patch activations of a vision model."""
