"""Peers that live in environments of their own: ``python -m benchmarks.peers`` installs them under ``.peers/``."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from robots.sources.environment import OpentronsEnvironment

ROOT = Path(__file__).resolve().parent.parent / ".peers"


class PipEnvironment:
    """A peer that is installed with pip.

    Args:
        path: the folder of the environment.
        packages: what is installed, with versions.
        alone: what is installed without what it requires.
    """

    def __init__(self, path: Path, packages: tuple[str, ...], alone: tuple[str, ...]) -> None:
        self.path, self.packages, self.alone = path, packages, alone

    @property
    def python(self) -> Path:
        """Its interpreter, whether it is there or not."""
        return self.path / "bin" / "python"

    def installed(self) -> bool:
        """Whether everything was installed."""
        return (self.path / "whole").exists()

    def install(self, told: Callable[[str], None]) -> None:
        """Install it; nothing is done where it is there."""
        if self.installed():
            return
        told(f"installing {', '.join(self.packages)}")
        venv.create(self.path, with_pip=True)
        pip = [str(self.python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *self.packages], check=True)
        subprocess.run([*pip, "--no-deps", *self.alone], check=True)
        (self.path / "whole").touch()


PEERS: dict[str, OpentronsEnvironment | PipEnvironment] = {
    "opentrons": OpentronsEnvironment(ROOT / "opentrons"),
    "sae": PipEnvironment(
        ROOT / "sae",
        ("torch==2.13.0", "sae-lens==6.54.12", "eai-sparsify==1.3.3", "scikit-learn>=1.7"),
        ("overcomplete==0.3.0",),  # which requires torchvision, for models that are not measured
    ),
}


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
