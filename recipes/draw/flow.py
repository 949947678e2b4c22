"""The flow: a transformer that says which way noise must move to become the tokens of a picture.

Rectified flow (Liu et al. 2022; Lipman et al. 2022): x = (1 - t) noise + t tokens, and the network foretells
tokens - noise. The vector of the code, the colour layout and the time steer every block by one modulation
that all blocks share (AdaLN, Peebles and Xie 2023; shared as in PixArt, Chen et al. 2023). Attention and the
network at each place run side by side (Dehghani et al. 2023), which saves passes over memory.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .latents import CHANNELS, TOKENS

VECTOR, COLOURS = 256, 22
WAVES = 64


class Linear(nn.Linear):
    """A linear layer that computes in the precision of its input and keeps its weights in full."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return functional.linear(x, self.weight.to(x.dtype), bias)


class Block(nn.Module):
    """Attention over the tokens beside a network at each token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = Linear(width, 3 * width), Linear(width, width, bias=False)
        self.up, self.down = Linear(width, 4 * width), Linear(4 * width, width)
        self.steer = nn.Parameter(torch.zeros(3, width))

    def forward(self, x: Tensor, steer: Tensor) -> Tensor:
        """Apply the block to tokens (n, 16, width), steered by (n, 3, width)."""
        steer = (steer + self.steer.to(x.dtype)).unsqueeze(2)
        scale, shift, gate = steer[:, 0], steer[:, 1], steer[:, 2]
        y = torch.addcmul(shift, normal(x, self.out.out_features), 1 + scale)
        inner = functional.relu(self.up(y))
        return torch.addcmul(x, gate, self.out(self.attend(y)) + self.down(inner * inner))

    def attend(self, y: Tensor) -> Tensor:
        """Let every token look at all."""
        depth = self.qkv.in_features // self.heads
        qkv = self.qkv(y).view(-1, TOKENS, 3, self.heads, depth).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        shares = torch.softmax(q @ k.transpose(-1, -2) * depth**-0.5, -1)
        return (shares @ v).transpose(1, 2).reshape(-1, TOKENS, self.heads * depth)


def normal(x: Tensor, width: int) -> Tensor:
    """Take each token to mean 0 and spread 1."""
    return functional.layer_norm(x, (width,))


def waves(t: Tensor) -> Tensor:
    """Write times (n,) in 0..1 as (n, WAVES) cosines and sines."""
    rates = torch.exp(torch.linspace(0, math.log(300), WAVES // 2, device=t.device))
    angles = t[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], 1)


class Flow(nn.Module):
    """Disturbed tokens, times, vectors and colour layouts to velocities.

    Parameters
    ----------
    width, depth, heads : int
        Of the transformer.
    told : int
        Channels of the teacher's inner map that tokens halfway up must foretell in training (REPA, Yu et
        al. 2024).
    """

    def __init__(self, width: int = 384, depth: int = 6, heads: int = 6, told: int = 64) -> None:
        super().__init__()
        self.depth = depth
        self.enter = Linear(CHANNELS, width)
        self.place = nn.Parameter(torch.randn(TOKENS, width) * 0.02)
        self.time = Linear(WAVES, width)
        self.vector = Linear(VECTOR + 1, width, bias=False)
        self.colours = Linear(COLOURS + 1, width, bias=False)
        self.mix = Linear(width, width)
        self.steer = Linear(width, 3 * width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.last = Linear(width, 2 * width)
        self.leave = Linear(width, CHANNELS)
        self.tell = nn.Sequential(Linear(width, width), nn.SiLU(), Linear(width, told))
        for layer in (self.last, self.leave):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, vector: Tensor, colours: Tensor) -> tuple[Tensor, Tensor]:
        """Return velocities (n, 16, 64), and what tokens halfway up tell (n, 16, told).

        Parameters
        ----------
        x : (n, 16, 64)
        t : (n,)
            In 0..1: 0 is noise.
        vector : (n, 257)
            Of unit spread, and a last entry of 1; all zero where it is not told.
        colours : (n, 23)
            Likewise.
        """
        steer = self.time(waves(t).to(x.dtype)) + self.vector(vector) + self.colours(colours)
        steer = functional.silu(self.mix(functional.silu(steer)))
        shared = self.steer(steer).view(-1, 3, self.mix.out_features)
        x = self.enter(x) + self.place.to(x.dtype)
        middle = x
        for i, block in enumerate(self.blocks, 1):
            x = block(x, shared)
            if i == (self.depth + 1) // 2:
                middle = x
        scale, shift = self.last(steer).unsqueeze(1).split(self.mix.out_features, -1)
        return self.leave(torch.addcmul(shift, normal(x, self.mix.out_features), 1 + scale)), self.tell(
            middle
        )
