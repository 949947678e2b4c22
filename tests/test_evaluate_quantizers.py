"""The quantizers that users would reach for: bytes of the promised length, decoded from tables and bytes."""

from __future__ import annotations

import hashlib
import io
import sys
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sememe import metrics
from sememe.errors import (
    FormatError,
    MissingExtraError,
    TrailingDataError,
    TruncatedError,
    UsageError,
    VectorError,
)
from sememe.evaluate.coder import Coder, Fitted, Trained, Training, WithIdeal
from sememe.evaluate.coders import eight_bits, faiss_codes, labels, pca_ecsq, signs
from sememe.evaluate.coders.centred import Centred, principal, random_rotation
from sememe.evaluate.coders.fixed import FixedFitted
from sememe.evaluate.coders.ideal import OrderZero
from sememe.evaluate.registry import coder

DIM = 64
RATES: dict[str, tuple[float, ...]] = {
    "pq": (4, 8, 16),
    "opq": (4, 8),
    "rq": (1, 2, 4),
    "lsq": (1, 2),
    "prq": (4, 8),
    "rabitq": (10, 12, 16),
    "itq": (2, 4, 8),
    "sign": (2, 4, 8),
    "int8": (64,),
    "truncate": (8, 32, 64),
    "pca-int8": (4, 16, 64),
    "pca-ecsq": (3, 6, 12),
    "label": (1,),
    "label-name": (1,),
}
FAISS = ("pq", "opq", "rq", "lsq", "prq", "rabitq")
FIXED = tuple(name for name in RATES if name != "pca-ecsq")


def clustered(n: int, seed: int) -> np.ndarray:
    """Unit rows around 12 centres that share a mean, with a decaying spectrum: as pictures have."""
    fixed = np.random.default_rng(99)
    spectrum = np.arange(1, DIM + 1) ** -0.4
    middle = fixed.normal(size=DIM)
    centres = fixed.normal(size=(12, DIM)) * spectrum * 2
    rng = np.random.default_rng(seed)
    rows = middle + centres[rng.integers(12, size=n)] + rng.normal(size=(n, DIM)) * spectrum
    return metrics.unit_rows(rows)


@cache
def training() -> Training:
    text = metrics.unit_rows(np.random.default_rng(5).normal(size=(40, DIM)) / 40 + clustered(40, 6))
    return Training(clustered(450, 1), text, seed=3)


@cache
def test_rows() -> np.ndarray:
    return clustered(150, 2)


test_rows.__test__ = False  # type: ignore[attr-defined]


def make(name: str) -> Coder:
    """The registered coder; residual quantization with no more stages than are asked for here."""
    return faiss_codes.Residual(stages=4) if name == "rq" else coder(name)


@cache
def trained(name: str) -> Trained:
    if name in FAISS:
        pytest.importorskip("faiss", reason="needs faiss-cpu, in the extra [bench]")
    return make(name).train(training())


@cache
def fitted(name: str, rate: float) -> Fitted:
    return trained(name).at(rate)


every_rate = pytest.mark.parametrize(("name", "rate"), [(n, r) for n, rates in RATES.items() for r in rates])
every_coder = pytest.mark.parametrize("name", RATES)
every_fixed = pytest.mark.parametrize("name", FIXED)


def quality(name: str, rate: float) -> float:
    """Mean centred cosine of training vectors: on others, codebooks learned from so few may lose by size."""
    made, x = fitted(name, rate), training().x
    return float(metrics.centred_cosine(x, made.decode(made.encode(x)), x.mean(axis=0)).mean())


@every_coder
def test_names_and_rates_are_as_registered(name: str) -> None:
    made = coder(name)
    assert made.name == name
    assert made.length == ("mean" if name == "pca-ecsq" else "fixed")
    assert made.title
    assert made.source
    rates = made.rates(DIM)
    assert rates is None or (set(RATES[name]) <= set(rates) and list(rates) == sorted(set(rates)))


@every_rate
def test_bytes_have_the_promised_length_and_decode_to_unit_rows(name: str, rate: float) -> None:
    made = fitted(name, rate)
    codes = made.encode(test_rows())
    assert all(type(code) is bytes for code in codes)
    if coder(name).length == "fixed":
        assert {len(code) for code in codes} == {rate}
    decoded = made.decode(codes)
    assert decoded.shape == test_rows().shape
    assert decoded.dtype == np.float32
    assert np.abs(np.linalg.norm(decoded, axis=1) - 1).max() < 1e-5
    assert np.array_equal(decoded, made.decode(codes))
    assert codes == made.encode(test_rows())
    alone = np.concatenate([made.decode([code]) for code in codes[:5]])
    assert np.abs(alone - decoded[:5]).max() < 1e-5


@every_coder
def test_codes_carry_meaning_and_more_bytes_are_not_worse(name: str) -> None:
    reached = [quality(name, rate) for rate in RATES[name]]
    floor = {"truncate": 0.2, "label-name": 0.3}.get(name, 0.5)
    assert reached[0] > floor
    assert all(more > less - 0.005 for less, more in pairwise(reached))
    assert len(reached) == 1 or reached[-1] > reached[0]


@every_coder
def test_two_instances_decode_each_others_bytes(name: str) -> None:
    rate = RATES[name][0]
    one, other = fitted(name, rate), make(name).train(training()).at(rate)
    codes = one.encode(test_rows())
    assert other.encode(test_rows()) == codes
    assert np.array_equal(other.decode(codes), one.decode(codes))


@pytest.mark.parametrize("name", ["pq", "rq", "lsq", "rabitq", "itq", "sign", "label"])
def test_another_seed_gives_another_code(name: str) -> None:
    rate = RATES[name][0]
    codes = fitted(name, rate).encode(test_rows())
    other = make(name).train(Training(training().x, training().text, seed=4)).at(rate)
    assert other.encode(test_rows()) != codes


@every_fixed
def test_tables_and_bytes_are_all_that_decoding_needs(name: str) -> None:
    made = fitted(name, RATES[name][0])
    assert isinstance(made, FixedFitted)
    stored = io.BytesIO()
    np.savez(stored, **made.tables)
    arrays = dict(np.load(io.BytesIO(stored.getvalue())))
    assert made.table_bytes == sum(array.nbytes for array in arrays.values()) <= stored.tell()

    def refuse(_: np.ndarray) -> np.ndarray:
        raise AssertionError("a receiver has no encoder")

    mean = Centred(arrays.pop("mean"), np.zeros((0, DIM), np.float32))
    receiver = FixedFitted(made.nbytes, arrays, refuse, made._decode, mean)
    codes = made.encode(test_rows())
    assert np.array_equal(receiver.decode(codes), made.decode(codes))


TABLES = {
    "pq": (8, 4 * (256 * DIM)),
    "opq": (8, 4 * (256 * DIM + DIM * DIM)),
    "rq": (4, 4 * 4 * 256 * DIM),
    "lsq": (2, 4 * 2 * 256 * DIM),
    "prq": (8, 4 * (4 * 256 * DIM + DIM * DIM)),
    "rabitq": (16, 4 * 64 * DIM),
    "itq": (8, 4 * (64 * DIM + DIM)),
    "int8": (64, 4 * 2 * DIM),
    "truncate": (32, 4 * 2 * 32),
    "pca-int8": (16, 4 * (2 * 16 + 16 * DIM)),
    "label": (1, 4 * 256 * DIM),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_counted_at_float32(name: str) -> None:
    rate, size = TABLES[name]
    assert fitted(name, rate).table_bytes == size + 4 * DIM  # and the mean


@every_fixed
def test_messages_of_another_length_have_a_named_error(name: str) -> None:
    made = fitted(name, RATES[name][0])
    codes = made.encode(test_rows()[:3])
    with pytest.raises(TruncatedError, match="message 1 has"):
        made.decode([codes[0], codes[1][:-1], codes[2]])
    with pytest.raises(TrailingDataError, match="message 2 has"):
        made.decode([codes[0], codes[1], codes[2] + b"\0"])


@every_coder
def test_no_vectors_give_no_bytes_and_back(name: str) -> None:
    made = fitted(name, RATES[name][0])
    assert made.encode(test_rows()[:0]) == []
    assert made.decode([]).shape == (0, DIM)


@every_coder
def test_vectors_of_another_dimension_have_a_named_error(name: str) -> None:
    with pytest.raises(VectorError, match=r"\(n, 64\)"):
        fitted(name, RATES[name][0]).encode(test_rows()[:, :-1])


@every_coder
def test_rates_that_do_not_exist_have_a_named_error(name: str) -> None:
    wrong = 0.25 if name == "pca-ecsq" else 2.5
    with pytest.raises(UsageError, match=f"coder '{name}' has no rate of {wrong}"):
        trained(name).at(wrong)


@pytest.mark.parametrize("name", FAISS[:5])
def test_too_few_vectors_for_a_codebook_have_a_named_error(name: str) -> None:
    pytest.importorskip("faiss")
    with pytest.raises(VectorError, match="256 vectors or more"):
        coder(name).train(Training(training().x[:255]))


@pytest.mark.parametrize("name", FAISS)
def test_without_faiss_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=r"sememe\[bench\]"):
        coder(name).train(training())


@pytest.mark.parametrize("name", [name for name in RATES if name not in FAISS])
def test_the_others_need_no_faiss(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    made = coder(name).train(training()).at(RATES[name][0])
    assert made.encode(test_rows()[:2])


# FAISS: what is decoded here is what the library would decode


@pytest.mark.parametrize(("name", "rate"), [(n, RATES[n][-1]) for n in FAISS[:5]])
def test_decoding_agrees_with_faiss(name: str, rate: float) -> None:
    made = fitted(name, rate)
    assert isinstance(made, FixedFitted)
    faiss = pytest.importorskip("faiss")
    codes = made.encode(test_rows())
    n, books = int(rate), made.tables["codebooks"]
    kind = {
        "pq": lambda: faiss.ProductQuantizer(DIM, n, 8),
        "opq": lambda: faiss.ProductQuantizer(DIM, n, 8),
        "rq": lambda: faiss.ResidualQuantizer(DIM, n, 8),
        "lsq": lambda: faiss.LocalSearchQuantizer(DIM, n, 8),
        "prq": lambda: faiss.ProductResidualQuantizer(DIM, n // 4, 4, 8),
    }
    library = kind[name]()
    kept = library.centroids if name in ("pq", "opq") else library.codebooks
    faiss.copy_array_to_vector(np.ascontiguousarray(books).reshape(-1), kept)
    library.is_trained = True
    rows = library.decode(np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), n))
    rows = rows @ made.tables["rotation"] if "rotation" in made.tables else rows
    assert np.abs(metrics.unit_rows(rows + made.tables["mean"]) - made.decode(codes)).max() < 1e-5


def test_a_learned_rotation_keeps_lengths() -> None:
    made = fitted("opq", 8)
    assert isinstance(made, FixedFitted)
    rotation = made.tables["rotation"]
    assert np.abs(rotation @ rotation.T - np.eye(DIM)).max() < 1e-4
    assert quality("opq", 8) > quality("pq", 8) + 0.001


@pytest.mark.parametrize(("name", "factory"), [("pq", "PQ8x8np"), ("opq", "OPQ8,PQ8x8np")])
def test_codes_are_those_of_the_faiss_factory(name: str, factory: str) -> None:
    """Seed 0 is FAISS's own; np: its default also renumbers the entries."""
    faiss = pytest.importorskip("faiss")
    made = make(name).train(Training(training().x)).at(8)
    assert isinstance(made, FixedFitted)
    mean = made.tables["mean"]
    index = faiss.index_factory(DIM, factory)
    index.train(training().x - mean)
    theirs = index.sa_encode(test_rows() - mean)
    assert [row.tobytes() for row in theirs] == made.encode(test_rows())
    decoded = metrics.unit_rows(index.sa_decode(theirs) + mean)
    assert np.abs(decoded - made.decode(made.encode(test_rows()))).max() < 1e-5


def test_residual_rates_share_their_first_codebooks() -> None:
    long, short = fitted("rq", 4), fitted("rq", 2)
    assert isinstance(long, FixedFitted)
    assert isinstance(short, FixedFitted)
    assert np.array_equal(long.tables["codebooks"][:2], short.tables["codebooks"])


def test_residual_codebooks_can_be_kept() -> None:
    whole = trained("rq")
    assert isinstance(whole, faiss_codes.ResidualTrained)
    again = faiss_codes.Residual(stages=4).resume(training(), whole.codebooks).at(4)
    assert again.encode(test_rows()) == fitted("rq", 4).encode(test_rows())


def test_codebooks_of_another_shape_have_a_named_error() -> None:
    with pytest.raises(VectorError, match=r"\(4, 256, 64\), not \(3, 256, 64\)"):
        faiss_codes.Residual(stages=4).resume(training(), np.zeros((3, 256, DIM), np.float32))


def test_a_wider_beam_encodes_better() -> None:
    whole = trained("rq")
    assert isinstance(whole, faiss_codes.ResidualTrained)
    narrow = faiss_codes.Residual(stages=4, encode_beam=1).resume(training(), whole.codebooks).at(4)
    wide = fitted("rq", 4)
    lost = [
        1 - metrics.cosine(test_rows(), made.decode(made.encode(test_rows()))).mean()
        for made in (narrow, wide)
    ]
    assert lost[1] < lost[0]


def test_lsq_ends_at_16_bytes_unless_told_otherwise() -> None:
    assert faiss_codes.LocalSearch().rates(512) == tuple(range(1, 17))
    assert max(faiss_codes.LocalSearch(most=24).rates(512) or ()) == 24


def test_rabitq_decodes_in_the_direction_of_faiss_to_the_projection() -> None:
    made = fitted("rabitq", 16)
    assert isinstance(made, FixedFitted)
    faiss = pytest.importorskip("faiss")
    codes = np.frombuffer(b"".join(made.encode(test_rows())), np.uint8).reshape(-1, 16)
    index = faiss.IndexRaBitQ(64, faiss.METRIC_L2)
    index.train(np.zeros((1, 64), np.float32))
    projection, mean = made.tables["projection"], made.tables["mean"]
    theirs = index.sa_decode(codes) @ projection
    ours = made._decode(made.tables, codes)
    assert metrics.cosine(theirs, ours).min() > 1 - 1e-6
    left = test_rows() - mean - ours
    assert np.abs((left * ours).sum(axis=1)).max() < 1e-5  # nothing is left along the pattern


def test_rabitq_pays_for_its_floats() -> None:
    assert coder("rabitq").rates(512) == tuple(range(9, 73))


# signs


def test_itq_looks_more_like_signs_than_a_random_rotation() -> None:
    centred = Centred.of(training())
    values = centred.rows @ principal(centred.rows, 16)[0].T
    learned = signs.learned_rotation(values, np.random.default_rng(0))
    assert np.abs(learned @ learned.T - np.eye(16)).max() < 1e-5

    def loss(rotation: np.ndarray) -> float:
        turned = values @ rotation.T
        return float(((np.sign(turned) - turned) ** 2).sum())

    assert loss(learned) < loss(random_rotation(16, np.random.default_rng(0)))


def test_signs_decode_by_least_squares() -> None:
    made = fitted("sign", 8)
    assert isinstance(made, FixedFitted)
    x = training().x
    rows = made._decode(made.tables, np.frombuffer(b"".join(made.encode(x)), np.uint8).reshape(len(x), 8))
    left = (x - made.tables["mean"] - rows).astype(np.float64)
    bits = (
        np.unpackbits(np.frombuffer(b"".join(made.encode(x)), np.uint8).reshape(len(x), 8), axis=1) * 2.0 - 1
    )
    assert np.abs(left.mean(axis=0)).max() < 1e-6
    assert (
        np.abs(bits.T @ left / len(x)).max() < 1e-3 * np.abs(bits.T @ (x - x.mean(axis=0)) / len(x)).max() * 2
    )


@pytest.mark.parametrize("dim", [1, 2, 7, 64])
def test_principal_directions_are_orthonormal_and_never_flip(dim: int) -> None:
    centred = Centred.of(training())
    basis, variances = principal(centred.rows, dim)
    assert np.abs(basis @ basis.T - np.eye(dim)).max() < 1e-5
    assert (np.diff(variances) <= 1e-12).all()
    assert (basis[np.arange(dim), np.abs(basis).argmax(axis=1)] > 0).all()


# eight bits


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, DIM))
def test_eight_bits_stay_within_half_a_step_or_at_the_end(seed: int, kept: int) -> None:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(6, DIM)) * 10 ** rng.uniform(-3, 1)).astype(np.float32)
    made = fitted("truncate", float(kept))
    assert isinstance(made, FixedFitted)
    codes = np.frombuffer(b"".join(made.encode(x)), np.uint8).reshape(6, kept)
    rows = made._decode(made.tables, codes)[:, :kept]
    low, step = made.tables["low"], made.tables["step"]
    nearest = np.clip(x[:, :kept] - made.tables["mean"][:kept], low, low + 255 * step)
    assert (np.abs(rows - nearest) <= step / 2 + 1e-5).all()


def test_a_dimension_that_never_changes_decodes_to_itself() -> None:
    x = training().x.copy()
    x[:, 5] = 0.25
    made = coder("int8").train(Training(x)).at(DIM)
    assert isinstance(made, FixedFitted)
    row = made._decode(made.tables, np.full((1, DIM), 77, np.uint8)) + made.tables["mean"]
    assert row[0, 5] == pytest.approx(0.25, abs=1e-6)


def test_ranges_are_frozen() -> None:
    made = fitted("int8", 64)
    assert made.encode(test_rows()[:1]) == made.encode(test_rows())[:1]


# entropy-coded scalars


@pytest.mark.parametrize("rate", [3.5, 6, 12, 30])
def test_the_mean_is_what_was_asked_for_on_training_vectors(rate: float) -> None:
    made = fitted("pca-ecsq", rate)
    mean = np.mean([len(code) for code in made.encode(training().x)])
    assert 0.99 * rate <= mean <= rate


def test_entropy_coded_messages_differ_in_length() -> None:
    lengths = {len(code) for code in fitted("pca-ecsq", 6).encode(test_rows())}
    assert len(lengths) > 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.floats(-2, 2))
def test_any_vector_survives_within_the_step(seed: int, size: float) -> None:
    made = fitted("pca-ecsq", 12)
    assert isinstance(made, pca_ecsq.PcaEcsqFitted)
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(4, DIM)) * 10**size).astype(np.float32)
    codes = made.encode(x)
    integers = made._numbers.decode(codes)
    values = (x - made.tables["mean"]) @ made.tables["basis"].T
    assert np.array_equal(integers, pca_ecsq._quantize(values, float(made.tables["step"][0])))
    assert np.isfinite(made.decode(codes)).all()


def test_bytes_after_an_entropy_coded_message_have_a_named_error() -> None:
    made = fitted("pca-ecsq", 6)
    codes = made.encode(test_rows()[:3])
    with pytest.raises(TrailingDataError):
        made.decode([codes[0], codes[1] + b"\1", codes[2]])


def test_ideal_and_real_bytes_of_an_entropy_coder_are_close() -> None:
    made = fitted("pca-ecsq", 12)
    assert isinstance(made, WithIdeal)
    codes = made.encode(test_rows())
    real = np.mean([len(code) for code in codes])
    assert real - 1 < made.ideal_bytes(codes) < real


# labels


def test_a_label_is_the_nearest_class() -> None:
    made = fitted("label", 1)
    assert isinstance(made, FixedFitted)
    means = made.tables["means"] + made.tables["mean"]
    nearest = ((test_rows()[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert [code[0] for code in made.encode(test_rows())] == nearest.tolist()


def test_ten_bits_of_label_take_two_bytes() -> None:
    made = labels.Label(classes=300).train(training()).at(2)
    codes = made.encode(training().x)
    assert {len(code) for code in codes} == {2}
    assert 256 <= max(int.from_bytes(code, "big") for code in codes) < 300
    with pytest.raises(FormatError, match="names class 300 of 300"):
        made.decode([(300).to_bytes(2, "big")])


def test_more_classes_than_vectors_have_a_named_error() -> None:
    with pytest.raises(VectorError, match="1024 classes"):
        trained("label").at(2)


def test_a_name_is_the_best_text_and_looks_like_its_pictures() -> None:
    made = fitted("label-name", 1)
    assert isinstance(made, FixedFitted)
    text, x = training().text, training().x
    assert text is not None
    best = (x @ text.T).argmax(axis=1)
    codes = [code[0] for code in made.encode(x)]
    assert len(set(codes)) == len(set(best.tolist())) == len(made.tables["means"])
    assert all((best[np.array(codes) == code] == best[codes.index(code)]).all() for code in set(codes))
    some = np.array(codes) == codes[0]
    expected = metrics.unit_rows(x[some].mean(axis=0, keepdims=True))
    assert np.abs(made.decode(made.encode(x[:1])) - expected).max() < 1e-5


def test_names_need_text() -> None:
    with pytest.raises(UsageError, match="text vectors"):
        coder("label-name").train(Training(training().x))


# what coding the symbols could give


@every_coder
def test_the_ideal_is_less_than_the_bytes_but_not_nothing(name: str) -> None:
    made = fitted(name, RATES[name][0])
    assert isinstance(made, WithIdeal)
    codes = made.encode(training().x)
    real = np.mean([len(code) for code in codes])
    assert 0.2 * real < made.ideal_bytes(codes) < real
    assert made.ideal_bytes([]) == 0


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(2, 40))
def test_cross_entropy_is_never_less_than_entropy(seed: int, places: int, alphabet: int) -> None:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(alphabet, 0.4), size=places)
    draw = [np.stack([rng.choice(alphabet, n, p=p) for p in chances], axis=1) for n in (400, 300)]
    counts = np.stack([np.bincount(column, minlength=alphabet) for column in draw[1].T])
    shares = counts / counts.sum(axis=1, keepdims=True)
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum() / 8
    assert OrderZero.fit(draw[0], alphabet).mean_bytes(draw[1]) >= entropy - 1e-9
    assert OrderZero.fit(draw[1], alphabet).mean_bytes(draw[1]) < entropy + places * alphabet / 300


def test_known_costs() -> None:
    even = np.arange(256)[:, None].repeat(3, axis=1)
    assert OrderZero.fit(even, 256).mean_bytes(even) == pytest.approx(3)
    same = np.zeros((10_000, 2), np.int64)
    assert OrderZero.fit(same, 2).mean_bytes(same) < 1e-4


# golden: whole numbers in, so that every machine must write the same


def whole_numbers(n: int) -> np.ndarray:
    """Rows of whole numbers and their opposites: the mean is 0 exactly, and so is every sum."""
    half = np.random.default_rng(7).integers(-100, 101, (n, 16)).astype(np.float32)
    return np.concatenate([half, -half])


def digest(codes: list[bytes]) -> str:
    return hashlib.sha256(b"".join(codes)).hexdigest()[:16]


def test_golden_bytes_of_eight_bits() -> None:
    x = whole_numbers(40)
    assert eight_bits.Int8().train(Training(x)).at(16).encode(x)[0].hex() == GOLDEN["int8 row"]
    assert digest(eight_bits.Int8().train(Training(x)).at(16).encode(x)) == GOLDEN["int8"]
    assert digest(eight_bits.Truncate().train(Training(x)).at(5).encode(x)) == GOLDEN["truncate"]


def test_golden_bytes_of_names() -> None:
    x = whole_numbers(400)
    made = labels.LabelName().train(Training(x, np.eye(16, dtype=np.float32))).at(1)
    assert digest(made.encode(x)) == GOLDEN["label-name"]


def test_golden_bytes_of_entropy_coded_scalars() -> None:
    values = whole_numbers(200) // 9
    made = pca_ecsq.PcaEcsqFitted(
        np.zeros(16, np.float32), np.eye(16, dtype=np.float32), values, pca_ecsq._quantize(values, 2.0), 2.0
    )
    codes = made.encode(values)
    assert codes[0].hex() == GOLDEN["pca-ecsq row"]
    assert digest(codes) == GOLDEN["pca-ecsq"]


GOLDEN = {
    "int8 row": "f19fb0ed95c6d6380c4a48dfea0080d2",
    "int8": "36059068c75418d9",
    "truncate": "396d57b66dfad1b6",
    "label-name": "3f58ad3b78c2b16f",
    "pca-ecsq row": "e70dc36c401913",
    "pca-ecsq": "83fb3f14f6fd8752",
}
