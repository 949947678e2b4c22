"""One call for each thing a user wants: load, encode, decode, classify, search, explain, and the files.

::

    codec = sememe.load("nano")                    profile + backbone
    codes = codec.encode(["cat.jpg", "dog.jpg"])   16 bytes each
    codec.classify(codes, "cat, dog")              from the bytes alone
    codec.search("photos.sems", "two parrots")
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sememe.api.codec import Codec
from sememe.api.colouring import colour_field, with_colours
from sememe.api.exporting import export, export_rows
from sememe.api.files import read_records, read_sem, truncate_record, write_sem
from sememe.api.fitting import fit_vectors, own_from_vectors
from sememe.api.generating import Generated, generate
from sememe.api.golden import selftest
from sememe.api.identity import check_archive, profile_of_archive, profile_of_record
from sememe.api.inputs import ImageLike
from sememe.api.maintain import compact, merge, remove, truncate, verify
from sememe.api.regions import draw_findings
from sememe.api.results import Check, Encoded, Explanation, Rate
from sememe.api.sources import CodesLike, Source, read_source
from sememe.api.universal import find_profile, informed_for, sized
from sememe.api.vectors import decode_npy, encode_npy
from sememe.archive import Archive
from sememe.bitstream import Record
from sememe.profile import Profile

if TYPE_CHECKING:
    from sememe.types import Backbone

__all__ = [
    "Check",
    "Codec",
    "CodesLike",
    "Encoded",
    "Explanation",
    "Generated",
    "ImageLike",
    "Rate",
    "Source",
    "codec_for",
    "colour_field",
    "compact",
    "decode_npy",
    "draw_findings",
    "encode_npy",
    "export",
    "export_rows",
    "find_profile",
    "fit_vectors",
    "generate",
    "informed_for",
    "load",
    "merge",
    "own_from_vectors",
    "read_records",
    "read_sem",
    "read_source",
    "remove",
    "selftest",
    "sized",
    "truncate",
    "truncate_record",
    "verify",
    "with_colours",
    "write_sem",
]


def load(
    name: str | Path | Profile = "nano",
    *,
    nbytes: int = 16,
    backbone: Backbone | None = None,
    threads: int = 1,
    device: str = "auto",
) -> Codec:
    """Load a codec by the name of its profile, or of its backbone.

    A backbone for which no profile ships gets the universal one of its space, which was made without data
    and asks for more bytes than one that `sememe fit` makes.

    Parameters
    ----------
    name : str, Path or Profile
        Id of a shipped profile (`sememe models list`), path of a profile file, a profile, id of a backbone
        (``clip-vit-l14``, ``open_clip:ARCH/TAG``, ``local-dir:FOLDER``), or ``universal/512`` for vectors
        of any model.
    nbytes : int
        Length of a code unless a call says otherwise.
    backbone : Backbone, optional
        Your own image-text model; it must embed into the profile's space.
    threads : int
        Threads of one image inference.
    device : str
        Where the backbone runs: see `backbones.load`.

    Returns
    -------
    Codec
        Its backbone is loaded when first needed: decoding needs none.

    Raises
    ------
    UnknownProfileError
        No profile and no backbone has that id, and no file that path.
    ProfileFormatError
        The file is damaged, or not a profile.
    ModelUnavailableError, ModelFormatError, MissingExtraError
        Only the backbone's files tell its space, and they are not on this machine, or no good.
    UsageError
        `nbytes` is not a length of the profile's codes.
    """
    profile = name if isinstance(name, Profile) else find_profile(name)
    return Codec(profile, nbytes=nbytes, backbone=backbone, threads=threads, device=device)


def codec_for(source: Archive | Record, *, profile: str | Path | None = None, threads: int = 1) -> Codec:
    """Load the codec that reads an archive or a record, by what that says of itself.

    Parameters
    ----------
    source : Archive or Record
    profile : str or Path, optional
        Needed only for a record of a custom profile, which carries four bytes of its fingerprint.
    threads : int
        Threads of one image inference.

    Returns
    -------
    Codec
        Its `nbytes` is that of the source.

    Raises
    ------
    UnknownProfileError
        The profile is not known here.
    ProfileMismatchError
        The profile found or given is another one than that of the source.
    """
    if isinstance(source, Archive):
        found = profile_of_archive(source) if profile is None else find_profile(profile)
        check_archive(source, found)
        return Codec(found, nbytes=source.nbytes, threads=threads)
    found = profile_of_record(source, profile=profile)
    return Codec(found, nbytes=len(source.payload), threads=threads)
