"""Stable unCLIP: Stable Diffusion 2.1 tuned to be conditioned on a CLIP image vector with noise on it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sememe.generate.diffusers.pipeline import PipelineGenerator, Step
from sememe.generate.noise import expected_cosines, implied_norm, level_for
from sememe.generate.spaces import VIT_H, VIT_L

if TYPE_CHECKING:
    from transformers import CLIPVisionModelWithProjection

__all__ = ["UnclipGenerator"]


class UnclipGenerator(PipelineGenerator):
    """`StableUnCLIPImg2ImgPipeline`, given vectors in place of its image.

    It takes CLIP's projected image vectors at their own length. Codes keep the direction only, so the length
    that the statistics of its normalizer imply is given back (`noise.implied_norm`): there is no layer norm
    behind it that would undo a wrong one. Its `noise_level` follows from the fidelity of the code
    (`noise.level_for`).
    """

    default_steps = 20
    guidance = 10.0
    spaces = {768: VIT_L, 1024: VIT_H}  # noqa: RUF012  (a mapping that nobody writes to)

    def _open(self, folder: Path, options: dict[str, Any]) -> Any:
        encoder = _stand_in().to(self._dtype)
        kind = self._diffusers.StableUnCLIPImg2ImgPipeline
        return kind.from_pretrained(folder, image_encoder=encoder, feature_extractor=None, **options)

    def _read_dim(self) -> int:
        return int(self._pipe.image_normalizer.config.embedding_dim)

    @cached_property
    def statistics(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and spread (d,) of the vectors that the pipeline was trained on."""
        normalizer = self._pipe.image_normalizer
        mean, std = (part.detach().double().cpu().numpy()[0] for part in (normalizer.mean, normalizer.std))
        return mean, std

    @cached_property
    def norm(self) -> float:
        """Length that a unit vector is brought to."""
        return self._settings.norm or implied_norm(*self.statistics)

    def noise_level(self, vector: NDArray[np.floating], fidelity: float | None) -> int:
        """Level of noise on a unit vector (d,) that stands for the error of its code."""
        schedule = self._pipe.image_noising_scheduler.alphas_cumprod.double().cpu().numpy()
        return level_for(fidelity, expected_cosines(self.norm * vector, *self.statistics, schedule))

    def _draw(
        self, vector: NDArray[np.float32], random: Any, steps: int, fidelity: float | None, step: Step
    ) -> Any:
        return self._pipe(
            prompt="",
            image_embeds=self._tensor(self.norm * vector),
            noise_level=self.noise_level(vector, fidelity),
            num_inference_steps=steps,
            guidance_scale=self.guidance,
            generator=random,
            callback=lambda done, _time, _latents: step(done + 1),
        )


def _stand_in() -> CLIPVisionModelWithProjection:
    """Make an image encoder of next to nothing.

    With vectors given, the pipeline asks its encoder for nothing but its precision: the real one, up to
    2.5 GB, need be neither downloaded nor loaded.
    """
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        image_size=8,
        patch_size=8,
    )
    return CLIPVisionModelWithProjection(config)
