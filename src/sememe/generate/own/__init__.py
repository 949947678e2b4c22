"""`draw`: the built-in generator, which turns 16 bytes of a `nano` code into a small picture, offline.

::

    noise (16, 64) ─flow, guided by x̂ and the colour layout─► tokens (16, 64) ─decoder─► 64 x 64 x 3

It draws what its code could mean, roughly: docs/cards/draw.md says how far to trust it.
"""

from sememe.generate.own.generator import GENERATOR_ID, DrawGenerator

__all__ = ["GENERATOR_ID", "DrawGenerator"]
