"""Adam over both weight matrices in one pass, with what unit decoder rows need before and after it.

Exactly dense Adam (Kingma and Ba, arXiv 1412.6980): a latent without a gradient has its moments decayed and is moved by
them like any other, which "sparse" Adam leaves out. It is memory traffic, 28 bytes a parameter, that this costs; so it
goes over the matrices in blocks of rows that stay in the cache while the part of the gradient along a decoder row is
removed, the row is moved and scaled to length 1, and the encoder's copy is renewed.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adam import adam

from pipelines.traits.sae import compiled
from pipelines.traits.sae.encoder import Encoder
from pipelines.traits.sae.gradients import Gradients
from pipelines.traits.sae.parameters import Parameters
from pipelines.traits.sae.support import Sparse

BLOCK_BYTES = 1 << 22
"""Of one matrix in a block; four are in use at a time."""


class Adam:
    """The optimiser's state and step.

    Args:
        parameters: what is optimised, in place.
        beta1, beta2: decay of the first and second moment.
        epsilon: in the denominator.
        unit_rows: scale each decoder row to length 1 after a step.
        project: remove from a decoder row's gradient the part along the row, which scaling would undo.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        unit_rows: bool = True,
        project: bool = True,
    ) -> None:
        self.parameters = parameters
        self.first = parameters.zeros_like()
        self.second = parameters.zeros_like()
        self.steps = 0
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.unit_rows, self.project = unit_rows, project
        self._fused = parameters.W_enc_md.device.type in ("cpu", "cuda")

    def step(self, gradients: Gradients, rate: float, encoder: Encoder) -> None:
        """Move the parameters by their gradients; the encoder knows the new weights afterwards."""
        every, first, second = self.parameters.named(), self.first.named(), self.second.named()
        small = [name for name in every if every[name].dim() == 1]
        given = [getattr(gradients, name) for name in small]
        moved, means, squares = ([at[name] for name in small] for at in (every, first, second))
        self._move(moved, given, means, squares, rate)
        copies = encoder.copies()
        if (
            copies is not None
            and isinstance(gradients.W_dec.support, Sparse)
            and gradients.W_dec.support is gradients.W_enc.support
        ):
            self._move_compiled(gradients, rate, *copies)
        else:
            self._move_blocks(gradients, rate, encoder)
        self.steps += 1

    def _move_blocks(self, gradients: Gradients, rate: float, encoder: Encoder) -> None:
        """The weights, block by block."""
        every, first, second = self.parameters.named(), self.first.named(), self.second.named()
        W_dec_md = self.parameters.W_dec_md
        size = max(BLOCK_BYTES // (W_dec_md.shape[1] * W_dec_md.element_size()), 1)
        buffers = torch.empty(2, size, W_dec_md.shape[1], dtype=W_dec_md.dtype, device=W_dec_md.device)
        for low in range(0, len(W_dec_md), size):
            high = min(low + size, len(W_dec_md))
            d_dec_nd = gradients.decoder_rows(low, high, buffers[0, : high - low])
            d_enc_nd = gradients.encoder_rows(low, high, buffers[1, : high - low])
            if self.project:
                d_dec_nd.addcmul_(W_dec_md[low:high], gradients.along_m[low:high, None], value=-1)
            moved, means, squares = (
                [at[name][low:high] for name in ("W_dec_md", "W_enc_md")] for at in (every, first, second)
            )
            self._move(moved, [d_dec_nd, d_enc_nd], means, squares, rate)
            if self.unit_rows:
                normalise(moved[0])
            encoder.refresh(low, high)

    def _move_compiled(self, gradients: Gradients, rate: float, copy_enc: Tensor, copy_dec: Tensor) -> None:
        """The weights and their copies, row by row."""
        own, first, second = self.parameters, self.first, self.second
        support = gradients.W_dec.support
        assert isinstance(support, Sparse)
        starts, rows, _ = support.by_latent
        kind = copy_dec.dtype if len(copy_dec) else own.W_dec_md.dtype
        compiled.move(
            (starts, rows, gradients.W_dec.values, gradients.W_enc.values),
            (gradients.W_dec.A_bd.to(kind), gradients.W_enc.A_bd.to(kind)),
            compiled.Moved(own.W_dec_md, first.W_dec_md, second.W_dec_md, copy_dec),
            compiled.Moved(own.W_enc_md, first.W_enc_md, second.W_enc_md, copy_enc),
            _joined(gradients, own),
            compiled.Rates(self.beta1, self.beta2, rate, self.epsilon, self.steps + 1),
            project=self.project,
            unit=self.unit_rows,
        )

    def _move(
        self, moved: list[Tensor], given: list[Tensor], first: list[Tensor], second: list[Tensor], rate: float
    ) -> None:
        device = moved[0].device
        counts = [torch.tensor(float(self.steps), device=device) for _ in moved]
        adam(
            moved,
            given,
            first,
            second,
            [],
            counts,
            fused=self._fused,
            amsgrad=False,
            beta1=self.beta1,
            beta2=self.beta2,
            lr=rate,
            weight_decay=0.0,
            eps=self.epsilon,
            maximize=False,
        )

    def forget(self, latents: Tensor) -> None:
        """Set the moments of some latents to zero."""
        for moments in (self.first, self.second):
            for name, tensor in moments.named().items():
                if name != "b_dec_d":
                    tensor[latents] = 0


def _joined(gradients: Gradients, parameters: Parameters) -> tuple[Tensor, Tensor, Tensor]:
    """Of each latent the row in what the auxiliary loss adds, or -1; and these rows of decoder and encoder."""
    places_m = torch.full((parameters.latents,), -1, dtype=torch.int32)
    if not gradients.more:
        none = parameters.W_dec_md.new_zeros(0, parameters.dimensions)
        return places_m, none, none
    ((latents_z, decoder_zd, encoder_zd),) = gradients.more
    places_m[latents_z] = torch.arange(len(latents_z), dtype=torch.int32)
    return places_m, decoder_zd, encoder_zd


def normalise(W_md: Tensor) -> None:
    """Scale each row to length 1, in place; a row of zeros stays."""
    norms_m = torch.linalg.vector_norm(W_md, dim=1, keepdim=True)
    W_md.mul_(norms_m.clamp_(min=torch.finfo(W_md.dtype).tiny).reciprocal_())
