"""Pages to look at: what each latent marks, and where."""

from pipelines.traits.gallery.charts import Row
from pipelines.traits.gallery.views import Curve, Evidence, LatentView, Overview, Point, Shot, Taxon
from pipelines.traits.gallery.writing import write_gallery

__all__ = ["Curve", "Evidence", "LatentView", "Overview", "Point", "Row", "Shot", "Taxon", "write_gallery"]
