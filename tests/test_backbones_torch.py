"""Checkpoints through PyTorch against the libraries they come from; preprocessing on real photographs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cpu_torchvision
import tiny_clip
from loopback_hub import LoopbackHub
from sememe import backbones
from sememe.backbones.modelfolder import Fields, ModelFolder
from sememe.backbones.preprocessing import Preprocessing
from sememe.backbones.preprocessingfiles import from_hugging_face, from_open_clip, read_preprocessing
from sememe.errors import (
    DeviceUnavailableError,
    MissingExtraError,
    ModelFormatError,
    ModelUnavailableError,
    UsageError,
)

torch = pytest.importorskip("torch", reason="needs the extra [torch]")
pytest.importorskip("transformers", reason="needs the extra [torch]")
pytest.importorskip("sentencepiece", reason="needs the extra [clip]")

cpu_torchvision.mend()

TEXTS = ["", "a photo of a cat", "Zwei Hunde, ein Ball!", "one long text " * 30]
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
TINY_OPEN_CLIP = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
TINY_PREPROCESS = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip.make_clip(tmp_path_factory.mktemp("tiny") / "clip")


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip.make_siglip(tmp_path_factory.mktemp("tiny") / "siglip")


@pytest.fixture(scope="module")
def open_clip_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model of open_clip, with its configuration and checkpoint."""
    open_clip = cpu_torchvision.open_clip()
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("tiny") / "open_clip"
    folder.mkdir()
    torch.manual_seed(0)
    said = {"model_cfg": TINY_OPEN_CLIP, "preprocess_cfg": TINY_PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(said))
    weights = open_clip.CLIP(**json.loads(json.dumps(TINY_OPEN_CLIP))).state_dict()
    save_file({k: v.contiguous() for k, v in weights.items()}, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    """An empty hub on this machine; models that are used are pulled from it."""
    with LoopbackHub({}) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.endpoint)
        monkeypatch.setenv("SEMEME_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("SEMEME_AUTO_PULL", "1")
        yield served


def photos() -> list[Image.Image]:
    """Real photographs, cut and scaled so that widths and heights are even, odd, tall and wide."""
    skimage = pytest.importorskip("skimage.data", reason="needs scikit-image's photographs")
    whole = [Image.fromarray(getattr(skimage, name)()).convert("RGB") for name in PHOTOS]
    cut = [p.crop((0, 0, p.width - i, p.height // (i + 1))) for i, p in enumerate(whole)]
    return [*whole, *cut, *(p.resize((p.width // 3 + i, 227 + i)) for i, p in enumerate(whole))]


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    sizes = ((64, 48), (48, 64), (33, 32), (300, 20), (31, 77))
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def changed(folder: Path, to: Path, name: str, **changes: Any) -> Path:
    """Copy a model and change keys of one of its JSON files; None takes a key out."""
    copy = shutil.copytree(folder, to)
    said = json.loads((copy / name).read_text()) | changes
    (copy / name).write_text(json.dumps({k: v for k, v in said.items() if v is not None}))
    return copy


def unit(x: Any) -> np.ndarray:
    x = x.detach().numpy()
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# Preprocessing


@pytest.mark.parametrize("mode", ["shortest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_pixels_are_exactly_those_of_open_clip_on_photographs(mode: str, interpolation: str) -> None:
    open_clip = cpu_torchvision.open_clip()
    said = {**TINY_PREPROCESS, "interpolation": interpolation, "resize_mode": mode}
    theirs = open_clip.transform.image_transform(224, is_train=False, **said)
    ours = from_open_clip(Fields({"size": 224, **said}, "test"))
    assert max(np.abs(ours(photo) - theirs(photo).numpy()).max() for photo in photos()) == 0


@pytest.mark.parametrize("kind", ["CLIP", "Siglip"])
def test_pixels_are_those_of_transformers_on_photographs(kind: str) -> None:
    import transformers

    said = tiny_clip.CLIP_PREPROCESSOR if kind == "CLIP" else tiny_clip.SIGLIP_PREPROCESSOR
    area = {"height": 224, "width": 224}
    said = {**said, "size": {"shortest_edge": 224} if kind == "CLIP" else area}
    if kind == "CLIP":
        said["crop_size"] = area
    settings = {k: v for k, v in said.items() if k != "image_processor_type"}
    theirs = getattr(transformers, f"{kind}ImageProcessorPil")(**settings)
    ours = from_hugging_face(Fields(said, "test"))
    same_crop = [photo for photo in photos() if kind == "Siglip" or _crops_alike(photo)]
    assert len(same_crop) >= 6
    found = [theirs(photo, return_tensors="np")["pixel_values"][0] for photo in same_crop]
    assert max(np.abs(ours(p) - f).max() for p, f in zip(same_crop, found, strict=True)) < 1e-5


def _crops_alike(photo: Image.Image) -> bool:
    """Whether half the surplus is the same rounded down, as transformers does, and rounded to even."""
    surplus = int(224 * max(photo.size) / min(photo.size)) - 224
    return surplus % 4 != 3


def test_a_very_long_picture_is_cut_before_it_fills_the_memory() -> None:
    said = Preprocessing(32, 32, 32, "bicubic", (0.0,) * 3, (1.0,) * 3)
    pixels = said(Image.new("RGB", (200_000, 3), "red"))
    assert pixels.shape == (3, 32, 32)
    assert pixels[0].min() == 1
    assert pixels[1:].max() == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_every_mode_has_pixels(mode: str) -> None:
    said = Preprocessing(8, 8, None, "bilinear", (0.5,) * 3, (0.5,) * 3)
    assert np.isfinite(said(Image.new(mode, (30, 20)))).all()


def test_the_oldest_spelling_of_clip_s_file_is_read() -> None:
    said = {
        "crop_size": 224,
        "do_center_crop": True,
        "do_normalize": True,
        "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
        "image_mean": TINY_PREPROCESS["mean"],
        "image_std": TINY_PREPROCESS["std"],
        "resample": 3,
        "size": 224,
    }
    assert from_hugging_face(Fields(said, "test")) == backbones.CATALOGUE["clip-vit-b32"].preprocessing


def test_what_differs_is_said_and_enters_the_fingerprint() -> None:
    plain = Preprocessing(224, 224, 224, "bicubic", (0.5,) * 3, (0.5,) * 3)
    assert plain.to_json() == {
        "crop": "center",
        "interpolation": "bicubic",
        "jpeg_draft_min_side": 448,
        "mean": [0.5] * 3,
        "mode": "RGB",
        "size": 224,
        "std": [0.5] * 3,
    }
    other = Preprocessing(200, 224, 256, "bilinear", (0.5,) * 3, (0.5,) * 3, 1.0).to_json()
    assert (other["size"], other["resize"], other["scale"]) == ([200, 224], 256, 1.0)
    assert Preprocessing(224, 224, None, "bicubic", (0.5,) * 3, (0.5,) * 3).to_json()["crop"] == "none"


@pytest.mark.parametrize(
    "key",
    [
        *("do_resize", "do_normalize", "do_center_crop", "size", "crop_size", "resample"),
        *("image_mean", "image_std", "rescale_factor", "do_rescale"),
    ],
)
def test_a_key_that_is_missing_is_named_and_not_guessed(key: str) -> None:
    said = {k: v for k, v in tiny_clip.CLIP_PREPROCESSOR.items() if k != key}
    with pytest.raises(ModelFormatError, match=rf"preprocessor_config\.json: has no '{key}'.*not guessed"):
        from_hugging_face(Fields(said, "preprocessor_config.json"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("do_resize", False),
        ("do_center_crop", False),
        ("size", {"shortest_edge": 8}),
        ("size", {"height": 32, "width": 32}),
        ("crop_size", "32"),
        ("crop_size", 0),
        ("resample", 9),
        ("image_mean", [0.5]),
        ("image_mean", "half"),
        ("image_std", [0.5, 0.0, 0.5]),
        ("rescale_factor", 255),
    ],
)
def test_a_value_that_cannot_be_is_named(key: str, value: object) -> None:
    said = tiny_clip.CLIP_PREPROCESSOR | {key: value}
    with pytest.raises(ModelFormatError, match=rf"file: ({key}|size) is .*, not "):
        from_hugging_face(Fields(said, "file"))


def test_patches_of_any_number_are_refused() -> None:
    with pytest.raises(ModelFormatError, match="patches of any number"):
        from_hugging_face(Fields({**tiny_clip.SIGLIP_PREPROCESSOR, "max_num_patches": 256}, "file"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("resize_mode", "longest"), ("interpolation", "random"), ("mode", "L"), ("size", [1, 2, 3])],
)
def test_what_open_clip_does_and_we_do_not_is_named(key: str, value: object) -> None:
    with pytest.raises(ModelFormatError, match=f"file: {key} is"):
        from_open_clip(Fields({"size": 32, **TINY_PREPROCESS, key: value}, "file"))


# Models


def test_a_clip_folder_gives_the_vectors_of_transformers(clip: Path) -> None:
    from transformers import CLIPModel, CLIPTokenizer

    backbone = backbones.load(f"local-dir:{clip}")
    model = CLIPModel.from_pretrained(clip)
    tokenizer = CLIPTokenizer.from_pretrained(clip)
    processor = read_preprocessing(ModelFolder(clip))
    kept = {"padding": "max_length", "truncation": True, "max_length": tiny_clip.LENGTH}
    with torch.inference_mode():
        images = model(
            pixel_values=torch.from_numpy(np.stack([processor(p) for p in pictures()])),
            input_ids=torch.tensor(tokenizer(TEXTS, **kept)["input_ids"]),
        )
    assert backbone.dim == 48
    np.testing.assert_allclose(backbone.embed_images(pictures()), unit(images.image_embeds), atol=1e-5)
    np.testing.assert_allclose(backbone.embed_texts(TEXTS), unit(images.text_embeds), atol=1e-5)
    assert backbone.logit_scale == pytest.approx(float(model.logit_scale.detach().exp()))


def test_a_siglip_folder_gives_the_vectors_of_transformers(siglip: Path) -> None:
    from transformers import SiglipModel, SiglipTokenizer

    backbone = backbones.load(f"local-dir:{siglip}")
    model = SiglipModel.from_pretrained(siglip)
    tokenizer = SiglipTokenizer.from_pretrained(siglip)
    processor = read_preprocessing(ModelFolder(siglip))
    kept = {"padding": "max_length", "truncation": True, "max_length": tiny_clip.LENGTH}
    with torch.inference_mode():
        found = model(
            pixel_values=torch.from_numpy(np.stack([processor(p) for p in pictures()])),
            input_ids=torch.tensor(tokenizer(TEXTS, **kept)["input_ids"]),
        )
    assert backbone.dim == 32
    np.testing.assert_allclose(backbone.embed_images(pictures()), unit(found.image_embeds), atol=1e-5)
    np.testing.assert_allclose(backbone.embed_texts(TEXTS), unit(found.text_embeds), atol=1e-5)


def test_an_open_clip_folder_gives_the_vectors_of_open_clip(open_clip_model: Path) -> None:
    open_clip = cpu_torchvision.open_clip()
    name = f"local-dir:{open_clip_model}"
    model, _, transform = open_clip.create_model_and_transforms(name)
    tokenizer = open_clip.get_tokenizer(name)
    backbone = backbones.load(name)
    with torch.inference_mode():
        images = model.eval().encode_image(torch.stack([transform(p) for p in pictures()]))
        texts = model.encode_text(tokenizer(TEXTS))
    assert (backbone.dim, backbone.space_id[:7]) == (24, "sha256:")
    np.testing.assert_allclose(backbone.embed_images(pictures()), unit(images), atol=1e-5)
    np.testing.assert_allclose(backbone.embed_texts(TEXTS), unit(texts), atol=1e-5)


def test_a_listed_open_clip_model_is_pulled_from_its_repository(
    open_clip_model: Path, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    open_clip = cpu_torchvision.open_clip()
    listed = {"hf_hub": "org/tiny/", "url": "", **TINY_PREPROCESS, "quick_gelu": True}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "Tiny", {"seed0": listed})
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Tiny", TINY_OPEN_CLIP)
    hub.publish("org/tiny", open_clip_model)
    backbone = backbones.load("open_clip:Tiny/seed0")
    assert backbone.space_id == "org/tiny"
    assert backbones.describe("open_clip:Tiny/seed0").dim == 24
    assert np.isfinite(backbone.embed_texts(TEXTS)).all()
    plain = backbones.load(f"local-dir:{open_clip_model}")
    quick, exact = (b.embed_images(pictures()) for b in (backbone, plain))
    assert not np.allclose(quick, exact, atol=1e-6)  # the listing says which GELU it was trained with
    again = backbones.load("open_clip:Tiny/seed0", offline=True)
    assert np.array_equal(again.embed_images(pictures()), quick)


@pytest.mark.parametrize(
    ("name", "complaint"), [("ViT-B-32/nobody", r"lists no ViT-B-32/nobody.*openai"), ("ViT-Q/x", "ViT-Q")]
)
def test_a_model_that_open_clip_does_not_list_is_named(name: str, complaint: str) -> None:
    cpu_torchvision.open_clip()
    with pytest.raises(UsageError, match=complaint):
        backbones.load(f"open_clip:{name}")


def test_openai_s_checkpoints_share_the_space_of_the_named_model(
    open_clip_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = backbones.load("open_clip:ViT-B-32/openai", path=open_clip_model)
    known = backbones.describe("clip-vit-b32")
    assert (backbone.space_id, backbone.dim) == (known.space_id, known.dim)
    assert dict(backbone.preprocessing) == dict(known.preprocessing)


def test_a_hub_repository_is_pulled_and_named_after_itself(clip: Path, hub: LoopbackHub) -> None:
    commit = hub.publish("org/clip", clip)
    backbone = backbones.load("hf:org/clip")
    local = backbones.load(f"local-dir:{clip}")
    assert (backbone.space_id, backbone.backbone_id) == ("org/clip", "hf:org/clip")
    assert np.array_equal(backbone.embed_images(pictures()), local.embed_images(pictures()))
    assert np.array_equal(backbone.embed_texts(TEXTS), local.embed_texts(TEXTS))
    assert backbones.load(f"hf:org/clip@{commit}").space_id == f"org/clip@{commit}"
    asked = len(hub.requests)
    assert backbones.load("hf:org/clip", offline=True).dim == 48
    assert len(hub.requests) == asked


def test_a_hub_repository_with_older_weights_is_read(clip: Path, hub: LoopbackHub, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    old = shutil.copytree(clip, tmp_path / "old")
    torch.save(load_file(old / "model.safetensors"), old / "pytorch_model.bin")
    (old / "model.safetensors").unlink()
    hub.publish("org/old", old)
    new = backbones.load(f"local-dir:{clip}")
    np.testing.assert_array_equal(
        backbones.load("hf:org/old").embed_images(pictures()), new.embed_images(pictures())
    )


def test_a_repository_that_is_not_here_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEMEME_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelUnavailableError, match=r"sememe models pull hf:org/nothing") as caught:
        backbones.load("hf:org/nothing")
    assert caught.value.exit_code == 5


def test_describing_reads_no_weights(clip: Path, tmp_path: Path) -> None:
    copy = changed(clip, tmp_path / "clip", "config.json")
    (copy / "sememe.json").write_text('{"space_id": "org/tiny"}')
    (copy / "model.safetensors").write_bytes(b"damaged")
    found = backbones.describe(f"local-dir:{copy}")
    assert (found.space_id, found.dim) == ("org/tiny", 48)
    assert dict(found.preprocessing)["size"] == tiny_clip.SIDE


def test_the_same_weights_are_the_same_space_and_others_another(clip: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(clip, tmp_path / "copy")
    other = tiny_clip.make_clip(tmp_path / "other", seed=1)
    spaces = [backbones.describe(f"local-dir:{folder}").space_id for folder in (clip, copy, other)]
    assert spaces[0] == spaces[1] != spaces[2]


# What can be wrong


def test_damaged_weights_are_named(clip: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(clip, tmp_path / "clip")
    (copy / "model.safetensors").write_bytes(b"\0" * 50)
    with pytest.raises(ModelFormatError, match=r"clip: cannot be loaded .*pull the model again"):
        backbones.load(f"local-dir:{copy}").embed_images(pictures())


def test_weights_that_lack_what_the_configuration_describes_are_named(clip: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(clip, tmp_path / "clip")
    weights = load_file(copy / "model.safetensors")
    save_file(
        {k: v for k, v in weights.items() if "projection" not in k},
        copy / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(ModelFormatError, match="the weights lack text_projection"):
        backbones.load(f"local-dir:{copy}").embed_images(pictures())


def test_another_kind_of_model_is_named(clip: Path, tmp_path: Path) -> None:
    copy = changed(clip, tmp_path / "bert", "config.json", model_type="bert")
    with pytest.raises(ModelFormatError, match=r"model_type is 'bert', not clip or siglip"):
        backbones.load(f"local-dir:{copy}")


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_missing_file_is_named(clip: Path, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(clip, tmp_path / "clip")
    (copy / name).unlink()
    with pytest.raises(ModelUnavailableError, match=rf"clip: lacks {name}"):
        backbones.load(f"local-dir:{copy}")


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff"])
def test_damaged_json_is_named(clip: Path, tmp_path: Path, data: bytes) -> None:
    copy = shutil.copytree(clip, tmp_path / "clip")
    (copy / "preprocessor_config.json").write_bytes(data)
    with pytest.raises(ModelFormatError, match=r"preprocessor_config\.json: (no JSON|holds a list)"):
        backbones.load(f"local-dir:{copy}")


def test_an_open_clip_folder_says_how_pictures_are_resized(open_clip_model: Path, tmp_path: Path) -> None:
    said = {k: v for k, v in TINY_PREPROCESS.items() if k != "resize_mode"}
    copy = changed(open_clip_model, tmp_path / "m", "open_clip_config.json", preprocess_cfg=said)
    with pytest.raises(ModelFormatError, match=r"preprocess_cfg: has no 'resize_mode'"):
        backbones.load(f"local-dir:{copy}")


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "openvino"])
def test_a_device_that_is_not_there_is_named(clip: Path, device: str) -> None:
    if device != "openvino" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceUnavailableError, match=rf"device {device}: .*cpu"):
        backbones.load(f"local-dir:{clip}", device=device).embed_images(pictures())


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_a_library_that_is_not_installed_is_named(
    clip: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=rf"needs {missing}: pip install 'sememe\[torch\]'"):
        backbones.load(f"local-dir:{clip}")
