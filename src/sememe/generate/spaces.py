"""Spaces that generators draw from, under all the names that one set of weights goes by."""

from __future__ import annotations

__all__ = ["VIT_BIGG", "VIT_H", "VIT_L", "same_space"]

VIT_L = "openai/clip-vit-large-patch14"
VIT_H = "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
VIT_BIGG = "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k"

_ALIASES = {
    "clip-vit-l14": VIT_L,
    "open_clip:ViT-L-14/openai": VIT_L,
    "open_clip:ViT-L-14-quickgelu/openai": VIT_L,
    "clip-vit-h14": VIT_H,
    "open_clip:ViT-H-14/laion2b_s32b_b79k": VIT_H,
    "open_clip:ViT-bigG-14/laion2b_s39b_b160k": VIT_BIGG,
}
"""Other names of the same vectors. ViT-L/14 at 336 pixels is another network with another space."""


def same_space(one: str, other: str) -> bool:
    """Whether two names mean the same vectors."""
    return _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    plain = name.removeprefix("hf:")
    return _ALIASES.get(plain, plain)
