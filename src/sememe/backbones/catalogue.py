"""Image-text models that have a name here: where their ONNX exports lie, and what is known of them.

The facts that a profile's fingerprint and a decoder need (space, dimension, preprocessing) stand here, so
that codes can be read without the weights. A model's own files are asked all the same when it is loaded, and
must say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sememe.backbones.preprocessing import Preprocessing
from sememe.backbones.tokens import TextRule
from sememe.hub import Source

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
_HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Entry:
    """A named model.

    Parameters
    ----------
    name : str
        What `load` and ``sememe models`` call it.
    summary : str
        What it is, in a few words.
    space_id : str
        The repository of the original checkpoint, which names the space whatever file it is run from.
    dim : int
        Length d of a vector.
    nbytes : int
        Size of the files, roughly.
    source : Source
        The ONNX export.
    image, text : str
        Names of the two networks in it.
    preprocessing : Preprocessing
        What its files say.
    preprocessing_file : str
        Which file says it.
    pooled : bool
        Whether vectors are pooled without a projection, as SigLIP's.
    logit_scale : float
        Factor on cosines that was learned; the exports do not hold it.
    text_rule : TextRule
        What the export's tokenizer files get wrong or leave out.
    same_space : tuple of str
        Other repositories of the same checkpoint.
    """

    name: str
    summary: str
    space_id: str
    dim: int
    nbytes: int
    source: Source
    preprocessing: Preprocessing
    logit_scale: float
    image: str = "onnx/vision_model.onnx"
    text: str = "onnx/text_model.onnx"
    preprocessing_file: str = "preprocessor_config.json"
    pooled: bool = False
    text_rule: TextRule = field(default_factory=TextRule)
    same_space: tuple[str, ...] = ()


def _clip(name: str, summary: str, model: str, timm: str, *, dim: int, side: int, nbytes: int) -> Entry:
    """One of OpenAI's checkpoints, in the export for transformers.js."""
    return Entry(
        name=name,
        summary=summary,
        space_id=f"openai/{model}",
        dim=dim,
        nbytes=nbytes,
        source=_source(name, f"Xenova/{model}", "preprocessor_config.json"),
        preprocessing=Preprocessing(side, side, side, "bicubic", _CLIP_MEAN, _CLIP_STD),
        logit_scale=100.0,
        text_rule=TextRule(length=77),
        same_space=(f"timm/{timm}.openai", f"Xenova/{model}"),
    )


def _siglip(
    name: str, summary: str, model: str, repo: str, *, filter_: str, scale: float, timm: str, nbytes: int
) -> Entry:
    """One of Google's checkpoints of fixed size."""
    return Entry(
        name=name,
        summary=summary,
        space_id=f"google/{model}",
        dim=768,
        nbytes=nbytes,
        source=_source(name, repo, "preprocessor_config.json"),
        preprocessing=Preprocessing(224, 224, None, filter_, _HALF, _HALF),
        logit_scale=scale,
        pooled=True,
        text_rule=TextRule(length=64, lowercase=True),
        same_space=(f"timm/{timm}", repo),
    )


def _source(name: str, repo: str, preprocessing: str, folder: str = "onnx") -> Source:
    return Source(
        repo,
        (
            f"{folder}/vision_model.onnx",
            f"{folder}/text_model.onnx",
            preprocessing,
            "tokenizer.json",
            "tokenizer_config.json",
        ),
        optional=("config.json", "special_tokens_map.json"),
        name=name,
    )


_ENTRIES = (
    _clip(
        "clip-vit-b32",
        "CLIP ViT-B/32 of OpenAI",
        "clip-vit-base-patch32",
        "vit_base_patch32_clip_224",
        dim=512,
        side=224,
        nbytes=608_000_000,
    ),
    _clip(
        "clip-vit-b16",
        "CLIP ViT-B/16 of OpenAI",
        "clip-vit-base-patch16",
        "vit_base_patch16_clip_224",
        dim=512,
        side=224,
        nbytes=602_000_000,
    ),
    _clip(
        "clip-vit-l14",
        "CLIP ViT-L/14 of OpenAI",
        "clip-vit-large-patch14",
        "vit_large_patch14_clip_224",
        dim=768,
        side=224,
        nbytes=1_714_000_000,
    ),
    _clip(
        "clip-vit-l14-336",
        "CLIP ViT-L/14 of OpenAI at 336 pixels",
        "clip-vit-large-patch14-336",
        "vit_large_patch14_clip_336",
        dim=768,
        side=336,
        nbytes=1_715_000_000,
    ),
    _siglip(
        "siglip-b16",
        "SigLIP base of Google",
        "siglip-base-patch16-224",
        "Xenova/siglip-base-patch16-224",
        filter_="bicubic",
        scale=117.3308,
        timm="ViT-B-16-SigLIP",
        nbytes=815_000_000,
    ),
    _siglip(
        "siglip2-b16",
        "SigLIP 2 base of Google, many languages",
        "siglip2-base-patch16-224",
        "onnx-community/siglip2-base-patch16-224-ONNX",
        filter_="bilinear",
        scale=112.6689,
        timm="ViT-B-16-SigLIP2",
        nbytes=1_536_000_000,
    ),
    Entry(
        name="mobileclip2-s0",
        summary="MobileCLIP2-S0 of Apple, for phones",
        space_id="apple/MobileCLIP2-S0",
        dim=512,
        nbytes=302_000_000,
        source=_source(
            "mobileclip2-s0", "plhery/mobileclip2-onnx", "onnx/s0/preprocessor_config.json", "onnx/s0"
        ),
        preprocessing=Preprocessing(256, 256, 256, "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        logit_scale=100.0,
        image="onnx/s0/vision_model.onnx",
        text="onnx/s0/text_model.onnx",
        preprocessing_file="onnx/s0/preprocessor_config.json",
        # its tokenizer.json pads with the end token, but the network was trained on, and looks at, zeros
        text_rule=TextRule(length=77, pad=0),
        same_space=("timm/MobileCLIP2-S0-OpenCLIP",),
    ),
)

CATALOGUE: Mapping[str, Entry] = {entry.name: entry for entry in _ENTRIES}
"""Named models, by name."""


def space_of(repo: str) -> str:
    """Name of the space of a repository's checkpoint: the original's, where it is known to be a copy."""
    name = repo.strip("/")
    return next((e.space_id for e in CATALOGUE.values() if name in e.same_space), name)
