"""Any image file becomes an upright RGB picture or one named error."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sememe.backbones.images import image_size, open_image, read_picture, to_rgb
from sememe.errors import ImageTooLargeError, InputError, UnreadableImageError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def scene(width: int = 60, height: int = 40) -> Image.Image:
    """Red top-left quarter on blue, so that every orientation looks different."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height // 2))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def close(image: Image.Image, other: Image.Image, tolerance: float = 12) -> bool:
    if image.size != other.size:
        return False
    gap = np.asarray(image, np.float32) - np.asarray(other.convert("RGB"), np.float32)
    return bool(np.abs(gap).mean() < tolerance)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_common_formats_decode_to_rgb(kind: str) -> None:
    image = open_image(encoded(scene(), kind))
    assert image.mode == "RGB"
    assert close(image, scene())


def test_path_bytes_and_stream_give_the_same_pixels(tmp_path: Path) -> None:
    data = encoded(scene())
    path = tmp_path / "a.png"
    path.write_bytes(data)
    pixels = [np.asarray(open_image(s)) for s in (path, str(path), data, io.BytesIO(data))]
    assert all(np.array_equal(p, pixels[0]) for p in pixels)


def test_a_stream_that_cannot_seek_is_read() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    assert close(open_image(Pipe(encoded(scene()))), scene())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene().transpose(turns[orientation]) if orientation in turns else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, "JPEG", exif=exif, quality=95)
    picture = read_picture(data)
    assert close(picture.image, scene())
    assert (picture.width, picture.height) == (60, 40) == image_size(data)


def test_damaged_exif_counts_as_none() -> None:
    data = encoded(scene(), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" + b"\x12" * 30)
    assert close(open_image(data), scene())


def test_unknown_orientation_counts_as_none() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert close(open_image(encoded(scene(), "JPEG", exif=exif)), scene())


def test_cmyk_jpeg() -> None:
    assert close(open_image(encoded(scene().convert("CMYK"), "JPEG", quality=95)), scene())


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_range(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    image = open_image(encoded(Image.fromarray(np.tile(ramp, (8, 1))), kind))
    values = np.asarray(image)[0, :, 0].astype(int)
    assert image.mode == "RGB"
    assert np.abs(values - np.arange(256)).max() <= 1


def test_dark_sixteen_bit_grey_stays_dark() -> None:
    image = open_image(encoded(Image.fromarray(np.full((8, 8), 2570, np.uint16))))
    assert np.asarray(image).max() == 10


def sixteen_bit_rgb_png(side: int = 4) -> bytes:
    """Write a 16-bit RGB PNG by hand: Pillow cannot."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    row = b"\x00" + struct.pack(">HHH", 65535, 32768, 0) * side
    head = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * side)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_sixteen_bit_rgb_png() -> None:
    assert open_image(sixteen_bit_rgb_png()).getpixel((1, 1)) == (255, 128, 0)


@pytest.mark.parametrize(("top", "expected"), [(1.0, 255), (255.0, 255), (65535.0, 255), (1e6, 255)])
def test_float_grey_is_scaled_by_its_nominal_range(top: float, expected: int) -> None:
    values = np.linspace(0, top, 64, dtype=np.float32).reshape(8, 8)
    values[0, 1] = np.nan
    image = to_rgb(Image.fromarray(values))
    assert image.mode == "RGB"
    assert image.getpixel((7, 7)) == (expected,) * 3
    assert image.getpixel((1, 0)) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "La", "RGBa"])
def test_transparency_is_composited_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    if mode == "La":  # Pillow gets there from grey only
        clear = clear.convert("LA")
    assert to_rgb(clear.convert(mode)).getpixel((0, 0)) == WHITE


def test_palette_with_transparency() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((0, 0), 1)
    decoded = open_image(encoded(image, "PNG", transparency=1))
    assert decoded.getpixel((0, 0)) == WHITE
    assert decoded.getpixel((1, 1)) == RED


def test_transparent_colour_of_an_rgb_png() -> None:
    image = Image.new("RGB", (4, 4), "black")
    assert open_image(encoded(image, "PNG", transparency=(0, 0, 0))).getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("mode", ["1", "L", "P", "HSV", "YCbCr"])
def test_other_modes_become_rgb(mode: str) -> None:
    assert close(to_rgb(Image.new("RGB", (8, 8), "white").convert(mode)), Image.new("RGB", (8, 8), "white"))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), c) for c in ("red", "lime", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    assert close(open_image(data), frames[0])


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (4000, 3)])
def test_extreme_aspect_ratios_open(size: tuple[int, int]) -> None:
    picture = read_picture(encoded(Image.new("RGB", size, "red")), min_side=64)
    assert (picture.width, picture.height) == size == picture.image.size


def test_draft_decodes_smaller_and_reports_the_full_size() -> None:
    data = encoded(scene(1600, 1200), "JPEG")
    picture = read_picture(data, min_side=224)
    assert (picture.width, picture.height) == (1600, 1200)
    assert 224 <= min(picture.image.size) < 1200
    assert close(picture.image, scene(*picture.image.size))


def test_draft_never_undercuts_the_short_side() -> None:
    assert read_picture(encoded(scene(3000, 250), "JPEG"), min_side=224).image.size == (3000, 250)


def test_the_reported_size_of_a_turned_draft_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_picture(encoded(scene(1600, 800), "JPEG", exif=exif), min_side=100)
    assert (picture.width, picture.height) == (800, 1600)
    assert picture.image.height > picture.image.width


def test_a_bomb_is_refused_before_decoding() -> None:
    with pytest.raises(ImageTooLargeError, match=r"^<bytes>: 60 x 40 is more than 2000 pixels"):
        open_image(encoded(scene()), max_pixels=2000)


def test_what_pillow_calls_a_bomb_is_refused_by_name(tmp_path: Path) -> None:
    data = bytearray(sixteen_bit_rgb_png())
    data[16:24] = struct.pack(">II", 60000, 60000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path = tmp_path / "bomb.png"
    path.write_bytes(data)
    for reader in (open_image, image_size):
        with pytest.raises(ImageTooLargeError, match=r"bomb\.png: the picture is too large"):
            reader(path)


def test_large_but_allowed_pictures_raise_no_warning() -> None:
    data = bytearray(sixteen_bit_rgb_png())
    data[16:24] = struct.pack(">II", 10000, 10000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    assert image_size(bytes(data)) == (10000, 10000)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_truncated_files_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    path = tmp_path / f"cut.{kind.lower()}"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImageError, match=r"cut\.[a-z]+: .*again"):
        open_image(path)


def test_an_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "nothing.jpg"
    path.touch()
    with pytest.raises(UnreadableImageError, match=r"nothing\.jpg: the file is empty"):
        open_image(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"just some text, no picture", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"%PDF-1.7 ...", "PDF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    ],
)
def test_what_is_no_image_is_refused_with_a_hint(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=rf"file\.jpg: .*{message}"):
        open_image(path)


def test_missing_file_and_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"none\.png: no such file"):
        open_image(tmp_path / "none.png")
    with pytest.raises(UnreadableImageError, match="this is a folder"):
        open_image(tmp_path)


def test_messages_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(encoded(scene())[:60])
    with pytest.raises(InputError) as caught:
        open_image(path)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_ours(data: bytes) -> None:
    with pytest.raises(InputError):
        open_image(data)


@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF"]))
def test_one_damaged_byte_opens_or_raises_ours(at: int, value: int, kind: str) -> None:
    data = bytearray(encoded(scene(), kind))
    data[at % len(data)] = value
    with contextlib.suppress(InputError):
        assert open_image(bytes(data), max_pixels=1_000_000).mode == "RGB"
