"""A profile of one's own: fitted to a user's vectors, judged on some that it did not see.

::

    x (n, d) ──part──► train ──────fit─────► fitted ──┐
                       base, train ──adapt─► adapted ─┴─choice──► the better way ──held out──► report
    all of x ──the better way──► the profile that is saved

==========  ====================================================================
`parts`     which vectors train, which decide, which judge
`adapt`     a known profile, made to expect what these vectors are
`related`   what the known profile expects beside few vectors: the prior of a fit to few
`kept`      what a profile keeps of vectors that it was not made from
`report`    the figures, beside those of the known profile, and a verdict
`warn`      what may be wrong with vectors that a profile is to learn from
`fit`       all of it in one call
==========  ====================================================================
"""

from sememe.profile.own.fit import FEWEST, Own, Stages, fit_own, most_vectors
from sememe.profile.own.kept import LENGTHS, Kept
from sememe.profile.own.report import AT, LONGEST, Comparison, FitReport

__all__ = [
    "AT",
    "FEWEST",
    "LENGTHS",
    "LONGEST",
    "Comparison",
    "FitReport",
    "Kept",
    "Own",
    "Stages",
    "fit_own",
    "most_vectors",
]
