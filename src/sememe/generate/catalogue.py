"""Generators that have a name here: what they draw from, and where their weights come from."""

from __future__ import annotations

from dataclasses import dataclass

from sememe.errors import UsageError
from sememe.generate.spaces import VIT_BIGG, VIT_H, VIT_L, same_space
from sememe.hub import Source

__all__ = ["BUILT_IN", "KNOWN", "Known", "default_for", "fitting", "space_of"]

BUILT_IN = {"draw": "nano/3"}
"""Generators that ship with the package, and the space of each."""


@dataclass(frozen=True, slots=True)
class Known:
    """A published generator; the weights of none of them are part of this package."""

    space_id: str
    source: Source
    """Its pipeline."""
    adapter: Source | None = None
    """An IP-Adapter: one file."""
    prior: Source | None = None
    """The part of Kandinsky's prior that embeds a blank picture."""


def _half(folder: str, name: str = "diffusion_pytorch_model") -> tuple[str, str]:
    """Files of one network in half precision, half as many bytes to fetch; a CPU widens them again."""
    return f"{folder}/config.json", f"{folder}/{name}.fp16.safetensors"


_STABLE = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "tokenizer/*.json",
    "tokenizer/merges.txt",
    *_half("text_encoder", "model"),
    *_half("unet"),
    *_half("vae"),
)
_UNCLIP = (*_STABLE, "image_noising_scheduler/scheduler_config.json", *_half("image_normalizer"))
_SDXL = (*_STABLE, "tokenizer_2/*.json", "tokenizer_2/merges.txt", *_half("text_encoder_2", "model"))
_KANDINSKY = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    *(
        f"{part}/{name}"
        for part in ("unet", "movq")
        for name in ("config.json", "diffusion_pytorch_model.safetensors")
    ),
)

KNOWN = {
    "unclip-l": Known(VIT_L, Source("stabilityai/stable-diffusion-2-1-unclip-small", _UNCLIP)),
    "unclip-h": Known(VIT_H, Source("stabilityai/stable-diffusion-2-1-unclip", _UNCLIP)),
    "kandinsky-2.2": Known(
        VIT_BIGG,
        Source("kandinsky-community/kandinsky-2-2-decoder", _KANDINSKY),
        prior=Source(
            "kandinsky-community/kandinsky-2-2-prior",
            ("image_encoder/config.json", "image_encoder/model.safetensors"),
        ),
    ),
    "ip-adapter-sd15": Known(
        VIT_H,
        Source("stable-diffusion-v1-5/stable-diffusion-v1-5", _STABLE),
        adapter=Source("h94/IP-Adapter", ("models/ip-adapter_sd15.safetensors",)),
    ),
    "ip-adapter-sdxl": Known(
        VIT_BIGG,
        Source("stabilityai/stable-diffusion-xl-base-1.0", _SDXL),
        adapter=Source("h94/IP-Adapter", ("sdxl_models/ip-adapter_sdxl.safetensors",)),
    ),
}
"""Published ones by id. Each needs the extra [gen]."""


def default_for(space_id: str) -> str:
    """Id of the generator to take for vectors of a space, if none is asked for.

    Raises
    ------
    UsageError
        None is known.
    """
    fit = fitting(space_id)
    if not fit:
        spaces = ", ".join(dict.fromkeys(_spaces().values()))
        raise UsageError(
            f"no generator known here draws from vectors of {space_id} (there are some for {spaces}); name "
            "the folder of one with --generator"
        )
    return fit[0]


def fitting(space_id: str) -> list[str]:
    """Ids of the generators that draw from vectors of a space."""
    return [name for name, space in _spaces().items() if same_space(space, space_id)]


def space_of(name: str) -> str | None:
    """Space that a generator with a name draws from; None for a folder, which has none here."""
    return _spaces().get(name)


def _spaces() -> dict[str, str]:
    return BUILT_IN | {name: known.space_id for name, known in KNOWN.items()}
