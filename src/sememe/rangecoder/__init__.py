"""Integers and their frequencies to bytes and back: a range coder that may be cut after any byte.

Every row of a batch is a message of its own; all rows take their next step together (lock-step), and a
single message is a batch of one. A symbol owns the share [start, stop) of 2**16 equal parts of the current
interval::

    low                                                            low + range
     ├──────────────┬────────────────────────────┬──────────────────────┤
     0            start                         stop                  2**16
                    └──── the interval that the next symbol divides ────┘

The code of a message is a point inside its last interval. Cutting the code after n bytes leaves a *cell* of
points; a symbol is *determined* while the whole cell lies in the share of that one symbol. `Decoder`
returns exactly the determined symbols, and of the first one that is not, the probabilities.

Only integer additions, multiplications and shifts: two machines never disagree.

Source: G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message",
1979.

Carries are not resolved while coding: each is added to the word before, and all are rippled once at
the end.
"""

from sememe.rangecoder.decoder import Decoder
from sememe.rangecoder.encoder import Encoder
from sememe.rangecoder.interval import ABSENT, PRECISION, TOTAL, quantize_frequencies

__all__ = ["ABSENT", "PRECISION", "TOTAL", "Decoder", "Encoder", "quantize_frequencies"]
