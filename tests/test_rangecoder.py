"""The range coder: symbols survive, any cut decodes what it determines, and few bits are lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sememe.rangecoder import ABSENT, TOTAL, Decoder, Encoder, quantize_frequencies

GOLDEN = {
    # frequencies, symbols -> bytes; emitted bytes are a promise
    (1, 65535): {(0,) * 4: "", (1,): "01", (1, 0, 1, 1): "000101"},
    (20000, 30000, 15536): {(0, 1, 2, 1, 0): "36", (2, 2, 2): "fd", (1,): "4f"},
}


def tables(rng: np.random.Generator, steps: int, symbols: int) -> np.ndarray:
    """Cumulative frequencies (steps, symbols + 1) with very likely and very unlikely symbols."""
    frequencies = quantize_frequencies(rng.random((steps, symbols)) ** 6 + 1e-9)
    return np.concatenate([np.zeros((steps, 1), np.int64), frequencies.cumsum(axis=1)], axis=1)


def draw(rng: np.random.Generator, cumulative: np.ndarray, rows: int) -> np.ndarray:
    """Symbols (rows, steps) with the probabilities of the tables."""
    points = rng.integers(0, TOTAL, (rows, len(cumulative)))
    return (points[:, :, None] >= cumulative[None, :, 1:-1]).sum(axis=2)


def encode(cumulative: np.ndarray, symbols: np.ndarray, nbytes: int, *, retire: bool = False):
    encoder = Encoder(len(symbols), nbytes)
    for step, bounds in enumerate(cumulative):
        chosen = symbols[encoder.rows, step]
        encoder.encode(bounds[chosen], bounds[chosen + 1])
        if retire:
            encoder.retire()
    return encoder.finish()


def decode(
    cumulative: np.ndarray, codes: np.ndarray, *, complete: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Symbols, and how many of each row the bytes determined."""
    decoder = Decoder(codes, complete=complete)
    symbols = np.zeros((len(codes), len(cumulative)), np.int64)
    determined = np.zeros(len(codes), np.int64)
    for step, bounds in enumerate(cumulative):
        alive = determined == step
        symbols[:, step], known = decoder.decode([np.where(alive, bound, ABSENT) for bound in bounds[1:-1]])
        determined += alive & known
    return symbols, determined


def ideal_bits(cumulative: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    frequencies = np.diff(cumulative, axis=1)
    return -np.log2(np.take_along_axis(frequencies[None], symbols[:, :, None], axis=2)[..., 0] / TOTAL)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 60), st.integers(2, 6))
def test_complete_messages_survive(seed, rows, steps, symbols):
    rng = np.random.default_rng(seed)
    cumulative = tables(rng, steps, symbols)
    message = rng.integers(0, symbols, (rows, steps))  # unlikely symbols as often as likely ones
    codes, lengths = encode(cumulative, message, 2 * steps + 8)
    decoded, determined = decode(cumulative, codes[:, : lengths.max()], complete=True)
    assert (decoded == message).all()
    assert (determined == steps).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 60), st.integers(0, 12))
def test_a_cut_code_is_a_prefix_and_decodes_only_right_symbols(seed, rows, steps, nbytes):
    rng = np.random.default_rng(seed)
    cumulative = tables(rng, steps, 3)
    message = draw(rng, cumulative, rows)
    whole, _ = encode(cumulative, message, 2 * steps + 20)
    cut, _ = encode(cumulative, message, nbytes, retire=True)
    assert (cut == whole[:, :nbytes]).all()
    decoded, determined = decode(cumulative, cut)
    for row in range(rows):
        assert (decoded[row, : determined[row]] == message[row, : determined[row]]).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_every_determined_symbol_is_decoded(seed, nbytes):
    """What follows the cut cannot change a decoded symbol, and can change the first one that was not."""
    rng = np.random.default_rng(seed)
    cumulative = tables(rng, 80, 3)
    code = rng.integers(0, 256, (1, nbytes), np.uint8)
    decoded, determined = decode(cumulative, code)
    count = int(determined[0])
    low, _ = decode(cumulative, np.pad(code, ((0, 0), (0, 40))), complete=True)
    high, _ = decode(cumulative, np.pad(code, ((0, 0), (0, 40)), constant_values=255), complete=True)
    assert (low[0, :count] == decoded[0, :count]).all()
    assert (high[0, :count] == decoded[0, :count]).all()
    if count < 80:
        assert low[0, count] != high[0, count]


def test_shares_are_the_probabilities_of_what_may_follow():
    rng = np.random.default_rng(4)
    cumulative = tables(rng, 40, 3)
    code = np.array([[0x5A, 0x3C]], np.uint8)
    count = int(decode(cumulative, code)[1][0])
    decoder = Decoder(code)
    for bounds in cumulative[:count]:
        decoder.decode(tuple(bounds[1:-1]))
    inner = tuple(np.array([bound]) for bound in cumulative[count][1:-1])
    shares = decoder.shares(np.array([0]), inner)[0]
    tails = rng.integers(0, 256, (20_000, 12), np.uint8)
    follow, _ = decode(cumulative, np.concatenate([np.repeat(code, len(tails), axis=0), tails], axis=1))
    counted = np.bincount(follow[:, count], minlength=3) / len(tails)
    np.testing.assert_allclose(shares, counted, atol=0.02)
    assert shares.sum() == pytest.approx(1.0)


def test_rows_do_not_depend_on_each_other():
    rng = np.random.default_rng(0)
    cumulative = tables(rng, 50, 3)
    message = draw(rng, cumulative, 40)
    together, _ = encode(cumulative, message, 12, retire=True)
    alone = [encode(cumulative, message[row : row + 1], 12, retire=True)[0][0] for row in range(40)]
    assert (together == np.stack(alone)).all()


def test_a_symbol_with_the_whole_share_costs_nothing():
    rng = np.random.default_rng(1)
    cumulative = tables(rng, 30, 3)
    message = draw(rng, cumulative, 5)
    plain, _ = encode(cumulative, message, 20)
    encoder = Encoder(5, 20)
    for step, bounds in enumerate(cumulative):
        encoder.encode(np.zeros(5, np.int64), np.full(5, TOTAL))
        encoder.encode(bounds[message[:, step]], bounds[message[:, step] + 1])
    assert (encoder.finish()[0] == plain).all()
    decoder = Decoder(plain, complete=True)
    for step, bounds in enumerate(cumulative):
        nothing, _ = decoder.decode((np.full(5, ABSENT), np.full(5, ABSENT)))
        assert not nothing.any()
        assert (decoder.decode(tuple(bounds[1:-1]))[0] == message[:, step]).all()


@pytest.mark.parametrize("nbytes", [8, 16, 32, 64])
def test_less_than_half_a_byte_above_the_ideal_length(nbytes):
    rng = np.random.default_rng(nbytes)
    cumulative = tables(rng, 12 * nbytes, 3)
    bits = ideal_bits(cumulative, draw(rng, cumulative, 400)).mean(axis=0).cumsum()
    cumulative = cumulative[: int(np.searchsorted(bits, 8 * nbytes))]
    message = draw(rng, cumulative, 2000)
    _, lengths = encode(cumulative, message, 3 * nbytes)
    overhead = lengths - ideal_bits(cumulative, message).sum(axis=1) / 8
    assert 0 <= overhead.mean() <= 0.5
    assert overhead.max() <= 1.1


@pytest.mark.parametrize("nbytes", [8, 16, 32, 64])
def test_a_cut_loses_less_than_half_a_byte(nbytes):
    rng = np.random.default_rng(nbytes)
    cumulative = tables(rng, 40 * nbytes, 3)
    message = draw(rng, cumulative, 500)
    codes, _ = encode(cumulative, message, nbytes, retire=True)
    _, determined = decode(cumulative, codes)
    assert (determined < len(cumulative)).all()
    bits = ideal_bits(cumulative, message)
    counted = np.where(np.arange(len(cumulative)) < determined[:, None], bits, 0).sum(axis=1)
    assert (counted <= 8 * nbytes + 1e-6).all()
    assert (8 * nbytes - counted).mean() <= 4.0


def test_code_length_matches_constriction():
    """The oracle's words hold 32 bits, so only its length beyond one word can be compared."""
    constriction = pytest.importorskip("constriction")
    rng = np.random.default_rng(3)
    cumulative = tables(rng, 400, 3)
    message = draw(rng, cumulative, 20)
    _, lengths = encode(cumulative, message, 400)
    probabilities = np.diff(cumulative, axis=1) / TOTAL
    for row in range(20):
        coder = constriction.stream.queue.RangeEncoder()
        model = constriction.stream.model.Categorical(perfect=False)
        coder.encode(message[row].astype(np.int32), model, probabilities.astype(np.float32))
        theirs = 4 * len(coder.get_compressed())
        assert theirs - 5 <= lengths[row] <= theirs


@pytest.mark.parametrize("frequencies", GOLDEN)
def test_golden_bytes(frequencies):
    bounds = np.concatenate([[0], np.cumsum(frequencies)])
    for symbols, expected in GOLDEN[frequencies].items():
        cumulative = np.tile(bounds, (len(symbols), 1))
        codes, lengths = encode(cumulative, np.array([symbols]), 16)
        assert codes[0, : lengths[0]].tobytes().hex() == expected


def test_a_straddling_message_waits_for_its_bytes():
    """A point just below a byte boundary keeps its bytes open until a symbol decides; none may be guessed."""
    bounds = np.array([0, TOTAL // 2, TOTAL])
    for last in (0, 1):
        message = np.array([[0] + [1] * 90 + [last]])
        cumulative = np.tile(bounds, (92, 1))
        whole, _ = encode(cumulative, message, 24)
        for nbytes in range(1, 12):
            cut, _ = encode(cumulative, message, nbytes, retire=True)
            assert (cut == whole[:, :nbytes]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=300).filter(lambda counts: sum(counts) > 0))
def test_frequencies_sum_and_never_vanish(counts):
    frequencies = quantize_frequencies(np.array(counts))
    assert frequencies.sum() == TOTAL
    assert frequencies.min() >= 1
