"""`sememe bench`: how much meaning coders keep at equal bytes, on your own vectors or pictures."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output
from sememe.errors import InputError, SememeError, UsageError

if TYPE_CHECKING:
    from sememe.evaluate import Embedder, Pool, Report, Texts, Trial
    from sememe.types import Embeddings

NAME = "bench"
SUMMARY = "measure how much meaning coders keep at equal bytes"
EXAMPLE = """\
sememe bench vectors.npy --coders sememe,rq --bytes 4,8,16 -o report.json
sememe bench photos/ --coders all -o report.json"""

_VECTORS = (".npy", ".npz")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="vectors: .npy, .npz with x, y, names; or a folder with a sub-folder of pictures for each class",
    )
    parser.add_argument(
        "--coders", default="sememe", metavar="LIST", help="names between commas, or all (default sememe)"
    )
    parser.add_argument(
        "--bytes",
        type=_rates,
        default=(4.0, 8.0, 16.0, 32.0, 64.0),
        metavar="LIST",
        help="bytes for each vector (default 4,8,16,32,64)",
    )
    parser.add_argument("--labels", metavar="FILE", help="one label a vector of a .npy: .npy, or one a line")
    parser.add_argument("--text", metavar="FILE", help=".npz of text vectors x and names, to judge with")
    parser.add_argument("--train", metavar="INPUT", help="learn from these instead of a part of each input")
    parser.add_argument(
        "--train-text", metavar="FILE", help=".npz of text vectors that coders may learn from"
    )
    parser.add_argument("--profile", metavar="P", help="its backbone embeds pictures (default nano)")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the split and of every coder")
    parser.add_argument("-o", "--output", metavar="FILE", help="report.json: rows that it holds are kept")
    parser.add_argument("--again", action="store_true", help="measure rows that the report holds once more")
    parser.add_argument(
        "--table", choices=["md", "html", "none"], default="md", help="table to print (default md)"
    )
    parser.add_argument("--list", action="store_true", help="list the coders and measure nothing")


def run(args: argparse.Namespace, out: Output) -> int:
    """Measure, keep every row at once, and print a table."""
    for variable in _THREADS:  # before numpy: speed is that of one thread
        os.environ.setdefault(variable, "1")
    from sememe import evaluate

    names = evaluate.NAMES if args.list or args.coders == "all" else args.coders.split(",")
    coders = [evaluate.coder(name.strip()) for name in dict.fromkeys(names)]
    if args.list:
        for one in coders:
            fields = {"coder": one.name, "title": one.title, "length": one.length, "source": one.source}
            out.record(fields, "{coder:14}  {length:5}  {title}  ({source})".format_map(fields))
        return 0
    report = evaluate.Report.open(args.output) if args.output else evaluate.Report()
    failed: dict[str, SememeError] = {}
    trial = _trial(args, out, failed)
    with out.stages() as show:
        at = [0, 0]
        rows = evaluate.run(
            trial,
            coders,
            args.bytes,
            report=report,
            path=args.output,
            again=args.again,
            note=lambda line: show(line, *at),
            progress=lambda *now: at.__setitem__(slice(None), now),
        )
    total = len(rows) + len(failed)
    failed |= {_place(row["coder"], row["rate"]): SememeError(row["error"]) for row in rows if row["error"]}
    if out.json or args.table != "none":
        out.record(report.to_json(), _tables(report, trial, args.table))
    return out.failures(failed, total)


def _trial(args: argparse.Namespace, out: Output, failed: dict[str, SememeError]) -> Trial:
    """Read all inputs; pictures that cannot be used go to `failed`."""
    from sememe import evaluate

    if not args.inputs:
        raise UsageError(
            "give vectors (.npy, .npz) or a folder of pictures, or --list (see sememe bench --help)"
        )
    if args.labels and (len(args.inputs) != 1 or not args.inputs[0].endswith(".npy")):
        raise UsageError("--labels belong to one .npy; a .npz holds its own (y), and folders name theirs")
    source = _Source(args.profile, out, failed)
    pools = [source.read(name, args.labels) for name in args.inputs]
    train = [] if args.train is None else [source.read(args.train)]
    if args.profile and not source.used:
        raise UsageError("--profile embeds pictures, and no input is a folder of them; leave it out")
    texts = evaluate.read_texts(args.text) if args.text else None
    train_text = evaluate.read_texts(args.train_text).x if args.train_text else None
    if texts is None and all(Path(name).is_dir() for name in args.inputs):
        texts, words = source.names(pools)
        train_text = words if train_text is None else train_text
    trial = evaluate.make_trial(pools, train=train, texts=texts, train_text=train_text, seed=args.seed)
    leaked = trial.counts["test_in_train"]
    if leaked:
        out.note(f"{leaked:,} of {len(trial.test):,} test vectors are among the training vectors, too")
    return trial


class _Source:
    """Reads inputs; the backbone is loaded when the first folder comes."""

    def __init__(self, profile: str | None, out: Output, failed: dict[str, SememeError]) -> None:
        self._profile = profile or options.DEFAULT_PROFILE
        self._out = out
        self._failed = failed
        self._space: Embedder | None = None

    @property
    def used(self) -> bool:
        """Whether pictures were embedded."""
        return self._space is not None

    def read(self, name: str, labels: str | None = None) -> Pool:
        """Read one input as a set."""
        from sememe import evaluate

        path = Path(name)
        if path.is_dir():
            with self._out.progress(f"embedding {path.name}") as show:
                pool, failures = evaluate.embed_folder(path, self._embedder(), progress=show)
            self._failed |= failures
            return pool
        if path.suffix.lower() not in _VECTORS:
            what = "no such file" if not path.exists() else "neither .npy, .npz nor a folder"
            raise InputError(f"{name}: {what}; give vectors, or a folder with one sub-folder for each class")
        return evaluate.read_pool(path, labels)

    def names(self, pools: list[Pool]) -> tuple[Texts | None, Embeddings | None]:
        """Embed the names of all classes, and everyday words beside them; nothing without classes."""
        from sememe import evaluate

        classes = [name for pool in pools for name in pool.classes]
        return evaluate.embed_names(classes, self._embedder()) if classes else (None, None)

    def _embedder(self) -> Embedder:
        from sememe import api

        if self._space is None:
            self._space = api.load(self._profile).space
        return self._space


def _tables(report: Report, trial: Trial, kind: str) -> str:
    """Tables of the trial that was measured."""
    from sememe.evaluate import tables

    section = next(one for one in report.sections if one["digest"] == trial.digest)
    return tables.both(section, kind="html" if kind == "html" else "md")


def _place(coder: str, rate: float | None) -> str:
    return coder if rate is None else f"{coder} at {rate:g} bytes"


def _rates(text: str) -> tuple[float, ...]:
    """Parse numbers of bytes between commas; some coders have rates that are no whole numbers."""
    try:
        rates = tuple(float(part) for part in text.split(","))
    except ValueError:
        rates = ()
    if not rates or not all(0 < rate <= 65536 for rate in rates):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of bytes such as 4,8,16")
    return rates


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: give 0, 1, 2, ...")
    return int(text)
