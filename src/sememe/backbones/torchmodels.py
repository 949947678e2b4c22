"""Backbones that PyTorch runs: checkpoints of transformers and of open_clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.backbones.catalogue import space_of
from sememe.backbones.modelbackbone import ModelBackbone, Tokenize
from sememe.backbones.modelfolder import Fields, ModelFolder, content_id
from sememe.backbones.onnxmodels import MANIFEST, Running, space_in
from sememe.backbones.preprocessingfiles import from_open_clip, read_preprocessing
from sememe.backbones.tokens import read_tokenizer
from sememe.backbones.torchtowers import OpenClipTowers, TransformersTowers, hugging_face_dim, need
from sememe.errors import ModelUnavailableError, NotOnHubError, UsageError
from sememe.hub import Source, find, locate

HUGGING_FACE_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
OPEN_CLIP_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
OPEN_CLIP_CONFIG = "open_clip_config.json"

_CONFIGS = ("config.json", "preprocessor_config.json")
_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model")


def hub_model(name: str, running: Running, *, offline: bool | None, path: Path | None) -> ModelBackbone:
    """Make a backbone of a repository in Hugging Face's layout.

    Parameters
    ----------
    name : str
        ``org/name``, or ``org/name@revision``.
    running : Running
    offline : bool, optional
        Open no socket.
    path : Path, optional
        A folder with its files.

    Raises
    ------
    MissingExtraError
        PyTorch or transformers is not installed.
    ModelUnavailableError
        Its files are not here.
    ModelFormatError
        They are damaged, or not those of an image-text model.
    """
    need("transformers")
    repo, _, revision = name.partition("@")
    folder = _locate(repo, _CONFIGS, HUGGING_FACE_WEIGHTS, revision=revision, offline=offline, path=path)
    space = space_of(repo) + (f"@{revision}" if revision else "")
    return hugging_face_model(folder, running, backbone_id=f"hf:{name}", space_id=space)


def hugging_face_model(
    folder: ModelFolder, running: Running, *, backbone_id: str | None = None, space_id: str | None = None
) -> ModelBackbone:
    """Make a backbone of a folder in Hugging Face's layout.

    Raises
    ------
    MissingExtraError
        PyTorch or transformers is not installed.
    ModelUnavailableError
        A file is missing.
    ModelFormatError
        A file is damaged, or the model does not embed pictures and texts into one space.
    """
    dim = hugging_face_dim(folder)
    weights = folder.file(*HUGGING_FACE_WEIGHTS)
    return ModelBackbone(
        backbone_id or f"local-dir:{folder.path.resolve()}",
        space_id or _space(folder, weights),
        preprocess=read_preprocessing(folder),
        tokenizer=lambda: read_tokenizer(folder),
        towers=TransformersTowers(folder, dim=dim, threads=running.threads, device=running.device),
    )


def open_clip_model(name: str, running: Running, *, offline: bool | None, path: Path | None) -> ModelBackbone:
    """Make a backbone of a checkpoint that open_clip lists.

    Parameters
    ----------
    name : str
        ``arch/tag``, such as ``ViT-B-32/laion2b_s34b_b79k``.
    running : Running
    offline : bool, optional
        Open no socket.
    path : Path, optional
        A folder with the checkpoint.

    Raises
    ------
    MissingExtraError
        PyTorch or open_clip is not installed.
    UsageError
        open_clip lists no such checkpoint.
    ModelUnavailableError
        Its files are not here.
    """
    arch, _, tag = name.partition("/")
    config, listed = _listing(arch, tag)
    repo, _, file = listed["hf_hub"].rpartition("/")
    if not repo:
        raise ModelUnavailableError(
            f"open_clip:{name}: lies on no hub; download {listed['url']} and use local-dir: with its folder"
        )
    candidates = (file,) if file else OPEN_CLIP_WEIGHTS
    folder = _locate(repo, (), candidates, offline=offline, path=path)
    towers = OpenClipTowers(
        folder,
        arch=arch,
        weights=folder.file(*candidates),
        quick_gelu=bool(listed.get("quick_gelu")),
        dim=config["embed_dim"],
        threads=running.threads,
        device=running.device,
    )
    size = config["vision_cfg"]["image_size"]
    return ModelBackbone(
        f"open_clip:{name}",
        space_of(repo),
        preprocess=from_open_clip(Fields({"size": size, **listed}, f"open_clip's listing of {name}")),
        tokenizer=lambda: _listed_tokenizer(arch, config, offline),
        towers=towers,
    )


def open_clip_folder(folder: ModelFolder, running: Running) -> ModelBackbone:
    """Make a backbone of a folder with `open_clip_config.json` and a checkpoint.

    Raises
    ------
    MissingExtraError
        PyTorch or open_clip is not installed.
    ModelUnavailableError, ModelFormatError
        A file is missing, damaged or lacks a key.
    """
    need("open_clip")
    config = folder.json(OPEN_CLIP_CONFIG).section("model_cfg")
    weights = folder.file(*OPEN_CLIP_WEIGHTS, *HUGGING_FACE_WEIGHTS)
    _refuse_foreign_texts(config.section("text_cfg"), str(folder.path))
    arch = f"local-dir:{folder.path.resolve()}"
    return ModelBackbone(
        arch,
        _space(folder, weights),
        preprocess=read_preprocessing(folder, None),
        tokenizer=lambda: _open_clip_tokenizer(arch),
        towers=OpenClipTowers(
            folder, arch=arch, dim=config["embed_dim"], threads=running.threads, device=running.device
        ),
    )


def _listing(arch: str, tag: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Look up what open_clip knows of an architecture and of a checkpoint of it."""
    need("open_clip")
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    config = open_clip.get_model_config(arch)
    if config is None:
        raise UsageError(f"open_clip has no architecture {arch!r}; open_clip.list_models() names them")
    tags = open_clip.list_pretrained_tags_by_model(arch)
    listed = get_pretrained_cfg(arch, tag)
    if not listed:
        raise UsageError(
            f"open_clip lists no {arch}/{tag}; write one of {', '.join(tags) or 'another model'}"
        )
    _refuse_foreign_texts(config["text_cfg"], f"open_clip:{arch}/{tag}")
    return config, listed


def _refuse_foreign_texts(text_cfg: Mapping[str, Any], name: str) -> None:
    if "hf_model_name" in text_cfg:
        raise UsageError(
            f"{name}: its text network comes from a second repository, {text_cfg['hf_model_name']}, which is "
            "not supported"
        )


def _listed_tokenizer(arch: str, config: Mapping[str, Any], offline: bool | None) -> Tokenize:
    """open_clip's tokenizer of an architecture; where it needs files, they come through our own hub."""
    import open_clip

    said = config["text_cfg"]
    repo = said.get("hf_tokenizer_name")
    if not repo:
        return _open_clip_tokenizer(arch)
    source = Source(repo, ("tokenizer.json", "tokenizer_config.json"), optional=("special_tokens_map.json",))
    folder = locate(source, offline=offline)
    tokenizer = open_clip.HFTokenizer(
        str(folder),
        context_length=said["context_length"],
        tokenizer_mode=said.get("tokenizer_mode"),
        **said.get("tokenizer_kwargs", {}),
    )
    return lambda texts: _ids(tokenizer, texts)


def _open_clip_tokenizer(name: str) -> Tokenize:
    import open_clip

    tokenizer = open_clip.get_tokenizer(name)
    return lambda texts: _ids(tokenizer, texts)


def _ids(tokenizer: Any, texts: Sequence[str]) -> NDArray[np.int64]:
    ids: NDArray[np.int64] = tokenizer(list(texts)).numpy()
    return ids


def _space(folder: ModelFolder, weights: Path) -> str:
    """The space of a local checkpoint: as its manifest says, else named by its contents."""
    return space_in(folder.json_or_empty(MANIFEST)) or content_id(weights)


def _locate(
    repo: str,
    files: tuple[str, ...],
    weights: tuple[str, ...],
    *,
    revision: str = "",
    offline: bool | None,
    path: Path | None,
) -> ModelFolder:
    """Find a repository's files with one of several spellings of its weights, the safer first."""
    sources = [
        Source(repo, (*files, name), revision=revision or "main", optional=_TOKENIZERS) for name in weights
    ]
    if path is not None:
        folder = ModelFolder.open(path)
        folder.file(*weights)
        return folder
    here = next((source for source in sources if find(source)), None)
    for source in [here] if here else sources[:-1]:
        try:
            return ModelFolder(locate(source, offline=offline))
        except NotOnHubError:
            continue
    return ModelFolder(locate(sources[-1], offline=offline))
