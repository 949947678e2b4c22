"""`sememe verify`: whether every byte of an archive or `.sem` file is what it must be."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output
from sememe.errors import IntegrityError

NAME = "verify"
SUMMARY = "check that every code decodes and nothing is damaged"
EXAMPLE = "sememe verify photos.sems cat.sem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("inputs", nargs="+", metavar="FILE", help="archives and .sem files")
    parser.add_argument(
        "--profile", metavar="P", help="profile file of codes that carry only its fingerprint"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Print every problem found; any problem ends with 4."""
    from sememe import api

    sound = True
    for name in args.inputs:
        problems = api.verify(name, profile=args.profile)
        sound = sound and not problems
        fields = {"path": name, "ok": not problems, "problems": list(problems)}
        out.record(fields, "\n".join([f"{name}: {p}" for p in problems]) or f"{name}: ok")
    return 0 if sound else IntegrityError.exit_code
