from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sememe import bitstream, errors
from sememe.api.exif import read_taken
from sememe.api.packets import make_packet
from sememe.bitstream import EXTRAS, Extension, Record, Tag, pack_packet, packet_budget, parse_packet
from toys import toy_codec
from workbench import TOY, Bench, picture

CODE = bytes.fromhex("c4a1f07e5b3399d2")
TIME, PLACE = bitstream.time_taken(1_700_000_000), bitstream.position(48.8584, 2.2945)
ALL = (
    bitstream.aspect_ratio(4000, 3000),
    bitstream.pixel_size(4000, 3000),
    TIME,
    PLACE,
    Extension(Tag.FIDELITY, b"\x3c"),
)

# The bytes are literals: a change here is a change of the format.
PACKETS = {
    "05 c4a1f07e5b3399d2": Record(5, b"", CODE),
    "85 0c 6553f100 457ccd01a1b3 c4a1f07e5b3399d2": Record(5, b"", CODE, (TIME, PLACE)),
    "80 deadbeef 1f 8d 0fa00bb8 6553f100 457ccd01a1b3 3c c4a1f07e": Record(
        0, b"\xde\xad\xbe\xef", CODE[:4], ALL
    ),
}


def tags(record: Record) -> list[Tag]:
    return [Tag(tag) for tag, _ in record.extensions]


# the format


@pytest.mark.parametrize("text", PACKETS)
def test_golden_bytes(text: str) -> None:
    record = PACKETS[text]
    assert pack_packet(record, tags(record)).hex() == text.replace(" ", "")
    assert parse_packet(bytes.fromhex(text)) == record


def test_the_examples_of_format_md_are_these_packets() -> None:
    text = (Path(__file__).parent.parent / "FORMAT.md").read_text("utf-8")
    part = text[text.index("### Examples of packets") : text.index("## Fidelity byte")]
    assert [line.strip() for line in part.splitlines() if line.startswith("    ")] == list(PACKETS)


@st.composite
def carried(draw: st.DrawFn) -> Record:
    custom = draw(st.booleans())
    fields = {
        Tag.ASPECT_RATIO: st.binary(min_size=1, max_size=1).map(lambda v: Extension(Tag.ASPECT_RATIO, v)),
        Tag.PIXEL_SIZE: st.builds(bitstream.pixel_size, *[st.integers(1, 65_535)] * 2),
        Tag.TIME_TAKEN: st.integers(0, 2**32 - 1).map(bitstream.time_taken),
        Tag.POSITION: st.builds(bitstream.position, st.floats(-90, 90), st.floats(-180, 180)),
        Tag.FIDELITY: st.binary(min_size=1, max_size=1).map(lambda v: Extension(Tag.FIDELITY, v)),
    }
    there = sorted(draw(st.sets(st.sampled_from(list(fields)))))
    return Record(
        0 if custom else draw(st.integers(1, 127)),
        draw(st.binary(min_size=4, max_size=4)) if custom else b"",
        draw(st.binary(min_size=1, max_size=255)),
        tuple(draw(fields[tag]) for tag in there),
    )


@settings(deadline=None)
@given(carried())
def test_what_a_packet_carries_comes_back_in_the_planned_bytes(record: Record) -> None:
    data = pack_packet(record, tags(record))
    assert parse_packet(data) == record
    budget = packet_budget(len(data), custom=record.profile == 0, extras=tags(record))
    assert budget == (len(data) - budget.extras - len(record.payload), budget.extras, len(record.payload))


@settings(deadline=None)
@given(carried())
def test_no_packet_with_extras_is_read_when_it_is_cut_before_its_code(record: Record) -> None:
    data = pack_packet(record, tags(record))
    for length in range(len(data) - len(record.payload) + 1):
        with pytest.raises(errors.TruncatedError):
            parse_packet(data[:length])


@settings(deadline=None)
@given(st.binary(max_size=40).map(lambda tail: b"\x85" + tail))
def test_any_bytes_are_a_packet_or_one_of_our_errors(data: bytes) -> None:
    try:
        record = parse_packet(data)
    except errors.FormatError:
        return
    assert pack_packet(record, tags(record)) == data


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("85", errors.TruncatedError),
        ("80deadbe", errors.TruncatedError),
        ("80deadbeef", errors.TruncatedError),
        ("8520ab", errors.FlagError),
        ("85ffab", errors.FlagError),
        ("8500ab", errors.ExtensionError),
        ("850200000bb8ab", errors.ExtensionError),
        ("8508800000000000ab", errors.ExtensionError),
        ("850c6553f100457ccd01a1b3", errors.TruncatedError),
        ("85018d" + 256 * "00", errors.LengthError),
    ],
)
def test_each_wrong_packet_has_its_name(text: str, error: type[errors.FormatError]) -> None:
    with pytest.raises(error) as caught:
        parse_packet(bytes.fromhex(text))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    "field",
    [bitstream.time_taken(-1), bitstream.time_taken(2**32), bitstream.pixel_size(65_536, 1)],
)
def test_what_has_no_place_in_a_packet_is_refused(field: Extension) -> None:
    with pytest.raises(errors.ExtensionError):
        pack_packet(Record(5, b"", CODE, (field,)), [Tag(field.tag)])


def test_what_is_not_there_cannot_be_carried() -> None:
    with pytest.raises(errors.ExtensionError):
        pack_packet(Record(5, b"", CODE), [Tag.TIME_TAKEN])
    regions = Extension(Tag.COLOURS, b"")
    with pytest.raises(errors.ExtensionError):
        pack_packet(Record(5, b"", CODE, (regions,)), [Tag.COLOURS])


# what a photograph says of itself


def photo(**fields: object) -> bytes:
    """A JPEG with EXIF data: `time`, `offset`, and `gps` by tag."""
    exif = Image.Exif()
    camera = {0x9003: fields.get("time"), 0x9011: fields.get("offset")}
    exif.get_ifd(0x8769).update({tag: value for tag, value in camera.items() if value is not None})
    exif.get_ifd(0x8825).update(fields.get("gps", {}))  # type: ignore[call-overload]
    file = io.BytesIO()
    Image.new("RGB", (48, 32), "red").save(file, "JPEG", exif=exif)
    return file.getvalue()


PARIS = {1: "N", 2: (48.0, 51.0, 30.24), 3: "E", 4: (2.0, 17.0, 40.2)}
SATELLITES = {7: (10.0, 30.0, 1.5), 29: "2024:05:01"}


def test_a_camera_with_a_time_zone_is_believed() -> None:
    found = read_taken(photo(time="2024:05:01 12:30:00", offset="+02:00", gps=PARIS | SATELLITES))
    assert found.time == datetime(2024, 5, 1, 10, 30, tzinfo=UTC)
    assert found.zone_known
    assert found.position == pytest.approx((48.8584, 2.2945))


def test_satellites_know_the_time_better_than_a_camera_without_zone() -> None:
    found = read_taken(photo(time="2024:05:01 12:30:00", gps=SATELLITES))
    assert (found.time, found.zone_known) == (datetime(2024, 5, 1, 10, 30, 1, 500_000, UTC), True)
    alone = read_taken(photo(time="2024:05:01 12:30:00"))
    assert (alone.time, alone.zone_known) == (datetime(2024, 5, 1, 12, 30, tzinfo=UTC), False)


def test_south_and_west_are_negative() -> None:
    assert read_taken(photo(gps=PARIS | {1: "S", 3: "W"})).position == pytest.approx((-48.8584, -2.2945))


@pytest.mark.parametrize(
    "gps",
    [{}, {2: (48.0, 51.0, 30.0)}, PARIS | {1: "X"}, PARIS | {2: (91.0, 0.0, 0.0)}, PARIS | {4: (2.0, 1.0)}],
)
def test_a_position_that_makes_no_sense_is_none(gps: dict[int, object]) -> None:
    assert read_taken(photo(gps=gps, time="2024:13:01 00:00:00")) == (None, False, None)


def test_damaged_metadata_are_none_and_never_an_error() -> None:
    whole = photo(time="2024:05:01 12:30:00", gps=PARIS)
    rng = np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(whole)
        data[rng.integers(20, 300)] = rng.integers(256)
        read_taken(bytes(data))
    assert read_taken(b"no picture") == (None, False, None)


# the plan


def test_every_byte_that_is_left_becomes_code() -> None:
    codec = toy_codec()
    for size in range(18, 60):
        packet = make_packet(codec, photo(time="2024:05:01 12:30:00", gps=PARIS), size, ["gps", "time"])
        longest = codec.profile.max_bytes
        assert len(packet.data) == min(size, 16 + longest)  # a custom profile: 5, extras 11
        code = codec.encode(photo(), nbytes=len(packet.record.payload))[0]
        assert parse_packet(packet.data).payload == code
    assert packet.to_json()["extras"] == {"time": "2024-05-01T12:30:00Z", "gps": [48.8584, 2.29449]}


def test_a_frame_without_room_and_an_unknown_extra_are_usage_errors() -> None:
    with pytest.raises(errors.UsageError, match="take 16"):
        make_packet(toy_codec(), photo(gps=PARIS), 16, ["gps", "time"])
    with pytest.raises(errors.UsageError, match="cannot carry 'weather'"):
        make_packet(toy_codec(), photo(), 51, ["weather"])


def test_what_the_photograph_does_not_say_is_never_made_up() -> None:
    with pytest.raises(errors.InputError, match="hold no gps"):
        make_packet(toy_codec(), photo(time="2024:05:01 12:30:00"), 51, ["gps", "time"])
    with pytest.raises(errors.InputError, match="1970 to 2106"):
        make_packet(toy_codec(), photo(time="1950:05:01 12:30:00"), 51, ["time"])


# the command


def test_the_command_prints_hex_or_base64_and_writes_bytes(bench: Bench) -> None:
    told = bench.ok("packet", "photos/red.png", "--max-bytes", "13", "-q", *TOY)
    assert len(bytes.fromhex(told)) == 13
    again = bench.ok("packet", "photos/red.png", "--max-bytes", "13", "--format", "base64", "-q", *TOY)
    assert base64.b64decode(again) == bytes.fromhex(told)
    bench.ok("packet", "photos/red.png", "--max-bytes", "13", "-o", "frame.bin", "-q", *TOY)
    assert bench.path("frame.bin").read_bytes() == bytes.fromhex(told)
    piped = bench.run("packet", "-", "--max-bytes", "13", "-o", "-", "-q", *TOY, stdin=picture("red"))
    assert (piped.returncode, piped.stdout) == (0, bytes.fromhex(told))


def test_the_receiver_reads_what_was_carried(bench: Bench) -> None:
    given_ = ("--time", "2026-03-01T13:00:00+01:00", "--position=-33.9,151.2")
    bench.ok("packet", "photos/red.png", "--with", "time,gps,size", *given_, "-o", "f", "-q", *TOY)
    row = json.loads(bench.ok("info", "--packet", "f", "--json"))
    extensions = {int(tag): bytes.fromhex(value) for tag, value in row["extensions"].items()}
    assert bitstream.read_time(extensions[Tag.TIME_TAKEN]) == datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    assert bitstream.read_position(extensions[Tag.POSITION]) == pytest.approx((-33.9, 151.2), abs=2e-5)
    assert bitstream.read_pixel_size(extensions[Tag.PIXEL_SIZE]) == (64, 48)
    assert row["file_bytes"] <= 51


def test_a_camera_without_zone_is_noted(bench: Bench) -> None:
    bench.path("a.jpg").write_bytes(photo(time="2024:05:01 12:30:00"))
    done = bench.run("packet", "a.jpg", "--with", "time", *TOY)
    assert done.returncode == 0
    assert b"no time zone; UTC is assumed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("photos/red.png", "--with", "gps"), 1),
        (("photos/red.png", "--with", "gps", "--max-bytes", "12", "--position", "1,2"), 2),
        (("photos/red.png", "--with", "mood"), 2),
        (("photos/red.png", "--position", "91,2"), 2),
        (("photos/red.png", "--time", "yesterday"), 2),
        (("none.png",), 1),
    ],
)
def test_wrong_calls_end_with_one_line(bench: Bench, arguments: tuple[str, ...], status: int) -> None:
    assert bench.fails("packet", *arguments, *TOY)[0] == status


# an installation that can only encode


@pytest.mark.parametrize("call", [("packet", "p.png"), ("encode", "p.png", "-o", "p.sem")])
def test_encoding_needs_four_packages_and_no_more(tmp_path: Path, call: tuple[str, ...]) -> None:
    (tmp_path / "p.png").write_bytes(picture("red"))
    allowed = {"sememe", "numpy", "onnxruntime", "PIL", "safetensors"}
    code = f"""
import sys
class Bar:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {allowed!r} and not top.startswith("_"):
            raise ModuleNotFoundError(f"barred: {{name}}", name=name)
sys.meta_path.insert(0, Bar())
from sememe.cli import main
status = main({[*call, "-q"]!r})
assert not {{"faiss", "tqdm", "torch", "pyarrow", "matplotlib"}} & set(sys.modules)
sys.exit(status)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_extras_are_in_the_order_of_their_tags() -> None:
    assert list(EXTRAS) == sorted(EXTRAS) == [1, 2, 3, 4, 5]
