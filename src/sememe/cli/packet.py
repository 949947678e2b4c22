"""`sememe packet`: a photograph into one frame of a radio link."""

from __future__ import annotations

import argparse
import base64
from datetime import UTC, datetime

from sememe.cli import options
from sememe.cli.files import STDIO, read_bytes, writable
from sememe.cli.output import Output

NAME = "packet"
SUMMARY = "fit a photograph into one frame of a link that carries few bytes"
EXAMPLE = """\
sememe packet photo.jpg --max-bytes 51 --with time,gps
sememe packet photo.jpg --max-bytes 12 -o frame.bin"""

LORAWAN = 51
"""Bytes of the longest frame that every LoRaWAN data rate of Europe carries."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("input", metavar="IMAGE", help="photograph; - reads stdin")
    parser.add_argument(
        "--max-bytes",
        type=options.count,
        default=LORAWAN,
        metavar="N",
        help=f"bytes of the frame (default {LORAWAN}, LoRaWAN's slowest rates in Europe)",
    )
    parser.add_argument(
        "--with", dest="extras", default="", metavar="LIST", help="carry of time,gps,size,aspect,fidelity"
    )
    parser.add_argument("--time", type=moment, metavar="T", help="ISO 8601 or now, instead of EXIF's")
    parser.add_argument("--position", type=place, metavar="LAT,LON", help="degrees, instead of EXIF's")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the bytes to a file; - for stdout")
    parser.add_argument(
        "--format", choices=["hex", "base64"], default="hex", help="how to print (default hex)"
    )
    options.add_profile(parser)
    options.add_device(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Print or write one packet, and say how its bytes are spent."""
    from sememe import api
    from sememe.api.packets import make_packet
    from sememe.disk import writing

    codec = api.load(args.profile or options.DEFAULT_PROFILE)
    packet = make_packet(
        codec,
        read_bytes(args.input) if args.input == STDIO else args.input,
        args.max_bytes,
        [name for part in args.extras.split(",") if (name := part.strip())],
        time=args.time,
        place=args.position,
    )
    fields = {"path": args.input, "profile": codec.profile.profile_id, "max_bytes": args.max_bytes}
    fields |= packet.to_json()
    if not packet.zone_known:
        out.note(f"{args.input}: the camera noted no time zone; UTC is assumed")
    plan = "{packet_bytes} of {max_bytes} bytes: {head_bytes} profile, {extra_bytes} extras, {nbytes} code"
    told = f"{plan.format_map(fields)} (cosine {packet.cosine:.3f})"
    if args.output is None:
        base = args.format == "base64"
        out.note(told)
        out.record(fields, base64.b64encode(packet.data).decode() if base else packet.data.hex())
        return 0
    with writable(args.output) as target, writing(target) as file:
        file.write(packet.data)
    if args.output != STDIO:
        out.record(fields, f"{args.output}: {told}")
    return 0


def moment(text: str) -> datetime:
    """Parse a time: ISO 8601, UTC unless it names an offset; or the word now."""
    if text == "now":
        return datetime.now(UTC)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time such as 2026-03-01T12:00:00Z, or now"
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def place(text: str) -> tuple[float, float]:
    """Parse latitude and longitude in degrees."""
    try:
        latitude, longitude = map(float, text.split(","))
    except ValueError:
        latitude = longitude = float("nan")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise argparse.ArgumentTypeError(f"{text!r} is no place such as 48.8584,2.2945 (degrees)")
    return latitude, longitude
