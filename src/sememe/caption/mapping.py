"""The mapping network of ClipCap: an image vector becomes the first words that a language model hears.

Mokady, Hertz and Bermano, "ClipCap: CLIP Prefix for Image Captioning" (2021), section 3.2, the MLP::

    x (d,) ─minus mean─► W₁ ─tanh─► W₂ ─► prefix (k, e)

Applied with numpy; trained by `recipes/captioner`. The file is safetensors; its metadata entry ``captioner``
is a manifest that names the space, so that a network of one space is never fed vectors of another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as Named
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.disk import Target, writing
from sememe.errors import ModelFormatError, ModelUnavailableError, ProfileMismatchError, VectorError
from sememe.types import Embeddings, Json

VERSION = 1
_ARRAYS = ("mean", "first.weight", "first.bias", "second.weight", "second.bias")

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mapping:
    """Weights of a trained network, and what they are for."""

    manifest: Named[str, Json]
    """``version``, ``space_id``, ``dim``, ``prefix``, ``width`` of the language model, ``vocabulary`` of its
    tokens; how it was trained is kept beside them."""
    arrays: Named[str, Floats32]

    def __call__(self, x: Embeddings) -> Floats32:
        """Turn unit vectors (n, d) into prefixes (n, k, e).

        Raises
        ------
        VectorError
            Another dimension.
        """
        if np.ndim(x) != 2 or x.shape[1] != self._number("dim"):
            raise VectorError(f"the captioner takes vectors (n, {self._number('dim')}), not {np.shape(x)}")
        a = self.arrays
        hidden = np.tanh((x - a["mean"]) @ a["first.weight"].T + a["first.bias"])
        prefix: Floats32 = (hidden @ a["second.weight"].T + a["second.bias"]).astype(np.float32)
        return prefix.reshape(len(x), self._number("prefix"), self._number("width"))

    @property
    def space_id(self) -> str:
        """Space of the vectors that it was trained on."""
        return str(self.manifest["space_id"])

    def check_space(self, space_id: str) -> None:
        """Raise ProfileMismatchError unless vectors of that space may be given."""
        if space_id != self.space_id:
            raise ProfileMismatchError(
                f"the captioner was trained on vectors of {self.space_id}, but these codes are of "
                f"{space_id}; take one that fits, or train it with recipes.captioner"
            )

    def check_language_model(self, width: int, vocabulary: int) -> None:
        """Raise ProfileMismatchError unless a language model has that width and number of tokens."""
        wanted = self._number("width"), self._number("vocabulary")
        if wanted != (width, vocabulary):
            raise ProfileMismatchError(
                f"the captioner was trained for a language model of width {wanted[0]} with {wanted[1]} "
                f"tokens, not {width} with {vocabulary}; give the one it was trained with"
            )

    def _number(self, key: str) -> int:
        return int(self.manifest[key])  # type: ignore[arg-type]  # checked where it was read

    def save(self, target: Target) -> None:
        """Write the file, whole or not at all."""
        from safetensors.numpy import save

        text = json.dumps(self.manifest, sort_keys=True)
        arrays = {name: np.ascontiguousarray(self.arrays[name], np.float32) for name in _ARRAYS}
        with writing(target) as file:
            file.write(save(arrays, metadata={"captioner": text}))

    @classmethod
    def load(cls, path: str | Path) -> Mapping:
        """Read a file.

        Raises
        ------
        ModelUnavailableError
            It cannot be read.
        ModelFormatError
            It is damaged, not a captioner, or of a newer version.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise ModelUnavailableError(f"{path}: no captioner is there; train one with recipes.captioner")
        try:
            with safe_open(str(path), framework="numpy") as file:
                manifest = json.loads((file.metadata() or {})["captioner"])
                arrays = {name: file.get_tensor(name) for name in _ARRAYS}
        except (SafetensorError, KeyError, ValueError, TypeError, RecursionError) as exc:
            raise ModelFormatError(f"{path}: damaged, or not a captioner; train it again") from exc
        except OSError as exc:
            raise ModelUnavailableError(f"{path}: cannot be read ({exc.strerror})") from exc
        _check(path, manifest, arrays)
        return cls(manifest, arrays)


def _check(path: str | Path, manifest: Any, arrays: Named[str, Floats32]) -> None:
    """Check that manifest and arrays agree."""
    if not isinstance(manifest, dict) or manifest.get("version") != VERSION:
        raise ModelFormatError(f"{path}: a captioner of another version than {VERSION}; update sememe")
    numbers: list[Any] = [manifest.get(key) for key in ("dim", "prefix", "width", "vocabulary")]
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        raise ModelFormatError(f"{path}: the captioner's manifest lacks dim, prefix, width or vocabulary")
    dim, prefix, width, _ = numbers
    hidden = arrays["first.bias"].size
    shapes = ((dim,), (hidden, dim), (hidden,), (prefix * width, hidden), (prefix * width,))
    if not isinstance(manifest.get("space_id"), str) or any(
        arrays[name].shape != shape or arrays[name].dtype != np.float32
        for name, shape in zip(_ARRAYS, shapes, strict=True)
    ):
        raise ModelFormatError(f"{path}: the captioner's arrays do not fit its manifest; train it again")
