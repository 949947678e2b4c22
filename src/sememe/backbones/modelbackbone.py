"""A pretrained model as a backbone: its preprocessing, its tokenizer, its two networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sememe.backbones.preprocessing import Preprocessing
from sememe.backbones.towers import Towers
from sememe.errors import ModelFormatError
from sememe.metrics import unit_rows
from sememe.types import Embeddings, Json

if TYPE_CHECKING:
    from PIL.Image import Image

Tokenize = Callable[[Sequence[str]], NDArray[np.int64]]

CLIP_LOGIT_SCALE = 100.0
"""Where CLIP's factor was stopped in training (Radford et al. 2021, section 2.5), if files hold none."""


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a backbone without its networks."""

    backbone_id: str
    space_id: str
    dim: int
    preprocessing: Mapping[str, Json]


class ModelBackbone:
    """A frozen image-text model made of files.

    Parameters
    ----------
    backbone_id : str
        Loads it again.
    space_id : str
        The checkpoint, whatever runs it.
    preprocess : Preprocessing
        As its files say.
    tokenizer : callable
        Makes the tokenizer when the first text comes: pictures need none, nor the library that reads it.
    towers : Towers
        The networks, which start when first used.
    """

    def __init__(
        self,
        backbone_id: str,
        space_id: str,
        *,
        preprocess: Preprocessing,
        tokenizer: Callable[[], Tokenize],
        towers: Towers,
    ) -> None:
        self.backbone_id = backbone_id
        self.space_id = space_id
        self.preprocess = preprocess
        self.towers = towers
        self._tokenizer = tokenizer

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return self.towers.dim

    @property
    def preprocessing(self) -> Mapping[str, Json]:
        """All that happens to a picture before the network; part of a profile's fingerprint."""
        return self.preprocess.to_json()

    @property
    def logit_scale(self) -> float:
        """Factor on cosines before a softmax over labels."""
        return self.towers.logit_scale or CLIP_LOGIT_SCALE

    @cached_property
    def tokenize(self) -> Tokenize:
        """Texts to (n, length) int64 ids.

        Raises
        ------
        MissingExtraError
            The library that reads the tokenizer is not installed.
        ModelUnavailableError, ModelFormatError
            The tokenizer's files are missing or damaged.
        """
        return self._tokenizer()

    def embed_images(self, images: Sequence[Image]) -> Embeddings:
        """Embed n pictures (any Pillow mode, already upright) as (n, d) unit float32 rows.

        A picture's vector does not depend on what else is in the batch, up to float rounding (1e-5).

        Raises
        ------
        ModelFormatError
            The network's file is damaged, or gives no vectors.
        DeviceUnavailableError
            The device asked for is not there.
        """
        rows = [np.zeros((0, self.dim), np.float32)] if not images else []
        queue = iter(images)
        while batch := list(islice(queue, self.towers.batch)):
            rows.append(self.towers.embed_pixels(np.stack([self.preprocess(image) for image in batch])))
        return self._unit(np.concatenate(rows))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed n texts as (n, d) unit float32 rows; what is longer than the model's texts is cut.

        Raises
        ------
        MissingExtraError, ModelUnavailableError, ModelFormatError, DeviceUnavailableError
            As `tokenize` and `embed_images`.
        """
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        ids = self.tokenize(texts)
        step = self.towers.batch
        return self._unit(
            np.concatenate([self.towers.embed_tokens(ids[i : i + step]) for i in range(0, len(ids), step)])
        )

    def _unit(self, vectors: NDArray[np.float32]) -> Embeddings:
        if not np.isfinite(vectors).all():
            raise ModelFormatError(
                f"{self.backbone_id}: the network gives values that are not finite; its file is damaged, or "
                "its precision too low for this device"
            )
        return unit_rows(vectors)
