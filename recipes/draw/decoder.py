"""From 16 tokens to 64 x 64 pixels: a linear map, and a small network that mends its seams and blur."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .latents import CHANNELS, GRID, PATCH, Patches


class Residual(nn.Module):
    """Two 3 x 3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.a = nn.Conv2d(width, width, 3, padding=1)
        self.b = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        return x + self.b(functional.relu(self.a(functional.relu(x))))


class Decoder(nn.Module):
    """Tokens (n, 16, 64) to pixels (n, 3, 64, 64) in about -1..1."""

    def __init__(
        self, patches: Patches, widths: tuple[int, int, int] = (128, 64, 24), depth: int = 3
    ) -> None:
        super().__init__()
        rough, middle, fine = widths
        self.linear = nn.Linear(CHANNELS, PATCH * PATCH * 3)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(patches.basis.T * patches.scale))
            self.linear.bias.copy_(torch.from_numpy(patches.mean))
        self.linear.requires_grad_(False)
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(48, rough, 3, padding=1),
            *(Residual(rough) for _ in range(depth)),
            nn.Conv2d(rough, 4 * middle, 1), nn.PixelShuffle(2), Residual(middle),
            nn.Conv2d(middle, 4 * fine, 1), nn.PixelShuffle(2), Residual(fine),
            nn.ReLU(), nn.Conv2d(fine, 3, 3, padding=1),
        )  # fmt: skip
        nn.init.zeros_(self.body[-1].weight)
        nn.init.zeros_(self.body[-1].bias)

    def plain(self, tokens: Tensor) -> Tensor:
        """Map back linearly: seams between patches show."""
        patches = self.linear(tokens).view(-1, GRID, GRID, PATCH, PATCH, 3)
        return patches.permute(0, 5, 1, 3, 2, 4).reshape(-1, 3, GRID * PATCH, GRID * PATCH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Decode."""
        plain = self.plain(tokens)
        return plain + self.body(plain.contiguous(memory_format=torch.channels_last))
