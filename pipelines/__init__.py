"""Whole unattended jobs."""
