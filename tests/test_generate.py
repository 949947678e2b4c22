"""What generation needs beside the networks: noise, marks, captions, spaces, and the call for one code."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from painters import Painter
from sememe import Codec, generate
from sememe.api.generating import expected_fidelity
from sememe.api.generating import generate as draw
from sememe.errors import (
    IntegrityError,
    MissingExtraError,
    ModelUnavailableError,
    ProfileFormatError,
    ProfileMismatchError,
    ReadOnlyError,
    UnreadableImageError,
    UsageError,
    VectorError,
)
from sememe.generate import KNOWN, Generator, Mark
from sememe.generate.noise import expected_cosines, implied_norm, level_for
from sememe.generate.spaces import VIT_BIGG, VIT_H, VIT_L, same_space
from toys import plain, toy_codec, toy_profile, toy_vectors

MARK = Mark(16, "toy", "painter", 3, steps=20, fidelity=0.95, code="00ff")
FORMS = ("PNG", "JPEG", "WEBP")


# Noise


def schedule(levels: int = 1000) -> np.ndarray:
    """The cosine schedule of Nichol & Dhariwal (2021), as unCLIP uses it."""
    t = np.arange(1, levels + 1) / levels
    return np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2


@settings(deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(0, 2), spread=st.floats(0.1, 2))
def test_expected_cosines_fall_from_one_and_levels_rise(seed: int, shift: float, spread: float) -> None:
    rng = np.random.default_rng(seed)
    mean, std = shift * rng.standard_normal(64), spread * (0.5 + rng.random(64))
    vector = mean + std * rng.standard_normal(64)
    cosines = expected_cosines(vector, mean, std, schedule())
    assert cosines[0] > 0.999
    assert np.all(np.diff(cosines) <= 0)
    levels = [level_for(fidelity, cosines) for fidelity in np.linspace(1, 0.01, 100)]
    assert levels == sorted(levels)
    for fidelity in (0.99, 0.9):
        level = level_for(fidelity, cosines)
        assert cosines[level] >= fidelity
        assert level == 999 or cosines[level + 1] < fidelity


def test_expected_cosines_are_what_noise_does() -> None:
    rng = np.random.default_rng(0)
    mean, std = 0.3 * rng.standard_normal(768), 0.5 + rng.random(768)
    vector = mean + std * rng.standard_normal(768)
    cosines = expected_cosines(vector, mean, std, schedule())
    for level in (50, 300, 700):
        kept = schedule()[level]
        noise = rng.standard_normal((200, 768))
        noised = mean + std * (kept**0.5 * (vector - mean) / std + (1 - kept) ** 0.5 * noise)
        found = (noised @ vector) / np.linalg.norm(noised, axis=1) / np.linalg.norm(vector)
        assert found.mean() == pytest.approx(cosines[level], abs=0.003)


def test_the_length_that_statistics_imply_is_that_of_such_vectors() -> None:
    rng = np.random.default_rng(1)
    mean, std = rng.standard_normal(512), rng.random(512)
    vectors = mean + std * rng.standard_normal((400, 512))
    assert np.sqrt(np.square(vectors).sum(axis=1).mean()) == pytest.approx(implied_norm(mean, std), rel=0.01)


def test_an_unknown_fidelity_means_no_noise() -> None:
    assert level_for(None, np.linspace(1, 0, 10)) == 0
    assert level_for(1.0, np.array([0.999, 0.5])) == 0


# Marks


@pytest.mark.parametrize("form", FORMS)
def test_marks_survive_being_written(form: str) -> None:
    marks = [MARK, Mark(1, "naïve <&>", "g", 0)]
    data = written(marks, form)
    assert generate.read_marks(data) == marks
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        assert exif[0x010E].startswith("generated from 16 bytes, profile toy, seed 3, by painter")
        xmp = image.info["xmp"]
    text = xmp.decode() if isinstance(xmp, bytes) else xmp
    assert "digitalsourcetype/trainedAlgorithmicMedia" in text
    assert "generated from 1 byte, profile naïve &lt;&amp;&gt;, seed 0" in text


def test_png_says_it_in_text_too() -> None:
    with Image.open(io.BytesIO(written([MARK], "PNG"))) as image:
        assert image.text["Description"] == "generated from 16 bytes, profile toy, seed 3, by painter"
        assert image.text["Software"].startswith("sememe ")


@settings(deadline=None)
@given(
    marks=st.lists(
        st.builds(
            Mark,
            nbytes=st.integers(1, 255),
            profile=st.text(max_size=20),
            generator=st.text(max_size=20),
            seed=st.integers(0, 2**63 - 1),
            steps=st.none() | st.integers(1, 1000),
            fidelity=st.none() | st.floats(0, 1),
            code=st.none() | st.binary(max_size=8).map(bytes.hex),
        ),
        min_size=1,
        max_size=3,
    ),
    form=st.sampled_from(FORMS),
)
def test_any_mark_round_trips(marks: list[Mark], form: str) -> None:
    assert generate.read_marks(written(marks, form)) == marks


def test_a_photograph_has_no_mark(tmp_path: Path) -> None:
    plain("red").save(tmp_path / "red.png")
    assert generate.read_marks(tmp_path / "red.png") == []
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b'ASCII\0\0\0{"of": "another program"}'
    plain("red").save(tmp_path / "red.jpg", exif=exif)
    assert generate.read_marks(tmp_path / "red.jpg") == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"generated": 1}', '{"generated": [{"nbytes": 1}]}', '{"other": []}']
)
def test_a_damaged_mark_is_named(tmp_path: Path, text: str) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("sememe", text)
    plain("red").save(tmp_path / "red.png", pnginfo=info)
    with pytest.raises(IntegrityError, match=r"red\.png: its mark is damaged"):
        generate.read_marks(tmp_path / "red.png")


def test_marks_are_read_from_pictures_only(tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no picture")
    for name in ("no.png", "none.png"):
        with pytest.raises(UnreadableImageError, match=name):
            generate.read_marks(tmp_path / name)


def test_saving_says_what_it_cannot_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"\.png, \.jpg, \.jpeg, \.webp"):
        generate.save(plain("red"), tmp_path / "red.tiff", [MARK])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ReadOnlyError, match=r"red\.png"):
        generate.save(plain("red"), tmp_path / "red.png", [MARK])
    assert not list(tmp_path.iterdir())


def written(marks: list[Mark], form: str) -> bytes:
    buffer = io.BytesIO()
    generate.save(Image.new("RGB", (8, 8), "red"), buffer, marks, form=form)
    return buffer.getvalue()


# Captions and sheets


def test_a_caption_stands_below_the_untouched_picture() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))
    shown = generate.captioned(picture, ["generated from 16 bytes", "drawn by painter"])
    assert shown.width == 400
    assert np.array_equal(np.asarray(shown)[:300], np.asarray(picture))
    strip = np.asarray(shown)[300:]
    assert strip.min() < 100, "there are words"
    assert strip[0].min() == 255, "on white"


def test_a_small_picture_is_enlarged_until_its_caption_can_be_read() -> None:
    shown = generate.captioned(Image.new("RGB", (64, 32), "red"), ["one two three " * 10])
    assert shown.width == 256
    assert shown.getpixel((255, 127)) == (255, 0, 0)
    once = generate.captioned(Image.new("RGB", (64, 32), "red"), ["one"])
    assert shown.height > once.height, "long lines are broken"


def test_a_sheet_has_rows_and_shrinks_what_is_large() -> None:
    images = [Image.new("RGB", (1024, 1024), colour) for colour in ("red", "lime", "blue")]
    sheet = generate.contact_sheet(images, None, columns=3)
    assert sheet.size == (3 * 518 + 6, 518 + 6)
    assert [sheet.getpixel((200 + 518 * i, 200)) for i in range(3)] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    square = generate.contact_sheet(images, [["a"], ["b"], ["c"]])
    assert square.width == 2 * 518 + 6
    assert square.height > 2 * 518


# Spaces and names


def test_one_space_has_several_names() -> None:
    assert same_space("open_clip:ViT-L-14/openai", VIT_L)
    assert same_space(f"hf:{VIT_H}", "open_clip:ViT-H-14/laion2b_s32b_b79k")
    assert same_space("my-own", "my-own")
    assert not same_space(VIT_L, VIT_H)
    assert not same_space("openai/clip-vit-large-patch14-336", VIT_L)


def test_every_known_generator_draws_from_a_space_and_says_where_it_is_from() -> None:
    assert generate.default_for("nano/3") == "draw"
    for name, known in KNOWN.items():
        assert name in generate.fitting(known.space_id)
        assert "model_index.json" in known.source.files
    assert generate.fitting(VIT_H) == ["unclip-h", "ip-adapter-sd15"]
    assert generate.default_for(VIT_BIGG) == "kandinsky-2.2"
    with pytest.raises(UsageError, match=r"openai/clip-vit-base-patch32.*--generator"):
        generate.default_for("openai/clip-vit-base-patch32")


def test_what_is_not_here_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SEMEME_HOME", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("SEMEME_OFFLINE", "1")
    with pytest.raises(ModelUnavailableError, match="sememe models pull unclip-h"):
        generate.load("unclip-h")
    with pytest.raises(UsageError, match="draw, unclip-l, unclip-h"):
        generate.load("unclip-x")
    with pytest.raises(UsageError, match="complete"):
        generate.load("unclip-h", adapter="a.safetensors")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableUnCLIPImg2ImgPipeline"}')
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'sememe\[gen\]'"):
        generate.load(tmp_path)


# One code


def code_of(codec: Codec, colour: str) -> bytes:
    return codec.encode(plain(colour))[0]


def test_pictures_of_a_code_carry_its_mark() -> None:
    codec, painter = toy_codec(), Painter()
    code = code_of(codec, "red")
    two = draw(codec, code, painter, n=2, seed=7, steps=4, fidelity=0.93)
    assert [one.mark for one in two] == [
        Mark(16, "toy", "painter", seed, 4, 0.93, code.hex()) for seed in (7, 8)
    ]
    assert painter.calls == [{"seed": 7, "steps": 4, "fidelity": 0.93, "colours": None}]
    (again,) = draw(codec, code, painter, seed=8, steps=4)
    assert np.array_equal(np.asarray(again.image), np.asarray(two[1].image))
    assert two[0].to_json()["cosine"] is None
    assert (two[0].to_json()["width"], two[0].to_json()["height"]) == (64, 64)


def test_a_code_tells_how_far_it_can_be_trusted() -> None:
    codec = toy_codec()
    x = toy_vectors()[::25]
    for nbytes in (2, 4, 8):
        encoded = codec.encode_vectors(x, nbytes=nbytes)
        expected = [expected_fidelity(codec.profile, code) for code in encoded]
        assert np.mean(expected) == pytest.approx(float(encoded.cosines.mean()), abs=0.1)
    code = codec.encode_vectors(x[:1], nbytes=64)[0]
    rising = [expected_fidelity(codec.profile, code[:nbytes]) for nbytes in (1, 4, 16, 64)]
    assert rising == sorted(rising)
    assert expected_fidelity(codec.profile, bytes(codec.profile.max_bytes)) == pytest.approx(1.0)


def test_what_is_not_known_of_a_code_is_estimated_and_not_claimed() -> None:
    codec, painter = toy_codec(), Painter()
    code = code_of(codec, "red")
    (drawn,) = draw(codec, code, painter)
    assert drawn.mark.fidelity is None
    assert painter.calls[0]["fidelity"] == expected_fidelity(codec.profile, code)


def test_the_best_of_several_is_the_nearest_to_the_code() -> None:
    codec, painter = toy_codec(), Painter()
    code = code_of(codec, "red")
    every = draw(codec, code, painter, n=6)
    vectors = codec.backbone.embed_images([one.image for one in every])
    cosines = vectors @ codec.decode(code)[0]
    best = draw(codec, code, painter, n=2, best_of=3)
    assert [one.mark.seed for one in best] == [int(np.argmax(cosines[:3])), 3 + int(np.argmax(cosines[3:]))]
    assert best[0].cosine == pytest.approx(float(cosines[:3].max()), abs=1e-6)


def test_another_space_is_refused_with_what_would_fit() -> None:
    codec = toy_codec()
    with pytest.raises(
        ProfileMismatchError, match=r"draws from vectors of elsewhere, but profile toy .* toy/32"
    ):
        draw(codec, code_of(codec, "red"), Painter("elsewhere"))
    with pytest.raises(ProfileMismatchError, match="one that fits is unclip-l"):
        generate.check_space("painter", "elsewhere", "mine", VIT_L)


@pytest.mark.parametrize("options", [{"n": 0}, {"best_of": 0}, {"seed": -1}, {"steps": 0}, {"fidelity": 2.0}])
def test_options_out_of_range(options: dict[str, float]) -> None:
    codec = toy_codec()
    with pytest.raises(UsageError):
        draw(codec, code_of(codec, "red"), Painter(), **options)  # type: ignore[arg-type]


def test_a_generator_of_another_width_is_refused() -> None:
    codec = toy_codec()
    with pytest.raises(VectorError, match=r"\(n, 16\)"):
        draw(codec, code_of(codec, "red"), Painter(dim=16))


def test_best_of_needs_a_backbone() -> None:
    lone = {key: value for key, value in toy_profile().manifest.items() if key != "backbone_id"}
    codec, painter = Codec(replace(toy_profile(), manifest=lone)), Painter()
    with pytest.raises(ProfileFormatError, match="names no backbone"):
        draw(codec, code_of(toy_codec(), "red"), painter, best_of=2)
    assert painter.calls == [], "nothing is drawn in vain"
    assert draw(codec, code_of(toy_codec(), "red"), painter)


def test_the_painter_is_a_generator() -> None:
    painter: Generator = Painter()
    assert painter.takes_colours
