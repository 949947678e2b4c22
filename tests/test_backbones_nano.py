"""The built-in backbone: its files, its preprocessing, its sense."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sememe import backbones
from sememe.backbones import nano as module
from sememe.backbones.images import open_image
from sememe.backbones.nano import NanoBackbone
from sememe.errors import ModelUnavailableError, UsageError

WEIGHTS = Path(module.__file__).parent.parent / "data" / "nano"


@pytest.fixture(scope="module")
def nano() -> NanoBackbone:
    return NanoBackbone()


def photo(name: str) -> Image.Image:
    skimage = pytest.importorskip("skimage.data", reason="needs scikit-image's photographs")
    return Image.fromarray(getattr(skimage, name)()).convert("RGB")


def test_the_weights_are_small() -> None:
    assert sum(p.stat().st_size for p in WEIGHTS.iterdir()) <= 15_000_000


def test_it_says_what_it_is(nano: NanoBackbone) -> None:
    assert nano.backbone_id == "nano"
    assert nano.space_id.startswith("nano/")
    assert nano.embed_texts(["x"]).shape == (1, nano.dim)
    assert 1 < nano.logit_scale < 200
    assert nano.statistics["right_mean"] > nano.statistics["wrong_mean"]
    json.dumps(dict(nano.preprocessing))


def test_preprocessing_does_what_it_describes(nano: NanoBackbone) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 201, 3), dtype=np.uint8))
    recipe = nano.preprocessing
    side = recipe["resize"]["side"]
    square = image.crop((55, 0, 145, 90)).resize((side, side), Image.Resampling.BICUBIC)
    planes = np.asarray(square, np.float64).transpose(2, 0, 1) / 255
    expected = (planes - np.reshape(recipe["mean"], (3, 1, 1))) / np.reshape(recipe["std"], (3, 1, 1))
    np.testing.assert_allclose(nano.preprocess(image), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 4000), (4000, 2), (97, 5)])
def test_extreme_aspect_ratios_embed(nano: NanoBackbone, size: tuple[int, int]) -> None:
    vector = nano.embed_images([Image.new("RGB", size, "green")])
    assert np.isfinite(vector).all()


def test_threads_do_not_change_vectors(nano: NanoBackbone) -> None:
    image = photo("coffee")
    cosine = float((nano.embed_images([image]) * NanoBackbone(threads=2).embed_images([image])).sum())
    assert cosine > 0.99999


def test_a_drafted_jpeg_means_the_same(nano: NanoBackbone) -> None:
    cosines = []
    for name in ("astronaut", "coffee", "chelsea", "rocket", "colorwheel"):
        file = io.BytesIO()
        image = photo(name)
        image.resize((image.width * 3, image.height * 3), Image.Resampling.BICUBIC).save(
            file, "JPEG", quality=90
        )
        draft = open_image(file.getvalue(), min_side=nano.preprocessing["jpeg_draft_min_side"])
        assert draft.width < 3 * image.width
        pair = nano.embed_images([draft, open_image(file.getvalue())])
        cosines.append(float(pair[0] @ pair[1]))
    assert np.mean(cosines) >= 0.995


def test_a_frame_around_a_name_changes_little(nano: NanoBackbone) -> None:
    framed = nano.embed_texts(["a photo of a dog", "a picture of the dog", "Dog", "dogs"])
    assert (framed @ nano.embed_texts(["dog"])[0]).min() > 0.7


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("kitten", "cat", "rocket"),
        ("something to drink", "coffee", "brick wall"),
        ("outer space", "galaxy", "sandwich"),
        ("automobile", "car", "flower"),
        ("pagoda", "temple", "dog"),
        ("ukulele", "guitar", "fish"),
    ],
)
def test_text_has_sense(nano: NanoBackbone, text: str, near: str, far: str) -> None:
    wanted, other = nano.embed_texts([near, far]) @ nano.embed_texts([text])[0]
    assert wanted > other + 0.1


@pytest.mark.parametrize("text", ["", "   ", "?!", "кошка", "猫"])
def test_text_without_an_english_word_is_refused(nano: NanoBackbone, text: str) -> None:
    with pytest.raises(UsageError, match="no English word"):
        nano.embed_texts(["a cat", text])


def test_accents_and_case_do_not_matter(nano: NanoBackbone) -> None:
    a, b = nano.embed_texts(["Café", "cafe"])
    np.testing.assert_array_equal(a, b)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"nano\.json: weights are missing"):
        NanoBackbone(folder=tmp_path)


@pytest.mark.parametrize("name", ["image.onnx", "text.safetensors", "pieces.bin"])
def test_damaged_weights_are_refused(tmp_path: Path, name: str) -> None:
    shutil.copytree(WEIGHTS, tmp_path / "w")
    data = bytearray((tmp_path / "w" / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "w" / name).write_bytes(data)
    damaged = NanoBackbone(folder=tmp_path / "w")
    with pytest.raises(ModelUnavailableError, match=rf"{name}: damaged weights"):
        damaged.embed_images([Image.new("RGB", (9, 9))]) if name == "image.onnx" else damaged.embed_texts(
            ["x"]
        )


def test_one_picture_and_one_text_are_quick(nano: NanoBackbone) -> None:
    image = Image.new("RGB", (640, 480), "green")
    nano.embed_images([image])
    nano.embed_texts(["a dog"])
    start = time.process_time()
    for _ in range(10):
        nano.embed_images([image])
    middle = time.process_time()
    for i in range(100):
        nano.embed_texts([f"a dog number {i}"])
    assert (middle - start) / 10 < 0.1
    assert (time.process_time() - middle) / 100 < 0.02


LABELS = ["a cat", "a cup of coffee", "a rocket", "a brick wall", "a clock", "coins", "a motorcycle"]


def test_a_photograph_of_a_cat_is_nearer_to_cat_than_most_labels(nano: NanoBackbone) -> None:
    scores = nano.embed_images([photo("chelsea")])[0] @ nano.embed_texts(LABELS).T
    assert (scores > scores[0]).sum() <= 1


def test_load_gives_it() -> None:
    assert isinstance(backbones.load("nano"), NanoBackbone)


def saved(image: Image.Image, kind: str, **options: object) -> Image.Image:
    """Write a picture to a file and open it as the package does."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return open_image(file.getvalue())


def upright_from_exif() -> Image.Image:
    turned = photo("chelsea").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(turned, "PNG", exif=exif)


def opaque() -> Image.Image:
    image = photo("chelsea")
    image.putalpha(255)
    return saved(image, "PNG")


@pytest.mark.parametrize("make", [upright_from_exif, opaque, lambda: saved(photo("chelsea"), "TIFF")])
def test_the_same_picture_in_another_file_has_the_same_vector(nano: NanoBackbone, make: Callable) -> None:
    pair = nano.embed_images([photo("chelsea"), make()])
    np.testing.assert_allclose(pair[0], pair[1], atol=1e-5)


def test_grey_is_seen_as_grey_in_three_colours(nano: NanoBackbone) -> None:
    grey = photo("chelsea").convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    rows = nano.embed_images([grey.convert("RGB"), saved(grey, "PNG"), saved(deep, "PNG")])
    np.testing.assert_allclose(rows[1:], rows[[0, 0]], atol=1e-5)


def test_transparency_is_seen_on_white(nano: NanoBackbone) -> None:
    cut_out = photo("chelsea")
    mask = Image.new("L", cut_out.size, 0)
    mask.paste(255, (100, 50, 300, 250))
    white = Image.new("RGB", cut_out.size, "white")
    white.paste(cut_out, mask=mask)
    cut_out.putalpha(mask)
    pair = nano.embed_images([white, saved(cut_out, "PNG")])
    np.testing.assert_allclose(pair[0], pair[1], atol=1e-5)
