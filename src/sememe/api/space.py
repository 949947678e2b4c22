"""What a codec needs besides its tables: the backbone, loaded when asked for, and what chance looks like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sememe.api.identity import backbone_id_of
from sememe.api.inputs import ImageLike, Opened, min_side_of, open_input
from sememe.errors import ProfileMismatchError
from sememe.metrics.calibration import Background
from sememe.profile import Profile
from sememe.types import Embeddings
from sememe.zeroshot import EVERYDAY, TEMPLATE, Classifier, embed_labels, read_templates

if TYPE_CHECKING:
    from PIL.Image import Image

    from sememe.types import Backbone

TYPICAL = 256
"""Pictures that stand for all pictures where chance is measured."""

PLAIN = ("{}",)
"""Template of a search text: as it stands."""


class Space:
    """A profile's joint space: embeds images and texts, and knows how near unrelated ones lie."""

    def __init__(
        self, profile: Profile, *, backbone: Backbone | None = None, threads: int = 1, device: str = "auto"
    ) -> None:
        self.profile = profile
        self._threads, self._device = threads, device
        self._backgrounds: dict[tuple[str, ...], Background] = {}
        if backbone is not None:
            self.backbone = self._checked(backbone)

    @cached_property
    def backbone(self) -> Backbone:
        """The profile's backbone, loaded on first use.

        Raises
        ------
        ModelUnavailableError
            Its weights are not on this machine.
        ProfileFormatError
            The profile names no backbone: it was fitted on vectors of unknown origin.
        ProfileMismatchError
            The backbone embeds into another space than the profile's.
        """
        from sememe import backbones

        name = backbone_id_of(self.profile)
        return self._checked(backbones.load(name, threads=self._threads, device=self._device))

    def open(self, image: ImageLike, *, index: int = 0) -> Opened:
        """Open an image at the size the backbone needs."""
        return open_input(image, index=index, min_side=min_side_of(self.backbone.preprocessing))

    def embed_images(self, images: Sequence[Image]) -> Embeddings:
        """Embed pictures: (n, d) unit float32 rows."""
        return self.backbone.embed_images(images)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts as they stand: (n, d) unit float32 rows."""
        return self.backbone.embed_texts(texts)

    def classifier(self, labels: str | Iterable[str], template: str | Sequence[str] = TEMPLATE) -> Classifier:
        """Make a classifier whose chance level is that of everyday words in the same templates."""
        background = self.background(read_templates(template))
        return Classifier.of(labels, self.backbone, background, template=template)

    def background(self, templates: tuple[str, ...] | None) -> Background:
        """Measure chance for texts put into `templates`; None leaves texts out, and needs no backbone."""
        key = templates or ()
        if key not in self._backgrounds:
            texts = embed_labels(EVERYDAY, self.backbone, template=templates) if templates else None
            self._backgrounds[key] = Background.of(images=self._typical, texts=texts)
        return self._backgrounds[key]

    @cached_property
    def _typical(self) -> Embeddings:
        return typical_vectors(self.profile)

    def _checked(self, backbone: Backbone) -> Backbone:
        if backbone.space_id != self.profile.space_id:
            raise ProfileMismatchError(
                f"backbone {backbone.backbone_id} embeds into {backbone.space_id}, but profile "
                f"{self.profile.profile_id} codes vectors of {self.profile.space_id}; take one that fits"
            )
        return backbone


def typical_vectors(profile: Profile) -> Embeddings:
    """Draw vectors (256, d) of typical pictures from the profile itself, which needs no pictures.

    An entropy coder turns what it expects into bytes that look random. So random bytes decode to what it
    expects: samples of the distribution that the profile was fitted to.
    """
    length = min(16, profile.max_bytes)
    noise: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (TYPICAL, length), np.uint8)
    return profile.decode(noise)
