"""`sememe fit`: a profile of your own, from vectors or from images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output
from sememe.errors import InputError, SememeError, UsageError

if TYPE_CHECKING:
    from sememe.profile import Profile

NAME = "fit"
SUMMARY = "make a profile of your own from your vectors or images"
EXAMPLE = "sememe fit vectors.npy --space my-model -o my.profile"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="one .npy of vectors (n, d), or images, folders"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="profile file to write")
    parser.add_argument("--name", default="custom", help="name of the profile (default custom)")
    parser.add_argument("--space", metavar="S", help="name of the space of vectors that no known model made")
    parser.add_argument(
        "--text", metavar="FILE", help=".npy of text vectors of the space: keep what words can see"
    )
    parser.add_argument(
        "--profile",
        default=None,
        metavar="P",
        help="profile of the same space: its backbone embeds the images (default nano)",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Fit, save and say what came out."""
    from sememe.cli.sources import kind_of

    failed: dict[str, SememeError] = {}
    if any(kind_of(name) == "vectors" for name in args.inputs):
        profile = _from_vectors(args, out)
    else:
        profile = _from_images(args, out, failed)
    profile.save(args.output)
    fields = {
        "output": args.output,
        "profile": profile.profile_id,
        "fingerprint": profile.fingerprint.hex(),
        "space": profile.space_id,
        "dim": profile.dim,
        "file_bytes": Path(args.output).stat().st_size,
    }
    out.record(
        fields,
        "{output}: profile {profile} {fingerprint:.8} of space {space}, {dim} dimensions".format_map(fields),
    )
    return out.failures(failed, len(failed) + 1)


def _from_vectors(args: argparse.Namespace, out: Output) -> Profile:
    from sememe import api

    if len(args.inputs) != 1 or bool(args.space) == bool(args.profile):
        raise UsageError("vectors: give one .npy file, and --space NAME, or --profile P of the same space")
    manifest = {"space_id": args.space, "provenance": "fitted on the user's own vectors"}
    if args.profile:
        known = api.load(args.profile).profile.manifest
        manifest |= {key: known[key] for key in ("space_id", "backbone_id", "preprocessing") if key in known}
    manifest["profile_id"] = args.name
    return api.fit_vectors(args.inputs[0], text=args.text, manifest=manifest, log=out.note)


def _from_images(args: argparse.Namespace, out: Output, failed: dict[str, SememeError]) -> Profile:
    from sememe import api
    from sememe.batch import fit_images

    if args.space or args.text:
        raise UsageError("images: their space and texts are those of the backbone; drop --space and --text")
    codec = api.load(args.profile or options.DEFAULT_PROFILE)
    with out.progress("embedding") as show:
        profile, failures = fit_images(
            args.inputs, codec, name=args.name, progress=show or False, log=out.note
        )
    failed |= {failure.path: InputError(failure.error) for failure in failures}
    return profile
