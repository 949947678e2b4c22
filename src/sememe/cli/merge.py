"""`sememe merge`: several archives of one profile into one."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output

NAME = "merge"
SUMMARY = "join archives of the same profile and code length"
EXAMPLE = "sememe merge shard-0.sems shard-1.sems -o photos.sems"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("inputs", nargs="+", metavar="ARCHIVE", help="archives to read")
    parser.add_argument("-o", "--output", required=True, metavar="ARCHIVE", help="archive to make or add to")


def run(args: argparse.Namespace, out: Output) -> int:
    """Merge and say how many images the result holds."""
    from sememe import api

    with api.merge(args.inputs, args.output) as archive:
        fields = {
            "output": args.output,
            "inputs": args.inputs,
            "images": len(archive),
            "nbytes": archive.nbytes,
        }
        of = "of" if archive.mean_bytes is None else "of up to"
    out.record(fields, f"{{output}}: {{images:,}} images {of} {{nbytes}} B".format_map(fields))
    return 0
