"""The report of a run: what was asked, what was done, and what came of it, as a page and as JSON."""

from robots.report.build import build_report
from robots.report.model import Plan, Report, RunFacts, UnreachableRow
from robots.report.render import render_html, write_report

__all__ = [
    "Plan",
    "Report",
    "RunFacts",
    "UnreachableRow",
    "build_report",
    "render_html",
    "write_report",
]
