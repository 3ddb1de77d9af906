"""What a Python file is, is told from its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import InputError
from robots.sources.kinds import kind_of_source, neighbours, read_source

FILE = Path("protocol.py")

OPENTRONS = (
    "metadata = {'apiLevel': '2.13'}\ndef run(protocol): pass",
    "requirements: dict = {'apiLevel': '2.13', 'robotType': 'Flex'}\ndef run(ctx): pass",
    "from opentrons import protocol_api\ndef run(p: protocol_api.ProtocolContext) -> None: pass",
    "import opentrons.protocol_api as api\nif True:\n    pass\ndef run(p, /): pass",
)
PYLABROBOT = (
    "from pylabrobot.liquid_handling import LiquidHandler\nasync def main(): pass",
    "def later():\n    import pylabrobot.resources as r",
)
NEITHER = (
    "",
    "print('hello')",
    "def run(protocol): pass",
    "metadata = {}",
    "metadata = {}\ndef run(): pass",
    "metadata = {}\nclass A:\n    def run(self): pass",
    "from .pylabrobot import x",
)
NOT_PYTHON = (
    "def f(:",
    "a: b: c",
    '{"commands": []',
    "x = = 1",
    "\0",
    "print 'old'",
    "ÿ" * 3 + "(",
    "(" * 5000,
    "\t x\n y",
)


@pytest.mark.parametrize("text", OPENTRONS)
def test_opentrons_protocols(text: str) -> None:
    assert kind_of_source(text.encode(), FILE) == "opentrons"


@pytest.mark.parametrize("text", PYLABROBOT)
def test_scripts_for_pylabrobot(text: str) -> None:
    assert kind_of_source(text.encode(), FILE) == "pylabrobot"


@pytest.mark.parametrize("text", NEITHER)
def test_other_python_is_no_protocol(text: str) -> None:
    with pytest.raises(InputError, match="is no protocol"):
        kind_of_source(text.encode(), FILE)


@pytest.mark.parametrize("text", [text.encode() for text in NOT_PYTHON] + [bytes(range(256)), b"# coding: rot13\nx"])
def test_what_is_not_python_is_refused(text: bytes) -> None:
    with pytest.raises(InputError, match=r"not Python|no protocol"):
        kind_of_source(text, FILE)


@pytest.mark.parametrize("deep", ["-" * 200_000 + "1", "a" + ".a" * 200_000, "x=" + "(" * 90 + ")" * 90, "[" * 10**5])
def test_python_that_is_nested_deeply_is_refused(deep: str) -> None:
    with pytest.raises(InputError):
        kind_of_source(deep.encode(), FILE)


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_bytes(b"#" * 5_000_001)
    with pytest.raises(InputError, match="no protocol is that long"):
        read_source(file)
    with pytest.raises(InputError, match="is a directory"):
        read_source(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_source(tmp_path / "none.py")


def test_modules_beside_it_go_with_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import deeper, os")
    (tmp_path / "deeper.py").write_text("import mine")
    (tmp_path / "other.py").write_text("import nothing")
    file = tmp_path / "protocol.py"
    assert {path.name for path in neighbours(b"from mine import x\nimport protocol", file)} == {"mine.py", "deeper.py"}
