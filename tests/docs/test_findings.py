"""The page of findings lists exactly the rules of verification."""

from __future__ import annotations

from protocols.verify import RULES
from tests.docs.pages import page, table_rows

PAGE = page("reference/findings.md")
ROWS = {cells[0]: cells[1:] for cells in table_rows(PAGE.read_text(encoding="utf-8"))}


def test_every_code_is_on_the_page_and_no_other() -> None:
    assert set(ROWS) == set(RULES)


def test_each_has_its_severity() -> None:
    assert {code: cells[0] for code, cells in ROWS.items()} == {code: rule.severity for code, rule in RULES.items()}


def test_each_is_explained_and_mended() -> None:
    assert [
        code for code, (_, meaning, mend) in ROWS.items() if not (meaning.endswith(".") and mend.endswith("."))
    ] == []
