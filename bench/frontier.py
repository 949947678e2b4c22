"""Every coder on the splits of the benchmark, judged by the harness behind `sememe bench`.

Rows that `results/frontier.json` holds are not measured again, so that one coder can be added at a time; it
is written whole after each row. `--again` measures the coders named once more, after a change of one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import output
import split
from sememe import evaluate

BYTES = (4, 8, 16, 32, 64)
TARGET = output.RESULTS / "frontier.json"
MAIN = "main"


def left_out_name(left: tuple[str, ...]) -> str:
    """Name of a split that leaves sets out of the fit."""
    return "without " + " and ".join(left)


SPLITS = {MAIN: (), **{left_out_name(left): left for left in split.LEFT_OUT}}
"""Name of each split to the sets that it leaves out."""


def make_trial(name: str, data: Path = split.DATA) -> evaluate.Trial:
    """Turn a split into a trial: texts shape coders (Objects365, Open Images) or judge them (LVIS), not both.

    Zero-shot is that of Caltech, on the main split alone: it is never left out.
    """
    left = SPLITS[name]
    parts = split.load_leave_out(data, left) if left else split.load_split(data)
    return evaluate.Trial(
        name=name,
        training=evaluate.Training(parts.fit.x, split.load_text(data)),
        test=_rows(parts.test),
        queries=_rows(parts.queries),
        known=_rows(parts.means),
        zero_shot=None if left else _zero_shot(parts, data),
        texts=split.load_text(data, ("lvis",)),
    )


def main() -> None:
    """Measure what is missing, then print the report."""
    parser = output.parser(__doc__)
    parser.set_defaults(output=TARGET)
    parser.add_argument("--coders", default="sememe", help=f"between commas, of {', '.join(evaluate.NAMES)}")
    parser.add_argument("--splits", default=",".join(SPLITS), help="names between commas; all by default")
    parser.add_argument("--bytes", default=",".join(map(str, BYTES)), help="rates between commas")
    parser.add_argument("--again", action="store_true", help="measure what is known, too")
    args = parser.parse_args()
    report = evaluate.Report.open(args.output)
    for name in args.splits.split(","):
        evaluate.run(
            make_trial(name, args.data),
            [evaluate.coder(coder) for coder in args.coders.split(",")],
            [float(rate) for rate in args.bytes.split(",")],
            report=report,
            path=args.output,
            again=args.again,
            note=lambda line, name=name: output.note(f"{name}: {line}"),
        )
    print(args.output.read_text(encoding="utf-8"), end="")


def _rows(part: split.Part) -> evaluate.Rows:
    return evaluate.Rows(part.x, part.y, part.sets)


def _zero_shot(parts: split.Split, data: Path) -> evaluate.ZeroShot:
    found = split.zero_shot_caltech(parts, data)
    labels: NDArray[np.int64] = found.y.astype(np.int64)
    return evaluate.ZeroShot(found.rows, labels, found.names, found.text)


if __name__ == "__main__":
    main()
