"""Generators that run a pipeline of the diffusers library from a folder on this machine.

::

    StableUnCLIPImg2ImgPipeline     unclip.py        ViT-L/14 (768) or ViT-H/14 (1024)
    KandinskyV22Pipeline            kandinsky.py     ViT-bigG/14 (1280)
    Stable Diffusion + IP-Adapter   ip_adapter.py    ViT-H/14 (1024) or ViT-bigG/14 (1280)

Nothing is downloaded and no code or pickle from the folder is run: weights are safetensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sememe.errors import ModelFormatError, UsageError
from sememe.generate.diffusers.loading import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from sememe.generate.diffusers.pipeline import PipelineGenerator, Settings

__all__ = ["load"]


def load(
    folder: Path, settings: Settings, *, adapter: Path | None = None, prior: Path | None = None
) -> PipelineGenerator:
    """Load the generator that a folder of `save_pretrained` holds, by the class that it names.

    Parameters
    ----------
    folder : Path
        With ``model_index.json``.
    settings : Settings
    adapter : Path, optional
        Weights of an IP-Adapter (.safetensors), for Stable Diffusion.
    prior : Path, optional
        Folder of Kandinsky's prior, for Kandinsky.

    Raises
    ------
    ModelUnavailableError
        A file is missing.
    ModelFormatError
        A file is damaged or does not fit the others.
    UsageError
        The pipeline does not draw from image vectors, or needs a part that is not named.
    MissingExtraError
        diffusers, transformers or torch is not installed.
    """
    kind = read_json(folder / "model_index.json").get("_class_name")
    if kind == "StableUnCLIPImg2ImgPipeline":
        from sememe.generate.diffusers.unclip import UnclipGenerator

        return UnclipGenerator(folder, settings)
    if kind == "KandinskyV22Pipeline":
        from sememe.generate.diffusers.kandinsky import KandinskyGenerator

        return KandinskyGenerator(folder, settings, prior=prior)
    if kind in ("StableDiffusionPipeline", "StableDiffusionXLPipeline"):
        from sememe.generate.diffusers.ip_adapter import IPAdapterGenerator

        if adapter is None:
            raise UsageError(
                f"{folder}: {kind} draws from image vectors only with --adapter FILE (an IP-Adapter)"
            )
        return IPAdapterGenerator(folder, settings, adapter=adapter)
    if not isinstance(kind, str):
        raise ModelFormatError(f"{folder}: model_index.json names no pipeline; get the folder again")
    raise UsageError(
        f"{folder}: {kind} does not draw from CLIP image vectors; take StableUnCLIPImg2ImgPipeline, "
        "KandinskyV22Pipeline, or Stable Diffusion with an IP-Adapter"
    )
