"""Files `.sem`, packets, what extensions hold, profile files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from fuzz import mutate
from fuzz.targets.target import Target
from sememe import bitstream
from sememe.bitstream import Box, Extension, Record, Region, Tag
from sememe.bitstream.colours import COUNT, pack_colours, read_colours
from sememe.bitstream.regions import pack_regions, read_regions
from sememe.code import FitOptions
from sememe.profile import Profile
from sememe.profile.universal import universal
from sememe.regions.record import decode_regions, regions_of

_REGIONS = pack_regions([Region(Box(1, 2, 30, 40), b"\x01\x02"), Region(Box(0, 0, 9, 255), bytes(40))])[0]
_EXTRAS = (Tag.ASPECT_RATIO, Tag.PIXEL_SIZE, Tag.TIME_TAKEN, Tag.POSITION, Tag.FIDELITY)
_COLOURS = pack_colours(np.arange(COUNT) - 11)


@cache
def profiles() -> list[Profile]:
    """A universal profile, and a small one with modes."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 32))[rng.integers(0, 3, 80)] + 0.3 * rng.standard_normal((80, 32))
    options = FitOptions(modes=2, prototypes=2, coefficients=12, rounds=1)
    fitted = Profile.fit(x.astype(np.float32), manifest={"space_id": "fuzz/32"}, options=options)
    return [universal(32), fitted]


@cache
def records() -> list[Record]:
    """Make records with and without a custom profile and extensions."""
    fields = (
        bitstream.aspect_ratio(3, 2),
        bitstream.pixel_size(640, 480),
        bitstream.time_taken(1_700_000_000),
        bitstream.position(48.1, 11.5),
        Extension(Tag.FIDELITY, b"\x40"),
        Extension(Tag.COLOURS, _COLOURS),
        Extension(Tag.REGIONS, _REGIONS),
        Extension(200, b"unknown"),
    )
    return [
        Record(5, b"", bytes(range(16))),
        Record(0, profiles()[0].fingerprint[:4], b"\xff" * 24, fields),
        Record(0, b"abcd", b"x" * 128, fields[:2]),
    ]


def _use(record: Record) -> None:
    """Ask everything that a record can say; what was read must pack again to what it was."""
    assert bitstream.parse(bitstream.pack(record)) == record
    regions_of(record)
    decode_regions(profiles()[0], record)
    for tag, read in _READERS.items():
        value = record.get(tag)
        if value is not None:
            read(value)


_READERS = {
    Tag.ASPECT_RATIO: bitstream.read_aspect_ratio,
    Tag.PIXEL_SIZE: bitstream.read_pixel_size,
    Tag.TIME_TAKEN: bitstream.read_time,
    Tag.POSITION: bitstream.read_position,
    Tag.COLOURS: read_colours,
    Tag.REGIONS: read_regions,
}


def _file(data: bytes, _: Path) -> None:
    _use(bitstream.parse(data))


def _stream(data: bytes, _: Path) -> None:
    for record in bitstream.parse_stream(data):
        assert bitstream.parse(bitstream.pack(record)) == record


def _packet(data: bytes, _: Path) -> None:
    record = bitstream.parse_packet(data)
    assert bitstream.pack_packet(record, [tag for tag, _ in record.extensions]) == data
    _use(record)


def _extension(data: bytes, _: Path) -> None:
    """The first byte is the tag."""
    _use(Record(5, b"", b"x", (Extension(data[0] if data else 0, data[1:]),)))


def _regions(data: bytes, _: Path) -> None:
    assert pack_regions(read_regions(data)) == [data]


def _colours(data: bytes, _: Path) -> None:
    assert pack_colours(read_colours(data)) == data


def _profile(data: bytes, folder: Path) -> None:
    path = folder / "fuzz.profile"
    path.write_bytes(data)
    profile = Profile.from_bytes(path.read_bytes())
    rows = np.random.default_rng(0).standard_normal((2, profile.dim))
    assert profile.decode(profile.encode(rows, 8)).shape == rows.shape
    assert Profile.from_bytes(profile.to_bytes()).fingerprint == profile.fingerprint


def _packet_seeds() -> list[bytes]:
    whole = records()[1]
    return [*map(bitstream.pack_packet, records()[:2]), bitstream.pack_packet(whole, _EXTRAS)]


def _extension_seeds() -> list[bytes]:
    return [bytes([tag]) + value for tag, value in records()[1].extensions]


TARGETS = (
    Target("sem-file", _file, lambda: [*map(bitstream.pack, records())], mutate.with_crc, 150),
    Target("sem-stream", _stream, lambda: [b"".join(map(bitstream.pack, records()))], mutate.with_crc, 30),
    Target("packet", _packet, _packet_seeds, runs=40),
    Target("extension", _extension, _extension_seeds, runs=60),
    Target("regions", _regions, lambda: [_REGIONS], runs=1000),
    Target("colours", _colours, lambda: [_COLOURS, b""], runs=25),
    Target("profile", _profile, lambda: [p.to_bytes() for p in profiles()], mutate.of_safetensors, 150),
)
