"""Verification: whether a program can run on this lab's own deck, proved before anything moves."""

from protocols.verify.findings import RULES, Finding, Rule, Severity
from protocols.verify.folding import Verification, verify

__all__ = ["RULES", "Finding", "Rule", "Severity", "Verification", "verify"]
