"""Parametric organisms: images whose parts and traits are known."""
