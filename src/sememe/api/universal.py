"""Profiles for backbones that have none: universal ones, made on the spot, and told by their fingerprint.

::

    "clip-vit-l14"            no profile ships: that of its space, made without data
    "universal/clip-vit-l14"  the same, also where one ships
    "universal/768"           for vectors of any model; "universal/768@my-space" names their space
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sememe import backbones
from sememe import profile as profiles
from sememe.profile import Profile
from sememe.profile.universal import PREFIX, informed, universal
from sememe.types import Json
from sememe.zeroshot import EVERYDAY, embed_labels

if TYPE_CHECKING:
    from sememe.types import Backbone

_COMMON_DIMS = (256, 384, 512, 640, 768, 1024, 1152, 1280)
"""Of image-text models; vectors of these are recognised by four bytes of fingerprint alone."""


def find_profile(name: str | Path) -> Profile:
    """Load a profile by name or path; a backbone that has none gets its universal one.

    Raises
    ------
    UnknownProfileError
        No profile and no backbone has that name, and no file that path.
    ProfileFormatError, StorageError
        The file is damaged, or cannot be read.
    ModelUnavailableError, ModelFormatError, MissingExtraError
        Only its files tell what the backbone embeds into, and they are not here, or no good.
    """
    asked = str(name)
    backbone_id = asked.removeprefix(PREFIX)
    ships = asked in profiles.available() or Path(asked).is_file()
    if ships or not backbones.is_backbone(backbone_id):
        return profiles.load(name)
    return universal_for(backbone_id)


def universal_for(backbone_id: str) -> Profile:
    """Make the universal profile of a backbone's space; its networks are not needed."""
    said = backbones.describe(backbone_id)
    return universal(said.dim, _manifest(said.backbone_id, said.space_id, said.preprocessing))


def informed_for(backbone: Backbone) -> Profile:
    """Make a profile from what a backbone says of everyday words; see `profile.universal.informed`."""
    manifest = _manifest(backbone.backbone_id, backbone.space_id, backbone.preprocessing)
    manifest["profile_id"] = f"informed/{backbone.backbone_id}"
    return informed(embed_labels(EVERYDAY, backbone), manifest)


def sized(name: str, shape: Sequence[int]) -> str:
    """Put the dimension of vectors into a name that leaves it out: "universal" or "universal@SPACE".

    Parameters
    ----------
    name : str
    shape : sequence of int
        That of the vectors, which should be (n, d).
    """
    stem, at, space = name.partition("@")
    if stem != PREFIX.rstrip("/") or len(shape) != 2:
        return name
    return f"{PREFIX}{shape[1]}{at}{space}"


def recognise(fingerprint: bytes) -> Profile | None:
    """Find the universal profile whose fingerprint begins so, among models and dimensions known by name.

    No weights are needed: what a universal profile holds follows from the dimension, and what else its
    fingerprint covers stands in the catalogue.
    """
    return next((found for found in _known() if found.fingerprint.startswith(fingerprint)), None)


def _known() -> Iterator[Profile]:
    for name in (*backbones.BUILT_IN, *backbones.KNOWN):
        yield universal_for(name)
    for dim in _COMMON_DIMS:
        yield universal(dim)


def _manifest(backbone_id: str, space_id: str, preprocessing: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "profile_id": PREFIX + backbone_id,
        "backbone_id": backbone_id,
        "space_id": space_id,
        "preprocessing": preprocessing,
    }
