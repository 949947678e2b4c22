"""`sememe generate`: draw a picture that could have given the code, and say on it that it is drawn."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.files import STDIO, writable
from sememe.cli.output import Output
from sememe.errors import SememeError, StorageError, UsageError

if TYPE_CHECKING:
    from sememe.api.generating import Generated
    from sememe.cli.subjects import Subject
    from sememe.generate import Generator
    from sememe.profile import Profile

NAME = "generate"
SUMMARY = "draw pictures that could have given the codes"
EXAMPLE = """\
sememe generate photo.sem -o out.png --seed 0 --steps 20 --n 4
sememe generate photos.sems --row photos/cat.png -o drawn/ --generator models/unclip"""

MOST = 64
"""Pictures on one sheet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help=".sem files, archives, images, folders")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help=".png, .jpg or .webp, a sheet if there are several; FOLDER/ for a file each; - is stdout",
    )
    parser.add_argument(
        "--row", action="append", metavar="PATH", help="draw this item of an archive only (may be repeated)"
    )
    parser.add_argument("-n", "--n", type=options.count, default=1, metavar="N", help="pictures of each code")
    parser.add_argument("--seed", type=seed, default=0, metavar="S", help="of the first picture (default 0)")
    parser.add_argument(
        "--steps", type=options.count, metavar="N", help="denoising steps (default: the generator's)"
    )
    parser.add_argument(
        "--best-of",
        type=options.count,
        default=1,
        metavar="N",
        help="draw N for each picture, keep the nearest",
    )
    parser.add_argument("--no-caption", action="store_true", help="no words below pictures; metadata stay")
    model = parser.add_argument_group("generator")
    model.add_argument("--generator", metavar="G", help="id, or folder of a diffusers pipeline")
    model.add_argument("--space", metavar="S", help="space of a folder's vectors, where it does not say")
    model.add_argument("--adapter", metavar="FILE", help="IP-Adapter for a folder of Stable Diffusion")
    model.add_argument("--prior", metavar="FOLDER", help="Kandinsky's prior for a folder of Kandinsky")
    model.add_argument("--device", metavar="D", help="cpu, cuda, ... (default: the GPU if there is one)")
    model.add_argument("--slicing", action="store_true", help="less memory, slower")
    options.add_bytes(parser, default="all there are")
    options.add_profile(parser)


def seed(text: str) -> int:
    """Parse a seed: a whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def run(args: argparse.Namespace, out: Output) -> int:
    """Draw, write and say what was drawn from what."""
    from sememe.cli.subjects import read_subjects

    _check_target(args.output)
    failed: dict[str, SememeError] = {}
    subjects = read_subjects(args, failed)
    drawn = _drawn(args, subjects, out)
    if not subjects:
        return out.failures(failed, len(failed))
    rows = _write_each(args, drawn) if _is_folder(args.output) else _write_one(args, drawn, len(subjects))
    for name, output, picture in rows:
        if output != STDIO:
            fields = {"path": name, "output": output, **picture.to_json()}
            out.record(fields, f"{output}  {name}  {picture.mark.sentence}")
    return out.failures(failed, len(subjects) + len(failed))


@dataclass(slots=True)
class Generators:
    """Generators by the space that they are needed for, each loaded once."""

    args: argparse.Namespace
    _loaded: dict[str, Generator] = field(default_factory=dict)

    def of(self, profile: Profile) -> Generator:
        """Load the generator that was asked for, or one that fits the profile's space."""
        from sememe import generate

        name = self.args.generator or generate.default_for(profile.space_id)
        if drawn_from := generate.space_of(name):  # then what does not fit need not be loaded to be refused
            generate.check_space(name, drawn_from, profile.profile_id, profile.space_id)
        if name not in self._loaded:
            self._loaded[name] = generate.load(
                name,
                space_id=self.args.space,
                adapter=self.args.adapter,
                prior=self.args.prior,
                device=self.args.device,
                slicing=self.args.slicing,
            )
        return self._loaded[name]


def _drawn(
    args: argparse.Namespace, subjects: list[Subject], out: Output
) -> Iterator[tuple[Subject, list[Generated]]]:
    from sememe.api.generating import generate

    generators = Generators(args)
    with out.progress("drawing") as bar:
        for place, subject in enumerate(subjects):

            def tell(done: int, total: int, before: int = place) -> None:
                if bar is not None:
                    bar(before * total + done, len(subjects) * total)

            generator = generators.of(subject.codec.profile)
            yield (
                subject,
                generate(
                    subject.codec,
                    subject.code,
                    generator,
                    n=args.n,
                    seed=args.seed,
                    steps=args.steps,
                    fidelity=subject.fidelity,
                    colours=subject.colours if generator.takes_colours else None,
                    best_of=args.best_of,
                    progress=tell,
                ),
            )


Drawn = Iterable["tuple[Subject, list[Generated]]"]
Rows = Iterator["tuple[str, str, Generated]"]
"""Name of the input, file written, picture."""


def _write_each(args: argparse.Namespace, drawn: Drawn) -> Rows:
    """Write each picture to a file of its own as soon as it is drawn."""
    from sememe.generate import captioned, save

    folder = Path(args.output)
    stems: Counter[str] = Counter()
    for subject, pictures in drawn:
        stem = Path(subject.name).stem if subject.name != STDIO else "stdin"
        stems[stem] += 1
        unique = stem if stems[stem] == 1 else f"{stem}-{stems[stem]}"
        for picture in pictures:
            target = folder / f"{unique}-{picture.mark.seed}.png"
            image = picture.image if args.no_caption else captioned(picture.image, _lines(picture))
            save(image, target, [picture.mark])
            yield subject.name, str(target), picture


def _write_one(args: argparse.Namespace, drawn: Drawn, subjects: int) -> Rows:
    """Write one picture, or a sheet of several: a row for each input that has several."""
    from sememe.generate import captioned, contact_sheet, save

    if subjects * args.n > MOST:
        raise UsageError(
            f"{subjects * args.n} pictures are too many for one sheet of {MOST}; write them to a folder "
            "(-o drawn/), or name items with --row"
        )
    shown = [(subject.name, picture) for subject, pictures in drawn for picture in pictures]
    pictures = [picture for _, picture in shown]
    lines = [_lines(picture, name if subjects > 1 else None) for name, picture in shown]
    if len(pictures) > 1:
        columns = args.n if min(args.n, subjects) > 1 else None
        images = [picture.image for picture in pictures]
        image = contact_sheet(images, None if args.no_caption else lines, columns=columns)
    else:
        image = pictures[0].image if args.no_caption else captioned(pictures[0].image, lines[0])
    with writable(args.output) as target:
        save(image, target, [picture.mark for picture in pictures])
    for name, picture in shown:
        yield name, args.output, picture


def _lines(picture: Generated, name: str | None = None) -> list[str]:
    head = [] if name is None else [name]
    return [*head, picture.mark.sentence, f"by {picture.mark.generator}; not a photograph"]


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir()


def _check_target(output: str) -> None:
    """Refuse what could not be written before anything is drawn, which may take minutes."""
    from sememe.disk import translate
    from sememe.generate import format_of

    if output == STDIO:
        return
    if not _is_folder(output):
        format_of(output)
        if not Path(output).absolute().parent.is_dir():
            raise StorageError(f"{output}: no such folder; make it, or choose another")
        return
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise translate(error, Path(output)) from error
