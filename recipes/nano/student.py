"""The student: a plain residual network whose 14 x 14 and 7 x 7 maps lie where the teacher's do.

The teacher sees a square at 224 pixels with strides 16 and 32, the student the same square at 112 pixels with
strides 8 and 16: their maps match place by place, so each place of a map is an example.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

TOP = 1024


class Seen(NamedTuple):
    """Of a batch: the inner maps (n, c, 14, 14) and (n, c, 7, 7), and the pooled features (n, 1024)."""

    m14: Tensor
    m7: Tensor
    pooled: Tensor


def _conv(i: int, o: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, 3, stride, 1, bias=False)


class Block(nn.Module):
    """Two 3 x 3 convolutions around a shortcut; the second normalisation starts at zero."""

    def __init__(self, i: int, o: int, stride: int) -> None:
        super().__init__()
        self.a, self.na = _conv(i, o, stride), nn.BatchNorm2d(o)
        self.b, self.nb = _conv(o, o), nn.BatchNorm2d(o)
        nn.init.zeros_(self.nb.weight)
        self.short: nn.Module = nn.Identity()
        if stride != 1 or i != o:
            pool = [nn.AvgPool2d(2)] if stride == 2 else []
            self.short = nn.Sequential(*pool, nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = functional.relu(self.na(self.a(x)), inplace=True)
        return functional.relu(self.nb(self.b(y)) + self.short(x), inplace=True)


def _stage(i: int, o: int, depth: int, stride: int) -> nn.Sequential:
    return nn.Sequential(Block(i, o, stride), *(Block(o, o, 1) for _ in range(depth - 1)))


class Student(nn.Module):
    """Pixels to the joint space.

    Parameters
    ----------
    dim : int
        Dimension of the joint space.
    widths, depths : tuple of int
        Channels and blocks of the stages at 28 x 28, 14 x 14 and 7 x 7.
    """

    def __init__(
        self,
        dim: int,
        widths: tuple[int, int, int] = (64, 192, 384),
        depths: tuple[int, int, int] = (2, 3, 2),
    ) -> None:
        super().__init__()
        first, second, third = widths
        self.stem = nn.Sequential(
            _conv(3, 32, 2), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
            _conv(32, first, 2), nn.BatchNorm2d(first), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.stages = nn.ModuleList(
            _stage(i, o, depth, stride)
            for i, o, depth, stride in zip((first, first, second), widths, depths, (1, 2, 2), strict=True)
        )
        self.top = nn.Sequential(
            nn.Conv2d(third, TOP, 1, bias=False), nn.BatchNorm2d(TOP), nn.ReLU(inplace=True)
        )
        self.joint = nn.Linear(TOP, dim)

    def look(self, x: Tensor) -> Seen:
        """Return the inner maps and the pooled features."""
        m28 = self.stages[0](self.stem(x))
        m14 = self.stages[1](m28)
        m7 = self.stages[2](m14)
        return Seen(m14, m7, self.top(m7).mean((2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, dim) vectors of the joint space, not normalised."""
        return self.joint(self.look(x).pooled)


class Hints(nn.Module):
    """From the student's maps and features to the teacher's; only training uses it."""

    def __init__(self, widths: tuple[int, int] = (192, 384)) -> None:
        super().__init__()
        self.m14 = nn.Conv2d(widths[0], 96, 1)
        self.m7 = nn.Conv2d(widths[1], 320, 1)
        self.feature = nn.Linear(TOP, 1280)


def parameters(model: nn.Module) -> int:
    """Count the numbers that training adjusts."""
    return sum(p.numel() for p in model.parameters())
