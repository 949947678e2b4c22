"""Write a checkpoint that PyTorch runs as ONNX: `python -m recipes.onnx_export --from SOURCE --to FOLDER`.

    SOURCE ─► image network + projection ─► FOLDER/onnx/vision_model.onnx     pixel_values ─► image_embeds
           ─► text network + projection ──► FOLDER/onnx/text_model.onnx       input_ids ───► text_embeds
           ─► its tokenizer and preprocessing, copied or written out; sememe.json names the space

SOURCE is a folder, `hf:ORG/NAME` or `open_clip:ARCH/TAG`. The result is checked against PyTorch before the
manifest is written, and read with `onnx:FOLDER`. `--int8` rounds the weights of matrix products to eight
bits; vectors then drift, so that space gets a name of its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from sememe import backbones
from sememe.backbones.modelbackbone import ModelBackbone
from sememe.backbones.modelfolder import ModelFolder
from sememe.backbones.onnxmodels import MANIFEST
from sememe.backbones.onnxtowers import OnnxTowers
from sememe.backbones.preprocessing import FILTERS, Preprocessing
from sememe.backbones.tokens import read_tokenizer
from sememe.backbones.torchtowers import OpenClipTowers, TorchTowers
from sememe.errors import SememeError, UsageError

OPSET = 17
TOLERANCE = 1e-4
IMAGE, TEXT = "onnx/vision_model.onnx", "onnx/text_model.onnx"
COPIED = (
    *("config.json", "preprocessor_config.json", "open_clip_config.json", "spiece.model"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
)
TEXTS = ("", "a photo of a cat", "two dogs in the snow", "a very long text " * 40)


class Side(nn.Module):
    """One of a model's two networks, projection included, as a module that can be traced."""

    def __init__(self, towers: TorchTowers, side: str) -> None:
        super().__init__()
        self.model = towers.model  # registered, so that its weights are exported
        self.embed = towers._image if side == "image" else towers._text

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Embed a batch."""
        return self.embed(values)


def export(source: str, folder: Path, *, space: str | None = None, int8: bool = False) -> dict[str, Any]:
    """Export a checkpoint; return what the manifest says, and how far ONNX is from PyTorch.

    Raises
    ------
    SememeError
        The source cannot be loaded, or the ONNX files do not give its vectors.
    """
    backbone = backbones.load(
        source if backbones.is_backbone(source) else f"local-dir:{source}", device="cpu"
    )
    if not isinstance(backbone, ModelBackbone) or not isinstance(backbone.towers, TorchTowers):
        raise UsageError(f"{source}: is not a checkpoint of PyTorch; it needs no export")
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    pixels, ids = _samples(backbone)
    _trace(
        Side(backbone.towers, "image"),
        torch.from_numpy(pixels),
        folder / IMAGE,
        "pixel_values",
        "image_embeds",
    )
    _trace(Side(backbone.towers, "text"), torch.from_numpy(ids), folder / TEXT, "input_ids", "text_embeds")
    if int8:
        _round(folder / IMAGE)
        _round(folder / TEXT)
    _write_companions(backbone, folder, length=ids.shape[1])
    drift = _drift(backbone, folder, pixels, ids)
    if max(drift.values()) > TOLERANCE and not int8:
        raise SememeError(
            f"{folder}: ONNX gives other vectors than PyTorch ({drift}); the export is not usable"
        )
    said = {
        "version": 1,
        "space_id": (space or backbone.space_id) + ("/int8" if int8 else ""),
        "dim": backbone.dim,
        "logit_scale": round(backbone.logit_scale, 4),
        "precision": "int8" if int8 else "float32",
        "text_length": ids.shape[1],
    }
    (folder / MANIFEST).write_text(json.dumps(said, indent=1) + "\n")
    return said | {"drift": drift}


def _samples(backbone: ModelBackbone) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and token ids of four pictures and texts."""
    said = backbone.preprocess
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(len(TEXTS), 3, said.height, said.width)).astype(np.float32)
    return pixels, backbone.tokenize(TEXTS)


def _trace(side: Side, sample: torch.Tensor, path: Path, given: str, found: str) -> None:
    axes = {given: {0: "batch"}, found: {0: "batch"}}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter(
            "ignore"
        )  # of constants that the trace takes as such, and of the exporter's age
        torch.onnx.export(
            side.eval(),
            (sample,),
            str(path),
            input_names=[given],
            output_names=[found],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def _round(path: Path) -> None:
    """Round the weights of matrix products to eight bits; activations are rounded as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_suffix(".float32.onnx")
    path.rename(whole)
    quantize_dynamic(
        whole, path, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gemm"]
    )
    whole.unlink()


def _drift(backbone: ModelBackbone, folder: Path, pixels: np.ndarray, ids: np.ndarray) -> dict[str, float]:
    """Largest difference of a coordinate between unit vectors of PyTorch and of the files."""
    towers = OnnxTowers(folder / IMAGE, folder / TEXT, pooled=False, device="cpu")
    pairs = {
        "images": (backbone.towers.embed_pixels(pixels), towers.embed_pixels(pixels)),
        "texts": (backbone.towers.embed_tokens(ids), towers.embed_tokens(ids)),
    }
    return {name: float(np.abs(_unit(a) - _unit(b)).max()) for name, (a, b) in pairs.items()}


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _write_companions(backbone: ModelBackbone, folder: Path, *, length: int) -> None:
    """Copy the files on preparing pictures and texts; write those that open_clip keeps inside."""
    source: ModelFolder = backbone.towers._folder  # type: ignore[attr-defined]
    for name in COPIED:
        if found := source.find(name):
            shutil.copyfile(found, folder / name)
    if not source.find("preprocessor_config.json"):
        said = json.dumps(preprocessor_config(backbone.preprocess), indent=1)
        (folder / "preprocessor_config.json").write_text(said + "\n")
    if isinstance(backbone.towers, OpenClipTowers) and not source.find("tokenizer.json", "spiece.model"):
        _write_clip_tokenizer(folder, length)
    theirs, ours = backbone.tokenize(TEXTS), read_tokenizer(ModelFolder(folder))(TEXTS)
    if not np.array_equal(theirs, ours):
        raise SememeError(f"{folder}: its tokenizer cuts texts otherwise than {backbone.backbone_id}'s")


def preprocessor_config(said: Preprocessing) -> dict[str, Any]:
    """Preprocessing as Hugging Face's files write it."""
    area = {"height": said.height, "width": said.width}
    return {
        "do_resize": True,
        "size": area if said.shortest is None else {"shortest_edge": said.shortest},
        "do_center_crop": said.shortest is not None,
        **({} if said.shortest is None else {"crop_size": area}),
        "resample": FILTERS[said.interpolation],
        "do_rescale": True,
        "rescale_factor": said.scale,
        "do_normalize": True,
        "image_mean": list(said.mean),
        "image_std": list(said.std),
    }


def _write_clip_tokenizer(folder: Path, length: int) -> None:
    """Write out CLIP's tokenizer, whose vocabulary open_clip keeps inside, padded with zeros as there."""
    from open_clip.tokenizer import SimpleTokenizer
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    theirs = SimpleTokenizer()
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocab = {names.get(token, token): i for token, i in theirs.encoder.items()}
    start, end = ((token, vocab[token]) for token in names.values())
    ours = Tokenizer(models.BPE(vocab, list(theirs.bpe_ranks), end_of_word_suffix="</w>", unk_token=end[0]))
    ours.normalizer = normalizers.Sequence([normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    ours.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    ours.post_processor = processors.RobertaProcessing(end, start, trim_offsets=False, add_prefix_space=False)
    ours.add_special_tokens(list(names.values()))
    ours.save(str(folder / "tokenizer.json"))
    said = {"model_max_length": length, "pad_token": next(token for token, i in vocab.items() if i == 0)}
    (folder / "tokenizer_config.json").write_text(json.dumps(said) + "\n")


def main() -> int:
    """Export, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--from", dest="source", required=True, help="a folder, hf:ORG/NAME or open_clip:ARCH/TAG"
    )
    parser.add_argument("--to", dest="folder", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--space", help="name of the space, such as openai/clip-vit-base-patch32, if you know it"
    )
    parser.add_argument("--int8", action="store_true", help="round weights to eight bits")
    args = parser.parse_args()
    try:
        said = export(args.source, args.folder, space=args.space, int8=args.int8)
    except SememeError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return exc.exit_code
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
