"""The student: a plain residual network, and a 3 x 3 convolution that is fast where the maps are small.

On CPUs with matrix units, the library's convolution gradients run at a tenth of the speed of a matrix product
once maps are 6 x 6 or smaller (measured: 124 against 1,200 GFLOP/s at 448 channels on 3 x 3). `GemmConv`
unfolds the input and multiplies instead; its weights are those of an ordinary convolution.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def _unfold(x: Tensor, stride: int) -> Tensor:
    """Return the 3 x 3 neighbourhoods of an (n, h, w, c) map as (n * oh * ow, 9 c)."""
    n, h, w, c = x.shape
    p = functional.pad(x, (0, 0, 1, 1, 1, 1))
    oh, ow = (h - 1) // stride + 1, (w - 1) // stride + 1
    sn, sh, sw, sc = p.stride()
    windows = p.as_strided((n, oh, ow, 3, 3, c), (sn, sh * stride, sw * stride, sh, sw, sc))
    return windows.reshape(n * oh * ow, 9 * c)


class _Conv3x3(torch.autograd.Function):
    """A padded 3 x 3 convolution of channels-last maps by matrix products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        n, c, h, w = x.shape
        columns = _unfold(x.permute(0, 2, 3, 1), stride)
        matrix = weight.permute(0, 2, 3, 1).reshape(weight.shape[0], 9 * c)
        ctx.save_for_backward(columns, matrix)
        ctx.shape, ctx.stride = (n, c, h, w), stride
        oh, ow = (h - 1) // stride + 1, (w - 1) // stride + 1
        return (columns @ matrix.T).view(n, oh, ow, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        columns, matrix = ctx.saved_tensors
        n, c, h, w = ctx.shape
        g = grad.permute(0, 2, 3, 1).contiguous()
        oh, ow, o = g.shape[1:]
        flat = g.view(-1, o)
        grad_w = (flat.T @ columns).view(o, 3, 3, c).permute(0, 3, 1, 2)
        if ctx.stride == 1:
            flipped = matrix.view(o, 3, 3, c).flip(1, 2).permute(1, 2, 0, 3).reshape(9 * o, c)
            return (_unfold(g, 1) @ flipped).view(n, h, w, c).permute(0, 3, 1, 2), grad_w, None
        parts = (flat @ matrix).view(n, oh, ow, 3, 3, c)
        full = grad.new_zeros((n, h + 2, w + 2, c))
        s = ctx.stride
        for i in range(3):
            for j in range(3):
                full[:, i : i + s * (oh - 1) + 1 : s, j : j + s * (ow - 1) + 1 : s] += parts[:, :, :, i, j]
        return full[:, 1:-1, 1:-1].permute(0, 3, 1, 2), grad_w, None


class GemmConv(nn.Conv2d):
    """`nn.Conv2d` (3 x 3, padded, no bias) trained through matrix products on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        if not self.training or x.device.type != "cpu":
            return super().forward(x)
        return _Conv3x3.apply(x.bfloat16(), self.weight.bfloat16(), self.stride[0])


def _conv(i: int, o: int, *, stride: int = 1, small: bool = False) -> nn.Conv2d:
    kind = GemmConv if small else nn.Conv2d
    return kind(i, o, 3, stride, 1, bias=False)


class Block(nn.Module):
    """Two 3 x 3 convolutions around a shortcut; the second normalisation starts at zero."""

    def __init__(self, i: int, o: int, stride: int, *, small: bool) -> None:
        super().__init__()
        self.a, self.na = _conv(i, o, stride=stride, small=small), nn.BatchNorm2d(o)
        self.b, self.nb = _conv(o, o, small=small), nn.BatchNorm2d(o)
        nn.init.zeros_(self.nb.weight)
        self.short: nn.Module = nn.Identity()
        if stride != 1 or i != o:
            pool = [nn.AvgPool2d(2, ceil_mode=True)] if stride == 2 else []
            self.short = nn.Sequential(*pool, nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = functional.relu(self.na(self.a(x)), inplace=True)
        return functional.relu(self.nb(self.b(y)) + self.short(x), inplace=True)


class Student(nn.Module):
    """Pixels to the joint space, with two more heads that only training uses.

    Parameters
    ----------
    dim : int
        Dimension of the joint space.
    widths, depths : tuple of int
        Channels and blocks of the four stages.
    """

    def __init__(
        self, dim: int, widths: tuple[int, ...] = (48, 96, 224, 448), depths: tuple[int, ...] = (2, 2, 2, 2)
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
            nn.Conv2d(32, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True),
        )  # fmt: skip
        blocks: list[nn.Module] = []
        i = widths[0]
        for stage, (o, depth) in enumerate(zip(widths, depths, strict=True)):
            for k in range(depth):
                blocks.append(Block(i, o, 2 if k == 0 and stage else 1, small=stage >= 2))
                i = o
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.Sequential(nn.Conv2d(i, 768, 1, bias=False), nn.BatchNorm2d(768), nn.ReLU(inplace=True))
        self.joint = nn.Linear(768, dim)
        self.feature = nn.Linear(768, 1280)

    def pooled(self, x: Tensor) -> Tensor:
        """Return the (n, 768) features."""
        return self.top(self.blocks(self.stem(x))).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, dim) vectors of the joint space, not normalised."""
        return self.joint(self.pooled(x))


def parameters(model: nn.Module) -> int:
    """Count the numbers that training adjusts."""
    return sum(p.numel() for p in model.parameters())
