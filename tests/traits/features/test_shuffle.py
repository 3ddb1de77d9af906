"""Orders that are shuffled without being written down."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.features.shuffle import Order, Permutation


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 3000), st.integers(0, 2**63))
def test_a_permutation_has_everything_once(size: int, key: int) -> None:
    found = Permutation(size, (key,))[np.arange(size)]
    assert np.array_equal(np.sort(found), np.arange(size))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 600), st.integers(0, 2**63), st.integers(2, 40), st.integers(8, 64))
def test_windows_have_everything_once_in_each_epoch(rows: int, seed: int, blocks: int, block: int) -> None:
    order = Order(rows, seed, window=blocks * block, block=block)
    for epoch in range(3):
        found = order[np.arange(epoch * rows, (epoch + 1) * rows)]
        assert np.array_equal(np.sort(found), np.arange(rows))


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 3000), st.integers(0, 99), st.data())
def test_a_position_is_the_same_whichever_way_it_is_asked_for(rows: int, seed: int, data: st.DataObject) -> None:
    order = Order(rows, seed, window=data.draw(st.sampled_from([None, 64, 128])), block=32)
    positions = np.array(data.draw(st.lists(st.integers(0, 5 * rows), min_size=1, max_size=50)))
    together = order[positions]
    assert together.tolist() == [int(order[np.array([position])][0]) for position in positions]


def test_no_row_prefers_a_place() -> None:
    """Over many keys each of 40 rows stands at each of 40 places about equally often: chi-square near its mean."""
    counts = np.zeros((40, 40))
    for key in range(2000):
        counts[np.arange(40), Permutation(40, (key,))[np.arange(40)]] += 1
    square = ((counts - 50) ** 2 / 50).sum()
    assert abs(square - 39 * 39) < 6 * np.sqrt(2 * 39 * 39)


def test_neighbours_do_not_stay_together() -> None:
    found = Permutation(10_000, (1,))[np.arange(10_000)]
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.05
    assert (np.abs(np.diff(found)) == 1).sum() < 12


def test_a_window_is_read_from_few_blocks() -> None:
    order = Order(100_000, 5, window=2560, block=256)
    for window in range(5):
        rows = order[np.arange(window * 2560, (window + 1) * 2560)]
        assert len(np.unique(rows // 256)) <= 20  # ten blocks, each of which a turn may split


def test_a_hundred_million_rows_need_no_table() -> None:
    order = Order(100_000_000, 9)
    rows = order[np.arange(99_999_990, 100_000_010)]
    assert len(set(rows.tolist())) == 20
    assert rows.max() < 100_000_000
