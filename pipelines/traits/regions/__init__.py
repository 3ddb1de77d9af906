"""Where in the original image a latent fires."""

from pipelines.traits.regions.foreground import coarse_foreground, foreground, foreground_share, patch_foreground
from pipelines.traits.regions.polygons import Polygon
from pipelines.traits.regions.region import Box, Region, fractions_of, region

__all__ = [
    "Box",
    "Polygon",
    "Region",
    "coarse_foreground",
    "foreground",
    "foreground_share",
    "fractions_of",
    "patch_foreground",
    "region",
]
