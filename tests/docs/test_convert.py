"""The page on other forms shows what is really written."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import labwright
from tests.docs.pages import ROOT, blocks, page

DILUTION = ROOT / "examples" / "protocols" / "serial_dilution.yaml"


def test_the_protocol_on_the_page_is_the_one_that_is_written(tmp_path: Path) -> None:
    (shown,) = (block for block in blocks(page("how-to/convert.md")) if block.language == "python")
    out = tmp_path / "dilution.py"
    assert labwright(tmp_path / "home", "convert", str(DILUTION), "--out", str(out), "-w", "ot2").code == 0
    assert shown.text.strip() in out.read_text(encoding="utf-8")
