"""The environment of opentrons: made whole or not at all, from a wheel that only looks like opentrons."""

from __future__ import annotations

import errno
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from protocols.errors import InputError
from robots.sources import environment
from robots.sources.environment import PYTHON_VARIABLE, OpentronsEnvironment, find_opentrons, opentrons_version


def wheel(folder: Path, version: str, code: str = "") -> Path:
    """A folder with a wheel of "opentrons" that has one module."""
    folder.mkdir(exist_ok=True)
    info = f"opentrons-{version}.dist-info"
    files = {
        "opentrons/__init__.py": "",
        "opentrons/cli.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: opentrons\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"opentrons-{version}-py3-none-any.whl", "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    return tmp_path / "home é"


@pytest.mark.slow
def test_it_is_installed_once(home: Path, tmp_path: Path) -> None:
    place = OpentronsEnvironment.under(home)
    with pytest.raises(InputError, match="labwright setup opentrons"):
        find_opentrons(home)
    said: list[str] = []
    place.install(said.append, wheels=wheel(tmp_path / "wheels", "9.0.0"))
    assert said[0] == "making the environment"
    assert said[-1] == "trying it"
    assert opentrons_version(find_opentrons(home)) == "9.0.0"
    assert [path.name for path in place.path.parent.iterdir()] == ["opentrons-9.0.0"]
    again: list[str] = []
    place.install(again.append)
    assert again == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "code", "says"),
    [
        ("8.0.0", "", "pip could not install opentrons 9.0.0"),
        ("9.0.0", "import nothing_of_this_name", "opentrons does not work there.*nothing_of_this_name"),
    ],
)
def test_what_fails_leaves_nothing(home: Path, tmp_path: Path, version: str, code: str, says: str) -> None:
    place = OpentronsEnvironment.under(home)
    with pytest.raises(InputError, match=says):
        place.install(wheels=wheel(tmp_path / "wheels", version, code))
    assert list(place.path.parent.iterdir()) == []


def test_a_full_disk_is_said_before(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**8))
    with pytest.raises(OSError, match="less than 500 MB are free") as caught:
        OpentronsEnvironment.under(home).install()
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "no space left"),
        ("WARNING: Retrying after NewConnectionError: Temporary failure in name resolution", "cannot be reached"),
        ("ERROR: No matching distribution found for numpy<2", "No matching distribution found for numpy<2"),
        ("", "pip could not install"),
    ],
)
def test_what_pip_says_is_told_in_other_words(said: str, says: str) -> None:
    assert says in str(environment._failure(said, "there"))


def test_another_one_can_be_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(InputError, match="names no interpreter"):
        find_opentrons(home)
    (tmp_path / "none").write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(InputError, match="does not start"):
        opentrons_version(find_opentrons(home))
    (tmp_path / "none").chmod(0o755)
    with pytest.raises(InputError, match="does not work there"):
        opentrons_version(find_opentrons(home))
