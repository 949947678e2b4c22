"""The single-image file and the packet: pack and parse, as FORMAT.md lays them down."""

from __future__ import annotations

from sememe.bitstream.extensions import (
    Extension,
    Tag,
    aspect_ratio,
    colour_layout,
    pixel_size,
    position,
    read_aspect_ratio,
    read_pixel_size,
    read_position,
    read_time,
    time_taken,
)
from sememe.bitstream.files import MAGIC, pack, parse, parse_stream
from sememe.bitstream.packets import EXTRAS, Budget, pack_packet, packet_budget, parse_packet
from sememe.bitstream.records import MAX_PAYLOAD, REGISTERED, RETIRED, Record
from sememe.bitstream.regions import WHOLE, Box, Region

__all__ = [
    "EXTRAS",
    "MAGIC",
    "MAX_PAYLOAD",
    "REGISTERED",
    "RETIRED",
    "WHOLE",
    "Box",
    "Budget",
    "Extension",
    "Record",
    "Region",
    "Tag",
    "aspect_ratio",
    "colour_layout",
    "pack",
    "pack_packet",
    "packet_budget",
    "parse",
    "parse_packet",
    "parse_stream",
    "pixel_size",
    "position",
    "read_aspect_ratio",
    "read_pixel_size",
    "read_position",
    "read_time",
    "time_taken",
]
