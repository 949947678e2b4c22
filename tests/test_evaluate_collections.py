"""Sets of codes without order, sets with a dictionary, arithmetic on meanings."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sememe import metrics
from sememe.errors import (
    ChecksumError,
    FlagError,
    FormatError,
    IntegrityError,
    LengthError,
    MagicError,
    TrailingDataError,
    TruncatedError,
    UsageError,
    VectorError,
    VersionError,
)
from sememe.evaluate import collections
from sememe.evaluate.collections import (
    DictionaryCoder,
    combine,
    edit,
    log2_factorial,
    pack_multiset,
    unmix,
    unpack_multiset,
)
from sememe.evaluate.collections.framing import Kind, Reader, frame, unframe, varint
from sememe.evaluate.collections.multiset import MOST_CODES, _Counts
from sememe.evaluate.collections.sparse import LEVELS, Sums, learn_atoms, pursue
from sememe.evaluate.collections.splits import split_of
from sememe.rangecoder import TOTAL

DIM = 24


def random_codes(n: int, nbytes: int, seed: int = 0, values: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, values, (n, nbytes)).astype(np.uint8)


def ascending(codes: np.ndarray) -> np.ndarray:
    return np.array(sorted(codes.tolist()), np.uint8).reshape(codes.shape)


@cache
def vectors(n: int = 300, seed: int = 0) -> np.ndarray:
    """Unit rows around ten centres that share a mean."""
    fixed = np.random.default_rng(7)
    centres, middle = fixed.normal(size=(10, DIM)), 2 * fixed.normal(size=DIM)
    rng = np.random.default_rng(seed)
    rows = middle + centres[rng.integers(10, size=n)] + 0.3 * rng.normal(size=(n, DIM))
    return metrics.unit_rows(rows.astype(np.float32))


class Halves:
    """Atoms as 16-bit floats: a coder that leaves the rest to be tested."""

    table_bytes = 0

    def encode(self, x: np.ndarray) -> list[bytes]:
        return [row.astype("<f2").tobytes() for row in x]

    def decode(self, codes: Sequence[bytes]) -> np.ndarray:
        if any(len(code) != 2 * DIM for code in codes):
            raise TruncatedError("an atom is too short")
        return metrics.unit_rows(
            np.frombuffer(b"".join(codes), "<f2").reshape(len(codes), DIM).astype(np.float32)
        )


# ---- multisets


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 60), st.integers(1, 5), st.sampled_from([1, 2, 5, 256]), st.integers(0, 99))
def test_multisets_survive_in_any_order(n: int, nbytes: int, values: int, seed: int) -> None:
    codes = random_codes(n, nbytes, seed, values)
    packed = pack_multiset(codes)
    assert np.array_equal(unpack_multiset(packed), ascending(codes))
    assert pack_multiset(codes[::-1]) == packed
    assert pack_multiset(np.random.default_rng(seed).permutation(codes)) == packed


def test_many_equal_codes_and_many_near_ones_survive() -> None:
    equal = np.repeat(random_codes(3, 4), [500, 1, 299], axis=0)
    assert np.array_equal(unpack_multiset(pack_multiset(equal)), ascending(equal))
    assert len(pack_multiset(equal)) < 200
    uneven = np.concatenate([random_codes(900, 3, 1, 16), random_codes(100, 3, 2)])
    assert np.array_equal(unpack_multiset(pack_multiset(uneven)), ascending(uneven))


@pytest.mark.parametrize("nbytes", [4, 8, 16])
def test_the_order_is_what_is_saved(nbytes: int) -> None:
    codes = random_codes(1000, nbytes)
    saved = 8 * (codes.size - len(pack_multiset(codes)))
    assert log2_factorial(1000) - 8 * 18 < saved <= log2_factorial(1000)


def test_log2_factorial() -> None:
    assert log2_factorial(0) == log2_factorial(1) == 0
    assert log2_factorial(5) == pytest.approx(np.log2(120))


def test_multisets_have_golden_bytes() -> None:
    assert pack_multiset(np.zeros((0, 4), np.uint8)).hex() == EMPTY_GOLDEN
    assert pack_multiset(np.array([[7], [7], [200]], np.uint8)).hex() == THREE_GOLDEN
    packed = pack_multiset(random_codes(300, 4, 5))
    assert hashlib.sha256(packed).hexdigest()[:16] == MANY_GOLDEN


@pytest.mark.parametrize("count", [2, 3, 7, 31, 32, 33, 100, 1001, 20_000])
def test_splits_are_binomial_tables(count: int) -> None:
    split = split_of(count)
    shares = np.diff(split.bounds)
    assert split.bounds[0] == 0
    assert split.bounds[-1] == TOTAL
    assert (shares > 0).all()
    counts = shares[:-1] if split.escapes else shares
    np.testing.assert_allclose(counts, counts[::-1], atol=len(shares) + 2)
    if count < 32:
        exact = np.array(
            [float(np.prod([(count - i) / (i + 1) for i in range(k)])) for k in range(count + 1)]
        )
        np.testing.assert_allclose(counts, TOTAL * exact / 2.0**count, atol=count + 2)


@pytest.mark.parametrize(
    "codes",
    [np.zeros(4, np.uint8), np.zeros((2, 0), np.uint8), np.zeros((1, 256), np.uint8), np.zeros((2, 2))],
)
def test_what_is_no_matrix_of_bytes_is_a_vector_error(codes: np.ndarray) -> None:
    with pytest.raises(VectorError):
        pack_multiset(codes)


def test_too_many_codes_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="make several"):
        pack_multiset(np.broadcast_to(np.zeros((1, 1), np.uint8), (MOST_CODES + 1, 1)))


def multiset(n: int, nbytes: int, counts: bytes, tail: bytes) -> bytes:
    """A frame whose checksum is right, around anything."""
    return frame(Kind.MULTISET, varint(n) + varint(nbytes) + varint(len(counts)) + counts + tail)


def test_wrong_multisets_have_named_errors() -> None:
    with pytest.raises(LengthError):
        unpack_multiset(multiset(MOST_CODES + 1, 4, b"", b""))
    with pytest.raises(FormatError, match="no bytes"):
        unpack_multiset(multiset(1, 0, b"", b""))
    with pytest.raises(TruncatedError, match="counts"):
        unpack_multiset(multiset(100_000, 255, b"", b""))
    with pytest.raises(TruncatedError):
        unpack_multiset(multiset(1, 4, b"", b"abc"))
    with pytest.raises(TrailingDataError):
        unpack_multiset(multiset(1, 4, b"", b"abcde"))
    with pytest.raises(TruncatedError):
        unpack_multiset(frame(Kind.MULTISET, varint(3) + varint(4) + varint(9) + b"short"))
    beyond = _Counts()
    beyond.write(40, 63)
    with pytest.raises(FormatError, match="63 of 40"):
        unpack_multiset(multiset(40, 1, beyond.finish(), b""))
    with pytest.raises(FormatError, match="one way"):
        unpack_multiset(multiset(1, 1, b"\0", b"a"))


# ---- frames


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(list(Kind)))
def test_frames_survive(payload: bytes, kind: Kind) -> None:
    assert unframe(frame(kind, payload), kind) == payload


def test_every_flipped_bit_and_every_cut_is_noticed() -> None:
    packed = pack_multiset(random_codes(5, 3))
    for bit in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            unpack_multiset(bytes(damaged))
    for end in range(len(packed)):
        with pytest.raises(TruncatedError):
            unpack_multiset(packed[:end])
    with pytest.raises(TrailingDataError):
        unpack_multiset(packed + b"\0")


def test_wrong_frames_have_named_errors() -> None:
    packed = pack_multiset(random_codes(5, 3))
    for error, damaged in (
        (MagicError, b"x" + packed[1:]),
        (VersionError, packed[:3] + b"\x21" + packed[4:]),
        (FlagError, packed[:3] + b"\x12" + packed[4:]),
        (LengthError, packed[:4] + b"\x80\x00" + packed[5:]),
        (LengthError, packed[:4] + b"\xff" * 6 + packed[5:]),
        (ChecksumError, packed[:-1] + bytes([packed[-1] ^ 1])),
    ):
        with pytest.raises(error):
            unpack_multiset(damaged)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**35 - 1))
def test_numbers_survive(value: int) -> None:
    assert Reader(varint(value)).varint(2**35) == value


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_any_payload_is_a_multiset_or_a_format_error(payload: bytes) -> None:
    data = frame(Kind.MULTISET, payload)
    try:
        codes = unpack_multiset(data)
    except FormatError:
        return
    assert pack_multiset(codes) == data


# ---- dictionaries


def test_terms_are_the_best_that_there_are() -> None:
    x, atoms = vectors(20), vectors(9, 3)
    sums = pursue(x, atoms, 2)
    assert np.array_equal(sums.atoms[:, 0], (x @ atoms.T).argmax(axis=1))
    found = metrics.cosine(x, sums.vectors(atoms))
    for row, first in enumerate(sums.atoms[:, 0]):
        every = [metrics.unit_rows((atoms[first] + w * a)[None])[0] @ x[row] for a in atoms for w in LEVELS]
        assert found[row] == pytest.approx(max(every), abs=1e-5)


def test_more_terms_and_more_atoms_come_nearer() -> None:
    x = vectors()
    by_terms = [
        metrics.cosine(x, pursue(x, vectors(12, 3), t).vectors(vectors(12, 3))).mean() for t in (1, 2, 3, 4)
    ]
    assert by_terms == sorted(by_terms)
    by_atoms = []
    for count in (2, 8, 32):
        atoms = learn_atoms(x, count, 2)
        assert atoms.shape == (count, DIM)
        np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1, atol=1e-5)
        by_atoms.append(metrics.cosine(x, pursue(x, atoms, 2).vectors(atoms)).mean())
    assert by_atoms == sorted(by_atoms)
    assert by_atoms[-1] > 0.95


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 140), st.integers(1, 20), st.integers(1, 3))
def test_dictionaries_survive(n: int, atoms: int, terms: int) -> None:
    x = vectors(140)[:n]
    made = DictionaryCoder(Halves(), atoms=atoms, terms=terms)
    data = made.encode(x)
    dictionary = Halves().decode(Halves().encode(learn_atoms(x, min(atoms, n), terms)))
    assert np.array_equal(made.decode(data), pursue(x, dictionary, terms).vectors(dictionary))


def test_more_pictures_share_the_dictionary() -> None:
    made = DictionaryCoder(Halves(), atoms=10, terms=1)
    sizes = [len(made.encode(vectors(600)[:n])) for n in (100, 300, 600)]
    assert sizes[0] > 10 * 2 * DIM
    assert (sizes[2] - sizes[0]) * 8 / 500 < np.log2(
        10
    ) + 0.3  # a first index costs what it says, and no more


def test_dictionaries_have_golden_bytes() -> None:
    sums = Sums(np.array([[0, 1], [2, 2], [1, 0], [0, 1]]), np.array([[3], [0], [2], [3]]))
    lanes = collections.dictionary._encode_lanes(sums, 3)
    assert [lane.hex() for lane in lanes] == LANES_GOLDEN
    rng = np.random.default_rng(2)
    many = Sums(rng.integers(0, 40, (500, 3)), rng.integers(0, 4, (500, 2)))
    lanes = collections.dictionary._encode_lanes(many, 40)
    assert len(lanes) == 7
    assert hashlib.sha256(b"|".join(lanes)).hexdigest()[:16] == MANY_LANES_GOLDEN


def test_wrong_dictionaries_have_named_errors() -> None:
    made = DictionaryCoder(Halves(), atoms=4, terms=2)
    data = made.encode(vectors(80))
    payload = unframe(data, Kind.DICTIONARY)
    for cut in range(0, len(data), 7):
        with pytest.raises(TruncatedError):
            made.decode(data[:cut])
    for place in range(0, len(data), 5):
        damaged = bytearray(data)
        damaged[place] ^= 16
        with pytest.raises(FormatError):
            made.decode(bytes(damaged))
    with pytest.raises(FlagError):
        made.decode(pack_multiset(random_codes(3, 3)))
    for error, wrong in (
        (TrailingDataError, payload + b"\0"),
        (TruncatedError, payload[:-1]),
        (FormatError, bytes([0]) + payload[1:]),
        (FormatError, bytes([3]) + payload[1:]),
        (FormatError, payload[:1] + bytes([0]) + payload[2:]),
        (LengthError, payload[:2] + bytes([9]) + payload[3:]),
    ):
        with pytest.raises(error):
            made.decode(frame(Kind.DICTIONARY, wrong))
    lane = payload.rindex(unframe_lane(payload))
    longer = payload[: lane - 1] + varint(payload[lane - 1] + 1) + payload[lane:] + b"\0"
    with pytest.raises(TrailingDataError):
        made.decode(frame(Kind.DICTIONARY, longer))


def unframe_lane(payload: bytes) -> bytes:
    """The one lane at the end of a dictionary of four atoms."""
    reader = Reader(payload)
    reader.take(3)
    for _ in range(4):
        reader.take(reader.varint(1 << 20))
    return reader.take(reader.varint(1 << 20))


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=40))
def test_any_payload_is_a_dictionary_or_an_integrity_error(payload: bytes) -> None:
    made = DictionaryCoder(Halves())
    try:
        decoded = made.decode(frame(Kind.DICTIONARY, payload))
    except IntegrityError:
        return
    assert decoded.ndim == 2


@pytest.mark.parametrize("sizes", [{"atoms": 0}, {"atoms": 5000}, {"terms": 0}, {"terms": 9}])
def test_sizes_out_of_bounds_are_usage_errors(sizes: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        DictionaryCoder(Halves(), **sizes)


@pytest.mark.parametrize("x", [np.zeros((0, DIM), np.float32), np.zeros(DIM, np.float32)])
def test_no_set_is_a_vector_error(x: np.ndarray) -> None:
    with pytest.raises(VectorError):
        DictionaryCoder(Halves()).encode(x)


# ---- arithmetic


def test_what_is_added_can_be_taken_out_again() -> None:
    one, other = vectors(50, 1), vectors(50, 2)
    for a, b in zip(one, other, strict=True):
        length = float(np.linalg.norm(a + b))
        back = unmix(combine(a[None], b[None]), b[None], length)
        np.testing.assert_allclose(back[0], a, atol=1e-5)


def test_edits_move_from_one_meaning_to_the_other() -> None:
    x, minus, plus = vectors(50, 1), vectors(50, 2), vectors(50, 3)
    edited = edit(x, minus, plus, 0.7)
    np.testing.assert_allclose(np.linalg.norm(edited, axis=1), 1, atol=1e-5)
    assert metrics.cosine(edited, plus).mean() > metrics.cosine(x, plus).mean()
    assert metrics.cosine(edited, minus).mean() < metrics.cosine(x, minus).mean()
    np.testing.assert_allclose(edit(x, minus, plus, 0), x, atol=1e-6)


def test_shapes_that_differ_are_vector_errors() -> None:
    one = vectors(5)
    for call in (
        lambda: combine(one, one[:3]),
        lambda: edit(one, one, one[:1], 1.0),
        lambda: unmix(one[0], one[0], 1.0),
    ):
        with pytest.raises(VectorError):
            call()


def test_a_crc_is_what_closes_a_frame() -> None:
    data = frame(Kind.MULTISET, b"abc")
    assert data == b"SmC\x11\x03abc" + zlib.crc32(b"SmC\x11\x03abc").to_bytes(4, "big")


EMPTY_GOLDEN = "536d431103000400f67faa73"
THREE_GOLDEN = "536d431106030102dfa1904a274130"
MANY_GOLDEN = "b01660278a73eef0"
LANES_GOLDEN: list[str] = ["4d53a79c"]
MANY_LANES_GOLDEN = "7c50e05bca1a440b"
