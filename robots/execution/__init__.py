"""Execution: journal, lease, runner, recovery, control channel, executor and run folders.

A run is what its journal says. Everything else here (progress, expectation, status) is a fold of it.
"""
