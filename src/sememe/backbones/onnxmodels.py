"""Backbones from ONNX files: named ones, and folders of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sememe.backbones.catalogue import Entry
from sememe.backbones.modelbackbone import ModelBackbone
from sememe.backbones.modelfolder import ModelFolder, content_id
from sememe.backbones.onnxtowers import OnnxTowers
from sememe.backbones.preprocessing import Preprocessing
from sememe.backbones.preprocessingfiles import read_preprocessing
from sememe.backbones.tokens import TextRule, read_tokenizer
from sememe.errors import ModelFormatError, ModelUnavailableError
from sememe.hub import locate
from sememe.types import Json

MANIFEST = "sememe.json"
"""Our own word on a folder: the name of its space, and what other files do not say."""

_LAYOUTS = (
    ("onnx/vision_model.onnx", "onnx/text_model.onnx"),
    ("vision_model.onnx", "text_model.onnx"),
    ("visual/model.onnx", "textual/model.onnx"),
)
_POOLED_KINDS = ("siglip", "siglip2")


@dataclass(frozen=True, slots=True)
class Running:
    """How networks are run: threads of one inference, and the device (`devices.DEVICES`)."""

    threads: int = 1
    device: str = "auto"


def named_model(entry: Entry, running: Running, *, offline: bool | None, path: Path | None) -> ModelBackbone:
    """Make a backbone of the catalogue.

    Parameters
    ----------
    entry : Entry
    running : Running
    offline : bool, optional
        Open no socket.
    path : Path, optional
        A folder with its files, or one that our export recipe wrote.

    Raises
    ------
    ModelUnavailableError
        Its files are not here.
    ModelFormatError
        They are damaged, or say otherwise than the catalogue.
    HashMismatchError
        They are not those that were pinned.
    """
    if path is not None and ModelFolder.open(path).find(MANIFEST):
        return _own_export(entry, running, path)
    folder = ModelFolder(locate(entry.source, path=path, offline=offline))
    said = _agreed(read_preprocessing(folder, entry.preprocessing_file), entry, folder)
    towers = OnnxTowers(
        folder.file(entry.image),
        folder.file(entry.text),
        pooled=entry.pooled,
        dim=entry.dim,
        threads=running.threads,
        device=running.device,
        logit_scale=entry.logit_scale,
    )
    return ModelBackbone(
        entry.name,
        entry.space_id,
        preprocess=said,
        tokenizer=lambda: read_tokenizer(folder, entry.text_rule),
        towers=towers,
    )


def _own_export(entry: Entry, running: Running, path: Path) -> ModelBackbone:
    folder = ModelFolder.open(path)
    found = folder_model(folder, running, backbone_id=entry.name)
    _agreed(found.preprocess, entry, folder)
    if found.space_id != entry.space_id:
        raise ModelFormatError(
            f"{path}: holds {found.space_id}, but {entry.name} is {entry.space_id}; name it onnx:{path}"
        )
    return found


def _agreed(said: Preprocessing, entry: Entry, folder: ModelFolder) -> Preprocessing:
    """Preprocessing as a model's files say it, which is that of the fingerprint of its codes."""
    if said != entry.preprocessing:
        raise ModelFormatError(
            f"{folder.path}: pictures go in as {said.to_json()}, but {entry.name} is known to take "
            f"{entry.preprocessing.to_json()}; to trust the folder, name it onnx:{folder.path}"
        )
    return said


def folder_model(folder: ModelFolder, running: Running, *, backbone_id: str | None = None) -> ModelBackbone:
    """Make a backbone of a folder with an image network and a text network as ONNX.

    Parameters
    ----------
    folder : ModelFolder
        As transformers.js, Immich or our export recipe lay it out.
    running : Running
    backbone_id : str, optional
        By default ``onnx:`` and the path.

    Raises
    ------
    ModelUnavailableError
        A file is missing.
    ModelFormatError
        A file is damaged, or lacks a key.
    """
    image, text = networks(folder)
    said = folder.json_or_empty(MANIFEST)
    config = folder.json_or_empty("config.json")
    towers = OnnxTowers(
        image,
        text,
        pooled=config.get("model_type") in _POOLED_KINDS,
        dim=said.get("dim"),
        threads=running.threads,
        device=running.device,
        logit_scale=said.get("logit_scale"),
    )
    rule = TextRule(
        length=said.get("text_length"), pad=said.get("text_pad"), lowercase=bool(said.get("lowercase"))
    )
    return ModelBackbone(
        backbone_id or f"onnx:{folder.path.resolve()}",
        space_in(said) or content_id(image, text),
        preprocess=read_preprocessing(folder),
        tokenizer=lambda: read_tokenizer(folder, rule),
        towers=towers,
    )


def networks(folder: ModelFolder) -> tuple[Path, Path]:
    """Find the two networks of a folder.

    Raises
    ------
    ModelUnavailableError
        It holds only one of them, or none.
    """
    found = [tuple(map(folder.find, names)) for names in _LAYOUTS]
    for image, text in found:
        if image and text:
            return image, text
    half = next((names[bool(f[0])] for names, f in zip(_LAYOUTS, found, strict=True) if any(f)), None)
    wanted = half or " and ".join(_LAYOUTS[0])
    raise ModelUnavailableError(
        f"{folder.path}: lacks {wanted}; export the model with python -m recipes.onnx_export, or pull one"
    )


def has_networks(folder: ModelFolder) -> bool:
    """Whether a folder holds ONNX networks in a layout known here, or one of the two."""
    return any(folder.find(*names) for names in _LAYOUTS)


def space_in(said: Mapping[str, Json]) -> str | None:
    """The space that a folder's manifest names."""
    space = said.get("space_id")
    return space if isinstance(space, str) and space else None
