"""How an image of any size is brought to what a backbone sees, and where its patches then lie in the original.

Each framing is one dataclass. All of them resize the whole image first and then cut or pad, so one :class:`Plan` says
everything: the size after resizing, and which rectangle of that the backbone sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipelines.traits.grids import Grid
from protocols.errors import InputError


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one image, in pixels.

    Attributes:
        resized: height and width after resizing.
        top, left: where, in the resized image, the rectangle that is seen begins; negative where there is padding.
        seen: height and width of that rectangle.
    """

    resized: tuple[int, int]
    top: int
    left: int
    seen: tuple[int, int]

    def grid(self, height: int, width: int, patch: int) -> Grid:
        """The grid of patches over an original of ``height`` x ``width`` pixels.

        What does not fill a patch at the right and at the bottom is seen by no patch, as in the backbone itself.

        Raises:
            InputError: no patch fits in.
        """
        rows, columns = self.seen[0] // patch, self.seen[1] // patch
        if not (rows and columns):
            raise InputError(
                f"no patch of {patch} pixels fits into {self.seen[0]} x {self.seen[1]} pixels",
                mend="Choose a larger framing",
            )
        down, across = height / self.resized[0], width / self.resized[1]
        return Grid(
            rows=rows,
            columns=columns,
            left=self.left * across,
            top=self.top * down,
            width=columns * patch * across,
            height=rows * patch * down,
        )


@dataclass(frozen=True, slots=True)
class CentreCrop:
    """The shorter edge becomes ``shortest`` pixels, then ``height`` x ``width`` are cut from the centre.

    The edges are not seen. The published way: 256, then 224 x 224. Rounding as in transformers' image processors.
    """

    shortest: int
    height: int
    width: int

    def plan(self, height: int, width: int, patch: int) -> Plan:
        """The plan for an image of this size."""
        if height <= width:
            resized = (self.shortest, int(self.shortest * width / height))
        else:
            resized = (int(self.shortest * height / width), self.shortest)
        seen = (self.height, self.width)
        return Plan(resized, (resized[0] - seen[0]) // 2, (resized[1] - seen[1]) // 2, seen)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The whole image becomes ``height`` x ``width``, whatever that does to its proportions (SigLIP, DINOv3)."""

    height: int
    width: int

    def plan(self, height: int, width: int, patch: int) -> Plan:
        """The plan for an image of this size."""
        return Plan((self.height, self.width), 0, 0, (self.height, self.width))


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The whole image, its proportions kept, in the middle of ``height`` x ``width``; the rest is padding.

    Padding is the colour that normalises to zero.
    """

    height: int
    width: int

    def plan(self, height: int, width: int, patch: int) -> Plan:
        """The plan for an image of this size."""
        scale = min(self.height / height, self.width / width)
        resized = (
            min(self.height, max(1, round(height * scale))),
            min(self.width, max(1, round(width * scale))),
        )
        seen = (self.height, self.width)
        return Plan(resized, -((seen[0] - resized[0]) // 2), -((seen[1] - resized[1]) // 2), seen)


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole image in whole patches, at most ``patches`` of them, its proportions kept to within one patch.

    So the grid differs from image to image: nothing is cut off and no patch is spent on padding. An image longer than
    ``longest`` times its width (or the other way round) is squeezed to that.
    """

    patches: int
    longest: float = 4.0

    def plan(self, height: int, width: int, patch: int) -> Plan:
        """The plan for an image of this size."""
        ratio = min(max(height / width, 1 / self.longest), self.longest)
        rows = max(1, round(math.sqrt(self.patches * ratio)))
        columns = max(1, round(math.sqrt(self.patches / ratio)))
        if rows * columns > self.patches:
            if rows >= columns:
                rows = max(1, self.patches // columns)
            else:
                columns = max(1, self.patches // rows)
        seen = (rows * patch, columns * patch)
        return Plan(seen, 0, 0, seen)


Framing = CentreCrop | Stretch | Letterbox | Whole
