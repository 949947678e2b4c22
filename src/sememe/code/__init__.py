"""Vector ↔ bytes: the progressive code, whose every prefix is a code.

::

    x (d,) ──metric──► z ──choose mode m, prototype p──► z − p ──basis of m──► u (J,) in standard deviations
                                                                               │ visit them in a fixed order,
    x̂ (d,) ◄─unit─ p + sum ◄─basis of m── coefficients ◄─conditional means─────┤ each visit splits an interval
                                                                               ▼
                                          mode, prototype, split, split, … ──range coder──► bytes

Three laws hold for every profile: `encode(x, m)[:n] == encode(x, n)`; every prefix decodes; there is no
header. All arithmetic is exact on integers (float64 holds them below 2**53), so a vector's bytes and a
code's vector depend on neither the batch it came in nor the machine.

==============  ====================================================================
`tables`        the arrays of a code, and what must hold for them
`quantizer`     the embedded scalar quantizer: a tree of intervals
`transform`     exact linear algebra: metric, projection, reconstruction
`modes`         which mode and prototype describe a vector at the least cost
`walk`          the order in which coefficients are visited, and where each stands
`progressive`   `ProgressiveCode`: vectors to bytes and back
`mixture`       modes and prototypes from vectors
`fit`           tables from vectors, by `options`
`allocation`    which length each vector of a collection deserves
==============  ====================================================================
"""

from sememe.code.allocation import allocate, slope_for
from sememe.code.fit import fit_tables
from sememe.code.options import FitOptions, Progress
from sememe.code.progressive import ProgressiveCode
from sememe.code.tables import CodeTables

__all__ = ["CodeTables", "FitOptions", "Progress", "ProgressiveCode", "allocate", "fit_tables", "slope_for"]
