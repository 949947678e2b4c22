"""Pipelines of diffusers at tiny size: the true classes with true configurations, weights at random.

Each `make_` writes a folder as `save_pretrained` does; they take vectors of 32 numbers, as the toy space has.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

DIM = 32
CROSS = 16


@contextmanager
def torch_seeded() -> Iterator[Any]:
    """Give torch with a fixed seed, and keep the libraries' warnings and chatter out of the tests."""
    from sememe.generate.diffusers.loading import quiet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        torch.set_num_threads(1)
        with quiet(), torch.random.fork_rng():
            torch.manual_seed(0)
            yield torch


def make_unclip(folder: Path, variant: str | None = None) -> Path:
    """Stable unCLIP: 16 x 16 pixels; with the variant "fp16", in half precision under the names of that."""
    with torch_seeded() as torch:
        from diffusers import DDPMScheduler, StableUnCLIPImg2ImgPipeline
        from diffusers.pipelines.stable_diffusion import StableUnCLIPImageNormalizer

        normalizer = StableUnCLIPImageNormalizer(DIM)
        with torch.no_grad():
            normalizer.mean.copy_(0.4 * torch.randn(1, DIM))
            normalizer.std.copy_(0.5 + torch.rand(1, DIM))
        pipeline = StableUnCLIPImg2ImgPipeline(
            feature_extractor=None,
            image_encoder=_vision_model(),
            image_normalizer=normalizer,
            image_noising_scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2"),
            unet=_unet(class_embed_type="projection", projection_class_embeddings_input_dim=2 * DIM),
            **_stable_parts(folder),
        )
        _save(pipeline, folder, variant)
    return folder


def make_stable_diffusion(folder: Path, variant: str | None = None) -> Path:
    """Stable Diffusion: 16 x 16 pixels; draws from vectors with an IP-Adapter only. Variants as above."""
    with torch_seeded():
        from diffusers import StableDiffusionPipeline

        pipeline = StableDiffusionPipeline(
            unet=_unet(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            **_stable_parts(folder),
        )
        _save(pipeline, folder, variant)
    return folder


def make_adapter(file: Path) -> Path:
    """Plain IP-Adapter for `make_stable_diffusion`."""
    with torch_seeded() as torch:
        from safetensors.torch import save_file

        unet = _unet()
        tensors = {
            "image_proj.proj.weight": torch.randn(4 * CROSS, DIM) / DIM**0.5,
            "image_proj.proj.bias": torch.zeros(4 * CROSS),
            "image_proj.norm.weight": torch.ones(CROSS),
            "image_proj.norm.bias": torch.zeros(CROSS),
        }
        cross = [name for name in unet.attn_processors if name.endswith("attn2.processor")]
        for place, name in enumerate(cross):
            shape = unet.get_submodule(name.removesuffix(".processor")).to_k.weight.shape
            for part in ("to_k_ip", "to_v_ip"):
                tensors[f"ip_adapter.{2 * place + 1}.{part}.weight"] = torch.randn(shape)
        save_file(tensors, file)
    return file


def make_kandinsky(folder: Path) -> Path:
    """Kandinsky 2.2's decoder: 16 x 16 pixels."""
    with torch_seeded():
        from diffusers import DDPMScheduler, KandinskyV22Pipeline, UNet2DConditionModel, VQModel

        unet = UNet2DConditionModel(
            sample_size=8,
            in_channels=4,
            out_channels=8,
            addition_embed_type="image",
            encoder_hid_dim=DIM,
            encoder_hid_dim_type="image_proj",
            cross_attention_dim=CROSS,
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
            block_out_channels=(8, 16),
            norm_num_groups=4,
            attention_head_dim=4,
            layers_per_block=1,
            resnet_time_scale_shift="scale_shift",
        )
        movq = VQModel(  # its spatial norms have 32 groups, whatever is asked for
            block_out_channels=(32, 32),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            num_vq_embeddings=12,
            vq_embed_dim=4,
            norm_type="spatial",
        )
        scheduler = DDPMScheduler(variance_type="learned_range")
        KandinskyV22Pipeline(unet, scheduler, movq).save_pretrained(folder)
    return folder


def make_prior(folder: Path) -> Path:
    """The parts of Kandinsky's prior that the decoder can use."""
    with torch_seeded() as torch:
        from diffusers import PriorTransformer

        prior = PriorTransformer(
            num_attention_heads=2,
            attention_head_dim=4,
            num_layers=1,
            embedding_dim=DIM,
            num_embeddings=4,
            additional_embeddings=4,
        )
        with torch.no_grad():
            prior.clip_std.fill_(2.0)
            prior.clip_mean.fill_(0.5)
        prior.save_pretrained(folder / "prior")
        _vision_model().save_pretrained(folder / "image_encoder")
    return folder


def unit_vectors(n: int, *, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((n, DIM)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _save(pipeline: Any, folder: Path, variant: str | None) -> None:
    if variant == "fp16":
        for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
            part.half()
    pipeline.save_pretrained(folder, variant=variant)
    for name in ("vocab.json", "merges.txt"):  # published folders have the tokenizer's older form, too
        shutil.copy(_tokens(folder) / name, folder / "tokenizer" / name)


def _tokens(folder: Path) -> Path:
    return folder.parent / f"{folder.name}-tokens"


def _stable_parts(folder: Path) -> dict[str, Any]:
    """What all of Stable Diffusion's pipelines have."""
    from diffusers import AutoencoderKL, DDIMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    text = CLIPTextConfig(
        vocab_size=4,
        hidden_size=CROSS,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
        bos_token_id=2,
        eos_token_id=3,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        sample_size=16,
    )
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
    )
    return {
        "vae": vae,
        "text_encoder": CLIPTextModel(text),
        "tokenizer": _tokenizer(folder),
        "scheduler": scheduler,
    }


def _tokenizer(folder: Path) -> Any:
    """A tokenizer that knows two letters; no other text than none is ever given."""
    from transformers import CLIPTokenizer

    source = _tokens(folder)
    source.mkdir(parents=True)
    words = ["a", "a</w>", "<|startoftext|>", "<|endoftext|>"]
    (source / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (source / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(source / "vocab.json"), str(source / "merges.txt"), model_max_length=8)


def _unet(**options: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16),
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=CROSS,
        attention_head_dim=4,
        **options,
    )


def _vision_model() -> Any:
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=16,
        patch_size=8,
        projection_dim=DIM,
    )
    return CLIPVisionModelWithProjection(config)
