"""What every benchmark shares: its options, its table and its JSON."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def options(description: str) -> argparse.ArgumentParser:
    """A parser with ``--quick`` and ``--json``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="under a minute on two cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as one JSON object")
    return parser


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """The median of ``repeats`` timings of ``work``, s of wall time."""
    timings = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        timings.append(time.perf_counter() - start)
    return statistics.median(timings)


def show(title: str, rows: list[tuple[str, object]]) -> None:
    """Print figures as a table of two columns."""
    table = Table("figure", "value", title=title)
    for name, value in rows:
        table.add_row(name, f"{value:,.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


def write(path: Path | None, figures: dict[str, Any]) -> None:
    """Write ``figures`` as JSON, with what they were measured on."""
    if path is not None:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
        path.write_text(json.dumps(figures | {"measured_on": machine}, indent=2) + "\n")
