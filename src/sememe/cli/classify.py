"""`sememe classify`: which label fits, from the bytes alone."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output

if TYPE_CHECKING:
    from sememe.cli.sources import Sources
    from sememe.zeroshot import Prediction

NAME = "classify"
SUMMARY = "name what the codes show, from labels that you give"
EXAMPLE = "sememe classify cat.sem photos.sems --labels cat,dog,truck"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help=".sem files, archives, images, folders")
    options.add_labels(parser)
    options.add_top(parser, default=3)
    options.add_bytes(parser, default="all there are")
    options.add_profile(parser)
    options.add_device(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Print the likeliest labels of every code."""
    from sememe.cli.sources import Sources, named

    sources = Sources(args.profile, args.bytes)
    paths = named(args.inputs, sources.failed)
    count = 0
    for name, nbytes, prediction in _predictions(args, sources, paths):
        count += 1
        fields = {"path": name, "nbytes": nbytes, **prediction.to_json(args.top)}
        out.record(fields, f"{name}  {describe(prediction, args.top)}")
    return out.failures(sources.failed, count + len(sources.failed))


def _predictions(
    args: argparse.Namespace, sources: Sources, paths: list[str]
) -> Iterator[tuple[str, int, Prediction]]:
    from sememe.zeroshot import EVERYDAY, TEMPLATE

    labels = EVERYDAY if args.labels is None else args.labels
    template = TEMPLATE if args.template is None else args.template
    for group in sources.groups(paths):
        predictions = group.codec.classify(group.codes, labels, template=template)
        for name, prediction in zip(group.names, predictions, strict=True):
            yield name, group.nbytes, prediction


def describe(prediction: Prediction, top: int) -> str:
    """Put the likeliest labels into one line."""
    words = [f"{one.label} {one.strength} {one.probability:.2f}" for one in prediction.labels[:top]]
    return ("none of these: " if prediction.none else "") + ", ".join(words)
