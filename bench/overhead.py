"""Bytes that the range coder spends above the ideal code length, whole and cut, beside constriction's coders.

Messages are independent binary symbols whose probabilities are spread as those of bit-planes are, from
almost certain to even. *Whole*: the shortest bytes that end a message, less its ideal length (the sum of
-log2 of the probabilities coded with). *Cut*: n bytes less the ideal length of the symbols that n bytes
determine, which is what a progressive code loses at its end.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

import output
from sememe import rangecoder

BYTES = (8, 16, 32, 64)
MESSAGES = 4_000
WITH_CONSTRICTION = 400
SPARE_BYTES = 16

Symbols = NDArray[np.bool_]
Frequencies = NDArray[np.int64]


def source(nbytes: int, rng: np.random.Generator, count: int = MESSAGES) -> tuple[Frequencies, Symbols]:
    """Draw `count` messages of about `nbytes` bytes.

    Returns
    -------
    ones : (symbols,) int64
        Frequency of a one at each place, of `rangecoder.TOTAL`.
    messages : (count, symbols) bool
    """
    p = rng.beta(0.7, 0.7, size=64 * nbytes + 64).clip(0.005, 0.995)
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    ones = np.round(p[: int(np.searchsorted(entropy.cumsum(), 8 * nbytes))] * rangecoder.TOTAL).astype(
        np.int64
    )
    return ones, rng.random((count, len(ones))) * rangecoder.TOTAL < ones


def ideal_bits(ones: Frequencies, messages: Symbols) -> NDArray[np.float64]:
    """(messages, symbols) -log2 of the probability of each symbol."""
    return -np.log2(np.where(messages, ones, rangecoder.TOTAL - ones) / rangecoder.TOTAL)


def encode(ones: Frequencies, messages: Symbols) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Encode all messages in lock-step: their codes, zeros behind them, and how many bytes each takes."""
    longest = int(ideal_bits(ones, messages).sum(axis=1).max() / 8) + SPARE_BYTES
    coder = rangecoder.Encoder(len(messages), longest)
    for zeros, column in zip(rangecoder.TOTAL - ones, messages.T, strict=True):
        coder.encode(np.where(column, zeros, 0), np.where(column, rangecoder.TOTAL, zeros))
    return coder.finish()


def determined(ones: Frequencies, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(messages,) how many symbols each code determines."""
    coder, counts = rangecoder.Decoder(codes), np.zeros(len(codes), np.int64)
    for zeros in rangecoder.TOTAL - ones:
        _, known = coder.decode((zeros,))
        if not known.all():
            coder.keep(known)
        counts[coder.rows] += 1
    return counts


def constriction_bits(ones: Frequencies, messages: Symbols) -> dict[str, float]:
    """Mean length of the same messages with constriction's range coder and its ANS coder."""
    model, p = constriction.stream.model.Bernoulli(perfect=False), ones / rangecoder.TOTAL
    ranges, stacks = [], []
    for message in messages[:WITH_CONSTRICTION].astype(np.int32):
        queue, stack = constriction.stream.queue.RangeEncoder(), constriction.stream.stack.AnsCoder()
        queue.encode(message, model, p)
        stack.encode_reverse(message, model, p)
        ranges.append(queue.num_bits())
        stacks.append(stack.num_bits())
    return {"range": float(np.mean(ranges)), "ans": float(np.mean(stacks))}


def measure(nbytes: int) -> dict[str, float]:
    """Overheads in bytes at one length."""
    rng = np.random.default_rng(nbytes)
    ones, messages = source(nbytes, rng)
    ideal = ideal_bits(ones, messages)
    _, lengths = encode(ones, messages)
    theirs = constriction_bits(ones, messages)
    reference = ideal[:WITH_CONSTRICTION].sum(axis=1).mean()
    longer, more = source(nbytes + SPARE_BYTES, rng)
    kept = determined(longer, encode(longer, more)[0][:, :nbytes])
    informative = np.where(np.arange(len(longer)) < kept[:, None], ideal_bits(longer, more), 0.0).sum(axis=1)
    return output.rounded(
        {
            "symbols": len(ones),
            "ideal_bytes": ideal.sum(axis=1).mean() / 8,
            "whole_bytes_over": (lengths - ideal.sum(axis=1) / 8).mean(),
            "cut_bytes_over": (nbytes - informative / 8).mean(),
            "constriction_range_bytes_over": (theirs["range"] - reference) / 8,
            "constriction_ans_bytes_over": (theirs["ans"] - reference) / 8,
        },
        3,
    )


def main() -> None:
    """Measure at every length."""
    args = output.parser(__doc__).parse_args()
    rows: dict[str, Any] = {str(nbytes): measure(nbytes) for nbytes in BYTES}
    output.emit(
        {
            "messages": MESSAGES,
            "constriction": version("constriction"),
            "seeds": "default_rng(bytes)",
            "bytes": rows,
        },
        args.output,
    )


if __name__ == "__main__":
    main()
