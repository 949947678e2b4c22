"""A code for vectors that nobody has seen: every backbone works at once, and a fitted profile works better.

::

    d ──hash──► rotation, whole numbers ──┐
    normal density ──► stored quantizer ──┼──► tables of one mode ──► Profile
    texts ──► directions that they tell ──┘ (informed only)

A vector of unknown kind, rotated at random, has coefficients that are nearly normal with variance 1/d, and
nothing more can be said of it. The tables follow from d alone and are exact, so that whoever knows d can read
what another machine wrote. The laws of the code hold as for every profile.

Source: data-free quantization by random rotation as in J. Gao and C. Long, "RaBitQ" (2024), and A. Zandieh et
al., "TurboQuant" (2025); here it is embedded, so that every prefix decodes.
"""

from sememe.profile.universal.building import LARGEST_DIM, PREFIX, SMALLEST_DIM, informed, named, universal

__all__ = ["LARGEST_DIM", "PREFIX", "SMALLEST_DIM", "informed", "named", "universal"]
