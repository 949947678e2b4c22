"""Image codecs: real files, honest sizes, headers that can be put back, and rates between settings."""

from __future__ import annotations

import importlib
import io
import math
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter, features

from sememe import backbones, metrics
from sememe.errors import FormatError, MissingExtraError, TruncatedError, UnreadableImageError, UsageError
from sememe.evaluate.imagecodecs import (
    FAMILIES,
    FORMATS,
    Crossing,
    Packer,
    Setting,
    Sizes,
    centre_square,
    decode,
    encode,
    join,
    rate_at,
    require,
    split,
)

ROOT = Path(__file__).resolve().parents[1]
SIGNATURES: dict[str, Callable[[bytes], bool]] = {
    "jpeg": lambda file: file.startswith(b"\xff\xd8\xff") and file.endswith(b"\xff\xd9"),
    "webp": lambda file: file[:4] + file[8:12] == b"RIFFWEBP",
    "avif": lambda file: file[4:12] == b"ftypavif",
    "jxl": lambda file: file.startswith(b"\xff\x0a"),
    "pixels": lambda file: True,
}


def picture(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Soft blobs of colour: something for a codec to work with."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.DETAIL)


@cache
def sample(name: str) -> bytes:
    return encode(picture(12), Setting(name, 10, 16))


def here(name: str) -> str:
    try:
        require(name)
    except MissingExtraError as error:
        pytest.skip(str(error))
    return name


@pytest.fixture(params=FORMATS)
def name(request: pytest.FixtureRequest) -> str:
    return here(request.param)


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


# Files


def test_a_file_round_trips_and_is_of_its_format(name: str) -> None:
    setting = Setting(name, 90)
    file = encode(picture(0), setting)
    assert isinstance(file, bytes)
    assert SIGNATURES[setting.family](file)
    back = decode(file, setting, (64, 64))
    assert (back.mode, back.size) == ("RGB", (64, 64))
    assert distance(back, picture(0)) < 6 < distance(back, picture(1))


def test_lower_quality_and_smaller_sides_take_fewer_bytes(name: str) -> None:
    sides = [len(encode(picture(2), Setting(name, 40, side))) for side in (8, 16, 32, 64)]
    assert sides == sorted(set(sides))
    low, high = (len(encode(picture(2), Setting(name, quality))) for quality in (0, 80))
    assert low == high if name == "pixels" else low < high


def test_what_is_decoded_depends_on_the_bytes_alone(name: str) -> None:
    setting = Setting(name, 20, 16)
    one, other = (encode(picture(seed), setting) for seed in (3, 4))
    assert one != other
    shown = decode(one, setting, (64, 64))
    assert distance(shown, picture(3)) < distance(shown, picture(4))
    assert shown.tobytes() == decode(one, Setting(name), (64, 64)).tobytes()


def test_a_thumbnail_keeps_its_shape_and_is_never_enlarged(name: str) -> None:
    if name == "pixels":
        pytest.skip("raw pixels are squares")
    wide = picture(5, (96, 48))
    for side, size in ((12, (24, 12)), (48, (96, 48)), (500, (96, 48))):
        file = encode(wide, Setting(name, 50, side))
        with Image.open(io.BytesIO(file)) as image:
            assert image.size == size
        assert decode(file, Setting(name, 50, side), wide.size).size == wide.size


def test_formats_of_one_family_show_the_same_pixels() -> None:
    shown = {
        name: decode(encode(picture(6), Setting(name, 15)), Setting(name), (64, 64)).tobytes()
        for name in ("jpeg", "jpeg-optimised", "jpeg-progressive")
    }
    assert len(set(shown.values())) == 1


def test_a_file_holds_pixels_only(name: str) -> None:
    marked = picture(7)
    marked.info |= {"comment": b"x" * 500, "dpi": (300, 300), "icc_profile": b"y" * 500}
    exif = marked.getexif()
    exif[270] = "z" * 500
    assert encode(marked, Setting(name, 30)) == encode(picture(7), Setting(name, 30))


def test_every_mode_is_coded_as_its_colours(name: str) -> None:
    grey = picture(8).convert("L")
    assert encode(grey, Setting(name, 30)) == encode(grey.convert("RGB"), Setting(name, 30))


def test_raw_pixels_take_two_bytes_each_and_keep_their_levels() -> None:
    flat = Image.new("RGB", (64, 64), (255, 130, 0))
    file = encode(flat, Setting("pixels", side=4))
    assert file == bytes([0x00, 0xFC]) * 16  # 31, 32, 0 in 5, 6 and 5 bits, low byte first
    assert decode(file, Setting("pixels"), (64, 64)).getpixel((9, 9)) == (255, 130, 0)


def test_the_centre_square_is_what_the_backbone_looks_at() -> None:
    wide = picture(9, (101, 64))
    square = centre_square(wide)
    assert square.size == (64, 64)
    nano = backbones.load("nano")
    one, other = nano.embed_images([wide, square])
    assert metrics.cosine(one[None], other[None])[0] == pytest.approx(1, abs=1e-5)


# Wrong input


@pytest.mark.parametrize(
    "make",
    [
        lambda: Setting("bpg"),
        lambda: Setting("jpeg", 101),
        lambda: Setting("jpeg", -1),
        lambda: Setting("jpeg", 50, 0),
        lambda: require("gif"),
        lambda: split(b"", "gif"),
        lambda: encode(np.zeros((8, 8, 3), np.uint8), Setting("jpeg")),
        lambda: encode(Image.new("RGB", (0, 8)), Setting("jpeg")),
        lambda: encode(picture(0, (8, 9)), Setting("pixels")),
        lambda: Packer.learn([b"12", b"34"], "pixels"),
        lambda: Sizes.of([]),
    ],
)
def test_wrong_calls_have_a_named_error(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        make()


@pytest.mark.parametrize("damage", [lambda f: b"", lambda f: b"nothing", lambda f: f[: len(f) // 3]])
def test_what_is_no_file_has_a_named_error(name: str, damage: Callable[[bytes], bytes]) -> None:
    file = damage(encode(picture(1), Setting(name, 30)))
    if name == "pixels" and file and len(file) == 2 * math.isqrt(len(file) // 2) ** 2:
        pytest.skip("any square number of pixels is a square of pixels")
    with pytest.raises(UnreadableImageError):
        decode(file, Setting(name), (64, 64))


def test_a_missing_plug_in_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(MissingExtraError, match=r"pillow-jxl-plugin.*sememe\[eval\]"):
        encode(picture(0), Setting("jxl", 10))


@pytest.mark.parametrize("name", ["webp", "avif"])
def test_a_pillow_without_the_codec_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: False)
    with pytest.raises(MissingExtraError, match=f"without {name.upper()}"):
        encode(picture(0), Setting(name))


# Headers


def test_header_and_payload_are_the_file_again(name: str) -> None:
    for seed, quality, side in ((0, 0, 8), (1, 30, 16), (2, 75, None)):
        file = encode(picture(seed), Setting(name, quality, side))
        header, payload = split(file, name)
        assert join(header, payload, name) == file


def test_the_header_is_the_same_for_every_picture(name: str) -> None:
    files = [encode(picture(seed), Setting(name, 20, 16)) for seed in range(12)]
    headers = {split(file, name)[0] for file in files}
    assert len(headers) == 1
    expected = {"jpeg": 620, "avif": 280, "webp": 7, "jxl": 2, "pixels": 0}[FORMATS[name].family]
    if name == "jpeg" or FORMATS[name].family != "jpeg":
        assert len(headers.pop()) >= expected


def test_a_payload_under_another_pictures_header_shows_its_own_picture(name: str) -> None:
    one, other = (encode(picture(seed), Setting(name, 40, 32)) for seed in (10, 11))
    file = join(split(other, name)[0], split(one, name)[1], name)
    assert file == one
    assert distance(decode(file, Setting(name), (64, 64)), picture(10)) < 30


def test_headers_of_other_files_are_refused(name: str) -> None:
    if name == "pixels":
        pytest.skip("raw pixels have no header")
    for file in (b"", b"nothing at all, but long enough to look into", b"\xff\xd8" + bytes(40)):
        with pytest.raises(FormatError):
            split(file, name)


@given(at=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("damaged", ["jpeg", "jpeg-optimised", "webp", "avif"])
def test_damaged_files_split_or_are_refused(damaged: str, at: int, value: int, cut: int) -> None:
    file = bytearray(sample(damaged))
    file[at % len(file)] = value
    short = bytes(file[: len(file) - cut % 5 * (cut % len(file))])
    try:
        header, payload = split(short, damaged)
    except FormatError:
        return
    assert join(header, payload, damaged) == short


# Messages


def test_a_message_gives_back_its_file_and_is_smaller(name: str) -> None:
    setting = Setting(name, 10, 16)
    files = [encode(picture(seed), setting) for seed in range(30)]
    packer = Packer.learn(files[:24], name)
    for file in files[24:]:
        message = packer.pack(file)
        assert packer.unpack(message) == file
        assert len(message) == len(file) if name == "pixels" else len(message) < len(file)


@pytest.mark.parametrize("way", ["cut", "dictionary"])
def test_both_ways_of_packing_are_exact(name: str, way: str) -> None:
    files = [encode(picture(seed), Setting(name, 10, 16)) for seed in range(8)]
    shared = split(files[0], name)[0] if way == "cut" else b"".join(files[:6])
    packer = Packer(way, name, shared)  # type: ignore[arg-type]
    for file in files[6:]:
        assert packer.unpack(packer.pack(file)) == file


def test_the_shorter_way_is_taken() -> None:
    for name, way in (("jpeg", "cut"), ("pixels", "cut"), (here("jxl"), "dictionary")):
        files = [encode(picture(seed), Setting(name, 5, 16)) for seed in range(24)]
        assert Packer.learn(files, name).way == way


def test_files_of_two_sizes_have_no_common_header() -> None:
    files = [encode(picture(seed), Setting("jpeg", 10, 8 + 8 * (seed % 2))) for seed in range(6)]
    with pytest.raises(FormatError, match="2 different headers"):
        Packer.learn(files, "jpeg")
    packer = Packer.learn(files[::2], "jpeg")
    with pytest.raises(FormatError, match="another header"):
        packer.pack(files[1])


def test_damaged_messages_have_a_named_error() -> None:
    packer = Packer("dictionary", "webp", b"RIFF....WEBPVP8 " * 4)
    message = packer.pack(encode(picture(0), Setting("webp", 10, 16)))
    with pytest.raises(TruncatedError):
        packer.unpack(message[:-3])
    with pytest.raises(FormatError):
        packer.unpack(b"\xff" * 20)


# Rates


def test_sizes_are_lengths() -> None:
    messages = [bytes(n) for n in range(1, 101)]
    sizes = Sizes.of(messages)
    assert sizes == Sizes(50.5, np.percentile(range(1, 101), 5), np.percentile(range(1, 101), 95), 100)
    assert sizes.bpp(404) == pytest.approx(1.0)


def test_a_rate_is_interpolated_on_measured_points() -> None:
    points = [(100.0, 0.5), (400.0, 0.7), (50.0, 0.1)]
    assert rate_at(points, 0.5) == Crossing(100.0, "between")
    found = rate_at(points, 0.6)
    assert (found.how, round(found.nbytes, 6)) == ("between", 200.0)
    assert rate_at(points, 0.05) == Crossing(50.0, "at most")
    never = rate_at(points, 0.8)
    assert never.how == "never"
    assert math.isnan(never.nbytes)


def test_a_setting_that_a_smaller_one_beats_does_not_count() -> None:
    points = [(10.0, 0.2), (20.0, 0.6), (30.0, 0.4), (40.0, 0.6), (80.0, 0.8)]
    assert rate_at(points, 0.7) == rate_at([points[0], points[1], points[4]], 0.7)


@given(
    points=st.lists(st.tuples(st.floats(1, 1e4), st.floats(0, 1)), min_size=1, max_size=12),
    target=st.floats(0, 1),
)
def test_a_rate_lies_among_the_settings_that_enclose_it(
    points: list[tuple[float, float]], target: float
) -> None:
    found = rate_at(points, target)
    enough = [nbytes for nbytes, figure in points if figure >= target]
    assert (found.how == "never") == (not enough)
    if enough:
        assert min(nbytes for nbytes, _ in points) * (1 - 1e-9) <= found.nbytes <= min(enough) * (1 + 1e-9)


def test_no_family_is_without_a_format() -> None:
    assert {made.family for made in FORMATS.values()} == set(FAMILIES)


# The benchmark that is built on them


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return importlib.import_module


def row(family: str, nbytes: float, right: np.ndarray, cosine: float) -> dict[str, object]:
    sizes = {"mean": nbytes}
    return {
        "family": family,
        "nbytes": nbytes,
        "bytes": {"message": sizes, "file": {"mean": nbytes + 100}},
        **dict.fromkeys(("agreement", "recall_at_10", "cosine"), cosine),
        "zero_shot": float(right.mean()),
        "right": np.packbits(right).tobytes().hex(),
    }


def test_the_share_is_taken_at_the_interpolated_rate(bench: Callable[[str], ModuleType]) -> None:
    hits = np.arange(100) % 100
    ours = [row("sememe", 16, hits < 60, 0.9)]
    rows = [row("jpeg", 100, hits < 40, 0.5), row("jpeg", 400, hits < 80, 0.8)]
    found = bench("picture_reach").reached(ours, rows, 100)
    assert set(found) == {"jpeg"}
    reached = found["jpeg"]["message"]["zero_shot"]
    assert (reached["how"], reached["bytes"], reached["our_share"]) == ("between", 200.0, 0.08)
    low, high = reached["bytes_5_95"]
    assert 100 < low < 200 < high < 400
    assert found["jpeg"]["message"]["cosine"] == {"how": "never", "best": 0.8}
    assert found["jpeg"]["file"]["zero_shot"]["our_share"] == pytest.approx(
        116 / (200 * 500) ** 0.5, abs=1e-4
    )


def test_a_rate_never_reached_has_no_upper_end(bench: Callable[[str], ModuleType]) -> None:
    hits = np.arange(100)
    found = bench("picture_reach").reached(
        [row("sememe", 16, hits < 60, 0.9)], [row("jpeg", 100, hits < 20, 0.5)], 100
    )
    assert found["jpeg"]["message"]["zero_shot"] == {"how": "never", "best": 0.2, "bytes_5_95": [None, None]}


def test_rows_of_other_pictures_are_not_taken_up(bench: Callable[[str], ModuleType], tmp_path: Path) -> None:
    codecs, path, who = bench("picture_codecs"), tmp_path / "found.json", {"pictures": "abc"}
    assert codecs.stored(path, who) == codecs.stored(None, who) == {"codecs": []}
    codecs.keep(path, {"identity": who, "codecs": [{"format": "jpeg"}]})
    assert codecs.stored(path, who)["codecs"] == [{"format": "jpeg"}]
    assert codecs.stored(path, {"pictures": "abd"}) == {"codecs": []}


def test_every_setting_of_the_benchmark_is_one(bench: Callable[[str], ModuleType]) -> None:
    found = list(bench("picture_codecs").settings())
    assert len(found) == len(set(found))
    assert {setting.family for setting in found} == set(FAMILIES)


def test_pictures_that_look_alike_are_embedded_once(bench: Callable[[str], ModuleType]) -> None:
    class Counting:
        seen = 0

        def embed_images(self, images: list[Image.Image]) -> np.ndarray:
            self.seen += len(images)
            return backbones.load("toy/32").embed_images(images)

    backbone = Counting()
    embed = bench("picture_codecs").Embedder(backbone)
    first = embed([picture(0), picture(1)])
    again = embed([picture(1), picture(2), picture(0)])
    assert backbone.seen == 3
    assert np.array_equal(first, again[[2, 0]])


def test_the_tables_of_the_page_are_the_measured_ones(bench: Callable[[str], ModuleType]) -> None:
    text = (ROOT / "docs" / "codecs.md").read_text(encoding="utf-8")
    assert "<!-- table:codecs_reach -->" in text
    assert bench("table").fill(text) == text
