"""`nano`: the built-in backbone, a small image network and a static text encoder in one joint space.

::

    picture ─centre square─► 112 x 112 x 3 ─ONNX Runtime─► (d,) ─unit─►  x
    text    ─WordPiece─► rows of a table ─mean─► small network ─unit─►  t       (numpy only)

Both were distilled by `recipes/nano`; `docs/cards/nano.md` says from what, and how far they can be trusted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sememe.backbones.images import to_rgb
from sememe.backbones.statictext import StaticText
from sememe.errors import ModelUnavailableError
from sememe.metrics import unit_rows
from sememe.types import Embeddings, Json

if TYPE_CHECKING:
    import onnxruntime

_BATCH = 16


class NanoBackbone:
    """The backbone that ships inside the package.

    Parameters
    ----------
    threads : int
        Threads inside one image inference.
    folder : Path, optional
        Where the weights are; the package's own by default.

    Raises
    ------
    ModelUnavailableError
        The weights are missing or damaged.
    """

    backbone_id = "nano"

    def __init__(self, *, threads: int = 1, folder: Path | None = None) -> None:
        self._threads = threads
        self._folder = folder or Path(str(files("sememe") / "data" / "nano"))
        self._card: Mapping[str, Any] = json.loads(_read(self._folder / "nano.json"))

    @property
    def space_id(self) -> str:
        """Name of the joint space."""
        return cast("str", self._card["space_id"])

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return cast("int", self._card["dim"])

    @property
    def preprocessing(self) -> Mapping[str, Json]:
        """All that happens to a picture before the network."""
        return cast("Mapping[str, Json]", self._card["preprocessing"])

    @property
    def logit_scale(self) -> float:
        """Factor on cosines before a softmax over labels, chosen so that probabilities are calibrated."""
        return cast("float", self._card["logit_scale"])

    @property
    def statistics(self) -> Mapping[str, float]:
        """Mean and spread of image-text cosines, for right and for wrong labels, on held-out pictures."""
        return cast("Mapping[str, float]", self._card["statistics"])

    def embed_images(self, images: Sequence[Image.Image]) -> Embeddings:
        """Embed n pictures (any Pillow mode, already upright) as (n, d) unit float32 rows.

        A picture's vector does not depend on what else is in the batch, up to float rounding (1e-5).
        """
        rows = [np.zeros((0, self.dim), np.float32)]
        queue = iter(images)
        while batch := list(islice(queue, _BATCH)):
            pixels = np.stack([self.preprocess(image) for image in batch])
            rows.append(self._network.run(None, {"pixels": pixels})[0])
        return unit_rows(np.concatenate(rows))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed n English texts as (n, d) unit float32 rows.

        Raises
        ------
        UsageError
            A text holds not one English word, number or word part.
        """
        return self._text(texts)

    def preprocess(self, image: Image.Image) -> NDArray[np.float32]:
        """Cut the centre square and scale it, as `preprocessing` describes: (3, side, side) float32."""
        side = cast("int", self._card["preprocessing"]["resize"]["side"])
        square = _centre_square(to_rgb(image)).resize((side, side), Image.Resampling.BICUBIC)
        mean, std = (np.array(self._card["preprocessing"][k], np.float32) for k in ("mean", "std"))
        pixels = (np.asarray(square, np.float32) / 255 - mean) / std
        return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)

    @cached_property
    def _network(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        model = self._checked("image.onnx")
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _text(self) -> StaticText:
        from safetensors.numpy import load

        tables = load(self._checked("text.safetensors"))
        return StaticText(np.frombuffer(self._checked("pieces.bin"), "<u8"), tables)

    def _checked(self, name: str) -> bytes:
        """Read a file of weights and compare its hash with the one written at its export."""
        data = _read(self._folder / name)
        if hashlib.sha256(data).hexdigest() != self._card["sha256"][name]:
            raise ModelUnavailableError(f"{self._folder / name}: damaged weights; install sememe again")
        return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ModelUnavailableError(
            f"{path}: weights are missing ({exc.strerror}); install sememe again"
        ) from exc


def _centre_square(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
