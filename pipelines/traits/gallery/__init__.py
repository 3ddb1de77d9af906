"""Pages to look at: what each latent marks, and where."""

from pipelines.traits.gallery.views import Curve, Evidence, LatentView, Overview, Point, Shot, Taxon
from pipelines.traits.gallery.writing import write_gallery

__all__ = ["Curve", "Evidence", "LatentView", "Overview", "Point", "Shot", "Taxon", "write_gallery"]
