"""`sememe truncate`: shorter codes, without the images."""

from __future__ import annotations

import argparse

from sememe.cli import options
from sememe.cli.files import STDIO, writable
from sememe.cli.output import Output

NAME = "truncate"
SUMMARY = "cut codes shorter, without the images"
EXAMPLE = "sememe truncate photos.sems --bytes 8 -o small.sems"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("input", metavar="INPUT", help="archive or .sem file; - is stdin")
    parser.add_argument(
        "--bytes", type=options.byte_count, required=True, metavar="N", help="new length of a code in bytes"
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="of the same kind, an archive new; - is stdout",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the shorter codes."""
    from sememe import api

    if STDIO in (args.input, args.output):
        _stream(args.input, args.output, args.bytes)
    else:
        api.truncate(args.input, args.output, args.bytes)
    if args.output != STDIO:
        fields = {"output": args.output, "nbytes": args.bytes}
        out.record(fields, "{output}: {nbytes} B a code".format_map(fields))
    return 0


def _stream(source: str, output: str, nbytes: int) -> None:
    """Cut `.sem` files that come from a pipe, or go into one."""
    from sememe import api, bitstream
    from sememe.cli.sources import records
    from sememe.disk import writing

    cut = [bitstream.pack(api.truncate_record(record, nbytes)) for record in records(source)]
    with writable(output) as target, writing(target) as file:
        file.write(b"".join(cut))
