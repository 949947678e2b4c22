"""How much meaning each number of bytes keeps, on sets that were seen in training (other pictures)."""

from __future__ import annotations

import figures
import ours
import output
import split


def main() -> None:
    """Fit, encode once at the longest length, and judge every prefix."""
    args = output.parser(__doc__).parse_args()
    parts = split.load_split(args.data)
    profile, facts = ours.fit_profile(parts, args.data)
    judge = figures.Judge(parts, args.data)
    codes = profile.encode(parts.test.x, max(ours.BYTES))
    rows = {str(n): judge.figures(profile.decode(codes[:, :n])) for n in ours.BYTES}
    output.emit({**facts, "uncompressed": judge.figures(parts.test.x), "bytes": rows}, args.output)


if __name__ == "__main__":
    main()
