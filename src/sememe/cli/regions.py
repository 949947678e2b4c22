"""The part of `sememe encode` that makes records with regions, for `sememe find`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.files import STDIO, read_bytes, writable
from sememe.cli.output import Output
from sememe.errors import SememeError, UsageError

if TYPE_CHECKING:
    from sememe.api import Codec
    from sememe.bitstream import Record

_COUNT = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `encode` that ask for regions."""
    group = parser.add_argument_group("regions, for sememe find (only in .sem files)")
    group.add_argument(
        "--regions", type=options.count, metavar="R", help=f"regions at most (default {_COUNT}, if asked for)"
    )
    group.add_argument(
        "--region-bytes",
        type=options.count,
        metavar="B",
        help="bytes that regions add to the file (default: 16 a region)",
    )
    group.add_argument(
        "--boxes", metavar="FILE", help="where to look: .json or .npy of boxes, or masks, such as SAM's"
    )


def wanted(args: argparse.Namespace) -> bool:
    """Whether any option asks for regions."""
    return bool(args.regions or args.region_bytes or args.boxes)


def encode(args: argparse.Namespace, codec: Codec, out: Output) -> int:
    """Write a `.sem` file with regions, or any number of them to stdout."""
    from sememe import api, bitstream
    from sememe.cli.sources import named

    failed: dict[str, SememeError] = {}
    paths = named(args.inputs, failed)
    total = len(paths) + len(failed)
    _check(args, total)
    count = args.regions or _COUNT
    with writable(args.output) as target:
        for name in paths:
            try:
                record = codec.encode_regions(
                    read_bytes(name) if name == STDIO else name,
                    regions=count,
                    region_bytes=args.region_bytes,
                    nbytes=args.bytes,
                    boxes=args.boxes,
                )
            except SememeError as error:
                failed[name] = error
                continue
            if isinstance(target, str):
                api.write_sem(target, record)
                _show(name, record, codec, out)
            else:
                target.write(bitstream.pack(record))
    return out.failures(failed, total)


def _check(args: argparse.Namespace, total: int) -> None:
    """Raise UsageError where regions have no place."""
    if args.min_cosine or args.mean_bytes:
        raise UsageError(
            "regions have a budget, --region-bytes; --min-cosine and --mean-bytes do not go with it"
        )
    if args.output != STDIO and not (args.output or "").endswith(".sem"):
        raise UsageError("regions are kept in .sem files only: name one with -o, or - for stdout")
    if args.output != STDIO and total != 1:
        raise UsageError(f"{args.output} holds one image, not {total}: write several to stdout, -o -")
    if args.boxes and total != 1:
        raise UsageError(f"{args.boxes} holds the boxes of one image, not of {total}")


def _show(name: str, record: Record, codec: Codec, out: Output) -> None:
    from sememe import bitstream
    from sememe.regions import regions_of

    found = regions_of(record)
    fields = {
        "path": name,
        "profile": codec.profile.profile_id,
        "nbytes": len(record.payload),
        "code": record.payload.hex(),
        "file_bytes": len(bitstream.pack(record)),
        "regions": [
            {"box": [round(edge, 4) for edge in box.edges], "nbytes": len(code), "code": code.hex()}
            for box, code in found
        ],
    }
    out.record(fields, f"{fields['code']}  {len(found)} regions in {fields['file_bytes']} B  {name}")
