"""Many vectors at once: sets without order, sets that share a dictionary, arithmetic on meanings.

::

    codes (n, nbytes) ──pack_multiset──► bytes, log₂ n! bits shorter ──unpack──► the same codes, sorted
    x (n, d) ──DictionaryCoder──► bytes: atoms once, a few indices for each vector
    x − cat + dog ──► another meaning
"""

from sememe.evaluate.collections.arithmetic import combine, edit, unmix
from sememe.evaluate.collections.dictionary import DictionaryCoder
from sememe.evaluate.collections.multiset import log2_factorial, pack_multiset, unpack_multiset

__all__ = [
    "DictionaryCoder",
    "combine",
    "edit",
    "log2_factorial",
    "pack_multiset",
    "unmix",
    "unpack_multiset",
]
