"""Peers that live in environments of their own: ``python -m benchmarks.peers`` installs them under ``.peers/``."""

from __future__ import annotations

import sys
from pathlib import Path

from robots.sources.environment import OpentronsEnvironment

ROOT = Path(__file__).resolve().parent.parent / ".peers"
PEERS = {"opentrons": OpentronsEnvironment(ROOT / "opentrons")}


def python_of(peer: str) -> Path | None:
    """The interpreter of an installed peer, or ``None``."""
    return PEERS[peer].python if PEERS[peer].installed() else None


def install(peer: str) -> None:
    """Install a peer in its own environment, once."""
    PEERS[peer].install(print)


if __name__ == "__main__":
    for name in sys.argv[1:] or PEERS:
        install(name)
        print(f"{name}: {python_of(name)}")
