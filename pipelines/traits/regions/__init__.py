"""Where in the original image a latent fires."""

from pipelines.traits.regions.polygons import Polygon
from pipelines.traits.regions.region import Box, Region, fractions_of, region

__all__ = ["Box", "Polygon", "Region", "fractions_of", "region"]
