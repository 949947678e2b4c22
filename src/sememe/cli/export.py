"""`sememe export`: an archive's codes for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from sememe.cli.files import STDIO, writable
from sememe.cli.output import Output

NAME = "export"
SUMMARY = "write an archive's codes as .npy, .jsonl or .parquet"
EXAMPLE = "sememe export photos.sems -o photos.parquet"

FORMATS = ("npy", "jsonl", "parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to read")
    parser.add_argument(
        "-o", "--output", default=STDIO, metavar="FILE", help="file to write (default stdout)"
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="default: what the suffix of -o says; jsonl on stdout"
    )
    parser.add_argument("--vectors", action="store_true", help="decoded vectors too (in .npy: instead)")


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the export and say how many images it holds."""
    from sememe import api

    name = args.format or ("jsonl" if args.output == STDIO else Path(args.output).suffix.removeprefix("."))
    with writable(args.output) as target:
        count = api.export(args.archive, target, format=name, what="vectors" if args.vectors else "codes")
    if args.output != STDIO:
        fields = {"output": args.output, "format": name, "images": count}
        out.record(fields, "{output}: {images:,} images".format_map(fields))
    return 0
