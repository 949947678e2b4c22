"""`sememe models`: which backbones and profiles are on this machine, and where."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output

NAME = "models"
SUMMARY = "list the backbones and profiles on this machine, and where they are"
EXAMPLE = "sememe models list\nsememe models path nano"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("action", choices=["list", "path"], help="list all, or print the path of one")
    parser.add_argument("name", nargs="?", metavar="ID", help="the profile or backbone whose path to print")


def run(args, out): return 0
