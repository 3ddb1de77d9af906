"""Pictures as they are shown to a model, without labels; each is read once for all questions about its regions."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.collections import open_image
from pipelines.traits.prompting.labels import without_labels
from pipelines.traits.specimens import Specimen

Pixels = NDArray[np.uint8]
MOST_BYTES = 1 << 28
"""Of the pictures that are kept, beside the one that was read last."""


class _Kept:
    """The pictures that were used last; safe to use from any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._pictures: OrderedDict[tuple[Path, str], Future[Pixels]] = OrderedDict()

    def read(self, images: Path, specimen: Specimen) -> Pixels:
        key = (images, specimen.id)
        with self._lock:
            known = self._pictures.get(key)
            reading = known or Future[Pixels]()
            self._pictures[key] = reading
            self._pictures.move_to_end(key)
        if known is not None:
            return known.result()
        try:
            reading.set_result(without_labels(open_image(images, specimen)))
        except BaseException as error:
            with self._lock:
                self._pictures.pop(key, None)
            reading.set_exception(error)
            raise
        self._let_go()
        return reading.result()

    def _let_go(self) -> None:
        with self._lock:
            sizes = {key: one.result().nbytes for key, one in self._pictures.items() if one.done()}
            total = sum(sizes.values())
            for key, size in list(sizes.items())[:-1]:
                if total <= self._most:
                    return
                del self._pictures[key]
                total -= size


_KEPT = _Kept(MOST_BYTES)


def read_bare(images: Path, specimen: Specimen) -> Pixels:
    """An image of a collection (height, width, 3), upright, labels beside the organism painted over; not to be changed.

    Raises:
        CollectionError: it is not there any more, or another.
    """
    return _KEPT.read(images, specimen)
