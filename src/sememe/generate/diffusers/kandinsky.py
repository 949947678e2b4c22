"""Kandinsky 2.2: a diffusion decoder conditioned on a CLIP image vector alone, with no text."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.generate.diffusers.loading import loading
from sememe.generate.diffusers.pipeline import PipelineGenerator, Settings, Step, on_step_end
from sememe.generate.noise import implied_norm
from sememe.generate.spaces import VIT_BIGG

__all__ = ["KandinskyGenerator"]

BLANK = "image_encoder"
"""Part of the prior that is needed: it embeds the blank picture that guidance steers away from."""


class KandinskyGenerator(PipelineGenerator):
    """`KandinskyV22Pipeline`, the decoder half of Kandinsky 2.2.

    The prior, which makes image vectors of texts, is not needed: codes are image vectors. But the decoder's
    guidance compares with the vector of a blank picture, which only the prior's image encoder makes. Without
    a prior there is no guidance: pictures follow their vector less closely. The length of vectors hardly
    matters, as the decoder's first layers on them end in layer norms; it is taken from the prior's statistics
    if they are there.
    """

    default_steps = 50
    guidance = 4.0
    spaces = {1280: VIT_BIGG}  # noqa: RUF012  (a mapping that nobody writes to)

    def __init__(self, folder: Path, settings: Settings, *, prior: Path | None = None) -> None:
        self._prior = prior
        super().__init__(folder, settings)
        if prior is not None:
            with loading(prior):
                self._blank = self._embed_blank(prior)

    def _open(self, folder: Path, options: dict[str, Any]) -> Any:
        return self._diffusers.KandinskyV22Pipeline.from_pretrained(folder, **options)

    def _read_dim(self) -> int:
        return int(self._pipe.unet.config.encoder_hid_dim)

    @cached_property
    def norm(self) -> float:
        """Length that a unit vector is brought to."""
        return self._settings.norm or self._norm_of_prior() or self.dim**0.5

    def _draw(
        self, vector: NDArray[np.float32], random: Any, steps: int, fidelity: float | None, step: Step
    ) -> Any:
        del fidelity  # the decoder knows no noise on its vectors
        embeds = self._tensor(self.norm * vector)
        side = self._pipe.unet.config.sample_size * self._pipe.movq_scale_factor
        return self._pipe(
            image_embeds=embeds,
            negative_image_embeds=embeds if self._prior is None else self._blank,
            height=side,
            width=side,
            num_inference_steps=steps,
            guidance_scale=1.0 if self._prior is None else self.guidance,
            generator=random,
            callback_on_step_end=on_step_end(step),
        )

    def _embed_blank(self, prior: Path) -> Any:
        """Embed the picture that is zero after CLIP's normalization, as the prior pipeline does: (1, d)."""
        from transformers import CLIPVisionModelWithProjection

        encoder = CLIPVisionModelWithProjection.from_pretrained(
            prior / BLANK, dtype=self._dtype, use_safetensors=True, local_files_only=True
        ).to(self._device)
        side = encoder.config.image_size
        with self._torch.no_grad():
            pixels = self._torch.zeros(1, 3, side, side, device=self._device, dtype=self._dtype)
            blank = encoder(pixels).image_embeds
        if blank.shape[1] != self.dim:
            raise ValueError(
                f"its image encoder makes {blank.shape[1]} numbers, the decoder takes {self.dim}"
            )
        return blank

    def _norm_of_prior(self) -> float | None:
        """Length implied by the mean and spread that the prior keeps; None if it is not here."""
        from safetensors import safe_open

        file = None if self._prior is None else self._prior / "prior" / "diffusion_pytorch_model.safetensors"
        if file is None or not file.is_file():
            return None
        with loading(file), safe_open(file, framework="np") as tensors:
            return implied_norm(tensors.get_tensor("clip_mean"), tensors.get_tensor("clip_std"))
