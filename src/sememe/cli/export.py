"""`sememe export`: an archive's codes for other programs."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output

NAME = "export"
SUMMARY = "write an archive's codes as .npy, .jsonl or .parquet"
EXAMPLE = "sememe export photos.sems -o photos.parquet"

FORMATS = ("npy", "jsonl", "parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to read")
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="file to write; default stdout")
    parser.add_argument("--format", choices=FORMATS, help="default: what the suffix of -o says, else jsonl")


def run(args, out): return 0
