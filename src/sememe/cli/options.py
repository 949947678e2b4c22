"""Options that several verbs share, and the types of their values."""

from __future__ import annotations

import argparse

DEFAULT_PROFILE = "nano"
DEFAULT_BYTES = 16


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Declare `--profile`: what was read says which profile it needs, pictures go to the default."""
    what = f"default: the one that codes or archive name, {DEFAULT_PROFILE} for pictures"
    parser.add_argument("--profile", metavar="P", help=f"profile id or path of a profile file ({what})")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Declare `--device`, which the command hands to whatever loads a backbone."""
    where = "cpu, cuda, ... (default: the GPU if there is one)"
    parser.add_argument("--device", metavar="D", help=f"where a backbone runs: {where}")


def add_bytes(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Declare `--bytes`; `default` says what happens without it."""
    parser.add_argument(
        "--bytes", type=byte_count, metavar="N", help=f"length of a code in bytes (default: {default})"
    )


def add_mean_bytes(parser: argparse.ArgumentParser) -> None:
    """Declare `--mean-bytes`."""
    parser.add_argument(
        "--mean-bytes",
        type=mean_bytes,
        metavar="M",
        help="bytes on average over all inputs, more for images that need more; at most --bytes",
    )


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Declare `--labels` and `--template`."""
    parser.add_argument(
        "--labels",
        metavar="L",
        help="labels to choose from: a,b,c or a file with one a line (default: common ones)",
    )
    parser.add_argument("--template", metavar="T", help="sentence around a label, such as 'a photo of a {}'")


def add_top(parser: argparse.ArgumentParser, *, default: int) -> None:
    """Declare `--top`."""
    parser.add_argument(
        "-t", "--top", type=count, default=default, metavar="N", help=f"how many to print (default {default})"
    )


def byte_count(text: str) -> int:
    """Parse a code length: an integer in 1..255."""
    value = int(text) if text.isdecimal() else 0
    if not 1 <= value <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes in 1..255")
    return value


def mean_bytes(text: str) -> float:
    """Parse a mean code length: a number from 1 to 255."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is not a mean number of bytes from 1 to 255")
    return value


def byte_counts(text: str) -> tuple[int, ...]:
    """Parse code lengths between commas."""
    return tuple(byte_count(part.strip()) for part in text.split(","))


def shard(text: str) -> tuple[int, int]:
    """Parse one part of many, such as 0/8."""
    index, _, count = text.partition("/")
    if index.isdecimal() and count.isdecimal() and int(index) < int(count):
        return int(index), int(count)
    raise argparse.ArgumentTypeError(f"{text!r} is not a part such as 0/8, counted from 0")


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
