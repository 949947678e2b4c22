"""Files of models: lists of a hub, lock files, configurations, tokenizers, captioners, marked pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fuzz import mutate
from fuzz.targets.target import Target
from sememe.backbones.images import open_image
from sememe.backbones.modelfolder import ModelFolder
from sememe.backbones.preprocessingfiles import read_preprocessing
from sememe.backbones.tokens import read_tokenizer
from sememe.caption.mapping import Mapping
from sememe.caption.vocabulary import read_vocabulary
from sememe.generate.diffusers.loading import read_json
from sememe.generate.marking import Mark, read_marks, save
from sememe.hub import pins
from sememe.hub.client import Client
from sememe.hub.listing import resolve, tree
from sememe.hub.source import Source, is_safe

COMMIT = "c0ffee" * 6 + "c0de"


class FakeClient(Client):
    """Answers every question with the same bytes."""

    __slots__ = ("_answer", "asked")

    def __init__(self, answer: bytes, link: str | None) -> None:
        super().__init__("https://hub.invalid", None, 1.0)
        object.__setattr__(self, "_answer", (answer, link))
        object.__setattr__(self, "asked", 0)

    def _open(self, url: str, what: str, headers: Any) -> Any:
        object.__setattr__(self, "asked", self.asked + 1)
        assert url.startswith("https://"), url
        answer = io.BytesIO(self._answer[0])
        answer.status, answer.headers = 200, Message()  # type: ignore[attr-defined]
        if self._answer[1] is not None and self.asked == 1:
            answer.headers["Link"] = self._answer[1]  # type: ignore[attr-defined]
        return answer


def _tree(data: bytes, _: Path) -> None:
    for name in tree(FakeClient(data, None), "org/name", COMMIT, lambda _: None):
        assert is_safe(name)


def _link(data: bytes, _: Path) -> None:
    """The header that leads to the next page."""
    link = data.decode("latin-1").replace("\n", " ").replace("\r", " ")
    tree(FakeClient(b"[]", link), "org/name", COMMIT, lambda _: None)


def _revision(data: bytes, _: Path) -> None:
    resolve(FakeClient(data, None), Source("org/name", ("a",)), lambda _: None)


def _lock(data: bytes, folder: Path) -> None:
    path = _put(folder, "sememe.lock.json", data)
    revisions = pins.read(path)
    pins.was_pulled(revisions, "0" * 64)
    pins.write(path, revisions)
    assert pins.read(path) == revisions


def _lock_seeds() -> list[bytes]:
    pin = {"sha256": "0" * 64, "nbytes": 4, "pulled": True, "mtime_ns": None}
    revision = {"commit": COMMIT, "files": {"a/b.json": pin, "c": pin | {"mtime_ns": 5}}}
    return [json.dumps({"version": 1, "revisions": {"main": revision}}).encode()]


def _config(name: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, folder: Path) -> None:
        _put(folder, name, data)
        said = read_preprocessing(ModelFolder.open(folder))
        json.dumps(said.to_json())
        from PIL import Image

        said(Image.new("RGB", (40, 30), "red"))

    return read


_HUGGING_FACE = {
    "do_resize": True,
    "do_center_crop": True,
    "do_normalize": True,
    "do_rescale": True,
    "resample": 3,
    "size": {"shortest_edge": 32},
    "crop_size": {"height": 32, "width": 32},
    "rescale_factor": 1 / 255,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.2, 0.2, 0.2],
}
_SIZED = {
    "do_resize": True,
    "do_normalize": False,
    "do_rescale": True,
    "rescale_factor": 0.5,
    "resample": 2,
} | {"size": {"height": 32, "width": 24}}
_OPEN_CLIP = {
    "model_cfg": {"vision_cfg": {"image_size": 32}, "text_cfg": {"context_length": 16}},
    "preprocess_cfg": {
        "mean": [0.5] * 3,
        "std": [0.2] * 3,
        "interpolation": "bicubic",
        "resize_mode": "squash",
    },
}
_TOKENIZER_CONFIG = {"model_max_length": 16, "pad_token": "[PAD]", "do_lower_case": True}


@cache
def _tokenizer_json() -> bytes:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"[PAD]": 0, "[UNK]": 1, "a": 2, "cat": 3, "##s": 4}
    made = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(["[PAD]"])
    return made.to_str().encode()


def _tokenizer(data: bytes, folder: Path) -> None:
    _put(folder, "tokenizer_config.json", json.dumps(_TOKENIZER_CONFIG).encode())
    _tokenize(_put(folder, "tokenizer.json", data).parent)


def _tokenizer_config(data: bytes, folder: Path) -> None:
    _put(folder, "tokenizer.json", _tokenizer_json())
    _tokenize(_put(folder, "tokenizer_config.json", data).parent)


def _tokenize(folder: Path) -> None:
    assert read_tokenizer(ModelFolder.open(folder))(["a cat", ""]).ndim == 2


def _json(data: bytes, folder: Path) -> None:
    read_json(_put(folder, "model_index.json", data))


def _vocabulary(data: bytes, folder: Path) -> None:
    read_vocabulary(_put(folder, "words.npz", data))


def _vocabulary_seeds() -> list[bytes]:
    x = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    names = np.array(["cat", "dog", "animal", "forest"])
    seeds = []
    for more in ({}, {"parents": np.array(["animal", "animal", "", ""])}):
        made = io.BytesIO()
        np.savez_compressed(made, names=names, x=x, **more)
        seeds.append(made.getvalue())
    return seeds


def _mapping(data: bytes, folder: Path) -> None:
    mapping = Mapping.load(_put(folder, "captioner.safetensors", data))
    mapping.check_space(mapping.space_id)
    mapping(np.zeros((2, int(str(mapping.manifest["dim"]))), np.float32))


def _mapping_seeds() -> list[bytes]:
    shapes = {
        "mean": (4,),
        "first.weight": (3, 4),
        "first.bias": (3,),
        "second.weight": (10, 3),
        "second.bias": (10,),
    }
    manifest = {"version": 1, "space_id": "fuzz", "dim": 4, "prefix": 2, "width": 5, "vocabulary": 50}
    made = io.BytesIO()
    Mapping(manifest, {name: np.ones(shape, np.float32) for name, shape in shapes.items()}).save(made)
    return [made.getvalue()]


@cache
def _marked() -> list[bytes]:
    from PIL import Image

    pictures = []
    for form in ("PNG", "JPEG", "WEBP"):
        made = io.BytesIO()
        save(Image.new("RGB", (8, 8), "red"), made, [Mark(16, "nano", "draw", 0, code="00" * 16)], form=form)
        pictures.append(made.getvalue())
    return pictures


def _marks(data: bytes, _: Path) -> None:
    for mark in read_marks(data):
        str(mark.sentence), mark.to_json()


def _picture(data: bytes, _: Path) -> None:
    open_image(data)


def _put(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def _as_json(*values: object) -> Callable[[], list[bytes]]:
    return lambda: [json.dumps(value).encode() for value in values]


_FILES = [
    {"type": "file", "path": "a/b.json", "size": 4, "oid": "0" * 40},
    {"type": "directory", "path": "a"},
    {
        "type": "file",
        "path": "big",
        "size": 9,
        "oid": "0" * 40,
        "lfs": {"size": 9, "oid": "sha256:" + "0" * 64},
    },
]
_LINKS = [
    b'<https://hub.invalid/api/models/org/name/tree/x?cursor=abc%3D>; rel="next"',
    b'<?cursor=1>; rel="next"',
]

TARGETS = (
    Target("hub-tree", _tree, _as_json(_FILES), mutate.of_json),
    Target("hub-link", _link, lambda: list(_LINKS), runs=500),
    Target("hub-revision", _revision, _as_json({"sha": COMMIT}), mutate.of_json),
    Target("lock-file", _lock, _lock_seeds, mutate.of_json),
    Target(
        "preprocessor-config",
        _config("preprocessor_config.json"),
        _as_json(_HUGGING_FACE, _SIZED),
        mutate.of_json,
    ),
    Target("open-clip-config", _config("open_clip_config.json"), _as_json(_OPEN_CLIP), mutate.of_json),
    Target("tokenizer", _tokenizer, lambda: [_tokenizer_json()], mutate.of_json, needs=("tokenizers",)),
    Target(
        "tokenizer-config",
        _tokenizer_config,
        _as_json(_TOKENIZER_CONFIG),
        mutate.of_json,
        needs=("tokenizers",),
    ),
    Target("model-index", _json, _as_json({"_class_name": "x"}), mutate.of_json),
    Target("vocabulary", _vocabulary, _vocabulary_seeds, mutate.of_zip),
    Target("captioner", _mapping, _mapping_seeds, mutate.of_safetensors),
    Target("marks", _marks, _marked),
    Target("picture", _picture, _marked),
)
