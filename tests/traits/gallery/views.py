"""Views made by hand, with pictures of noise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from pipelines.traits.gallery import Curve, Evidence, LatentView, Overview, Point, Row, Shot, Taxon, write_gallery
from pipelines.traits.gallery.pictures import close_up, heat_layer, outline, whole_picture

NASTY = '<script>alert("x")</script> & "Apis\x07"'


@cache
def shot(name: str, number: int = 0) -> Shot:
    image = np.random.default_rng(number).integers(0, 255, (120, 160, 3), np.uint8)
    heat = np.zeros((120, 160), np.float32)
    heat[40:60, 50:90] = 2.0
    corners = [np.array([[50, 40], [90, 40], [90, 60], [50, 60]])]
    box = (50.0, 40.0, 90.0, 60.0)
    return Shot(
        id=f"{number:032x}",
        source=f"{name}/{number}.jpg",
        taxon=name,
        licence="CC BY 4.0" if number % 2 else "",
        credit="A. Person" if number % 2 else "",
        width=160,
        height=120,
        activation=3.0,
        outline=outline(corners),
        whole=whole_picture(image),
        heat=heat_layer(heat, 120, 160),
        close=close_up(image, box),
    )


def evidence(latent: int, taxon: str, *, standing: str = "marked", rank: str = "species") -> Evidence:
    tested = standing != "not tested"
    return Evidence(
        latent=latent,
        rank=rank,
        taxon=taxon,
        specimens=8,
        firing=7,
        inside=0.875,
        outside=0.02,
        effect=0.855,
        measure="difference of shares",
        p=1e-7 if tested else None,
        q=3e-5 if tested else None,
        held_out="7 of 8, others 3 %" if tested else "",
        standing=standing,
    )


def latent_view(latent: int, taxon: str) -> LatentView:
    shots = [shot(taxon, number) for number in range(3)]
    rows = [Row(taxon, 1, [0, 3, 4], marked=True), Row("another", 7, [1, 0, 0])]
    return LatentView(latent, 9, [evidence(latent, taxon)], shots, {f"species:{taxon}": shots[:2]}, rows, [0, 1, 2, 3])


def overview(**more: object) -> Overview:
    given: dict[str, object] = {
        "title": "Beetles",
        "images": 17,
        "notes": ["There is one specimen of each taxon."],
        "cards": [("17", "images")],
        "quarantined": [("a/b.jpg", "truncated", "the end is missing")],
        "licences": {"CC BY 4.0": 16, "": 1},
        "facts": {"Collection": {"layout": "folders"}},
        "curves": [Curve("FVU", "variance that is not explained", [0, 10, 20], [1.0, 0.5, 0.2])],
        "points": [Point(0.1, 0.2, "Coleoptera", "one"), Point(0.4, -0.2, "Diptera", "two")],
        "map_words": "Alike lies together.",
        "version": "0.1.0",
    }
    return Overview(**(given | more))  # type: ignore[arg-type]


def written(folder: Path, names: Mapping[int, str], **more: object) -> dict[str, str]:
    """A gallery with a latent for each name; its pages by their paths."""
    taxa = [Taxon(name, "species", 16, [evidence(latent, name)]) for latent, name in names.items()]
    write_gallery(folder, overview(**more), taxa, list(names), lambda latent: latent_view(latent, names[latent]))
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))
    }
