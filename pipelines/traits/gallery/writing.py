"""The gallery's pages: an index, one page a taxon and one a latent, each whole in itself.

A page needs no script and nothing from outside itself: pictures stand in it. Whatever comes from a file or a person is
escaped. Links between pages are relative, so that the folder can be moved, zipped or put on a web server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipelines.traits.gallery.charts import draw_curves, draw_histogram, draw_key, draw_map, looks_of
from pipelines.traits.gallery.views import LatentView, Overview, Shot, Taxon
from robots.execution.home import write_atomically

Look = Callable[[int], LatentView]
"""Reads what there is to see of a latent; called for one latent at a time, so that memory holds one."""
MOST_TILES = 96
"""Latents that the index shows with a picture."""
MOST_TAXA = 40
"""Taxa that the index shows at once; the others are folded."""
MOST_OF_TAXON = 8
"""Latents that a taxon's page shows with pictures."""
_SHOTS_OF_TAXON = 3
"""Pictures of each of them."""
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""Characters that a page cannot hold, and that show nothing."""


def write_gallery(
    folder: Path,
    overview: Overview,
    taxa: Sequence[Taxon],
    latents: Sequence[int],
    look: Look,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write all pages into ``folder``, each whole or not at all.

    Args:
        taxa: in the order in which they are shown; each has some evidence.
        latents: those that have a page, the strongest first.
        progress: told of pages written, and of how many.

    Returns:
        The path of the index.

    Raises:
        OSError: a folder cannot be made.
        RecordError: a page cannot be written.
    """
    pages = _Pages(folder, overview, taxa, latents)
    total, done = len(latents) + len(taxa) + 1, 0
    for kind in ("latents", "taxa"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for place, latent in enumerate(latents):
        pages.write_latent(place, look(latent))
        done += 1
        if progress is not None:
            progress(done, total)
    for taxon in taxa:
        pages.write_taxon(taxon, look)
        done += 1
        if progress is not None:
            progress(done, total)
    page = pages.write_index([look(latent) for latent in latents[:MOST_TILES]])
    if progress is not None:
        progress(total, total)
    return page


class _Pages:
    """The pages of one gallery, and how they name each other."""

    def __init__(self, folder: Path, overview: Overview, taxa: Sequence[Taxon], latents: Sequence[int]) -> None:
        self._folder = folder
        self._overview = overview
        self._taxa = taxa
        self._latents = latents
        self._taxon_pages = {
            (taxon.rank, taxon.name): f"taxa/{number:04d}-{_slug(taxon.name)}.html"
            for number, taxon in enumerate(taxa, start=1)
        }

    def write_latent(self, place: int, view: LatentView) -> None:
        """The page of the latent at a place of the list."""
        rows = sorted(view.rows, key=lambda row: (not row.marked, -row.specimens, row.name))[:40]
        self._write(
            latent_page(view.latent),
            "latent.html.jinja",
            view=view,
            before=self._latents[place - 1] if place else None,
            after=self._latents[place + 1] if place + 1 < len(self._latents) else None,
            histogram=draw_histogram(rows, view.edges, f"How strongly latent {view.latent} fires, by taxon"),
        )

    def write_taxon(self, taxon: Taxon, look: Look) -> None:
        """The page of a taxon, with pictures of its strongest latents."""
        shown = [line for line in taxon.evidence if line.latent in set(self._latents)][:MOST_OF_TAXON]
        lines = [(line, _own(look(line.latent), taxon)[:_SHOTS_OF_TAXON]) for line in shown]
        few = all(line.standing == "not tested" for line in taxon.evidence)
        self._write(
            self._taxon_pages[taxon.rank, taxon.name],
            "taxon.html.jinja",
            taxon=taxon,
            lines=lines,
            more=len(taxon.evidence) - len(shown),
            note=_untested(taxon) if few else "",
        )

    def write_index(self, tiles: Sequence[LatentView]) -> Path:
        """The first page."""
        view = self._overview
        groups = [point.group for point in view.points]
        looks = looks_of(groups)
        places = np.array([[point.x, point.y] for point in view.points]).reshape(-1, 2)
        return self._write(
            "index.html",
            "index.html.jinja",
            view=view,
            shown=MOST_TAXA,
            taxa=[(taxon, self._taxon_pages[taxon.rank, taxon.name]) for taxon in self._taxa],
            tiles=tiles,
            more=len(self._latents) - len(tiles),
            map=draw_map(places, groups, [point.title for point in view.points]) if groups else None,
            keys=[(group, draw_key(*look)) for group, look in looks.items()],
            others=len(set(groups)) - len(looks),
            curves=[
                (curve, draw_curves(curve.name, curve.steps, curve.values, log=curve.log)) for curve in view.curves
            ],
        )

    def _taxon_page(self, rank: str, name: str) -> str:
        return self._taxon_pages.get((rank, name), "index.html")

    def _write(self, name: str, template: str, **context: Any) -> Path:
        environment = _environment()
        source, _, _ = environment.loader.get_source(environment, "gallery.css")  # type: ignore[union-attr]
        page = environment.get_template(template).render(
            css=Markup(source),
            title=self._overview.title,
            version=self._overview.version,
            images=self._overview.images,
            latent_page=latent_page,
            taxon_page=self._taxon_page,
            **context,
        )
        write_atomically(self._folder / name, page)
        return self._folder / name


def latent_page(latent: int) -> str:
    """Where the page of a latent is, from the gallery's folder."""
    return f"latents/{latent:06d}.html"


def _own(view: LatentView, taxon: Taxon) -> Sequence[Shot]:
    return view.of_taxa.get(f"{taxon.rank}:{taxon.name}") or view.shots


def _untested(taxon: Taxon) -> str:
    seen = "one specimen is" if taxon.specimens == 1 else f"{taxon.specimens} specimens are"
    return f"Too few to test: {seen} no evidence that something marks this taxon. Shown is what stands out in it most."


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "taxon"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipelines.traits.gallery"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_without_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "figure": _figure, "chance": _chance}
    return environment


def _without_controls(value: Any) -> Any:
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share in (0, 1) or 0.01 <= share <= 0.99 else f"{100 * share:.1f} %"


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _chance(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"
