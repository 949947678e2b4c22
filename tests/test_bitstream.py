from __future__ import annotations

import os
import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sememe import bitstream, errors
from sememe.bitstream import Extension, Record, Tag, pack, parse, parse_stream
from sememe.bitstream.extensions import MAX_AREA
from sememe.bitstream.files import MAX_FILE, checksum

GOLDEN = Path(__file__).parent / "golden"
CODE = bytes.fromhex("c4a1f07e5b3399d2806d1e42aa57f3c8")
SITE = (
    bitstream.aspect_ratio(4000, 3000),
    bitstream.pixel_size(4000, 3000),
    bitstream.time_taken(1_700_000_000),
    bitstream.position(48.8584, 2.2945),
    Extension(Tag.FIDELITY, b"\x3c"),
    Extension(200, b"private\r\n"),
)

REGIONS = (
    bitstream.aspect_ratio(4, 3),
    Extension(Tag.REGIONS, bytes.fromhex("000080ff05806d1e42aa6640ffd90357f3c8")),
)

# The bytes are literals: a change here is a change of the format.
FILES = {
    "registered.sem": (
        Record(1, b"", CODE),
        "b5534d10 01 10 c4a1f07e5b3399d2806d1e42aa57f3c8 206c",
    ),
    "custom.sem": (
        Record(0, b"\xde\xad\xbe\xef", CODE[:4]),
        "b5534d10 00deadbeef 04 c4a1f07e 5592",
    ),
    "extensions.sem": (
        Record(2, b"", CODE[:8], SITE),
        (
            "b5534d11 02 08 c4a1f07e5b3399d2"
            "01018d 02040fa00bb8 0305006553f100 0406457ccd01a1b3 05013c c809707269766174650d0a 00 72bf"
        ),
    ),
    "regions.sem": (
        Record(5, b"", CODE[:8], REGIONS),
        "b5534d11 05 08 c4a1f07e5b3399d2 01018d 0712 000080ff05806d1e42aa 6640ffd90357f3c8 00 c3d5",
    ),
}


def as_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize("name", FILES)
def test_golden_bytes(name: str) -> None:
    record, text = FILES[name]
    if os.environ.get("GENERATE_GOLDEN") == "1":
        (GOLDEN / name).write_bytes(pack(record))
    assert pack(record).hex() == as_bytes(text).hex()
    assert (GOLDEN / name).read_bytes() == as_bytes(text)
    assert parse(as_bytes(text)) == record


def test_the_examples_of_format_md_are_these_files() -> None:
    text = (GOLDEN.parent.parent / "FORMAT.md").read_text()
    examples = text[text.index("### Examples") : text.index("## Packet")].split("\n\n")
    blocks = [block for block in examples if block.startswith("    ")]
    assert [as_bytes(block.replace("\n", "")) for block in blocks] == [as_bytes(t) for _, t in FILES.values()]


def test_overhead_is_eight_bytes_and_twelve_for_a_custom_profile() -> None:
    assert len(pack(Record(1, b"", CODE))) == 16 + 8
    assert len(pack(Record(0, b"1234", CODE))) == 16 + 12
    assert len(bitstream.pack_packet(Record(1, b"", CODE))) == 16 + 1
    assert len(bitstream.pack_packet(Record(0, b"1234", CODE))) == 16 + 5


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("name", FILES)
def test_every_single_bit_flip_is_refused(name: str) -> None:
    data = as_bytes(FILES[name][1])
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(errors.FormatError):
            parse(bytes(broken))
        with pytest.raises(errors.FormatError):
            list(parse_stream(bytes(broken)))


def test_every_pair_of_flipped_bits_is_refused() -> None:
    value = int.from_bytes(as_bytes(FILES["custom.sem"][1]), "big")
    size = len(as_bytes(FILES["custom.sem"][1]))
    for a, b in combinations(range(8 * size), 2):
        with pytest.raises(errors.FormatError):
            parse((value ^ 1 << a ^ 1 << b).to_bytes(size, "big"))


@pytest.mark.parametrize("name", FILES)
def test_every_truncation_and_every_trailing_byte_is_named(name: str) -> None:
    data = as_bytes(FILES[name][1])
    for end in range(len(data)):
        with pytest.raises(errors.TruncatedError):
            parse(data[:end])
        with pytest.raises(errors.TruncatedError):
            list(parse_stream(data[:end]))
    for byte in range(256):
        with pytest.raises(errors.TrailingDataError):
            parse(data + bytes([byte]))


@pytest.mark.parametrize("name", FILES)
def test_no_byte_can_be_replaced(name: str) -> None:
    data = as_bytes(FILES[name][1])
    for at in range(len(data)):
        for byte in set(range(256)) - {data[at]}:
            with pytest.raises(errors.FormatError):
                parse(data[:at] + bytes([byte]) + data[at + 1 :])


def test_text_mode_transfer_is_refused() -> None:
    data = as_bytes(FILES["extensions.sem"][1])
    with pytest.raises(errors.FormatError):
        parse(data.replace(b"\r\n", b"\n"))


def test_the_crc_has_the_period_that_format_md_claims() -> None:
    assert checksum(b"123456789") == 0x29B1
    state, period = 2, 1  # powers of x modulo the polynomial
    while state != 1:
        state = (state << 1) ^ (0x11021 if state & 0x8000 else 0)
        period += 1
    assert period == 32767 >= 8 * MAX_FILE
    assert bin(0x11021).count("1") % 2 == 0  # x + 1 divides it, so odd errors never pass


def test_crc_of_a_whole_file_is_zero() -> None:
    assert [checksum(as_bytes(text)) for _, text in FILES.values()] == [0] * len(FILES)


def seal(body: bytes) -> bytes:
    return body + checksum(body).to_bytes(2, "big")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", errors.TruncatedError),
        (b"\xb5S", errors.TruncatedError),
        (b"\x89PNG\r\n\x1a\n", errors.MagicError),
        (b"\xb5SN", errors.MagicError),
        (seal(b"\xb5SM\x20\x01\x01z"), errors.VersionError),
        (seal(b"\xb5SM\x00\x01\x01z"), errors.VersionError),
        (seal(b"\xb5SM\x12\x01\x01z"), errors.FlagError),
        (seal(b"\xb5SM\x10\x81\x01z"), errors.FlagError),
        (seal(b"\xb5SM\x10\x01\x00"), errors.LengthError),
        (seal(b"\xb5SM\x10\x01\x01z")[:-1] + b"!", errors.ChecksumError),
        (seal(b"\xb5SM\x11\x01\x01z\x00"), errors.ExtensionError),  # flag without a field
        (seal(b"\xb5SM\x11\x01\x01z\xc8\x00\xc8\x00\x00"), errors.ExtensionError),  # twice
        (seal(b"\xb5SM\x11\x01\x01z\xc9\x00\xc8\x00\x00"), errors.ExtensionError),  # descending
        (seal(b"\xb5SM\x11\x01\x01z\x01\x02ab\x00"), errors.ExtensionError),  # aspect ratio of 2 bytes
        (seal(b"\xb5SM\x11\x01\x01z\x02\x04\x00\x01\x00\x01\x00"), errors.ExtensionError),  # not shortest
        (seal(b"\xb5SM\x11\x01\x01z\x02\x02\x00\x01\x00"), errors.ExtensionError),  # no width
        (seal(b"\xb5SM\x11\x01\x01z\x02\x03\x01\x01\x01\x00"), errors.ExtensionError),  # odd
        (seal(b"\xb5SM\x11\x01\x01z\x02\x00\x00"), errors.ExtensionError),
        (seal(b"\xb5SM\x11\x01\x01z\x03\x01a\x00"), errors.ExtensionError),
        (seal(b"\xb5SM\x11\x01\x01z\x04\x05abcde\x00"), errors.ExtensionError),
        (seal(b"\xb5SM\x11\x01\x01z\x04\x06\x80\x00\x00abc\x00"), errors.ExtensionError),
        (seal(b"\xb5SM\x11\x01\x01z\x05\x02ab\x00"), errors.ExtensionError),
        (seal(b"\xb5SM\x11\x01\x01z\x07\x00\x00"), errors.ExtensionError),  # no region
    ],
)
def test_each_wrong_file_has_its_name(data: bytes, error: type[errors.FormatError]) -> None:
    with pytest.raises(error) as caught:
        parse(data)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_damage_is_named_before_the_value_of_an_extension() -> None:
    broken = bytearray(seal(b"\xb5SM\x11\x01\x01z\x03\x01a\x00"))
    broken[6] ^= 1
    with pytest.raises(errors.ChecksumError):
        parse(bytes(broken))


def test_an_area_that_is_too_long_is_refused() -> None:
    fields = tuple(Extension(tag, bytes(255)) for tag in range(128, 143))
    with pytest.raises(errors.ExtensionError, match="at most 3828"):
        Record(1, b"", b"z", fields)
    area = b"".join(bytes([tag, 255]) + value for tag, value in fields) + b"\0"
    assert len(area) > MAX_AREA
    with pytest.raises(errors.ExtensionError, match="more than 3828"):
        parse(seal(b"\xb5SM\x11\x01\x01z" + area))


def test_the_longest_file_stays_within_the_limit() -> None:
    fields = tuple(Extension(tag, bytes(255)) for tag in range(128, 142))
    room = MAX_AREA - 14 * 257 - 1 - 2
    fields += (Extension(142, bytes(room)),)
    data = pack(Record(0, b"1234", bytes(255), fields))
    assert len(data) == MAX_FILE
    assert list(parse_stream(data * 2)) == [parse(data)] * 2


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Record(128, b"", b"z"), errors.FlagError),
        (lambda: Record(-1, b"", b"z"), errors.FlagError),
        (lambda: Record(0, b"", b"z"), errors.LengthError),
        (lambda: Record(1, b"1234", b"z"), errors.LengthError),
        (lambda: Record(1, b"", b""), errors.LengthError),
        (lambda: Record(1, b"", bytes(256)), errors.LengthError),
        (lambda: Record(1, b"", b"z", (Extension(0, b""),)), errors.ExtensionError),
        (lambda: Record(1, b"", b"z", (Extension(256, b""),)), errors.ExtensionError),
        (lambda: Record(1, b"", b"z", (Extension(200, bytes(256)),)), errors.ExtensionError),
        (lambda: bitstream.aspect_ratio(0, 3), errors.ExtensionError),
        (lambda: bitstream.pixel_size(0, 3), errors.ExtensionError),
        (lambda: bitstream.pixel_size(1 << 32, 3), errors.ExtensionError),
        (lambda: bitstream.time_taken(1 << 39), errors.ExtensionError),
        (lambda: bitstream.position(90.1, 0), errors.ExtensionError),
        (lambda: bitstream.position(float("nan"), 0), errors.ExtensionError),
    ],
)
def test_what_cannot_be_packed_cannot_be_made(make: object, error: type[errors.FormatError]) -> None:
    assert callable(make)
    with pytest.raises(error):
        make()


# ---------------------------------------------------------------- round trips

known = st.fixed_dictionaries(
    {},
    optional={
        1: st.binary(min_size=1, max_size=1),
        2: st.tuples(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1)).map(
            lambda size: bitstream.pixel_size(*size).value
        ),
        3: st.binary(min_size=5, max_size=5),
        4: st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(lambda at: bitstream.position(*at).value),
        5: st.binary(min_size=1, max_size=1),
    },
)
unknown = st.dictionaries(st.integers(24, 255), st.binary(max_size=255), max_size=8)
extensions = st.tuples(known, unknown).map(
    lambda both: tuple(Extension(tag, value) for tag, value in sorted({**both[0], **both[1]}.items()))
)
custom = st.builds(
    Record, st.just(0), st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=255), extensions
)
registered = st.builds(
    Record, st.integers(1, 127), st.just(b""), st.binary(min_size=1, max_size=255), extensions
)
records = custom | registered


@settings(deadline=None)
@given(records)
def test_file_round_trip(record: Record) -> None:
    assert parse(pack(record)) == record


@settings(deadline=None)
@given(records)
def test_packet_round_trip_keeps_all_but_extensions(record: Record) -> None:
    parsed = bitstream.parse_packet(bitstream.pack_packet(record))
    assert parsed == Record(record.profile, record.fingerprint, record.payload)


@settings(deadline=None)
@given(st.lists(records, min_size=1, max_size=5))
def test_files_concatenate(many: list[Record]) -> None:
    assert list(parse_stream(b"".join(map(pack, many)))) == many


def test_a_stream_gives_out_what_precedes_the_damage() -> None:
    good = pack(Record(1, b"", CODE))
    stream = parse_stream(good + good[:-1])
    assert next(stream).payload == CODE
    with pytest.raises(errors.TruncatedError):
        next(stream)


@settings(deadline=None)
@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_aspect_ratio_is_kept_to_about_one_percent(width: int, height: int) -> None:
    read = bitstream.read_aspect_ratio(bitstream.aspect_ratio(width, height).value)
    wanted = min(2 ** (127 / 32), max(2**-4, width / height))
    assert abs(read / wanted - 1) < 0.0112


@settings(deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_position_is_kept_to_metres(latitude: float, longitude: float) -> None:
    read = bitstream.read_position(bitstream.position(latitude, longitude).value)
    assert abs(read[0] - latitude) <= 90 / 2**23
    assert abs(read[1] - longitude) <= 180 / 2**23


@settings(deadline=None)
@given(st.integers(-(2**39), 2**39 - 1))
def test_time_round_trip(seconds: int) -> None:
    assert bitstream.read_time(bitstream.time_taken(seconds).value) == seconds


def test_extension_values() -> None:
    record = parse(as_bytes(FILES["extensions.sem"][1]))
    assert bitstream.read_pixel_size(record.get(Tag.PIXEL_SIZE) or b"") == (4000, 3000)
    assert record.get(200) == b"private\r\n"
    assert record.get(201) is None


# ---------------------------------------------------------------- totality


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", errors.TruncatedError),
        (b"\x01", errors.TruncatedError),
        (b"\x00abc", errors.TruncatedError),
        (b"\x00abcd", errors.TruncatedError),
        (b"\x80abcd", errors.TruncatedError),
        (b"\x01" + bytes(256), errors.LengthError),
    ],
)
def test_each_wrong_packet_has_its_name(data: bytes, error: type[errors.FormatError]) -> None:
    with pytest.raises(error) as caught:
        bitstream.parse_packet(data)
    assert type(caught.value) is error


def mangled(rng: random.Random) -> bytes:
    """Random bytes that get past the first checks more often than chance would allow."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(80))
    if kind == 1:
        return b"\xb5SM" + bytes([rng.choice((0x10, 0x11, 0x21))]) + rng.randbytes(rng.randrange(60))
    data = bytearray(as_bytes(rng.choice(list(FILES.values()))[1]))
    for _ in range(rng.randrange(1, 4)):
        data[rng.randrange(4, len(data))] = rng.randrange(256)
    return bytes(data) if kind == 2 else seal(bytes(data[: rng.randrange(4, len(data))]))


def test_a_hundred_thousand_random_inputs_raise_our_errors_only() -> None:
    rng, seen = random.Random(0), Counter[str]()
    for _ in range(100_000):
        data = mangled(rng)
        try:
            assert pack(parse(data)) == data  # what is accepted is canonical
            seen["Record"] += 1
        except errors.FormatError as error:
            seen[type(error).__name__] += 1
    subclasses = {cls.__name__ for cls in errors.FormatError.__subclasses__()}
    assert set(seen) == subclasses | {"Record"}


def test_a_hundred_thousand_random_packets_raise_our_errors_only() -> None:
    rng, refused = random.Random(0), 0
    for _ in range(100_000):
        data = rng.randbytes(rng.choice((rng.randrange(8), rng.randrange(300))))
        try:
            record = bitstream.parse_packet(data)
            assert bitstream.pack_packet(record, [Tag(tag) for tag, _ in record.extensions]) == data
        except errors.FormatError:
            refused += 1
    assert 0 < refused < 100_000
