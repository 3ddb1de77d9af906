"""Well names and blocks of wells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import UnknownNameError
from protocols.wells import expand_wells, well_name, well_position


@given(st.integers(0, 31), st.integers(0, 47))
def test_a_well_is_found_under_its_own_name(row: int, column: int) -> None:
    assert well_position(well_name(row, column)) == (row, column)


@pytest.mark.parametrize(
    ("name", "canonical"), [("a1", "A1"), ("A01", "A1"), ("h12", "H12"), ("AF48", "AF48"), (" B2 ", "B2")]
)
def test_spellings_of_one_well(name: str, canonical: str) -> None:
    assert well_name(*well_position(name)) == canonical


@pytest.mark.parametrize(
    "name", ["", "A", "1", "A0", "A00", "А1", "A１", "AG1", "A49", "A-1", "A1.5", "A1A", "ZZ1", "A 1", "A1\n2"]
)
def test_what_is_no_well_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError):
        well_position(name)


def test_a_look_alike_letter_is_named() -> None:
    with pytest.raises(UnknownNameError, match="looks like"):
        well_position("А1")


def test_blocks_run_down_the_columns() -> None:
    assert expand_wells("p/A1:B2") == ("p/A1", "p/B1", "p/A2", "p/B2")
    assert expand_wells("my/plate/c03") == ("my/plate/C3",)
    assert len(expand_wells("p/A1:H12")) == 96


@pytest.mark.parametrize("reference", ["A1", "/A1", "p/", "p/B1:A1", "p/A1:", "p/A1:B", "p/A1:B2:C3"])
def test_what_is_no_block_is_refused(reference: str) -> None:
    with pytest.raises(UnknownNameError):
        expand_wells(reference)
