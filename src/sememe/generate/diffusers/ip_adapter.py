"""IP-Adapter: Stable Diffusion with added attention to a CLIP image vector (Ye et al. 2023)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.errors import ModelFormatError
from sememe.generate.diffusers.loading import loading
from sememe.generate.diffusers.pipeline import PipelineGenerator, Settings, Step, on_step_end
from sememe.generate.spaces import VIT_BIGG, VIT_H

__all__ = ["IPAdapterGenerator"]


class IPAdapterGenerator(PipelineGenerator):
    """`StableDiffusionPipeline` or `StableDiffusionXLPipeline` with one IP-Adapter, and no text.

    The plain adapter is meant, which makes four tokens of the projected image vector; "plus" and "face" ones
    want other things than that vector. Guidance compares with a vector of zeros, as in its training. The
    length of vectors hardly matters: the adapter's projection ends in a layer norm.
    """

    default_steps = 50
    guidance = 7.5
    spaces = {1024: VIT_H, 1280: VIT_BIGG}  # noqa: RUF012  (a mapping that nobody writes to)

    def __init__(self, folder: Path, settings: Settings, *, adapter: Path) -> None:
        self._adapter = adapter
        super().__init__(folder, settings)

    def _open(self, folder: Path, options: dict[str, Any]) -> Any:
        pipe = self._diffusers.DiffusionPipeline.from_pretrained(folder, **options)
        with loading(self._adapter):
            self._check_adapter()
            pipe.load_ip_adapter(
                str(self._adapter.parent),
                subfolder="",
                weight_name=self._adapter.name,
                image_encoder_folder=None,
                local_files_only=True,
            )
            pipe.set_ip_adapter_scale(1.0)  # there is no text to share the attention with
        return pipe

    def _check_adapter(self) -> None:
        from safetensors import safe_open

        with safe_open(self._adapter, framework="np") as tensors:
            if "image_proj.proj.weight" not in tensors.keys():  # noqa: SIM118  (not a dict)
                raise ModelFormatError(
                    f"{self._adapter}: not a plain IP-Adapter, which projects one image vector; take "
                    "ip-adapter_sd15.safetensors or ip-adapter_sdxl.safetensors"
                )
            self._width = int(tensors.get_slice("image_proj.proj.weight").get_shape()[-1])

    def _read_dim(self) -> int:
        return self._width

    @cached_property
    def norm(self) -> float:
        """Length that a unit vector is brought to."""
        return self._settings.norm or self.dim**0.5

    def _draw(
        self, vector: NDArray[np.float32], random: Any, steps: int, fidelity: float | None, step: Step
    ) -> Any:
        del fidelity  # the adapter knows no noise on its vectors
        embeds = self._tensor(self.norm * vector)[None]
        return self._pipe(
            prompt="",
            ip_adapter_image_embeds=[self._torch.cat([self._torch.zeros_like(embeds), embeds])],
            num_inference_steps=steps,
            guidance_scale=self.guidance,
            generator=random,
            callback_on_step_end=on_step_end(step),
        )
