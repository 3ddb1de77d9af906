"""Where the decoder's bias begins."""

from __future__ import annotations

from torch import Tensor

MOST_ITERATIONS = 100


def geometric_median(x_nd: Tensor, *, tolerance: float = 1e-6) -> Tensor:
    """(d,): the point of least summed distance to all rows, by Weiszfeld's iteration from the mean.

    Unlike the mean it is hardly moved by outliers (Bricken et al. 2023, appendix on the autoencoder bias).

    Args:
        x_nd: (n, d).
        tolerance: stop when a step is shorter than this share of the median distance to the rows.
    """
    median_d: Tensor = x_nd.mean(0)
    for _ in range(MOST_ITERATIONS):
        distances_n = (x_nd - median_d).norm(dim=1)
        weights_n = 1 / distances_n.clamp(min=1e-12 + tolerance * float(distances_n.median()))
        moved_d: Tensor = weights_n @ x_nd / weights_n.sum()
        if float((moved_d - median_d).norm()) <= tolerance * float(distances_n.median()):
            return moved_d
        median_d = moved_d
    return median_d
