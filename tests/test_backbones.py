"""The door to the backbones, the toy backbone, and what every backbone promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sememe import backbones
from sememe.errors import ModelUnavailableError, UsageError
from sememe.types import Backbone


@pytest.fixture(params=backbones.BUILT_IN)
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return backbones.load(request.param)


def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    sizes = ((64, 48), (20, 300), (300, 20), (1, 1))
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def test_vectors_are_unit_float32_rows(backbone: Backbone) -> None:
    for vectors in (backbone.embed_images(pictures()), backbone.embed_texts(["a cat", "two red dogs"])):
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == backbone.dim
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_gives_no_rows(backbone: Backbone) -> None:
    assert backbone.embed_images([]).shape == (0, backbone.dim)
    assert backbone.embed_texts([]).shape == (0, backbone.dim)


def test_a_batch_gives_the_same_vectors_as_one_by_one(backbone: Backbone) -> None:
    images = pictures() * 9
    together = backbone.embed_images(images)
    alone = np.concatenate([backbone.embed_images([i]) for i in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    texts = ["snow", "a dog in the snow", "three old boats"]
    np.testing.assert_allclose(
        backbone.embed_texts(texts), np.concatenate([backbone.embed_texts([t]) for t in texts]), atol=1e-5
    )


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_every_mode_embeds(backbone: Backbone, mode: str) -> None:
    image = Image.new(mode, (30, 20))
    assert np.isfinite(backbone.embed_images([image])).all()


def test_the_same_input_gives_the_same_vectors(backbone: Backbone) -> None:
    again = backbones.load(backbone.backbone_id)
    assert np.array_equal(backbone.embed_images(pictures()), again.embed_images(pictures()))
    assert np.array_equal(backbone.embed_texts(["a cat"]), again.embed_texts(["a cat"]))


def test_the_toy_backbone_knows_colours() -> None:
    toy = backbones.load("toy/32")
    names = ["red", "lime", "blue", "white", "black"]
    images = [Image.new("RGB", (50, 40), n) for n in names]
    scores = toy.embed_images(images) @ toy.embed_texts(names).T
    assert scores.argmax(1).tolist() == list(range(len(names)))


def test_the_toy_backbone_reads_any_word() -> None:
    toy = backbones.load("toy/32")
    a, b, empty = toy.embed_texts(["quokka", "wombat", ""])
    assert abs(float(a @ b)) < 0.9
    assert np.isfinite(empty).all()


@pytest.mark.parametrize("name", backbones.KNOWN)
def test_known_weights_that_are_not_here_say_what_to_do(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEMEME_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("SEMEME_AUTO_PULL", raising=False)
    with pytest.raises(ModelUnavailableError, match=rf"{name}: .*run `sememe models pull {name}`") as caught:
        backbones.load(name)
    assert caught.value.exit_code == 5


def test_an_unknown_id_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'resnet'.*nano.*clip-vit-b32"):
        backbones.load("resnet")


def test_the_door_imports_nothing_heavy() -> None:
    code = "import sys, sememe.backbones; print({'onnxruntime', 'PIL', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
