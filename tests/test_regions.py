"""Regions: boxes on the wire, windows, the budget, the prediction, boxes from files, and finding."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sememe import api, bitstream, errors
from sememe.bitstream import WHOLE, Box, Extension, Record, Region, extensions, pack, parse
from sememe.bitstream.regions import REGION_TAGS, pack_regions, read_regions, size_of
from sememe.metrics import unit_rows
from sememe.regions import (
    as_boxes,
    blank,
    choose,
    crop,
    decode_regions,
    draw,
    put_regions,
    read_boxes,
    regions_of,
    windows,
)
from sememe.regions.budget import Choices, spend
from sememe.regions.prediction import difference, restore
from toys import toy_codec, toy_profile, toy_vectors

# ---------------------------------------------------------------- bytes

edges = (
    st.tuples(st.integers(0, 255), st.integers(0, 255)).filter(lambda pair: pair[0] != pair[1]).map(sorted)
)
boxes = st.tuples(edges, edges).map(lambda xy: Box(xy[0][0], xy[1][0], xy[0][1], xy[1][1]))
regions = st.builds(Region, boxes, st.binary(min_size=1, max_size=250))
GOOD = bytes.fromhex("000080ff05806d1e42aa6640ffd90357f3c8")


@given(st.lists(regions, min_size=1, max_size=8))
@settings(deadline=None)
def test_regions_round_trip_in_a_file(some: list[Region]) -> None:
    record = put_regions(Record(5, b"", b"code"), some, bitstream.aspect_ratio(3, 2))
    again = parse(pack(record))
    assert regions_of(again) == some
    assert again.get(bitstream.Tag.ASPECT_RATIO) is not None
    assert regions_of(put_regions(again, some[:1])) == some[:1]


@given(st.lists(st.integers(1, 250), max_size=8))
def test_sizes_are_known_before_packing(lengths: list[int]) -> None:
    values = pack_regions(Region(WHOLE, bytes(n)) for n in lengths)
    assert size_of(lengths) == sum(2 + len(value) for value in values)
    assert all(len(value) <= 255 for value in values)


@given(st.binary(max_size=64))
def test_any_bytes_are_regions_or_one_error(value: bytes) -> None:
    try:
        found = read_regions(value)
    except errors.ExtensionError:
        return
    assert pack_regions(found) == [value]


def test_golden_bytes() -> None:
    left, right = Region(Box(0, 0, 128, 255), GOOD[5:10]), Region(Box(102, 64, 255, 217), GOOD[15:])
    assert pack_regions([left, right]) == [GOOD]
    assert read_regions(GOOD) == (left, right)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"", "empty"),
        (GOOD[:3], "ends within"),
        (GOOD[:4], "ends within"),
        (GOOD[:9], "ends within"),
        (GOOD[:13], "ends within"),
        (GOOD[:17], "ends within"),
        (b"\x80\x00\x80\xff\x01a", "box"),  # no width
        (b"\x81\x00\x80\xff\x01a", "box"),
        (b"\x00\xff\x80\xff\x01a", "box"),  # no height
        (b"\x00\x00\x80\xff\x00", "1 to 250"),
        (b"\x00\x00\x80\xff\xfb" + bytes(251), "1 to 250"),
    ],
)
def test_each_wrong_value_is_named(value: bytes, says: str) -> None:
    with pytest.raises(errors.ExtensionError, match=says):
        read_regions(value)
    for tag in REGION_TAGS:
        with pytest.raises(errors.ExtensionError):
            Record(5, b"", b"code", (Extension(tag, value[:255]),))


@pytest.mark.parametrize(
    "region",
    [
        Region(Box(0, 0, 0, 9), b"a"),
        Region(Box(-1, 0, 9, 9), b"a"),
        Region(Box(0, 0, 256, 9), b"a"),
        Region(WHOLE, b""),
        Region(WHOLE, bytes(251)),
    ],
)
def test_what_has_no_bytes_cannot_be_packed(region: Region) -> None:
    with pytest.raises(errors.ExtensionError):
        pack_regions([region])


def test_a_file_has_room_for_nine_full_values() -> None:
    full = [Region(WHOLE, bytes(250))] * len(REGION_TAGS)
    assert len(regions_of(parse(pack(put_regions(Record(5, b"", bytes(255)), full))))) == 9
    with pytest.raises(errors.UsageError, match="fewer"):
        put_regions(Record(5, b"", b"code"), [*full, full[0]])


def test_a_reader_that_knows_no_regions_skips_them(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack(put_regions(Record(5, b"", b"code"), [Region(WHOLE, b"part")]))
    monkeypatch.setattr(extensions, "_READERS", {})
    assert parse(data).payload == b"code"
    assert pack(parse(data)) == data


@given(st.tuples(*[st.floats(-0.5, 1.5)] * 4))
def test_any_edges_make_a_box(some: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = Box.of(*some)
    assert 0 <= left < right <= 255
    assert 0 <= top < bottom <= 255


def test_overlap_is_intersection_over_union() -> None:
    one = Box(0, 0, 100, 100)
    assert one.overlap(one) == 1
    assert one.overlap(Box(100, 0, 200, 100)) == one.overlap(Box(200, 200, 255, 255)) == 0
    assert one.overlap(Box(50, 0, 150, 100)) == pytest.approx(1 / 3)
    assert Box(51, 0, 102, 255).centre == (0.3, 0.5)


# ---------------------------------------------------------------- where to look


@given(st.integers(20, 4000), st.integers(20, 4000))
@settings(deadline=None, max_examples=50)
def test_windows_are_square_cover_everything_and_differ(width: int, height: int) -> None:
    found = windows(width, height)
    assert len(set(found)) == len(found) > 0
    assert WHOLE not in found
    for box in found:
        left, top, right, bottom = box.edges
        assert abs((right - left) * width - (bottom - top) * height) <= (width + height) / 255
    grid = np.zeros((255, 255), np.bool_)
    for box in found:
        grid[box.top : box.bottom, box.left : box.right] = True
    assert grid.all()


def test_windows_of_a_square_leave_out_the_whole() -> None:
    assert len(windows(100, 100)) == 3 * 3 + 4 * 4
    assert len(windows(400, 300)) == 38


def test_a_crop_is_the_square_around_a_box() -> None:
    image = Image.linear_gradient("L").resize((510, 255))
    assert crop(image, Box(0, 0, 128, 255)).size == (256, 255)  # square but for its steps
    assert crop(image, Box(0, 100, 100, 110)).size == (200, 200)
    tall = crop(image, Box(250, 0, 255, 255))
    assert tall.size == (255, 255)
    assert tall.tobytes() == image.crop((255, 0, 510, 255)).tobytes()
    assert crop(Image.new("RGB", (1, 1)), Box(254, 254, 255, 255)).size == (1, 1)


def test_boxes_from_files(tmp_path: Path) -> None:
    rows = [[0, 0, 50, 100], [20, 10, 200, 400], [0, 0, 100, 100]]
    expected = [Box(0, 0, 128, 255), Box(51, 26, 255, 255)]  # cut to the picture; the whole is left out
    mask = np.zeros((1, 100, 100), np.bool_)
    mask[0, 10:, 20:] = True
    write = {
        "rows.json": json.dumps(rows),
        "sam.json": json.dumps([{"bbox": [x, y, r - x, b - y], "area": 1} for x, y, r, b in rows]),
    }
    for name, text in write.items():
        (tmp_path / name).write_text(text)
    np.save(tmp_path / "rows.npy", np.array(rows))
    np.save(tmp_path / "masks.npy", mask)
    for name in (*write, "rows.npy"):
        assert read_boxes(tmp_path / name, 100, 100) == expected
    assert read_boxes(tmp_path / "masks.npy", 100, 100) == expected[1:]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("missing.json", None),
        ("a.json", b""),
        ("a.json", b"{}"),
        ("a.json", b"[]"),
        ("a.json", b"[[1, 2, 3]]"),
        ("a.json", b"[[1, 2, 3, NaN]]"),
        ("a.json", b"[[1, 2, 3, 1e999]]"),
        ("a.json", b"[[5, 5, 5, 9]]"),
        ("a.json", b"[[200, 0, 300, 9]]"),
        ("a.json", b'[{"box": [0, 0, 1, 1]}]'),
        ("a.json", b"[" * 100_000),
        ("a.json", b'["abcd"]'),
        ("a.npy", b"\x93NUMPY"),
        ("a.npy", np.zeros((3, 5))),
        ("a.npy", np.zeros((0, 4))),
        ("a.npy", np.zeros((2, 50, 50), np.bool_)),
        ("a.npy", np.zeros((1, 100, 100), np.bool_)),
        ("a.npy", np.zeros((1, 4), np.complex64)),
        ("a.npy", np.zeros((2000, 4))),
        ("a.npy", np.array([{"no": "pickles"}])),
    ],
)
def test_files_that_hold_no_boxes(tmp_path: Path, name: str, data: object) -> None:
    if isinstance(data, np.ndarray):
        np.save(tmp_path / name, data)
    elif isinstance(data, bytes):
        (tmp_path / name).write_bytes(data)
    with pytest.raises(errors.InputError) as caught:
        read_boxes(tmp_path / name, 100, 100)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- bytes well spent


def choices(vectors: np.ndarray, whole: np.ndarray) -> Choices:
    """Windows side by side, none near another, whose codes say half at 1 byte and all at 4."""
    half = unit_rows(vectors + unit_rows(np.random.default_rng(1).normal(size=vectors.shape)))
    where = [Box(20 * i, 0, 20 * i + 10, 10) for i in range(len(vectors))]
    estimates = np.stack([half, vectors]).astype(np.float32)
    return Choices(where, vectors.astype(np.float32), whole.astype(np.float32), estimates, (1, 4))


def test_what_the_whole_says_already_gets_no_byte_if_that_is_wanted() -> None:
    vectors = np.eye(8)[:4]
    spent = spend(choices(vectors, vectors[0]), 1000, 10, known=1.0)
    assert sorted(row for row, _ in spent) == [1, 2, 3]
    assert {length for _, length in spent} == {4}
    assert len(spend(choices(vectors, vectors[0]), 1000, 10)) == 4


def test_of_windows_on_one_thing_one_is_enough() -> None:
    vectors = np.repeat(np.eye(8)[:2], 3, axis=0)
    some = choices(vectors, np.eye(8)[7])
    near = Choices([Box(0, 0, 9, 9)] * 3 + [Box(90, 0, 99, 9)] * 3, *(
        some.vectors, some.whole, some.estimates, some.lengths
    ))  # fmt: skip
    assert {row // 3 for row, _ in spend(near, 1000, 2)} == {0, 1}
    assert len(spend(near, 1000, 10)) == 2
    assert len(spend(near, 1000, 10, near=1.1)) == 6  # each for itself


@given(st.integers(8, 200), st.integers(1, 12))
@settings(deadline=None, max_examples=20)
def test_a_budget_is_kept(budget: int, most: int) -> None:
    x = toy_vectors()[:20]
    spent = spend(choices(x, x[20 - 1]), budget, most)
    assert 1 <= len(spent) <= most
    assert size_of([length for _, length in spent]) <= budget
    assert len({row for row, _ in spent}) == len(spent)


def test_a_prediction_is_undone_exactly() -> None:
    x, whole = toy_vectors()[:50], toy_vectors()[77]
    again = restore(difference(x, whole), whole)
    np.testing.assert_allclose(again, x, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(again, axis=1), 1, atol=1e-6)
    coded = toy_profile().decode(toy_profile().encode(x, 8))
    np.testing.assert_allclose(restore(coded, whole, 0.0), coded, atol=1e-6)


def test_the_formula_of_format_md() -> None:
    y, w = toy_vectors()[1].astype(np.float64), toy_vectors()[2].astype(np.float64)
    c = y @ w
    expected = ((15 / 16 + c**2 / 16) ** 0.5 - c / 4) * y + w / 4
    np.testing.assert_allclose(
        restore(y[None].astype(np.float32), w.astype(np.float32))[0], expected, atol=1e-6
    )


# ---------------------------------------------------------------- pictures


def scene() -> Image.Image:
    """Red at the left, blue at the right, white between."""
    image = Image.new("RGB", (300, 100), "white")
    image.paste("red", (0, 0, 90, 100))
    image.paste("blue", (210, 0, 300, 100))
    return image


def test_what_is_left_and_right_is_found_there() -> None:
    codec = toy_codec(8)
    record = parse(pack(codec.encode_regions(scene(), regions=4, region_bytes=64)))
    red, blue = codec.find(record, ["red", "blue"])
    assert (red.text, blue.text) == ("red", "blue")
    assert red.best.box.edges[2] < 0.45
    assert blue.best.box.edges[0] > 0.55
    assert red.best.strength != "none"
    assert WHOLE in [match.box for match in red.matches]
    assert list(red.to_json(1)) == ["text", "strength", "matches"]
    assert codec.find(record, "red")[0] == red


@pytest.mark.parametrize(("count", "budget"), [(1, 16), (20, 400), (3, 12)])
def test_the_file_grows_by_no_more_than_was_allowed(count: int, budget: int) -> None:
    codec = toy_codec(8)
    record = codec.encode_regions(scene(), regions=count, region_bytes=budget)
    plain = codec.record(record.payload)
    assert 0 < len(pack(record)) - len(pack(plain)) <= budget
    assert 1 <= len(regions_of(record)) <= count
    assert record == codec.encode_regions(scene(), regions=count, region_bytes=budget)


def test_regions_outlive_a_shorter_payload() -> None:
    codec = toy_codec(16)
    record = codec.encode_regions(scene())
    short = api.truncate_record(record, 2)
    assert regions_of(short) == regions_of(record)
    assert codec.find(short, "red")[0].best.box.edges[2] < 0.45


def test_boxes_of_ones_own() -> None:
    codec = toy_codec(8)
    record = codec.encode_regions(scene(), boxes=[[0, 0, 90, 100], [210, 0, 300, 100]])
    assert {region.box for region in regions_of(record)} == {Box.of(0, 0, 0.3, 1), Box.of(0.7, 0, 1, 1)}
    assert codec.find(record, "blue")[0].best.box == Box.of(0.7, 0, 1, 1)


def test_decoding_needs_the_whole_code_and_the_regions_only() -> None:
    codec = toy_codec(8)
    record = codec.encode_regions(scene(), regions=2, region_bytes=200)
    vectors, where = decode_regions(codec.profile, record)
    exact = [codec.image(crop(scene(), box)) for box, _ in where[1:]]
    assert where[0] == (WHOLE, 8)
    assert (vectors[1:] * exact).sum(axis=1).min() > 0.98


@pytest.mark.parametrize("wrong", [{"regions": 0}, {"region_bytes": 11}, {"region_bytes": 1501}])
def test_numbers_out_of_range(wrong: dict[str, int]) -> None:
    with pytest.raises(errors.UsageError):
        toy_codec().encode_regions(scene(), **wrong)  # type: ignore[arg-type]


def test_what_find_refuses() -> None:
    codec = toy_codec()
    with pytest.raises(errors.InputError, match="no regions"):
        codec.find(codec.record(b"code"), "red")
    with pytest.raises(errors.UsageError, match="nothing to find"):
        codec.find(codec.encode_regions(scene()), [])
    with pytest.raises(errors.ProfileMismatchError):
        codec.find(Record(5, b"", b"code"), "red")
    with pytest.raises(errors.InputError):
        as_boxes(np.zeros((2, 3)), 9, 9, name="boxes")
    assert choose(codec.profile, b"code", [], toy_vectors()[:0], 90, 6) == []


def test_drawing_frames_what_was_found_and_nothing_else() -> None:
    codec = toy_codec(8)
    record = codec.encode_regions(scene(), regions=4, region_bytes=64)
    found = [finding for finding in codec.find(record, ["red", "qwertz"]) if finding.text == "red"]
    image = scene()
    drawn = draw(image, found)
    assert drawn.size == image.size
    assert image.tobytes() == scene().tobytes()
    assert (230, 159, 0) in {colour for _, colour in drawn.getcolors(1 << 20) or []}
    assert draw(image, []).tobytes() == image.tobytes()
    assert [blank(2.0).size, blank(0.5).size] == [(640, 320), (320, 640)]
    assert api.draw_findings(record, found).size == (640, 212)
