"""Train a captioner: `python -m recipes.captioner --vectors X --captions C --language-model FOLDER -o FILE`.

    vectors ─encode, decode at random lengths─► x̂ ─mapping network─► prefix ─language model─► caption

Run again, it goes on from FILE.checkpoint. With `--tune` the language model is trained along and kept in
FILE.language-model, which `sememe caption --language-model` then needs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from sememe import api
from sememe.caption.prefix import load_language_model
from sememe.errors import SememeError

from .pairs import Pairs, read_captions, read_vectors
from .train import Settings, Training


def main(words: list[str] | None = None) -> int:
    """Train with the options of the command line; return the exit code."""
    args = _parser().parse_args(words)
    try:
        train(args)
    except SememeError as error:
        print(f"recipes.captioner: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def train(args: argparse.Namespace) -> None:
    """Train, and write the network when all steps are done."""
    profile = api.load(args.profile).profile
    coded = None if args.originals else profile
    pairs = Pairs.of(read_vectors(args.vectors), read_captions(args.captions), coded)
    model, tokenizer = load_language_model(args.language_model)
    names = ("prefix", "epochs", "batch", "rate", "warmup", "noise", "tune", "seed")
    settings = Settings(**{name: getattr(args, name) for name in names})
    training = Training(pairs, model, tokenizer, settings, profile.space_id)
    checkpoint = args.output.with_name(args.output.name + ".checkpoint")
    with tqdm(total=training.steps, disable=None, file=sys.stderr) as bar:

        def tell(step: int, steps: int, loss: float) -> None:
            bar.update(step - bar.n)
            bar.set_postfix(loss=f"{loss:.3f}")

        done = training.run(checkpoint, tell, most=args.steps)
    if not done:
        print(f"{training.step} of {training.steps} steps; run again to go on", file=sys.stderr)
        return
    if args.tune:
        folder = args.output.with_name(args.output.name + ".language-model")
        training.model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    training.mapping(language_model=Path(args.language_model).name).save(args.output)
    checkpoint.unlink()


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vectors", type=Path, required=True, help="image vectors (n, d), .npy")
    parser.add_argument("--captions", type=Path, required=True, help="text, a caption a line")
    parser.add_argument("--language-model", type=Path, required=True, help="folder, as transformers keeps it")
    parser.add_argument("--profile", default="clip-vit-b32", help="profile of the vectors' space")
    parser.add_argument("--originals", action="store_true", help="hear original vectors, not decoded codes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file for the network")
    parser.add_argument("--prefix", type=int, default=default.prefix, help="words of the prefix")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--batch", type=int, default=default.batch)
    parser.add_argument("--rate", type=float, default=default.rate, help="learning rate")
    parser.add_argument("--warmup", type=int, default=default.warmup, help="steps")
    parser.add_argument("--noise", type=float, default=default.noise, help="length of the noise on a vector")
    parser.add_argument("--tune", action="store_true", help="train the language model along")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--steps", type=int, help="stop after so many, to go on another time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
