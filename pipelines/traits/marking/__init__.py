"""Latents that mark a taxon."""
