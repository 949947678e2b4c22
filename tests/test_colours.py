"""The colour layout: what it measures, the bytes that FORMAT.md lays down, and values that nobody wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from sememe import api, bitstream
from sememe.bitstream import Record, Tag, colour_layout
from sememe.bitstream.colours import COUNT, LIMIT, MAX_BYTES, measure, pack_colours, paint, read_colours
from sememe.cli import main
from sememe.errors import ExtensionError, UnreadableImageError

GOLDEN = {
    (0,) * COUNT: "7fffffff7c34",
    (-9, 3, -25, 0, -1, 0, 26, 0, 7, *(0,) * 13): "2e2b4d76f6edc9e7dcac",
}

quick = settings(deadline=None, max_examples=20)
small = hnp.arrays(np.int64, COUNT, elements=st.integers(-2, 2))
any_steps = hnp.arrays(np.int64, COUNT, elements=st.integers(-LIMIT, LIMIT))


def landscape() -> np.ndarray:
    """A blue sky over a green field, twice as large as it need be."""
    picture = np.zeros((1, 128, 128, 3), np.uint8)
    picture[:, :64] = (40, 90, 200)
    picture[:, 64:] = (0, 160, 0)
    return picture


def test_the_bytes_of_the_format_page() -> None:
    for steps, value in GOLDEN.items():
        assert pack_colours(np.array(steps)).hex() == value
        assert read_colours(bytes.fromhex(value)).tolist() == list(steps)


@quick
@given(small)
def test_small_steps_come_back(steps: np.ndarray) -> None:
    value = pack_colours(steps)
    assert len(value) <= MAX_BYTES
    np.testing.assert_array_equal(read_colours(value), steps)


@quick
@given(any_steps)
def test_what_does_not_fit_loses_its_finest_steps(steps: np.ndarray) -> None:
    found = read_colours(pack_colours(steps))
    kept = int(np.flatnonzero(found).max(initial=-1)) + 1
    np.testing.assert_array_equal(found[:kept], steps[:kept])


@quick
@given(st.binary(max_size=24))
def test_any_bytes_are_one_layout_or_a_named_error(value: bytes) -> None:
    try:
        steps = read_colours(value)
    except ExtensionError:
        return
    assert pack_colours(steps) == value


def test_the_largest_steps() -> None:
    for steps in (np.full(COUNT, LIMIT), np.full(COUNT, -LIMIT), np.resize([LIMIT, -LIMIT], COUNT)):
        value = pack_colours(steps)
        assert len(value) <= MAX_BYTES
        assert read_colours(value)[0] == steps[0]


@pytest.mark.parametrize("steps", [np.zeros(21, int), np.zeros((1, 22), int), np.full(22, LIMIT + 1)])
def test_what_is_not_22_steps_is_refused(steps: np.ndarray) -> None:
    with pytest.raises(ExtensionError, match="22 steps"):
        pack_colours(steps)


def test_values_that_no_writer_writes() -> None:
    value = pack_colours(measure(landscape())[0])
    with pytest.raises(ExtensionError, match="at most 16 bytes"):
        read_colours(bytes(17))
    with pytest.raises(ExtensionError, match="is not a colour layout"):
        read_colours(value + b"\0")
    with pytest.raises(ExtensionError, match="is not a colour layout"):
        read_colours(value + b"\1")


def test_a_layout_is_seen_again() -> None:
    steps = measure(landscape())
    painted = paint(steps)[0].astype(int)
    assert painted.shape == (64, 64, 3)
    assert painted[8, 32, 2] - painted[8, 32, 1] > 60  # blue above
    assert painted[56, 32, 1] - painted[56, 32, 2] > 60  # green below
    mirrored = measure(landscape()[:, :, ::-1])
    np.testing.assert_array_equal(mirrored, steps)
    assert abs(painted.mean((0, 1)) - landscape().mean((0, 1, 2))).max() < 8


def test_in_a_file() -> None:
    field = colour_layout(measure(landscape())[0])
    assert field.tag == Tag.COLOURS == 6
    record = Record(5, b"", bytes(range(16)), (field,))
    data = bitstream.pack(record)
    assert bitstream.parse(data).get(Tag.COLOURS) == field.value
    assert len(data) == 24 + 3 + len(field.value)


def test_a_file_with_a_wrong_layout_is_refused() -> None:
    with pytest.raises(ExtensionError, match="colour layout"):
        Record(5, b"", bytes(16), (bitstream.Extension(Tag.COLOURS, bytes(17)),))


def test_a_picture_s_layout_is_kept_beside_its_code(tmp_path: Path) -> None:
    """The centre square counts, an older layout goes, and what is not a picture is named."""
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, 32:96] = (250, 20, 20)
    path = tmp_path / "wide.png"
    Image.fromarray(wide).save(path)
    plain = Record(5, b"", bytes(16), (bitstream.pixel_size(128, 64),))
    record = api.with_colours(plain, path)
    assert [field.tag for field in record.extensions] == [Tag.PIXEL_SIZE, Tag.COLOURS]
    assert api.with_colours(record, wide) == record
    red, green, blue = paint(read_colours(record.get(Tag.COLOURS) or b"")[None])[0].mean((0, 1))
    assert red > 200
    assert max(green, blue) < 60
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableImageError, match=r"no\.png"):
        api.with_colours(plain, tmp_path / "no.png")


def test_encode_colours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "field.png"
    Image.fromarray(landscape()[0]).save(path)
    target = tmp_path / "field.sem"
    assert main(["encode", str(path), "-o", str(target), "--colours"]) == 0
    assert api.read_sem(target).get(Tag.COLOURS) == api.colour_field(path).value
    for wrong in (["-o", str(tmp_path / "x.sems")], [], ["-o", str(target), "--regions", "2"]):
        assert main(["encode", str(path), "--colours", *wrong]) == 2
        assert "--colours goes into plain .sem files only" in capsys.readouterr().err
    assert main(["encode", "-", "--colours", "-o", str(target)]) == 2
