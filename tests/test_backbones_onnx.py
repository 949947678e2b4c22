"""Models as ONNX: our export against PyTorch, folders, names, the whole path from a hub to a search."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cpu_torchvision
import sememe
import tiny_clip
from loopback_hub import LoopbackHub
from sememe import backbones, hub, profile
from sememe.backbones.catalogue import CATALOGUE, space_of
from sememe.backbones.devices import onnx_providers
from sememe.backbones.openvinosession import OpenVinoSession
from sememe.backbones.tokens import TextRule
from sememe.errors import (
    DeviceUnavailableError,
    HashMismatchError,
    MissingExtraError,
    ModelFormatError,
    ModelUnavailableError,
    OfflineError,
    ProfileMismatchError,
    UsageError,
)
from sememe.zeroshot import EVERYDAY

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the vectors in ../shared/data")

TEXTS = ["", "a photo of a cat", "Zwei Hunde, ein Ball!", "one long text " * 30]
IMAGE, TEXT = "onnx/vision_model.onnx", "onnx/text_model.onnx"


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    sizes = ((64, 48), (48, 64), (33, 32), (300, 20), (31, 77))
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def exporting() -> Any:
    """The recipe, where its libraries are."""
    for name in ("torch", "transformers", "sentencepiece", "onnx"):
        pytest.importorskip(name, reason="the export needs the extras [torch] and [recipes]")
    sys.path.insert(0, str(ROOT))
    try:
        from recipes import onnx_export
    finally:
        sys.path.remove(str(ROOT))
    return onnx_export


class Exported:
    """A tiny checkpoint and its export."""

    def __init__(self, checkpoint: Path, folder: Path, said: dict[str, Any]) -> None:
        self.checkpoint, self.folder, self.said = checkpoint, folder, said


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    """Make a tiny checkpoint and export it, each kind once."""

    @cache
    def make(kind: str) -> Exported:
        recipe, folder = exporting(), tmp_path_factory.mktemp(kind)
        checkpoint = getattr(tiny_clip, f"make_{kind}")(folder / "torch")
        return Exported(checkpoint, folder / "onnx", recipe.export(str(checkpoint), folder / "onnx"))

    return make


@pytest.fixture(params=["clip", "siglip"])
def exported(request: pytest.FixtureRequest, export: Callable[[str], Exported]) -> Exported:
    return export(request.param)


@pytest.fixture
def clip(export: Callable[[str], Exported]) -> Exported:
    return export("clip")


@pytest.fixture
def copy(clip: Exported, tmp_path: Path) -> Path:
    return shutil.copytree(clip.folder, tmp_path / "model")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    """An empty hub on this machine, and an empty store."""
    with LoopbackHub({}) as hub_:
        monkeypatch.setenv("HF_ENDPOINT", hub_.endpoint)
        monkeypatch.setenv("SEMEME_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        for name in ("SEMEME_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "SEMEME_AUTO_PULL"):
            monkeypatch.delenv(name, raising=False)
        yield hub_


@pytest.fixture
def named(clip: Exported, served: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> backbones.catalogue.Entry:
    """A name of the catalogue whose repository is the tiny model on the hub of this machine."""
    served.publish("org/tiny-onnx", clip.folder)
    known = CATALOGUE["clip-vit-b16"]
    entry = replace(
        known,
        name="tiny-clip",
        space_id="org/tiny",
        dim=48,
        source=replace(known.source, repo="org/tiny-onnx", name="tiny-clip"),
        preprocessing=replace(known.preprocessing, height=32, width=32, shortest=32),
        text_rule=TextRule(length=tiny_clip.LENGTH),
    )
    monkeypatch.setitem(CATALOGUE, "tiny-clip", entry)
    monkeypatch.setattr(backbones, "KNOWN", (*backbones.KNOWN, "tiny-clip"))
    return entry


# The export


def test_onnx_gives_the_vectors_of_pytorch(exported: Exported) -> None:
    ours = backbones.load(f"onnx:{exported.folder}")
    theirs = backbones.load(f"local-dir:{exported.checkpoint}")
    np.testing.assert_allclose(ours.embed_images(pictures()), theirs.embed_images(pictures()), atol=1e-4)
    np.testing.assert_allclose(ours.embed_texts(TEXTS), theirs.embed_texts(TEXTS), atol=1e-4)
    assert (ours.space_id, ours.dim) == (theirs.space_id, theirs.dim)
    assert dict(ours.preprocessing) == dict(theirs.preprocessing)
    assert ours.logit_scale == pytest.approx(theirs.logit_scale, abs=1e-3)
    assert max(exported.said["drift"].values()) < 1e-4


def test_a_batch_gives_the_same_vectors_as_one_by_one(exported: Exported) -> None:
    backbone = backbones.load(f"onnx:{exported.folder}")
    images = pictures() * 5
    alone = np.concatenate([backbone.embed_images([image]) for image in images])
    np.testing.assert_allclose(backbone.embed_images(images), alone, atol=1e-5)
    texts = np.concatenate([backbone.embed_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(backbone.embed_texts(TEXTS), texts, atol=1e-5)


def test_vectors_are_unit_float32_rows_and_nothing_gives_none(exported: Exported) -> None:
    backbone = backbones.load(f"local-dir:{exported.folder}")
    for vectors in (backbone.embed_images(pictures()), backbone.embed_texts(TEXTS)):
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert backbone.embed_images([]).shape == backbone.embed_texts([]).shape == (0, backbone.dim)


def test_a_text_is_cut_where_the_model_s_texts_end(clip: Exported) -> None:
    backbone = backbones.load(f"onnx:{clip.folder}")
    long, longer, other = backbone.embed_texts(["cat " * 100, "cat " * 200, "dog " * 100])
    assert np.array_equal(long, longer)
    assert not np.allclose(long, other, atol=1e-3)


def test_weights_in_eight_bits_have_a_space_of_their_own(clip: Exported, tmp_path: Path) -> None:
    folder = tmp_path / "int8"
    said = exporting().export(str(clip.checkpoint), folder, space="org/known", int8=True)
    small, whole = (backbones.load(f"onnx:{name}") for name in (folder, clip.folder))
    assert said["space_id"] == small.space_id == "org/known/int8"
    cosines = (small.embed_images(pictures()) * whole.embed_images(pictures())).sum(axis=1)
    assert 0.9 < cosines.min() < 1 - 1e-6
    assert (folder / IMAGE).stat().st_size < (clip.folder / IMAGE).stat().st_size


def test_the_recipe_as_a_command(
    clip: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = exporting()
    command = ["onnx_export", "--from", str(tmp_path / "no"), "--to", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", command)
    assert recipe.main() == 5
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'no'}: no such folder")
    with pytest.raises(UsageError, match="is not a checkpoint of PyTorch"):
        recipe.export(str(clip.folder), tmp_path / "out")


def test_an_open_clip_model_is_exported_with_its_tokenizer(tmp_path: Path) -> None:
    open_clip = cpu_torchvision.open_clip()
    recipe = exporting()
    from safetensors.torch import save_file

    checkpoint = tmp_path / "torch"
    checkpoint.mkdir()
    said = {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    how = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    (checkpoint / "open_clip_config.json").write_text(json.dumps({"model_cfg": said, "preprocess_cfg": how}))
    weights = open_clip.CLIP(**json.loads(json.dumps(said))).state_dict()
    save_file({k: v.contiguous() for k, v in weights.items()}, checkpoint / "open_clip_model.safetensors")
    recipe.export(str(checkpoint), tmp_path / "onnx")
    ours, theirs = (backbones.load(name) for name in (f"onnx:{tmp_path / 'onnx'}", f"local-dir:{checkpoint}"))
    np.testing.assert_allclose(ours.embed_images(pictures()), theirs.embed_images(pictures()), atol=1e-4)
    np.testing.assert_allclose(ours.embed_texts(TEXTS), theirs.embed_texts(TEXTS), atol=1e-4)
    assert dict(ours.preprocessing) == dict(theirs.preprocessing)


# The whole path


def test_from_a_hub_to_a_search(
    named: backbones.catalogue.Entry, served: LoopbackHub, tmp_path: Path
) -> None:
    with pytest.raises(ModelUnavailableError, match="sememe models pull tiny-clip"):
        backbones.load("tiny-clip")
    with pytest.raises(OfflineError):
        hub.pull(named.source, offline=True)
    assert not served.requests

    codec = sememe.load("tiny-clip")  # by what the catalogue knows, before a file is here
    hub.pull(named.source)
    files = [tmp_path / f"{i}.png" for i in range(len(pictures()))]
    for file, picture in zip(files, pictures(), strict=True):
        picture.save(file)
    asked = len(served.requests)
    codes = codec.encode(files, nbytes=48)
    assert [len(code) for code in codes] == [48] * len(files)
    assert min(codes.cosines) > 0.9
    predictions = codec.classify(codes, "cat, dog, rocket")
    assert {p.best.label for p in predictions} <= {"cat", "dog", "rocket"}
    hits = codec.search(codes, files[3], k=1)
    assert hits[0].row == 3
    assert codec.decode(codes).shape == (len(files), 48)
    assert codec.explain(files[0], "cat, dog").to_json()
    assert len(served.requests) == asked  # what is here is not asked for again


def test_a_fitted_profile_of_a_named_model(named: backbones.catalogue.Entry, tmp_path: Path) -> None:
    hub.pull(named.source)
    backbone = backbones.load("tiny-clip")
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for _ in range(200)]
    manifest = {
        "profile_id": "tiny",
        "space_id": backbone.space_id,
        "backbone_id": "tiny-clip",
        "preprocessing": dict(backbone.preprocessing),
    }
    profile.Profile.fit(backbone.embed_images(noise), manifest=manifest).save(tmp_path / "tiny.profile")
    codec = sememe.load(tmp_path / "tiny.profile")
    codes = codec.encode(pictures(), nbytes=32)
    assert codec.search(codes, pictures()[2], k=1)[0].row == 2


def test_pulled_files_that_change_are_refused(named: backbones.catalogue.Entry) -> None:
    folder = hub.pull(named.source)
    weights = (folder / IMAGE).resolve()
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(HashMismatchError):
        backbones.load("tiny-clip")


def test_a_named_model_from_a_folder(named: backbones.catalogue.Entry, copy: Path) -> None:
    (copy / "sememe.json").unlink()
    assert backbones.load("tiny-clip", path=copy).embed_images(pictures()).shape == (5, 48)
    with pytest.raises(ModelUnavailableError, match="no such folder"):
        backbones.load("tiny-clip", path=copy / "no")


def test_files_that_say_otherwise_than_the_catalogue_are_refused(
    named: backbones.catalogue.Entry, copy: Path
) -> None:
    (copy / "sememe.json").unlink()
    said = tiny_clip.CLIP_PREPROCESSOR | {"resample": 2}
    (copy / "preprocessor_config.json").write_text(json.dumps(said))
    with pytest.raises(ModelFormatError, match=r"'bilinear'.*'bicubic'.*onnx:"):
        backbones.load("tiny-clip", path=copy)


def test_an_export_of_another_model_is_refused_under_a_name(
    named: backbones.catalogue.Entry, copy: Path
) -> None:
    with pytest.raises(ModelFormatError, match=r"holds sha256:.*, but tiny-clip is org/tiny"):
        backbones.load("tiny-clip", path=copy)
    (copy / "sememe.json").write_text('{"space_id": "org/tiny", "dim": 48}')
    assert backbones.load("tiny-clip", path=copy).backbone_id == "tiny-clip"


def test_another_space_than_the_profile_s_is_refused(clip: Exported) -> None:
    with pytest.raises(ProfileMismatchError, match="take one that fits"):
        sememe.load("clip-vit-b32", backbone=backbones.load(f"onnx:{clip.folder}"))


# The catalogue


def test_the_named_models_are_coherent() -> None:
    assert (
        set(CATALOGUE)
        == set(backbones.KNOWN)
        == {
            *("clip-vit-b32", "clip-vit-b16", "clip-vit-l14", "clip-vit-l14-336"),
            *("siglip-b16", "siglip2-b16", "mobileclip2-s0"),
        }
    )
    for name, entry in CATALOGUE.items():
        assert entry.name == entry.source.name == name
        assert {entry.image, entry.text, entry.preprocessing_file} <= set(entry.source.files)
        assert entry.source.command == f"sememe models pull {name}"
        assert all(space_of(repo) == entry.space_id for repo in (*entry.same_space, entry.space_id))
        assert backbones.describe(name).dim == entry.dim
        assert backbones.is_backbone(name)
    assert len({entry.space_id for entry in CATALOGUE.values()}) == len(CATALOGUE)


def test_the_shipped_profile_is_that_of_the_named_model() -> None:
    said = profile.load("clip-vit-b32").manifest
    known = backbones.describe("clip-vit-b32")
    assert (said["backbone_id"], said["space_id"]) == (known.backbone_id, known.space_id)
    theirs: Any = said["preprocessing"]
    assert {key: known.preprocessing[key] for key in theirs} == theirs


@pytest.mark.parametrize("name", ["onnx:", "onnx", "hf:", "resnet", "file:x", "onnx;x"])
def test_what_is_no_id_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=r"unknown backbone .*known are nano.*local-dir:\.\.\."):
        backbones.load(name)


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "cuda:x", ""])
def test_what_is_no_device_is_named(device: str) -> None:
    with pytest.raises(UsageError, match="unknown device"):
        backbones.load("onnx:.", device=device)


# What can be wrong


@pytest.mark.parametrize("name", [IMAGE, TEXT])
@pytest.mark.parametrize("data", [b"", b"\0" * 1000, None])
def test_a_damaged_network_is_named(copy: Path, name: str, data: bytes | None) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2] if data is None else data)
    backbone = backbones.load(f"onnx:{copy}")
    with pytest.raises(ModelFormatError, match=rf"{name}: no ONNX network, or damaged"):
        backbone.embed_images(pictures()) if name == IMAGE else backbone.embed_texts(TEXTS)


@pytest.mark.parametrize("name", [IMAGE, TEXT])
def test_a_missing_network_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    for scheme in ("onnx", "local-dir"):
        with pytest.raises(ModelUnavailableError, match=rf"lacks {name}.*onnx_export"):
            backbones.load(f"{scheme}:{copy}")


def test_a_folder_without_networks_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"lacks onnx/\S* and onnx/text_model\.onnx"):
        backbones.load(f"onnx:{tmp_path}")
    with pytest.raises(ModelUnavailableError, match="no such folder"):
        backbones.load("onnx:/no/such/folder")


def network(path: Path, output: str, shape: Sequence[int | str]) -> None:
    """Write a network that means its input over width, and over height unless `shape` has three axes."""
    onnx = pytest.importorskip("onnx", reason="makes networks for this test")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    axes = onnx.numpy_helper.from_array(np.array([2, 3][len(shape) - 2 :], np.int64), "axes")
    node = helper.make_node("ReduceMean", ["pixel_values", "axes"], [output], keepdims=0)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("pixel_values", floats, [shape[0], 3, 32, 32])],
        [helper.make_tensor_value_info(output, floats, list(shape))],
        [axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, path)


@pytest.mark.parametrize(
    ("output", "shape", "complaint"),
    [
        ("last_hidden_state", ["n", 3], "gives last_hidden_state, but no image_embeds"),
        (
            "pooler_output",
            ["n", 3],
            "gives pooler_output, but no image_embeds; export it with its projection",
        ),
        ("image_embeds", ["n", 3], "gives vectors of 3 numbers, but the model's are 48 long"),
        ("image_embeds", ["n", 3, 32], "not one vector of known length a row"),
        ("image_embeds", [2, 3], "takes batches of 2 only; export it with a free batch axis"),
    ],
)
def test_a_network_that_gives_no_vectors_of_the_space_is_named(
    copy: Path, output: str, shape: Sequence[int | str], complaint: str
) -> None:
    network(copy / IMAGE, output, shape)
    if shape[0] == 2:
        (copy / "sememe.json").unlink()  # which says how long vectors are
    with pytest.raises(ModelFormatError, match=complaint):
        backbones.load(f"onnx:{copy}").embed_images(pictures())


def test_a_network_for_one_picture_at_a_time_is_fed_one_at_a_time(copy: Path) -> None:
    network(copy / IMAGE, "image_embeds", [1, 3])
    (copy / "sememe.json").unlink()
    backbone = backbones.load(f"onnx:{copy}")
    alone = [backbone.embed_images([picture]) for picture in pictures()]
    assert np.array_equal(backbone.embed_images(pictures()), np.concatenate(alone))


def test_the_layout_of_immich_is_read(clip: Exported, tmp_path: Path) -> None:
    for side, name in (("visual", IMAGE), ("textual", TEXT)):
        (tmp_path / side).mkdir()
        shutil.copyfile(clip.folder / name, tmp_path / side / "model.onnx")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(clip.folder / name, tmp_path / "textual" / name)
    said = {
        "size": [32, 32],
        "mode": "RGB",
        "mean": tiny_clip.CLIP_PREPROCESSOR["image_mean"],
        "std": tiny_clip.CLIP_PREPROCESSOR["image_std"],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
        "fill_color": 0,
    }
    (tmp_path / "visual" / "preprocess_cfg.json").write_text(json.dumps(said))
    ours, other = (backbones.load(f"onnx:{folder}") for folder in (tmp_path, clip.folder))
    assert np.array_equal(ours.embed_images(pictures()), other.embed_images(pictures()))
    assert np.array_equal(ours.embed_texts(TEXTS), other.embed_texts(TEXTS))
    assert (ours.dim, ours.space_id[:7]) == (48, "sha256:")


def test_a_network_that_takes_another_size_is_named(copy: Path) -> None:
    said = tiny_clip.CLIP_PREPROCESSOR | {"size": {"shortest_edge": 48}, "crop_size": 48}
    (copy / "preprocessor_config.json").write_text(json.dumps(said))
    with pytest.raises(ModelFormatError, match=r"does not run .*take the files of one model"):
        backbones.load(f"onnx:{copy}").embed_images(pictures())


@pytest.mark.parametrize("device", ["cuda", "coreml", "mps"])
def test_a_device_that_is_not_there_is_named(copy: Path, device: str) -> None:
    import onnxruntime

    if any(device in name.lower() for name in onnxruntime.get_available_providers()):
        pytest.skip(f"this ONNX Runtime has {device}")
    with pytest.raises(DeviceUnavailableError, match=rf"device {device}: .*CPUExecutionProvider.*cpu"):
        backbones.load(f"onnx:{copy}", device=device).embed_images(pictures())


def test_openvino_gives_the_same_vectors_in_pinned_precision(exported: Exported) -> None:
    pytest.importorskip("openvino", reason="needs the extra [openvino]")
    whole, other = (
        backbones.load(f"onnx:{exported.folder}", device=device) for device in ("cpu", "openvino")
    )
    np.testing.assert_allclose(other.embed_images(pictures()), whole.embed_images(pictures()), atol=1e-4)
    np.testing.assert_allclose(other.embed_texts(TEXTS), whole.embed_texts(TEXTS), atol=1e-4)
    session = OpenVinoSession(exported.folder / IMAGE, threads=1)
    assert session.precision == "f32"
    (exported.folder / "broken.onnx").write_bytes(b"\0" * 99)
    with pytest.raises(ModelFormatError, match=r"broken\.onnx: no ONNX network, or damaged"):
        OpenVinoSession(exported.folder / "broken.onnx", threads=1)


def test_openvino_that_is_not_installed_is_named(clip: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"sememe\[openvino\]"):
        backbones.load(f"onnx:{clip.folder}", device="openvino").embed_images(pictures())


def test_the_best_device_that_is_there_is_taken() -> None:
    offered = ["CUDAExecutionProvider", "CoreMLExecutionProvider", "CPUExecutionProvider"]
    cpu = ("CPUExecutionProvider", {})
    assert onnx_providers("auto", offered)[0] == ("CUDAExecutionProvider", {})
    assert onnx_providers("auto", offered[1:]) == [("CoreMLExecutionProvider", {}), cpu]
    assert onnx_providers("auto", offered[2:]) == onnx_providers("cpu", offered) == [cpu]
    assert onnx_providers("cuda:1", offered) == [("CUDAExecutionProvider", {"device_id": "1"}), cpu]


def test_the_environment_chooses_a_device(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMEME_DEVICE", "gpu")
    with pytest.raises(UsageError, match="unknown device 'gpu'"):
        backbones.load(f"onnx:{copy}")
    assert backbones.load(f"onnx:{copy}", device="cpu").dim == 48


def test_images_need_neither_tokenizer_nor_its_library(
    clip: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert backbones.load(f"onnx:{clip.folder}").embed_images(pictures()).shape == (5, 48)


def test_onnx_loads_no_torch(clip: Exported) -> None:
    code = (
        "import sys; from PIL import Image; from sememe import backbones\n"
        f"b = backbones.load('onnx:{clip.folder}')\n"
        "b.embed_images([Image.new('RGB', (9, 9))]); b.embed_texts(['a cat'])\n"
        "print({'torch', 'transformers', 'open_clip'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


# Real vectors through the functions of a user of clip-vit-b32


class Vocabulary:
    """ViT-B/32 as far as its text vectors are here: looks up "a {name}" of 2,148 names."""

    backbone_id = "clip-vit-b32"
    logit_scale = 100.0

    def __init__(self, more: Mapping[str, np.ndarray] | None = None) -> None:
        known = backbones.describe("clip-vit-b32")
        self.space_id, self.dim, self.preprocessing = known.space_id, known.dim, known.preprocessing
        files = [
            np.load(DATA / "text" / f"{name}.npz") for name in ("lvis", "openimages", "objects365", "coco")
        ]
        self.names = [str(name).lower().replace("_", " ") for file in files for name in file["names"]]
        self.vectors = np.concatenate([file["x"] for file in files]).astype(np.float32)
        self.rows = {name: i for i, name in reversed(list(enumerate(self.names)))}
        self.rows |= {name: len(self.vectors) + i for i, name in enumerate(more or {})}
        self.vectors = np.concatenate([self.vectors, *(v[None] for v in (more or {}).values())])
        spare = [word for word in EVERYDAY if word not in self.rows]
        # chance is measured with everyday words; those that have no vector are stood in for by other names
        self.rows |= {word: i * len(self.names) // len(spare) for i, word in enumerate(spare)}

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        x = self.vectors[[self.rows[text.removeprefix("a ")] for text in texts]]
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def embed_images(self, images: Sequence[Any]) -> np.ndarray:
        raise NotImplementedError


@needs_data
def test_real_codes_are_classified_as_well_as_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero-shot on Caltech at 16 bytes, by `Codec.classify`, is what `results/quality.json` leads to expect.

    There a profile was judged that was fitted on fewer vectors than the shipped one, on the same 1,304
    pictures: they may differ by a standard error.
    """
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    split = importlib.import_module("split")
    test = split.zero_shot_caltech(split.load_split(DATA))
    vocabulary = Vocabulary(dict(zip(test.names, test.text, strict=True)))
    codec = sememe.load("clip-vit-b32", backbone=vocabulary)
    predictions = codec.classify(codec.profile.encode(test.x, 16), test.names, template="a {}")
    right = [p.best.label == test.names[y] for p, y in zip(predictions, test.y, strict=True)]
    results = json.loads((ROOT / "results" / "quality.json").read_text())
    expected = results["bytes"]["16"]["zero_shot_caltech"]
    assert (len(test.names), len(right)) == (53, 1304)
    assert np.mean(right) >= expected - np.sqrt(expected * (1 - expected) / len(right))
    assert np.mean(right) >= results["uncompressed"]["zero_shot_caltech"]


@needs_data
def test_real_codes_are_found_by_words() -> None:
    """Ten classes of CIFAR-10, fifty pictures each: what a word finds first is of its class."""
    codec = sememe.load("clip-vit-b32", backbone=Vocabulary())
    file = np.load(DATA / "vectors" / "cifar10_500.npz")
    classes = json.loads((DATA / "vectors" / "class_names.json").read_text())["cifar10_500"]
    codes = codec.profile.encode(file["test_x"].astype(np.float32), 16)
    for name in ("airplane", "horse", "truck", "ship"):
        hits = codec.search(codes, name, k=10)
        assert [classes[file["test_y"][hit.row]] for hit in hits].count(name) >= 9
        assert hits[0].strength == "strong"
