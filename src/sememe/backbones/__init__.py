"""Frozen image-text models: pictures and words into one space.

::

    load("nano")                 ours, shipped in the package, needs no network
    load("toy/32")               no weights; for tests
    load("clip-vit-b32")         a model of the catalogue, as ONNX
    load("onnx:FOLDER")          two ONNX networks of your own
    load("local-dir:FOLDER")     the same, or a checkpoint of transformers or open_clip
    load("hf:ORG/NAME")          a checkpoint on the hub, through transformers
    load("open_clip:ARCH/TAG")   a checkpoint that open_clip lists

A model is its files: they say how pictures and texts are prepared, and what they do not say is not guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sememe.backbones.catalogue import CATALOGUE
from sememe.errors import UsageError

if TYPE_CHECKING:
    from sememe.backbones.modelbackbone import Description, ModelBackbone
    from sememe.backbones.onnxmodels import Running
    from sememe.types import Backbone

__all__ = ["BUILT_IN", "CATALOGUE", "KNOWN", "SCHEMES", "describe", "is_backbone", "load"]

BUILT_IN = ("nano", "toy/32")
"""Backbones that need nothing but this package."""

KNOWN = tuple(sorted(CATALOGUE))
"""Backbones that have a name here but whose weights do not ship with the package."""

SCHEMES = ("onnx", "local-dir", "hf", "open_clip")
"""What may stand before a colon: where a backbone without a name is."""


def load(
    backbone_id: str,
    *,
    threads: int = 1,
    device: str = "auto",
    offline: bool | None = None,
    path: str | Path | None = None,
) -> Backbone:
    """Load a backbone by its id.

    Parameters
    ----------
    backbone_id : str
        One of `BUILT_IN` or `KNOWN`, or one of `SCHEMES`, a colon, and a folder or a name.
    threads : int
        Threads of one image inference; more than one helps only where nothing else runs beside it.
    device : str
        ``auto`` (as ``SEMEME_DEVICE`` says, else the best that is there), ``cpu``, ``cuda``, ``cuda:1``,
        ``coreml``, ``mps`` or ``openvino``.
    offline : bool, optional
        Open no socket; by default as the environment says (see `sememe.hub`).
    path : str or Path, optional
        A folder that holds the model's files, instead of looking for them.

    Returns
    -------
    Backbone
        Ready to embed; its networks start on first use.

    Raises
    ------
    UsageError
        No backbone has this id, or no device this name.
    MissingExtraError
        It needs a library that is not installed.
    ModelUnavailableError
        Its files are not on this machine.
    ModelFormatError, HashMismatchError
        They are damaged, or lack what is needed.
    """
    if backbone_id == "nano":
        from sememe.backbones.nano import NanoBackbone

        return NanoBackbone(threads=threads, folder=Path(path) if path else None)
    if backbone_id == "toy/32":
        from sememe.backbones.toy import ToyBackbone

        return ToyBackbone()
    return _model(backbone_id, threads, device, offline, Path(path) if path else None)


def describe(backbone_id: str, *, offline: bool | None = None, path: str | Path | None = None) -> Description:
    """Say what a backbone embeds into, without its networks; for a name of the catalogue without any file.

    Parameters
    ----------
    backbone_id : str
        As `load` takes it.
    offline, path
        As in `load`.

    Returns
    -------
    Description
        ``backbone_id``, ``space_id``, ``dim`` and ``preprocessing``.

    Raises
    ------
    UsageError, MissingExtraError, ModelUnavailableError, ModelFormatError
        As `load`.
    """
    from sememe.backbones.modelbackbone import Description

    entry = CATALOGUE.get(backbone_id)
    if entry is not None:
        return Description(entry.name, entry.space_id, entry.dim, entry.preprocessing.to_json())
    backbone = load(backbone_id, device="cpu", offline=offline, path=path)
    return Description(backbone.backbone_id, backbone.space_id, backbone.dim, backbone.preprocessing)


def is_backbone(text: str) -> bool:
    """Whether a text has the form of a backbone's id; its files need not be here."""
    return text in (*BUILT_IN, *KNOWN) or text.startswith(tuple(f"{scheme}:" for scheme in SCHEMES))


def _model(
    backbone_id: str, threads: int, device: str, offline: bool | None, path: Path | None
) -> ModelBackbone:
    """Load one that is made of files."""
    from sememe.backbones.devices import check_device
    from sememe.backbones.onnxmodels import Running, named_model

    running = Running(threads, check_device(device))
    if backbone_id in CATALOGUE:
        return named_model(CATALOGUE[backbone_id], running, offline=offline, path=path)
    scheme, _, name = backbone_id.partition(":")
    if scheme not in SCHEMES or not name:
        raise UsageError(
            f"unknown backbone {backbone_id!r}; known are {', '.join(BUILT_IN + KNOWN)}, and "
            f"{', '.join(f'{s}:...' for s in SCHEMES)}"
        )
    if scheme in ("hf", "open_clip"):
        from sememe.backbones import torchmodels

        make = torchmodels.hub_model if scheme == "hf" else torchmodels.open_clip_model
        return make(name, running, offline=offline, path=path)
    return _folder(scheme, name, running)


def _folder(scheme: str, name: str, running: Running) -> ModelBackbone:
    """Load what a folder holds: ONNX, else what PyTorch runs."""
    from sememe.backbones.modelfolder import ModelFolder
    from sememe.backbones.onnxmodels import folder_model, has_networks

    folder = ModelFolder.open(name)
    if scheme == "onnx" or has_networks(folder):
        return folder_model(folder, running)
    from sememe.backbones.torchmodels import OPEN_CLIP_CONFIG, hugging_face_model, open_clip_folder

    return (open_clip_folder if folder.find(OPEN_CLIP_CONFIG) else hugging_face_model)(folder, running)
