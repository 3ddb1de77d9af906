"""Peers that live in environments of their own: ``python -m benchmarks.peers`` installs them under ``.peers/``."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / ".peers"
PEERS = {"opentrons": ["opentrons==9.0.0"]}


def python_of(peer: str) -> Path | None:
    """The interpreter of an installed peer, or ``None``."""
    python = ROOT / peer / "bin" / "python"
    return python if python.exists() else None


def install(peer: str) -> None:
    """Install a peer in its own environment, once."""
    if python_of(peer) is None:
        venv.create(ROOT / peer, with_pip=True)
        subprocess.run([ROOT / peer / "bin" / "python", "-m", "pip", "install", "-q", *PEERS[peer]], check=True)


if __name__ == "__main__":
    for name in sys.argv[1:] or PEERS:
        install(name)
        print(f"{name}: {python_of(name)}")
