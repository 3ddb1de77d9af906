"""Liquid classes without films, so that what programs do can be compared to the last digit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from protocols.compiler import classes


@pytest.fixture(scope="module")
def no_films() -> Iterator[None]:
    """Nothing clings to any tip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classes, "_FILM", dict.fromkeys(classes._FILM, 0.0))
        classes.liquid_class_for.cache_clear()
        yield
    classes.liquid_class_for.cache_clear()
