"""Muon: momentum whose update is the nearest orthogonal matrix (Jordan et al. 2024), for convolutions too.

Every direction of a weight matrix moves equally far, which takes fewer steps than Adam where steps are dear.
PyTorch's own takes matrices only; here a convolution (o, i, h, w) counts as the matrix (o, i h w).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Quintic Newton-Schulz steps that take singular values into about 0.7 .. 1.2 (Jordan et al. 2024).
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


def orthogonal(matrix: Tensor) -> Tensor:
    """Return roughly the nearest (r, c) matrix with all singular values 1, r <= c, by products alone."""
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum for matrices and convolutions.

    Parameters
    ----------
    rate : float
        Length of a step along each direction of a square matrix.
    """

    def __init__(
        self, parameters: list[nn.Parameter], *, rate: float, momentum: float = 0.95, decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": rate, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Take one step."""
        for group in self.param_groups:
            for p in group["params"]:
                momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
                momentum.lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(momentum, group["momentum"]).reshape(len(p), -1)
                tall = ahead.shape[0] > ahead.shape[1]
                update = orthogonal(ahead.T).T if tall else orthogonal(ahead)
                stretch = max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
                p.mul_(1 - group["lr"] * group["decay"])
                p.add_(update.reshape(p.shape), alpha=-group["lr"] * stretch)
