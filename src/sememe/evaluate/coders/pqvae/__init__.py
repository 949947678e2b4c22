"""Compression Beyond Pixels: a small network expands the vector, and one codebook quantizes all its parts.

::

    x (d,) ──expand──► z (m, e), each row of unit length ──nearest codeword──► indices (m,) ──► message
    x̂ (d,) ◄─shrink─── codewords (m, e) ◄──────────────────────────────────────┘

Trained with torch (`training`), used with numpy alone (`model`).
"""

from sememe.evaluate.coders.pqvae.coder import PqVae, PqVaeFitted, PqVaeFixed, PqVaeOwn, PqVaeTrained
from sememe.evaluate.coders.pqvae.model import PqVaeModel, Settings
from sememe.evaluate.coders.pqvae.wire import PackedWire, StaticWire

__all__ = [
    "PackedWire",
    "PqVae",
    "PqVaeFitted",
    "PqVaeFixed",
    "PqVaeModel",
    "PqVaeOwn",
    "PqVaeTrained",
    "Settings",
    "StaticWire",
]
