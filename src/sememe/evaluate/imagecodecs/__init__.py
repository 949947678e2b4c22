"""Image codecs at equal meaning: what a picture's own codec must spend before a model sees as much in it.

::

    picture ──shrink──► thumbnail ──encode──► file (bytes) ──pack──► message (bytes)
    picture' ◄─enlarge─ thumbnail' ◄─decode── file (bytes) ◄─unpack─ message (bytes)
       └─embed──► x'     judged beside x, the vector of the picture, and x̂, what our code gives back of x

The protocol:

* One backbone embeds pictures and decoded pictures alike, and x' is judged by the figures that judge codes.
* A picture is cut to what the backbone looks at *before* it is coded, so that no codec pays for pixels that
  nobody sees.
* A codec has two dials: its quality, and the side of the thumbnail that it is given (Lanczos down, bicubic
  up). The best of all settings counts, chosen on the pictures that judge: in a codec's favour.
* Every size is `len` of bytes that decode. A *file* is what the library writes. A *message* is what is left
  of it if both ends know what files of this kind have in common (`Packer`), as both ends know the tables of
  our code. Files stand beside our `.sem` files, messages beside our bare codes.
* Settings are points, and the rate at which a codec reaches a figure is interpolated between two of them
  (`rate_at`).
"""

from __future__ import annotations

from sememe.evaluate.imagecodecs.containers import join, split
from sememe.evaluate.imagecodecs.formats import (
    FAMILIES,
    FORMATS,
    Setting,
    centre_square,
    decode,
    encode,
    require,
)
from sememe.evaluate.imagecodecs.packing import Packer
from sememe.evaluate.imagecodecs.rates import Crossing, Sizes, rate_at

__all__ = [
    "FAMILIES",
    "FORMATS",
    "Crossing",
    "Packer",
    "Setting",
    "Sizes",
    "centre_square",
    "decode",
    "encode",
    "join",
    "rate_at",
    "require",
    "split",
]
