"""The progressive code: its three laws, its purity, and that it is worth its bytes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sememe.code import CodeTables, FitOptions, ProgressiveCode, allocate, fit_tables, slope_for
from sememe.code.quantizer import fit_quantizer
from sememe.code.transform import as_integers
from sememe.errors import ProfileFormatError
from sememe.rangecoder import TOTAL

DIMS = (32, 100, 512)
LONGEST = 80


def vectors(dim: int, count: int, seed: int, *, apart: float = 1.0) -> np.ndarray:
    """Unit rows from a mixture of classes with a common mean, as CLIP's are."""
    world = np.random.default_rng(dim)
    centres = world.normal(size=(6, dim)) * world.gamma(1.0, 1.0, dim)
    spread = world.gamma(0.4, 1.0, (6, dim))
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, count)
    x = 2.0 + apart * centres[labels] + rng.normal(size=(count, dim)) * spread[labels]
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@cache
def code(dim: int, *, modes: int = 6) -> ProgressiveCode:
    text = vectors(dim, 60, 7)
    options = FitOptions(modes=modes, coefficients=min(dim, 64), rounds=2)
    return ProgressiveCode(fit_tables(vectors(dim, 1200, 0), text, options=options))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(DIMS), st.integers(0, 2**32), st.integers(1, LONGEST), st.integers(1, LONGEST))
def test_law_1_a_shorter_code_is_a_prefix(dim, seed, one, other):
    short, long = sorted((one, other))
    x = vectors(dim, 7, seed)
    assert (code(dim).encode(x, long)[:, :short] == code(dim).encode(x, short)).all()


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(DIMS), st.integers(0, LONGEST), st.integers(0, 2**32))
def test_law_2_every_prefix_and_any_bytes_decode(dim, nbytes, seed):
    codes = np.random.default_rng(seed).integers(0, 256, (5, nbytes), np.uint8)
    x = code(dim).decode(codes)
    assert x.shape == (5, dim)
    assert x.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("dim", DIMS)
def test_law_2_more_bytes_never_decode_worse_on_average(dim):
    x = vectors(dim, 400, 1)
    codes = code(dim).encode(x, 64)
    cosines = [(code(dim).decode(codes[:, :n]) * x).sum(axis=1).mean() for n in range(65)]
    assert (np.diff(cosines) > -1e-4).all()
    assert cosines[64] > cosines[16] > cosines[4] > cosines[0]


@pytest.mark.parametrize("dim", [32, 512])
def test_law_3_no_byte_is_constant(dim):
    """A header, a length or a quality field would show as a byte that never changes."""
    codes = code(dim).encode(vectors(dim, 500, 2), 16)
    assert (np.ptp(codes, axis=0) > 0).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(DIMS), st.integers(0, 2**32))
def test_bytes_do_not_depend_on_the_batch(dim, seed):
    x = vectors(dim, 30, seed)
    order = np.random.default_rng(seed).permutation(30)
    together = code(dim).encode(x, 24)
    assert (code(dim).encode(x[order], 24) == together[order]).all()
    assert all((code(dim).encode(x[row : row + 1], 24)[0] == together[row]).all() for row in range(5))


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(DIMS), st.integers(0, 2**32))
def test_vectors_do_not_depend_on_the_batch(dim, seed):
    codes = np.random.default_rng(seed).integers(0, 256, (30, 12), np.uint8)
    together = code(dim).decode(codes)
    assert all((code(dim).decode(codes[row : row + 1])[0] == together[row]).all() for row in range(30))


def test_a_batch_longer_than_a_block_is_the_same_rows():
    x = vectors(32, 2100, 3)
    codes = code(32).encode(x, 8)
    assert (codes[2040:2060] == code(32).encode(x[2040:2060], 8)).all()
    assert (code(32).decode(codes)[2040:2060] == code(32).decode(codes[2040:2060])).all()


def test_large_dimension():
    x = vectors(1536, 200, 0)
    tables = fit_tables(x, options=FitOptions(modes=0, coefficients=48))
    large = ProgressiveCode(tables)
    codes = large.encode(x[:20], 32)
    assert (large.decode(codes) * x[:20]).sum(axis=1).mean() > (large.decode(codes[:, :0]) * x[:20]).sum(
        axis=1
    ).mean()


def test_only_the_universal_mode_is_needed():
    universal = code(32, modes=0)
    x = vectors(32, 100, 4)
    assert universal.tables.modes == 1
    assert universal.choose_modes(x).max() == 0
    assert (universal.decode(universal.encode(x, 32)) * x).sum(axis=1).mean() > 0.9


def test_the_universal_mode_takes_what_fits_no_class():
    dim = 100
    known = vectors(dim, 300, 5)
    rng = np.random.default_rng(6)
    covariance = np.cov(vectors(dim, 1200, 0).T)
    strange = vectors(dim, 1200, 0).mean(axis=0) + rng.multivariate_normal(np.zeros(dim), covariance, 300)
    strange = (strange / np.linalg.norm(strange, axis=1, keepdims=True)).astype(np.float32)
    last = code(dim).tables.modes - 1
    assert (code(dim).choose_modes(strange) == last).mean() > 0.6
    assert (code(dim).choose_modes(known) == last).mean() < 0.01


def test_text_aware_metric_spends_bits_where_texts_differ():
    """With all text variance in ten dimensions, their error must shrink, at some cost elsewhere."""
    dim = 64
    x = vectors(dim, 1500, 8)
    text = np.zeros((200, dim), np.float32)
    text[:, :10] = np.random.default_rng(9).normal(size=(200, 10))
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    errors = []
    for weight in (0.0, 0.5):
        options = FitOptions(modes=4, coefficients=64, text_weight=weight, rounds=2)
        fitted = ProgressiveCode(fit_tables(x[:1200], text, options=options))
        errors.append((x[1200:] - fitted.decode(fitted.encode(x[1200:], 8))) ** 2)
    plain, aware = errors
    assert aware[:, :10].sum() < 0.8 * plain[:, :10].sum()
    assert aware[:, 10:].sum() > plain[:, 10:].sum()


def test_mode_choice_beats_the_nearest_centroid():
    """Where classes overlap, the centroid that is nearest often belongs to the wrong class."""
    options = FitOptions(modes=6, coefficients=64, prototypes=1)
    fitted = ProgressiveCode(fit_tables(vectors(64, 1500, 0, apart=0.3), options=options))
    x = vectors(64, 500, 10, apart=0.3)
    weighted = fitted._transform.weigh(as_integers(x))
    nearest = fitted._chooser._distances(weighted).argmin(axis=1)
    modes, prototypes, units = fitted._analyse(x)
    assert (nearest != modes).mean() > 0.05
    forced = np.zeros_like(units)
    for mode in np.unique(nearest):
        rows = np.flatnonzero(nearest == mode)
        projected = fitted._transform.project(weighted[rows], mode)
        forced[rows] = fitted._transform.units(projected - fitted._transform.prototypes(mode).projected, mode)
    by_cost = fitted.decode(fitted._write(modes, prototypes, units, 8))
    by_distance = fitted.decode(fitted._write(nearest, prototypes, forced, 8))
    assert (by_cost * x).sum() > (by_distance * x).sum()


def test_prototypes_are_worth_their_bits():
    x, unseen = vectors(64, 1500, 0), vectors(64, 500, 11)
    kept = []
    for prototypes in (1, 16):
        options = FitOptions(modes=3, coefficients=64, prototypes=prototypes, rounds=2)
        fitted = ProgressiveCode(fit_tables(x, options=options))
        assert 1 <= fitted.tables.prototypes <= prototypes
        kept.append(
            [(fitted.decode(fitted.encode(unseen, n)) * unseen).sum(axis=1).mean() for n in (2, 4, 8)]
        )
    plain, divided = np.array(kept)
    assert (divided > plain).all()


def test_a_prototype_that_the_bytes_leave_open_is_the_mean_of_its_candidates():
    fitted = code(100)
    x = vectors(100, 400, 12)
    codes = fitted.encode(x, 8)
    read = fitted._read(codes[:, :1])
    open_rows = np.flatnonzero(read.shares.any(axis=1))
    assert open_rows.size
    np.testing.assert_allclose(read.shares[open_rows].sum(axis=1), 1)
    assert not read.units[open_rows].any()
    some = open_rows[:20]
    places = fitted._transform
    for row in some:
        mode = int(read.modes[row])
        own = places.places(mode)
        expected = read.shares[row, : len(own)] @ own
        got = places.expected_places(mode, read.shares[row : row + 1])[0]
        assert np.abs(got - expected).max() <= int(fitted.tables.shift_steps[mode])
    assert (fitted.decode(codes[:, :1]) * x).sum(axis=1).mean() > (fitted.decode(codes[:, :0]) * x).sum(
        axis=1
    ).mean()


def test_tables_from_before_prototypes_read_as_ever():
    options = FitOptions(modes=3, coefficients=32, prototypes=1, rounds=1)
    tables = fit_tables(vectors(32, 600, 0), options=options)
    arrays_of = tables.to_arrays()
    assert "shifts" not in arrays_of
    again = CodeTables.from_arrays(arrays_of)
    x = vectors(32, 50, 13)
    assert (ProgressiveCode(again).encode(x, 16) == ProgressiveCode(tables).encode(x, 16)).all()
    assert again.to_arrays().keys() == arrays_of.keys()


def test_quantizer_is_a_tree_of_nested_intervals():
    tables = fit_quantizer(np.random.default_rng(0).normal(size=20_000))
    children, ranks, means = tables["children"], tables["ranks"], tables["means"]
    split = np.flatnonzero(ranks >= 0)
    named = children[split][children[split] >= 0]
    assert sorted(named) == list(range(1, len(children)))  # every interval has one parent but the first
    assert (tables["frequencies"][split].sum(axis=1) == TOTAL).all()
    assert (np.diff(tables["gains"]) <= 0).all()
    for interval in split:
        own = [child for child in children[interval] if child >= 0]
        assert (np.diff(means[own]) > 0).all()
        later = [ranks[child] for child in own if ranks[child] >= 0]
        assert all(rank > ranks[interval] for rank in later)


def damage(name: str, change) -> dict[str, np.ndarray]:
    arrays = {key: array.copy() for key, array in code(32).tables.to_arrays().items()}
    arrays[name] = change(arrays[name])
    return arrays


def _set(index, value):
    def change(array):
        array[index] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bases", lambda array: array.astype(np.int16)),
        ("bases", lambda array: array[:, :, :-1].copy()),
        ("metric", lambda array: array[0]),
        ("centroids", lambda array: array[:-1]),
        ("sigmas", _set((0, 0), 0)),
        ("steps", _set((0, 0), -1)),
        ("mode_frequencies", _set(0, 0)),
        ("mode_frequencies", lambda array: array + 1),
        ("prototype_frequencies", _set((0, 0), 0)),
        ("prototype_frequencies", lambda array: array * 2),
        ("prototype_frequencies", lambda array: array[:, :-1].copy()),
        ("prototype_frequencies", _set((0, slice(0, 3)), (TOTAL // 2, 0, TOTAL // 2))),
        ("shifts", lambda array: array[:, :, :-1].copy()),
        ("shift_steps", _set(0, 0)),
        ("shift_steps", _set(0, 1 << 20)),
        ("prototype_costs", lambda array: array[:-1]),
        ("frequencies", _set((0, 0), -5)),
        ("frequencies", lambda array: array * 2),
        ("ranks", _set(0, 9999)),
        ("children", _set((0, 0), 9999)),
        ("children", _set((0, 0), -1)),
        ("children", _set((1, 0), 0)),
        ("gains", _set(0, 0)),
        ("floor", lambda array: np.array(0, array.dtype)),
        ("gains", lambda array: np.repeat(array, 40)),
        ("gains", lambda array: array[:0]),
        ("children", _set((0, 1), -1)),
        ("frequencies", _set((0, slice(None)), (TOTAL, 0, 0))),
        ("bases", lambda array: np.zeros((array.shape[0], array.shape[2] + 1, array.shape[2]), np.int8)),
    ],
)
def test_damaged_tables_are_refused(name, change):
    with pytest.raises(ProfileFormatError):
        CodeTables.from_arrays(damage(name, change))


def test_tables_without_any_mode_are_refused():
    tables = code(32).tables
    arrays = {
        name: array[:0] if array.ndim and len(array) == tables.modes else array
        for name, array in tables.to_arrays().items()
    }
    with pytest.raises(ProfileFormatError, match="modes"):
        CodeTables.from_arrays(arrays)


def test_missing_tables_are_named():
    arrays = code(32).tables.to_arrays()
    del arrays["sigmas"]
    with pytest.raises(ProfileFormatError, match="sigmas"):
        CodeTables.from_arrays(arrays)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 20), st.just(6)), elements=st.floats(0, 1)),
    st.floats(1, 40),
)
def test_one_slope_spends_at_most_the_mean(errors: np.ndarray, mean: float) -> None:
    lengths = np.array([1, 2, 4, 8, 16, 32])
    errors = -np.sort(-errors, axis=1)  # longer codes are never worse
    slope = slope_for(errors, lengths, mean)
    assert allocate(errors, lengths, slope).mean() <= mean
    if slope > 0:
        assert allocate(errors, lengths, slope * (1 - 1e-9)).mean() >= allocate(errors, lengths, slope).mean()


def test_a_mean_gives_the_hard_ones_more_and_loses_less_in_all() -> None:
    lengths = np.arange(1, 65)
    hardness = np.linspace(0.2, 3, 50)[:, None]
    errors = hardness * 2.0 ** (-lengths / 8)
    chosen = allocate(errors, lengths, slope_for(errors, lengths, 16))
    assert 15.5 < chosen.mean() <= 16
    assert (np.diff(chosen) >= 0).all()
    kept = errors[np.arange(50), chosen - 1].sum()
    assert kept < errors[:, 15].sum()
