"""The papers' coders: real messages that decode, from tables that numpy alone reads; with torch, training."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sememe import metrics
from sememe.errors import (
    FormatError,
    IntegrityError,
    LengthError,
    MissingExtraError,
    ProfileFormatError,
    TrailingDataError,
    TruncatedError,
    UsageError,
    VectorError,
)
from sememe.evaluate.coder import Training
from sememe.evaluate.coders.bottleneck import Bottleneck, BottleneckTrained, noisy_bits
from sememe.evaluate.coders.integers import IntegerTables
from sememe.evaluate.coders.messages import SymbolTables, as_matrix, as_messages
from sememe.evaluate.coders.pqvae import (
    PackedWire,
    PqVae,
    PqVaeFitted,
    PqVaeFixed,
    PqVaeModel,
    PqVaeOwn,
    Settings,
    StaticWire,
)
from sememe.evaluate.coders.pqvae.model import forms
from sememe.evaluate.coders.scalars import ScalarFitted
from sememe.evaluate.coders.uniform import Uniform, UniformTrained
from sememe.evaluate.registry import coder
from sememe.rangecoder import TOTAL, Decoder, Encoder

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
DIM = 32
NAMES = ("uniform", "bottleneck", "pqvae", "pqvae-fixed", "pqvae-own")


@cache
def vectors(n: int = 1500, seed: int = 0) -> np.ndarray:
    """Unit rows around eight centres that share a mean."""
    fixed = np.random.default_rng(7)
    centres, middle = fixed.normal(size=(8, DIM)), 2 * fixed.normal(size=DIM)
    rng = np.random.default_rng(seed)
    rows = middle + centres[rng.integers(8, size=n)] + 0.5 * rng.normal(size=(n, DIM))
    return metrics.unit_rows(rows.astype(np.float32))


def digest(messages: list[bytes]) -> str:
    """Of all messages and where each ends."""
    return hashlib.sha256(b"".join(len(m).to_bytes(4, "big") + m for m in messages)).hexdigest()[:16]


def mean_length(messages: list[bytes]) -> float:
    return sum(map(len, messages)) / len(messages)


# ---- messages: symbols by static tables


def symbol_tables(positions: int, alphabet: int, seed: int = 0) -> SymbolTables:
    return SymbolTables(np.random.default_rng(seed).random((positions, alphabet)) ** 4)


def written(tables: SymbolTables, symbols: np.ndarray, taking: np.ndarray | None = None) -> list[bytes]:
    encoder = Encoder(len(symbols), int(tables.bits(symbols).max(initial=0) / 8) + 8)
    tables.encode(symbols, encoder, taking)
    return as_messages(encoder)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 5),
    st.sampled_from([1, 2, 3, 15, 16, 17, 256, 300, 5000]),
    st.integers(1, 7),
    st.integers(0, 99),
)
def test_symbols_survive(rows: int, alphabet: int, positions: int, seed: int) -> None:
    tables = symbol_tables(positions, alphabet, seed)
    symbols = np.random.default_rng(seed).integers(0, alphabet, (rows, positions))
    messages = written(tables, symbols)
    assert np.array_equal(tables.decode(Decoder(as_matrix(messages), complete=True)), symbols)
    ideal = tables.bits(symbols)
    assert all(8 * len(m) < bits + 9 for m, bits in zip(messages, ideal, strict=True))


def test_rows_that_take_no_part_cost_nothing_and_stay_zero() -> None:
    tables = symbol_tables(4, 40)
    symbols = np.random.default_rng(1).integers(0, 40, (6, 4))
    taking = np.array([True, False, True, True, False, True])
    messages = written(tables, symbols, taking)
    assert [len(m) > 0 for m in messages] == taking.tolist()
    found = tables.decode(Decoder(as_matrix(messages), complete=True), taking)
    assert np.array_equal(found, np.where(taking[:, None], symbols, 0))


def test_symbols_have_golden_bytes() -> None:
    counts = np.array([[1, 2, 3], [50, 1, 1], [0, 0, 0]])
    symbols = np.array([[0, 1, 2], [2, 0, 0], [1, 2, 1], [2, 0, 2]])
    assert [m.hex() for m in written(SymbolTables(counts), symbols)] == SYMBOLS_GOLDEN
    wide = symbol_tables(9, 300)
    drawn = np.random.default_rng(3).integers(0, 300, (20, 9))
    assert digest(written(wide, drawn)) == WIDE_GOLDEN


def test_every_frequency_counts_two_bytes_but_the_last() -> None:
    assert symbol_tables(5, 3).table_bytes == 5 * 2 * 2
    assert symbol_tables(5, 256).table_bytes == 5 * 2 * (15 + 16 * 15)


def test_a_symbol_beyond_the_alphabet_is_a_format_error() -> None:
    tables = SymbolTables(np.ones((1, 17)))
    encoder = Encoder(1, 16)
    for start, stop in ((TOTAL * 16 // 17, TOTAL), (TOTAL - 1, TOTAL)):
        encoder.encode(np.array([start]), np.array([stop]))
    with pytest.raises(FormatError, match="beyond the 17"):
        tables.decode(Decoder(as_matrix(as_messages(encoder)), complete=True))


@pytest.mark.parametrize(
    "counts", [np.ones(3), np.ones((2, 0)), np.ones((1, 70_000)), -np.ones((1, 2)), np.full((1, 2), np.nan)]
)
def test_bad_counts_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(UsageError):
        SymbolTables(counts)


# ---- integers: static tables and an escape


def integer_tables(positions: int = 6) -> IntegerTables:
    spread = np.arange(1, positions + 1)
    return IntegerTables(
        np.rint(np.random.default_rng(0).normal(size=(400, positions)) * spread).astype(np.int64)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(-(2**37), 2**37) | st.integers(-9, 9), min_size=6, max_size=6), max_size=6)
)
def test_any_integers_survive(rows: list[list[int]]) -> None:
    integers = np.array(rows, np.int64).reshape(-1, 6)
    tables = integer_tables()
    messages = tables.encode(integers)
    assert np.array_equal(tables.decode(messages), integers)
    assert messages == [tables.encode(row[None])[0] for row in integers]  # a message knows no other


def test_integers_have_golden_bytes() -> None:
    rows = np.array([[0] * 6, [1, -2, 3, -4, 5, -6], [1000, 0, 0, -70_000, 0, 3]])
    assert [m.hex() for m in integer_tables().encode(rows)] == INTEGERS_GOLDEN


def test_what_training_saw_costs_what_it_should() -> None:
    seen = np.rint(np.random.default_rng(0).normal(size=(4000, 64))).astype(np.int64)
    spent = 8 * mean_length(IntegerTables(seen).encode(seen[:500]))
    shares = np.unique(seen, return_counts=True)[1] / seen.size
    assert -64 * (shares * np.log2(shares)).sum() == pytest.approx(spent, rel=0.05)


@pytest.mark.parametrize("more", [b"\0", b"\x01", b"\0\0\xff"])
def test_bytes_after_the_end_are_trailing_data(more: bytes) -> None:
    message = integer_tables().encode(np.array([[1, -2, 3, -4, 5, -6]]))[0]
    with pytest.raises(TrailingDataError):
        integer_tables().decode([message, message + more])


def test_endless_integers_are_refused() -> None:
    tables = integer_tables()
    encoder = Encoder(1, 64)
    tables._tables.encode(np.full((1, 6), tables.alphabet - 1), encoder)
    for _ in range(45):
        encoder.encode(np.array([TOTAL // 2]), np.array([TOTAL]))
    with pytest.raises(LengthError, match="more than 40 bits"):
        tables.decode(as_messages(encoder))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_decode_or_have_a_named_error(data: bytes) -> None:
    tables = integer_tables()
    try:
        found = tables.decode([data])
    except IntegrityError:
        return
    assert tables.encode(found) == [data]


# ---- scalars: uniform and bottleneck


@cache
def trained(name: str) -> UniformTrained | BottleneckTrained:
    made = {"uniform": Uniform, "bottleneck": Bottleneck}[name]()
    return made.train(Training(vectors()))  # type: ignore[no-any-return,attr-defined]


@cache
def fitted(name: str, nbytes: float) -> ScalarFitted:
    return trained(name).at(nbytes)


@pytest.mark.parametrize("name", ["uniform", "bottleneck"])
def test_scalars_reach_their_rate_and_improve_with_it(name: str) -> None:
    cosines = []
    for nbytes in (4, 8, 16):
        made = fitted(name, nbytes)
        assert mean_length(made.encode(vectors())) == pytest.approx(nbytes, rel=0.02)
        test = vectors(300, 1)
        decoded = made.decode(made.encode(test))
        assert decoded.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1, atol=1e-6)
        cosines.append(float(metrics.centred_cosine(test, decoded, vectors().mean(axis=0)).mean()))
    assert cosines[0] > 0.5
    assert cosines == sorted(cosines)
    assert cosines[-1] > 0.9


@pytest.mark.parametrize("name", ["uniform", "bottleneck"])
def test_vectors_unlike_any_in_training_encode_too(name: str) -> None:
    strange = np.concatenate([-vectors()[:20], np.eye(DIM, dtype=np.float32)])
    made = fitted(name, 16)
    cosine = metrics.cosine(strange, made.decode(made.encode(strange)))
    assert cosine.min() > 0.8


@pytest.mark.parametrize(
    ("name", "golden"), [("uniform", "UNIFORM_GOLDEN"), ("bottleneck", "BOTTLENECK_GOLDEN")]
)
def test_scalars_have_golden_bytes(name: str, golden: str) -> None:
    x = np.random.default_rng(5).integers(-8, 9, (200, DIM)).astype(np.float32) / 16
    made = ScalarFitted(
        x, np.zeros(DIM, np.float32), np.full(DIM, 16.0 if name == "uniform" else 5.0, np.float32)
    )
    assert digest(made.encode(x[:40])) == globals()[golden]


@pytest.mark.parametrize("name", ["uniform", "bottleneck"])
@pytest.mark.parametrize("nbytes", [0, 1e6])
def test_impossible_rates_are_usage_errors(name: str, nbytes: float) -> None:
    with pytest.raises(UsageError, match="bytes on average"):
        trained(name).at(nbytes)


@pytest.mark.parametrize("name", ["uniform", "bottleneck"])
def test_another_dimension_is_a_vector_error(name: str) -> None:
    with pytest.raises(VectorError):
        fitted(name, 8).encode(np.ones((2, DIM + 1), np.float32))


def test_tables_are_counted() -> None:
    made = fitted("uniform", 8)
    assert made.table_bytes > 4 * 3 * DIM
    assert made.table_bytes < fitted("uniform", 16).table_bytes


def test_noisy_bits_are_the_known_ones() -> None:
    rng = np.random.default_rng(0)
    gauss = rng.normal(size=20_000)
    assert noisy_bits(gauss, np.array([30.0]))[0] == pytest.approx(
        np.log2(30 * np.sqrt(2 * np.pi * np.e)), abs=0.05
    )
    assert noisy_bits(np.zeros(100), np.array([1.0, 50.0])).tolist() == [0, 0]
    assert noisy_bits(rng.integers(0, 2, 4000) * 1.0, np.array([8.0]))[0] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("beta", [1e-3, 1e-2, 0.1])
def test_the_scales_minimise_the_noisy_objective(beta: float) -> None:
    made = trained("bottleneck")
    assert isinstance(made, BottleneckTrained)
    x, scales = vectors(), made.scales(beta)

    def objective(factor: float) -> np.ndarray:
        centre = np.median(x, axis=0)
        return np.array(
            [
                0.25 / (s * factor) + beta * noisy_bits(column - c, np.array([s * factor]))[0]
                for column, c, s in zip(x.T, centre, scales, strict=True)
            ]
        )

    at = objective(1.0)
    for factor in (0.6, 0.8, 1.25, 1.6):
        assert (at < objective(factor) + 1e-3 * at).all()
    assert (made.scales(beta / 4) > scales).all()


# ---- PQ-VAE: arrays, wires, file


def seeded_model(m: int = 4, k: int = 20, *, shared: bool = True) -> PqVaeModel:
    """A network of random weights."""
    shape = Settings(m, k, shared=shared, hidden=8)
    rng = np.random.default_rng(11)
    arrays = {name: rng.normal(size=form).astype(np.float32) / 4 for name, form in forms(shape, DIM).items()}
    arrays["spread"] = np.array([0.2], np.float32)
    return PqVaeModel(shape, arrays)


def seeded(m: int = 4, k: int = 20, *, shared: bool = True, packed: bool = False) -> PqVaeFitted:
    model = seeded_model(m, k, shared=shared)
    counts = np.stack([np.bincount(column, minlength=k) for column in model.indices(vectors()).T])
    return PqVaeFitted(model, counts, packed=packed)


@pytest.mark.parametrize("shared", [True, False])
def test_indices_are_those_of_the_nearest_codewords(shared: bool) -> None:
    model = seeded_model(shared=shared)
    a, x = model.arrays, vectors(40)
    rows = (x - a["mean"]) / a["spread"]
    hidden = np.maximum(a["in_weight"] @ rows.T + a["in_bias"][:, None], 0)
    wide = (a["up_weight"] @ hidden + a["up_bias"][:, None] + a["skip_weight"] @ rows.T).T
    parts = wide.reshape(40, 4, -1)
    parts = parts / np.linalg.norm(parts, axis=2, keepdims=True)
    for j in range(4):
        book = a["codebooks"][0 if shared else j]
        distance = np.square(parts[:, j, None] - book[None]).sum(axis=2)
        assert np.array_equal(model.indices(x)[:, j], distance.argmin(axis=1))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_pqvae_decodes_what_it_encoded(packed: bool, shared: bool) -> None:
    made = seeded(shared=shared, packed=packed)
    codes = made.encode(vectors(50, 1))
    decoded = made.decode(codes)
    assert np.array_equal(decoded, made.model.vectors(made.model.indices(vectors(50, 1))))
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1, atol=1e-6)
    again = PqVaeFitted.from_bytes(made.to_bytes(), packed=packed)
    assert again.encode(vectors(50, 1)) == codes
    assert np.array_equal(again.decode(codes), decoded)
    assert again.table_bytes == made.table_bytes > made.model.receiver_bytes - 1


def test_entropy_coding_is_shorter_than_packing() -> None:
    assert (
        mean_length(seeded(16).encode(vectors()))
        < mean_length(seeded(16, packed=True).encode(vectors()))
        == 10
    )


def test_pqvae_has_golden_bytes() -> None:
    indices = np.array([[0, 1, 2], [19, 19, 19], [7, 0, 13]])
    counts = np.arange(60).reshape(3, 20)
    assert [m.hex() for m in StaticWire(counts).encode(indices)] == STATIC_GOLDEN
    assert [m.hex() for m in PackedWire(3, 20).encode(indices)] == ["0044", "9ce6", "381a"]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9), st.sampled_from([2, 3, 4, 16, 20, 256, 1000]), st.integers(0, 5), st.integers(0, 99)
)
def test_indices_survive_both_wires(m: int, k: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    indices = rng.integers(0, k, (rows, m))
    for wire in (StaticWire(rng.integers(0, 50, (m, k))), PackedWire(m, k)):
        assert np.array_equal(wire.decode(wire.encode(indices)), indices)


def test_wrong_messages_have_named_errors() -> None:
    packed, static = PackedWire(3, 20), StaticWire(np.arange(60).reshape(3, 20))
    good = packed.encode(np.array([[1, 2, 3]]))[0]
    with pytest.raises(TruncatedError, match="1 bytes where this coder writes 2"):
        packed.decode([good, good[:1]])
    with pytest.raises(TrailingDataError):
        packed.decode([good + b"\0"])
    with pytest.raises(FormatError, match="padding"):
        packed.decode([bytes([good[0], good[1] | 1])])
    with pytest.raises(FormatError, match="does not exist"):
        packed.decode([b"\xff\xfe"])
    with pytest.raises(TrailingDataError):
        static.decode([static.encode(np.array([[1, 2, 3]]))[0] + b"\0"])


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=12))
def test_any_bytes_are_indices_or_an_integrity_error(data: bytes) -> None:
    for wire in (PackedWire(3, 20), StaticWire(np.arange(60).reshape(3, 20))):
        try:
            found = wire.decode([data])
        except IntegrityError:
            continue
        assert wire.encode(found) == [data]


def test_damaged_networks_have_named_errors() -> None:
    data = seeded().to_bytes()
    for bad in (
        b"",
        data[:100],
        data[:-1],
        data + b"\0",
        b"\0" * 64,
        data.replace(b"subvectors", b"subvictors"),
    ):
        with pytest.raises(ProfileFormatError):
            PqVaeFitted.from_bytes(bad)
    arrays = dict(seeded_model().arrays)
    for name, value in (("out_bias", np.zeros(3)), ("codebooks", np.full((1, 20, 16), np.nan))):
        with pytest.raises(ProfileFormatError, match=name):
            PqVaeModel(seeded_model().settings, {**arrays, name: value.astype(np.float32)})
    del arrays["up_bias"]
    with pytest.raises(ProfileFormatError, match="up_bias"):
        PqVaeModel(seeded_model().settings, arrays)
    with pytest.raises(ProfileFormatError, match="counts"):
        PqVaeFitted(seeded_model(), np.zeros((3, 3), np.int64))


def test_shapes_that_do_not_fit_are_usage_errors() -> None:
    for bad in (Settings(0), Settings(65), Settings(4, 1), Settings(4, 1 << 17)):
        with pytest.raises(UsageError):
            forms(bad, DIM)


# ---- the harness's view


@pytest.mark.parametrize("name", NAMES)
def test_coders_are_known_by_name(name: str) -> None:
    made = coder(name)
    assert made.name == name
    assert made.title
    assert made.source
    assert made.length == ("fixed" if name.endswith("fixed") else "mean")
    rates = made.rates(512)
    assert rates is None or {4, 8, 16, 32, 64} <= set(rates)


def test_without_torch_training_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for made in (PqVae(), PqVaeFixed(), PqVaeOwn()):
        with pytest.raises(MissingExtraError, match=r"sememe\[recipes\]"):
            made.train(Training(vectors()))


class TestWithTorch:
    """Training, small enough to take a second."""

    SMALL = Settings(4, 16, hidden=16, epochs=6, batch=64)

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="needs torch: pip install 'sememe[recipes]'")

    @pytest.mark.parametrize("shared", [True, False])
    def test_training_learns_and_repeats_itself(self, shared: bool) -> None:
        from sememe.evaluate.coders.pqvae.training import train

        small, notes = replace(self.SMALL, shared=shared), []
        arrays = train(vectors(), small, 3, notes.append)
        again = train(vectors(), small, 3, lambda _: None)
        assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
        assert len(notes) == small.epochs
        test, mean = vectors(300, 1), vectors().mean(axis=0)
        cosines = []
        for epochs in (0, small.epochs):
            model = PqVaeModel(small, train(vectors(), replace(small, epochs=epochs), 3, lambda _: None))
            decoded = model.vectors(model.indices(test))
            cosines.append(float(metrics.centred_cosine(test, decoded, mean).mean()))
        assert cosines[1] > max(0.6, cosines[0] + 0.2)
        assert arrays["codebooks"].shape == (1 if shared else 4, 16, 16)

    def test_the_exported_network_is_the_trained_one(self) -> None:
        import torch

        from sememe.evaluate.coders.pqvae.training import _loss, train

        arrays = train(vectors(), self.SMALL, 0, lambda _: None)
        tensors = {name: torch.tensor(array) for name, array in arrays.items()}
        with torch.no_grad():
            loss, _, indices = _loss(torch, tensors, self.SMALL, torch.tensor(vectors(100, 1)))
        model = PqVaeModel(self.SMALL, arrays)
        assert np.mean(model.indices(vectors(100, 1)) == indices.numpy()) > 0.99
        decoded = model.vectors(indices.numpy())
        assert float(loss) >= 10 * (1 - float(metrics.cosine(vectors(100, 1), decoded).mean())) - 1e-4

    def test_the_coder_trains_and_its_messages_decode(self) -> None:
        made = PqVae().train(Training(vectors())).at(4)
        test = vectors(100, 1)
        codes = made.encode(test)
        assert mean_length(codes) < 4.3
        assert metrics.cosine(test, made.decode(codes)).mean() > 0.9
        fixed = PqVaeFixed().train(Training(vectors())).at(2)
        assert {len(code) for code in fixed.encode(test)} == {2}

    def test_bad_input_has_named_errors(self) -> None:
        trained = PqVae().train(Training(vectors(50)))
        with pytest.raises(VectorError, match="too few"):
            trained.at(4)
        for rate in (2.5, 0, 65):
            with pytest.raises(UsageError):
                PqVae().train(Training(vectors())).at(rate)

    def test_the_recipe_trains_what_is_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(ROOT))
        from recipes.pqvae import __main__ as recipe
        from recipes.pqvae import grid

        (tmp_path / "vectors").mkdir()
        np.savez(tmp_path / "vectors" / "imagenet.npz", shots_x=vectors().astype(np.float16))
        network = grid.Network("imagenet", self.SMALL)
        monkeypatch.setattr(grid, "networks", lambda: [network])
        monkeypatch.setattr(
            sys, "argv", ["pqvae", "--data", str(tmp_path), "--cache", str(tmp_path / "kept")]
        )
        recipe.main()
        path = tmp_path / "kept" / "imagenet-4x16-shared.safetensors"
        kept = path.read_bytes()
        assert PqVaeFitted.from_bytes(kept).model.settings == self.SMALL
        recipe.main()
        assert path.read_bytes() == kept


# ---- recipe, benchmark and tables


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the vectors in ../shared/data")
def test_the_recipe_trains_on_the_split_s_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    from recipes.pqvae import grid

    split = importlib.import_module("split")
    assert np.array_equal(grid.vectors(DATA, "all"), split.load_split(DATA).fit.x)
    names = [network.name for network in grid.networks()]
    assert len(names) == len(set(names))
    assert all(m * np.log2(k) == bits for bits, shapes in grid.LINES.items() for m, k in shapes)


def test_the_tables_of_the_papers_are_the_measured_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    text = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    assert "<!-- table:papers" in text
    assert importlib.import_module("table").fill(text) == text


def test_the_papers_results_are_complete() -> None:
    found = json.loads((ROOT / "results" / "papers.json").read_text(encoding="utf-8"))
    assert {"rates", "grid", "generalisation", "robustness", "collections"} <= set(found)


SYMBOLS_GOLDEN: list[str] = ["2993", "80", "7f", "d3"]
WIDE_GOLDEN = "5b7d029fc0a7e4bc"
INTEGERS_GOLDEN: list[str] = ["8529c0", "c09a26", "ffd310ab4e877fadc7a4e1"]
UNIFORM_GOLDEN = "f4f16b2ac0fb608e"
BOTTLENECK_GOLDEN = "481d92d884060009"
STATIC_GOLDEN: list[str] = ["000321", "ffe2", "1e11"]
