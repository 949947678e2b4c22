"""`sememe decode`: codes back into vectors; no model is loaded."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, BinaryIO

from sememe.cli import options
from sememe.cli.files import STDIO, writable
from sememe.cli.output import Output

if TYPE_CHECKING:
    from sememe.api import Codec

NAME = "decode"
SUMMARY = "turn codes back into vectors"
EXAMPLE = "sememe decode photos.sems -o vectors.npy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("input", metavar="INPUT", help="archive, .sem file (- is stdin) or .npy codes")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help=".npy file to write; - is stdout"
    )
    options.add_profile(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the vectors and say how many."""
    with writable(args.output) as target:
        codec, count = _decode(args.input, target, args.profile)
    fields = {
        "output": args.output,
        "vectors": count,
        "dim": codec.profile.dim,
        "profile": codec.profile.profile_id,
    }
    if args.output != STDIO:
        out.record(fields, "{output}: {vectors:,} vectors of {dim} dimensions".format_map(fields))
    return 0


def _decode(name: str, target: str | BinaryIO, profile: str | None) -> tuple[Codec, int]:
    import numpy as np

    from sememe import api
    from sememe.archive import Archive
    from sememe.cli.sources import kind_of, records
    from sememe.disk import writing

    kind = kind_of(name)
    if kind == "sem":
        found = records(name)
        codec = api.codec_for(found[0], profile=profile)
        vectors = codec.decode(found)
        with writing(target) as file:
            np.save(file, vectors)
        return codec, len(vectors)
    if kind == "archive":
        with Archive.open(name) as archive:
            codec = api.codec_for(archive, profile=profile)
    else:
        codec = api.load(profile or options.DEFAULT_PROFILE)
    return codec, api.decode_npy(name, target, codec)
