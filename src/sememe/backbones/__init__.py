"""Frozen image-text models: pictures and words into one space.

::

    load("nano")      ours, shipped in the package, needs no network
    load("toy/32")    no weights; for tests
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sememe.errors import ModelUnavailableError, UsageError

if TYPE_CHECKING:
    from sememe.types import Backbone

BUILT_IN = ("nano", "toy/32")
"""Backbones that need nothing but this package."""

KNOWN = ("clip-vit-b16", "clip-vit-b32", "clip-vit-l14")
"""Backbones that have a name here but whose weights do not ship with the package."""


def load(backbone_id: str, *, threads: int = 1) -> Backbone:
    """Load a backbone by its id.

    Parameters
    ----------
    backbone_id : str
        One of `BUILT_IN`.
    threads : int
        Threads of one image inference; more than one helps only where nothing else runs beside it.

    Returns
    -------
    Backbone
        Ready to embed; its network starts on first use.

    Raises
    ------
    ModelUnavailableError
        The id is known, but its weights are not on this machine.
    UsageError
        No backbone has this id.
    """
    if backbone_id == "nano":
        from sememe.backbones.nano import NanoBackbone

        return NanoBackbone(threads=threads)
    if backbone_id == "toy/32":
        from sememe.backbones.toy import ToyBackbone

        return ToyBackbone()
    if backbone_id in KNOWN:
        raise ModelUnavailableError(
            f"backbone {backbone_id}: its weights are not part of this package; embed pictures elsewhere and "
            f"encode the vectors (.npy) with --profile {backbone_id}, or use nano"
        )
    raise UsageError(f"unknown backbone {backbone_id!r}; known are {', '.join(BUILT_IN + KNOWN)}")
