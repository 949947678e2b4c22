"""Options that several verbs share, and the types of their values."""

from __future__ import annotations

import argparse

DEFAULT_PROFILE = "nano"
DEFAULT_BYTES = 16


def add_profile(parser: argparse.ArgumentParser, *, default: str | None = DEFAULT_PROFILE) -> None:
    """Declare `--profile`; without a default, what was read says which profile it needs."""
    what = f"default {default}" if default else "default: the one that the input names"
    parser.add_argument(
        "--profile", default=default, metavar="P", help=f"profile id or path of a profile file ({what})"
    )


def add_bytes(parser: argparse.ArgumentParser, *, default: int | None = DEFAULT_BYTES) -> None:
    """Declare `--bytes`."""
    what = f"default {default}" if default else "default: all there are"
    parser.add_argument(
        "--bytes", type=byte_count, default=default, metavar="N", help=f"length of a code in bytes ({what})"
    )


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Declare `--labels` and `--template`."""
    parser.add_argument(
        "--labels", metavar="L", help="labels to choose from: a,b,c or a file with one a line (default: common ones)"
    )
    parser.add_argument("--template", metavar="T", help="sentence around a label, such as 'a photo of a {}'")


def byte_count(text: str) -> int:
    """Parse a code length: an integer in 1..255."""
    value = int(text) if text.isdecimal() else 0
    if not 1 <= value <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes in 1..255")
    return value


def count(text: str) -> int:
    """Parse a positive integer."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def cosine(text: str) -> float:
    """Parse a cosine that can be demanded: above 0, below 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a cosine between 0 and 1")
    return value
