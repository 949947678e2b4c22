"""`sememe fit`: parts that do not leak, a profile that is never silently worse, a report that says so."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sememe
from sememe import api
from sememe.api.fit_report import as_markdown, as_text, write_report
from sememe.api.fitting import read_vectors
from sememe.batch import own_from_images
from sememe.batch.resume import Resume
from sememe.cli.output import Output
from sememe.code import FitOptions
from sememe.errors import InputError, StorageError, UsageError, VectorError
from sememe.metrics import centred_cosine, unit_rows
from sememe.metrics.rates import bytes_for
from sememe.profile import Profile, load
from sememe.profile.own import LENGTHS, Comparison, FitReport, Kept, fit_own, most_vectors
from sememe.profile.own import fit as own_fit
from sememe.profile.own.adapt import adapt
from sememe.profile.own.parts import part
from sememe.profile.own.related import how_many, related
from toys import save_pictures, toy_codec, toy_profile
from workbench import TOY, Bench

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "vectors"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the vectors in ../shared/data")

DIM = 40
MINE = {"space_id": "mine", "profile_id": "mine"}


def kinds(n: int, seed: int, among: range = range(12)) -> np.ndarray:
    """Vectors of some of twelve kinds; each kind lies elsewhere and varies in directions of its own."""
    rng = np.random.default_rng(seed)
    world = np.random.default_rng(99)
    centres = world.normal(size=(12, DIM)) * 0.5 ** (np.arange(DIM) / 12)
    shapes = np.stack([np.linalg.qr(world.normal(size=(DIM, DIM)))[0] for _ in range(12)])
    kind = rng.integers(among.start, among.stop, n)
    noise = rng.normal(size=(n, DIM)) * 0.85 ** np.arange(DIM)
    return unit_rows(2 + centres[kind] + 0.6 * np.einsum("nd,nde->ne", noise, shapes[kind]))


@cache
def world() -> Profile:
    """A known profile that has seen all kinds."""
    return Profile.fit(kinds(4000, 1), manifest={"space_id": "mine", "profile_id": "world"})


def fidelity(profile: Profile, x: np.ndarray, nbytes: int) -> float:
    y = profile.decode(profile.encode(x, nbytes))
    return float(centred_cosine(x, y, x.mean(axis=0)).mean())


# bytes for the same figure


def test_bytes_are_read_off_the_logarithm() -> None:
    lengths, figures = (4, 8, 16), (0.5, 0.6, 0.8)
    assert bytes_for(lengths, figures, 0.6) == pytest.approx(8)
    assert bytes_for(lengths, figures, 0.7) == pytest.approx(8 * 2**0.5)
    assert bytes_for(lengths, figures, 0.1) == 4
    assert bytes_for(lengths, figures, 0.81) is None
    assert bytes_for((4, 8, 16), (0.5, 0.4, 0.9), 0.5) == 4
    assert bytes_for((4,), (0.5,), 0.5) == 4


@pytest.mark.parametrize(
    ("lengths", "figures"), [((), ()), ((4, 8), (1,)), ((8, 4), (1, 2)), ((0, 1), (1, 2))]
)
def test_curves_that_are_none(lengths: tuple[int, ...], figures: tuple[int, ...]) -> None:
    with pytest.raises(VectorError, match="ascending"):
        bytes_for(lengths, figures, 1)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.floats(0, 1), st.floats(0, 1))
def test_more_takes_more_bytes(figures: list[float], one: float, other: float) -> None:
    lengths = [2**i for i in range(len(figures))]
    low, high = (bytes_for(lengths, figures, wanted) for wanted in sorted((one, other)))
    assert high is None or (low is not None and low <= high + 1e-9)
    assert (high is None) == (max(one, other) > max(figures))


# parts


def test_a_tenth_judges_and_a_tenth_decides() -> None:
    x = np.arange(4000, dtype=np.float32).reshape(2000, 2)
    parts = part(x, holdout=0.1, choose=True, seed=0)
    assert (len(parts.train), len(parts.choice), len(parts.held), parts.copies) == (1600, 200, 200, 0)
    again, other = (part(x, holdout=0.1, choose=True, seed=seed) for seed in (0, 1))
    assert np.array_equal(parts.held, again.held)
    assert not np.array_equal(parts.held, other.held)


@pytest.mark.parametrize(
    ("n", "share", "choose", "sizes"),
    [
        (32, 0.1, False, (32, 0, 0)),
        (50, 0.1, False, (32, 0, 18)),
        (32, 0.1, True, (32, 0, 0)),
        (50, 0.1, True, (32, 9, 9)),
        (50, 0, True, (32, 18, 0)),
        (71, 0.1, True, (32, 19, 20)),
        (104, 0.1, True, (64, 20, 20)),
        (200, 0.1, False, (180, 0, 20)),
        (200, 0.5, False, (100, 0, 100)),
        (200, 0.5, True, (80, 20, 100)),
        (200, 0, True, (180, 20, 0)),
        (60_000, 0.1, False, (55_000, 0, 5_000)),
    ],
)
def test_sizes_of_parts(n: int, share: float, choose: bool, sizes: tuple[int, int, int]) -> None:
    parts = part(np.arange(n, dtype=np.float32)[:, None], holdout=share, choose=choose, seed=3)
    assert (len(parts.train), len(parts.choice), len(parts.held)) == sizes


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 60), min_size=32, max_size=200), st.booleans(), st.integers(0, 3))
def test_equal_vectors_stay_together(values: list[int], choose: bool, seed: int) -> None:
    x = np.array(values, np.float32)[:, None] - 30
    parts = part(x * [[1, 0.0]], holdout=0.2, choose=choose, seed=seed)
    sides = [set(x[rows, 0].tolist()) for rows in (parts.train, parts.choice, parts.held)]
    assert sum(map(len, sides)) == len(set.union(*sides))
    everything = np.concatenate([parts.train, parts.choice, parts.held])
    assert np.array_equal(np.sort(everything), np.arange(len(x)))
    assert parts.copies == len(x) - len(set(values))
    assert len(parts.train) >= 32


def test_copies_too_many_for_a_part_train() -> None:
    x = np.concatenate([np.zeros(500), np.arange(1, 501)]).astype(np.float32)[:, None]
    parts = part(x, holdout=0.1, choose=True, seed=0)
    assert len(parts.held) == len(parts.choice) == 100
    assert 0 not in x[parts.held]
    assert 0 not in x[parts.choice]


@pytest.mark.parametrize("share", [-0.1, 0.51, float("nan")])
def test_shares_that_make_no_sense(share: float) -> None:
    with pytest.raises(UsageError, match="held out"):
        fit_own(kinds(100, 0), manifest=MINE, holdout=share)


# an adapted profile


def test_adapting_spends_fewer_bits_on_what_is_there() -> None:
    few, fresh = kinds(60, 5, range(2)), kinds(600, 6, range(2))
    adapted = adapt(world(), few, MINE)
    assert adapted.fingerprint != world().fingerprint
    assert fidelity(adapted, fresh, 2) > fidelity(world(), fresh, 2) + 0.01
    assert fidelity(adapted, fresh, 16) > fidelity(world(), fresh, 16)
    codes = adapted.encode(fresh, 32)
    assert np.array_equal(codes[:, :5], adapted.encode(fresh, 5))
    assert (adapted.decode(codes) * fresh).sum(axis=1).min() > 0.9
    assert Profile.from_bytes(adapted.to_bytes()).fingerprint == adapted.fingerprint


def test_adapting_to_what_the_profile_knows_changes_little() -> None:
    adapted, fresh = adapt(world(), kinds(2000, 7), MINE), kinds(600, 8)
    for nbytes in LENGTHS:
        assert fidelity(adapted, fresh, nbytes) == pytest.approx(fidelity(world(), fresh, nbytes), abs=0.005)


# vectors drawn from a known profile


def test_related_vectors_begin_alike_and_vary_as_the_profile_expects() -> None:
    x = kinds(40, 30, range(1))
    drawn = related(world(), x, 400, seed=1)
    assert drawn.shape == (400, DIM)
    assert np.abs(np.linalg.norm(drawn, axis=1) - 1).max() < 1e-5
    assert len(np.unique(drawn, axis=0)) == 400
    codes = world().encode(x, 2)
    assert np.isin(world().encode(drawn, 1), codes[:, 0]).mean() > 0.8
    spread, truth = (np.trace(np.cov(some.T)) for some in (drawn, kinds(4000, 31, range(1))))
    assert 0.7 < spread / truth < 1.4
    assert np.array_equal(drawn, related(world(), x, 400, seed=1))


def test_few_vectors_of_an_unknown_kind_are_helped_by_them() -> None:
    base = Profile.fit(kinds(3000, 12, range(2, 12)), manifest=MINE | {"profile_id": "theirs"})
    few, fresh = kinds(40, 33, range(2)), kinds(600, 34, range(2))
    own = fit_own(few, manifest=MINE, base=base)
    assert (own.report.method, own.report.drawn) == ("fitted", 100)
    assert "with 100 vectors drawn from theirs" in as_text(own.report)
    for nbytes in (8, 16, 32):
        assert fidelity(own.profile, fresh, nbytes) > fidelity(base, fresh, nbytes)
    alone = Profile.fit(few, manifest=MINE)
    assert fidelity(own.profile, fresh, 64) > fidelity(alone, fresh, 64)


# the whole fit


@pytest.mark.parametrize("n", [50, 200, 2000])
def test_never_worse_than_the_known_profile(n: int) -> None:
    own = fit_own(kinds(n, n, range(4)), manifest=MINE, base=world())
    fresh = kinds(600, 10, range(4))
    for nbytes in LENGTHS:
        assert fidelity(own.profile, fresh, nbytes) > fidelity(world(), fresh, nbytes) - 0.002
    assert any("few" in warning for warning in own.report.warnings) == (n < 2000)
    assert own.profile.profile_id == "mine"


def test_many_vectors_of_few_kinds_are_worth_a_profile() -> None:
    x, base = kinds(6200, 11, range(3)), world()
    own = fit_own(x[:6000], manifest=MINE, base=base)
    found = own.report.comparison
    assert own.report.method == "fitted"
    assert found is not None
    assert found.better
    assert found.saving_low < found.saving < found.saving_high
    assert own.report.verdict.startswith(f"{found.saving:.0%} fewer bytes than world for the same fidelity")
    for kept, other in zip(own.report.rates[:3], found.base, strict=False):
        assert kept.centred_cosine > other.centred_cosine
    assert found.base_bytes[LENGTHS.index(16)] == pytest.approx(16 / (1 - found.saving))
    assert fidelity(own.profile, x[6000:], 16) > fidelity(base, x[6000:], 16)


def test_a_known_profile_that_never_gets_there() -> None:
    base = Profile.fit(kinds(2000, 12, range(6, 12)), manifest=MINE | {"profile_id": "theirs"})
    report = fit_own(kinds(1000, 11, range(3)), manifest=MINE, base=base).report
    assert report.verdict == "16 bytes keep more than 96 of theirs"


def test_a_profile_that_cannot_be_better_says_so() -> None:
    report = fit_own(kinds(300, 13), manifest=MINE, base=world()).report
    assert report.comparison is not None
    assert not report.comparison.worse
    assert "world" in report.verdict
    assert "no better" in report.verdict or "hardly worth" in report.verdict


def test_what_judges_never_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    fit = Profile.fit

    def spy(x: np.ndarray, *args: object, **named: object) -> Profile:
        seen.append(x)
        return fit(x, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(own_fit.Profile, "fit", spy)
    x = unit_rows(kinds(300, 14))
    report = fit_own(x, manifest=MINE).report
    trained, saved = seen
    assert (len(trained), len(saved), report.trained, report.held_out) == (270, 300, 270, 30)
    held = {row.tobytes() for row in x} - {row.tobytes() for row in trained}
    assert len(held) == 30
    seen.clear()
    base = world()
    report = fit_own(x, manifest=MINE, base=base, seed=4).report
    assert len(seen[0]) == report.trained + how_many(240) == 240 + how_many(240)
    assert report.trained + report.deciding + report.held_out == 300


def test_the_same_seed_gives_the_same_profile_and_report() -> None:
    x = kinds(200, 15)
    one, same, other = (fit_own(x, manifest=MINE, seed=seed) for seed in (1, 1, 2))
    assert one.profile.fingerprint == same.profile.fingerprint
    assert replace(one.report, seconds=0) == replace(same.report, seconds=0)
    assert one.report.rates != other.report.rates


def test_recall_and_errors_are_those_of_their_definition() -> None:
    x = kinds(1200, 16)
    report = fit_own(x, manifest=MINE, holdout=0.2).report
    parts = part(unit_rows(x), holdout=0.2, choose=False, seed=0)
    held, mean = x[parts.held], x[parts.train].mean(axis=0, dtype=np.float64)
    judged = Profile.fit(x[parts.train], manifest=MINE)
    y = judged.decode(judged.encode(held, 16))
    kept = next(kept for kept in report.rates if kept.nbytes == 16)
    cosines = centred_cosine(held, y, mean)
    assert kept.centred_cosine == pytest.approx(cosines.mean(), abs=1e-6)
    assert kept.centred_cosine_se == pytest.approx(cosines.std(ddof=1) / len(held) ** 0.5, abs=1e-6)
    recall = sememe.metrics.recall_at(held[::2], held[1::2], y[1::2], 10)
    assert kept.recall_at_10 == pytest.approx(recall, abs=1e-6)
    few = fit_own(x[:150], manifest=MINE).report
    assert {kept.recall_at_10 for kept in few.rates} == {None}


def test_stages_are_counted() -> None:
    for base, holdout in ((None, 0.1), (None, 0.0), (world(), 0.1), (world(), 0.0)):
        calls: list[tuple[str, int, int]] = []
        fit_own(
            kinds(150, 17),
            manifest=MINE,
            base=base,
            holdout=holdout,
            stages=lambda *call, calls=calls: calls.append(call),
        )
        totals = {of for _, _, of in calls}
        assert len(totals) == 1
        assert sorted({done for _, done, _ in calls}) == list(range(totals.pop()))
        assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_texts_are_for_profiles_that_are_fitted() -> None:
    text = kinds(60, 18)
    plain, seen = (fit_own(kinds(120, 19), words, manifest=MINE, holdout=0) for words in (None, text))
    assert plain.profile.fingerprint != seen.profile.fingerprint
    adapted = fit_own(kinds(60, 20), text, manifest=MINE, base=world())
    assert any("text vectors were not used" in warning for warning in adapted.report.warnings)


# warnings and errors


def test_copies_and_near_duplicates_are_told() -> None:
    x = unit_rows(np.random.default_rng(21).normal(size=(1000, DIM)))
    twice = np.concatenate([x, x[:300]])
    report = fit_own(twice, manifest=MINE).report
    assert report.copies == 300
    assert any("300 of 1,300" in warning for warning in report.warnings)
    views = unit_rows(np.concatenate([x, x + 1e-3]))
    assert any("near-duplicate" in warning for warning in fit_own(views, manifest=MINE).report.warnings)
    assert len(fit_own(x, manifest=MINE).report.warnings) == 1  # they are few


def test_vectors_that_hardly_differ_are_told() -> None:
    x = unit_rows(np.ones(DIM) + 0.01 * np.random.default_rng(0).normal(size=(100, DIM)))
    assert any("hardly differ" in warning for warning in fit_own(x, manifest=MINE).report.warnings)


@pytest.mark.parametrize(
    ("x", "complaint"),
    [
        (np.ones((31, 40), np.float32), "31 vectors are too few"),
        (np.ones((50, 40), np.int8), "not floats"),
        (np.ones(50, np.float32), "not floats"),
        (np.random.default_rng(0).normal(size=(50, 16)), "32 <= d"),
        (np.where(np.arange(50)[:, None] == 7, np.nan, np.ones((50, 40))), "vector 7 .* not finite"),
        (np.where(np.arange(50)[:, None] == 9, 0.0, np.ones((50, 40))), "vector 9 is all zero"),
        (np.tile(np.eye(30, 40), (9, 1)), "30 different"),
    ],
)
def test_vectors_that_cannot_be_fitted(x: np.ndarray, complaint: str) -> None:
    with pytest.raises(VectorError, match=complaint):
        fit_own(x, manifest=MINE)


def test_another_dimension_than_the_known_profile() -> None:
    with pytest.raises(VectorError, match="48 dimensions, but profile world codes 40"):
        fit_own(np.ones((50, 48)), manifest=MINE, base=world())


# the verdict


def report_with(found: Comparison | None, *, judged: bool = True) -> FitReport:
    rates = tuple(Kept(n, 0.9, 0.01, 0.8, 0.01, 0.7, 0.02) for n in LENGTHS) if judged else ()
    return FitReport(
        3000,
        2000,
        1600,
        200,
        200 * judged,
        0,
        0,
        "fitted",
        0,
        6,
        found and "theirs",
        None,
        rates,
        found,
        (),
        1.0,
    )


def comparison(**fields: object) -> Comparison:
    base = tuple(Kept(n, 0.9, 0.01, 0.75, 0.01, None, None) for n in LENGTHS)
    usual = Comparison(base, (5.0, 9.0, 18.2, 40.0, None), 0.121, 0.08, 0.15, better=True, worse=False)
    return replace(usual, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (
            report_with(comparison()),
            "12% fewer bytes than theirs for the same fidelity at 16 bytes (8% to 15%)",
        ),
        (report_with(comparison(saving=0.02)), ": hardly worth a profile of your own, theirs will do"),
        (
            report_with(comparison(better=False, saving_low=-0.02, saving_high=None)),
            "12% fewer bytes than theirs for the same fidelity at 16 bytes (-2% to more), but 200 held-out",
        ),
        (
            report_with(comparison(better=False, saving=0.01)),
            "no better than theirs on your data: keep theirs",
        ),
        (report_with(comparison(better=False, worse=True)), "worse than theirs on your data: keep theirs"),
        (report_with(comparison(saving=None)), "16 bytes keep more than 96 of theirs"),
        (report_with(None), "16 bytes keep a centred cosine of 0.800; no profile of this space"),
        (report_with(None, judged=False), "not judged: no vectors were held out"),
    ],
)
def test_verdicts(report: FitReport, words: str, tmp_path: Path) -> None:
    assert words in report.verdict
    assert as_text(report).splitlines()[-1] == report.verdict
    about = {"profile": "mine", "fingerprint": "ab" * 32, "space": "s", "dim": 40}
    page = as_markdown(report, about)
    assert words[1:] in page
    assert page.count("\n| ") == (2 + len(LENGTHS) if report.rates else 0)
    write_report(tmp_path / "r.json", report, about)
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["verdict"] == report.verdict
    assert (told["vectors"], told["used"], len(told["rates"])) == (3000, 2000, len(report.rates))


def test_the_page_in_full() -> None:
    report = replace(report_with(comparison()), warnings=("they are few",))
    about = {"profile": "mine", "fingerprint": "ab" * 32, "space": "s", "dim": 40}
    lines = as_markdown(report, about).splitlines()
    assert lines[0] == "# Profile mine"
    assert lines[4] == (
        "Fingerprint abababab, space s, 40 dimensions, fitted: 6 modes of its own. Made from 2,000 of 3,000, "
        "judged on 200 after learning from 1,600 others. Seed 0."
    )
    header = "bytes | cosine | centred cosine | recall@10"
    assert lines[6] == (f"| {header} | theirs: centred cosine | theirs: recall@10 | theirs: bytes |")
    assert lines[8] == "| 4 | 0.900 ± 0.010 | 0.800 ± 0.010 | 0.700 ± 0.020 | 0.750 ± 0.010 | - | 5.0 |"
    assert lines[-1] == "* they are few"


# files


def test_vectors_from_several_files(tmp_path: Path) -> None:
    x = kinds(90, 22)
    np.save(tmp_path / "a.npy", x[:40].astype(np.float16))
    np.save(tmp_path / "b.npy", x[40:60].astype(np.float64))
    np.savez(tmp_path / "c.npz", x=x[60:], y=np.arange(30))
    found, total = read_vectors([tmp_path / "a.npy", tmp_path / "b.npy", tmp_path / "c.npz"])
    assert total == 90
    assert found.dtype == np.float32
    assert np.abs(found - x).max() < 1e-3
    assert np.array_equal(found[60:], x[60:])
    np.savez_compressed(tmp_path / "d.npz", vectors=x)
    assert np.array_equal(read_vectors([tmp_path / "d.npz"])[0], x)


def test_of_too_many_vectors_a_sample_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (most_vectors(512), most_vectors(1536)) == (50_000, 26_041)
    x = np.arange(4000, dtype=np.float32).reshape(1000, 4) + 1
    for name, rows in (("a", slice(0, 300)), ("b", slice(300, None))):
        np.save(tmp_path / f"{name}.npy", x[rows])
    monkeypatch.setattr("sememe.api.fitting.most_vectors", lambda dim: 100)
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    found, total = read_vectors(files, seed=1)
    assert (len(found), total) == (100, 1000)
    rows = (found[:, 0] - 1) / 4
    assert np.array_equal(rows, np.unique(rows))
    assert np.array_equal(x[rows.astype(int)], found)
    assert 0 < (rows < 300).sum() < 100
    wide = np.random.default_rng(0).normal(size=(200, 32))
    np.save(tmp_path / "c.npy", wide)
    report = api.own_from_vectors([tmp_path / "c.npy"], space="s").report
    assert (report.vectors, report.used) == (200, 100)
    assert report.warnings[0] == "a random 100 of the 200 vectors were looked at"


@pytest.mark.parametrize(
    ("name", "content", "kind", "complaint"),
    [
        ("a.npz", b"", InputError, "cannot be read as .npz"),
        ("a.npz", b"PK\x03\x04 and no more", InputError, "cannot be read as .npz"),
        ("a.npy", b"\x93NUMPY", InputError, "cannot be read as .npy"),
        ("absent.npz", None, InputError, "No such file"),
    ],
)
def test_files_that_hold_no_vectors(
    tmp_path: Path, name: str, content: bytes | None, kind: type[Exception], complaint: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=complaint):
        read_vectors([tmp_path / name])


def test_arrays_that_are_no_vectors(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=np.ones(3), b=np.ones(3))
    with pytest.raises(VectorError, match="holds a, b; save the vectors as x"):
        read_vectors([tmp_path / "two.npz"])
    np.savez(tmp_path / "objects.npz", x=np.array([{}]))
    with pytest.raises(InputError, match="cannot be read as"):
        read_vectors([tmp_path / "objects.npz"])
    np.save(tmp_path / "numbers.npy", np.ones((3, 4), np.int64))
    with pytest.raises(VectorError, match=r"numbers\.npy: holds int64"):
        read_vectors([tmp_path / "numbers.npy"])
    for width in (4, 5):
        np.save(tmp_path / f"{width}.npy", np.ones((3, width)))
    with pytest.raises(VectorError, match=r"5\.npy: vectors of 5 dimensions, those of .*4\.npy have 4"):
        read_vectors([tmp_path / "4.npy", tmp_path / "5.npy"])
    np.save(tmp_path / "huge.npy", np.full((50, 40), 1e300))
    with pytest.raises(VectorError, match=r"huge\.npy: vector 0 holds values that are not finite"):
        api.own_from_vectors([tmp_path / "huge.npy"], space="s")


# images


class Interrupting:
    """An embedder that is interrupted after some batches, and counts what it embeds."""

    def __init__(self, embed: object, after: int) -> None:
        self.embed, self.left, self.pictures = embed, after, 0

    def __call__(self, pictures: list[object]) -> np.ndarray:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.pictures += len(pictures)
        return self.embed(pictures)  # type: ignore[operator,no-any-return]


def test_interrupted_embedding_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_pictures(tmp_path / "p", 60)
    kept = tmp_path / "x.resume"
    whole, _ = own_from_images(tmp_path / "p", toy_codec(), progress=False)

    def run(after: int) -> tuple[object, Interrupting]:
        codec = toy_codec()
        embed = Interrupting(codec.space.embed_images, after)
        monkeypatch.setattr(codec.space, "embed_images", embed)
        try:
            return own_from_images(tmp_path / "p", codec, resume=kept, progress=False)[0], embed
        except KeyboardInterrupt:
            return None, embed

    own, first = run(2)
    assert (own, first.pictures, kept.exists()) == (None, 32, True)
    kept.write_bytes(kept.read_bytes()[:-7])  # a kill in the midst of a write
    save_pictures(tmp_path / "p", 1, first=0)
    (tmp_path / "p" / "0003.png").write_bytes((tmp_path / "p" / "0050.png").read_bytes())  # has changed
    own, second = run(100)
    assert own is not None
    assert second.pictures == 60 - 32 + 1 + 2
    assert not kept.exists()
    assert own.report.vectors == whole.report.vectors == 60  # type: ignore[attr-defined]


def test_resuming_takes_no_others_vectors(tmp_path: Path) -> None:
    codec = toy_codec()
    item = sememe.archive.NewItem("a.png", 5, 6)
    path, x = tmp_path / "r", np.eye(1, codec.profile.dim, dtype=np.float32)
    Resume(path, codec.backbone).put([item], x)
    resumed = Resume(path, codec.backbone)
    assert np.array_equal(resumed.take(item), x)
    for other in (item._replace(size=7), item._replace(mtime_ns=4), item._replace(path="b.png")):
        assert resumed.take(other) is None
    path.write_bytes(path.read_bytes()[:16] + bytes(4 * codec.profile.dim))
    assert Resume(path, codec.backbone).take(item) is None
    with pytest.raises(StorageError):
        Resume(tmp_path / "absent" / "r", codec.backbone)


def test_of_too_many_images_a_sample_is_embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_pictures(tmp_path / "p", 70)
    monkeypatch.setattr("sememe.batch.fitting.most_vectors", lambda dim: 40)
    own, failed = own_from_images([tmp_path / "p", "absent.png"], toy_codec(), progress=False)
    assert (own.report.vectors, own.report.used, len(failed)) == (70, 40, 1)
    assert own.report.base == toy_profile().profile_id
    assert own.report.warnings[0] == "a random 40 of the 70 images were looked at"
    assert "images are few" in own.report.warnings[1]


# the command


def test_the_command_compares_and_reports(bench: Bench) -> None:
    rng = np.random.default_rng(0)
    np.save(bench.path("a.npy"), rng.normal(size=(50, 32)))
    np.savez(bench.path("b.npz"), x=rng.normal(size=(40, 32)))
    call = ("fit", "a.npy", "b.npz", *TOY, "-o", "own.profile", "--seed", "3", "--holdout", "0.3", "--report")
    done = bench.run(*call, "r.md", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["vectors"], told["held_out"], told["seed"], told["base"]) == (90, 27, 3, "toy")
    notes = done.stderr.decode().splitlines()
    assert notes[0] == "reading a.npy, b.npz"
    assert "warning: 90 vectors are few: a profile of your own takes 2,000 or more" in notes
    assert told["verdict"][1:] in bench.path("r.md").read_text()
    shown = bench.ok(*call, "r.json", "-q").splitlines()
    assert json.loads(bench.path("r.json").read_text()) | {"seconds": 0} == told | {"seconds": 0}
    assert shown[0].startswith("own.profile: profile custom ")
    assert shown[-1] == told["verdict"]
    assert [line.split()[0] for line in shown[2:-1]] == ["bytes", *map(str, LENGTHS)]
    assert Profile.from_bytes(bench.path("own.profile").read_bytes()).space_id == "toy/32"


def test_nothing_held_out(bench: Bench) -> None:
    np.save(bench.path("x.npy"), np.random.default_rng(0).normal(size=(60, 32)).astype(np.float32))
    call = ("fit", "x.npy", "--space", "s", "-o", "own.profile", "--holdout", "0", "-q")
    told = json.loads(bench.ok(*call, "--json"))
    assert (told["rates"], told["held_out"], told["base"]) == ([], 0, None)
    plain = Profile.fit(np.load(bench.path("x.npy")), manifest={"space_id": "s"})
    assert told["fingerprint"] == plain.fingerprint.hex()
    assert bench.ok(*call).splitlines()[1:] == ["fitted: 0 modes of its own; made from 60", told["verdict"]]


def test_a_space_that_is_known_is_pointed_out(bench: Bench) -> None:
    space = load("clip-vit-b32").space_id
    np.save(bench.path("x.npy"), np.random.default_rng(0).normal(size=(40, 32)))
    done = bench.run("fit", "x.npy", "--space", space, "-o", "own.profile", "--holdout", "0")
    assert f"{space} is the space of the profile clip-vit-b32" in done.stderr.decode()


@pytest.mark.parametrize(
    ("call", "status", "complaint"),
    [
        (("x.npy", "photos", "--space", "s", "-o", "y"), 2, "vectors and images together"),
        (("x.npy", "-o", "y"), 2, "--space NAME"),
        (("x.npy", "--space", "s", *TOY, "-o", "y"), 2, "--space NAME"),
        (("a.sems", *TOY, "-o", "y"), 2, "a.sems: holds codes, not the vectors that they were made from"),
        (("red.sem", *TOY, "-o", "y"), 2, "red.sem: holds codes"),
        (("x.npy", "--space", "s", "-o", "no/y"), 1, "no/y: there is no such folder"),
        (("x.npy", "--space", "s", "-o", "y", "--report", "no/r.md"), 1, "no/r.md: there is no such folder"),
        (
            ("x.npy", "--space", "s", "-o", "y", "--report", "r.txt"),
            2,
            "r.txt: a report is written as .json or .md",
        ),
        (("x.npy", "--space", "s", "-o", "y", "--holdout", "0.6"), 2, "'0.6' is not a share"),
        (("x.npy", "--space", "s", "-o", "y", "--holdout", "ten"), 2, "'ten' is not a share"),
        (("x.npy", "--space", "s", "-o", "y", "--seed", "-1"), 2, "'-1' is not a number"),
        (("x.npy", *TOY, "-o", "y"), 1, "x.npy: 48 dimensions, but profile toy codes 32"),
        (("few.npy", "--space", "s", "-o", "y"), 1, "few.npy: 20 vectors are too few"),
        (("photos", *TOY, "-o", "y"), 1, "6 vectors are too few"),
        (("photos", "--space", "s", "-o", "y"), 2, "drop --space and --text"),
    ],
)
def test_calls_that_make_no_sense(bench: Bench, call: tuple[str, ...], status: int, complaint: str) -> None:
    rng = np.random.default_rng(0)
    np.save(bench.path("x.npy"), rng.normal(size=(60, 48)))
    np.save(bench.path("few.npy"), rng.normal(size=(20, 48)))
    if call[0] == "a.sems":
        bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    if call[0] == "red.sem":
        bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    done = bench.run("fit", *call, "-q")
    assert (done.returncode, complaint in done.stderr.decode()) == (status, True), done
    assert done.stderr.decode().count("\n") == 1
    assert not bench.path("y").exists()


def test_stages_on_a_terminal_are_a_bar_and_elsewhere_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, quiet, shown in (
        (Terminal(), False, True),
        (io.StringIO(), False, True),
        (Terminal(), True, False),
    ):
        monkeypatch.setattr(sys, "stderr", stream)
        with Output(json=False, quiet=quiet).stages() as stages:
            stages("to judge: variances", 1, 4)
        text = stream.getvalue()
        assert ("to judge: variances" in text) == shown
        assert ("1/4" in text) == (shown and stream.isatty())
        assert (text == "to judge: variances\n") == (shown and not stream.isatty())


# real vectors


@needs_data
@pytest.mark.parametrize(("n", "name"), [(50, "caltech101"), (200, "dtd"), (2000, "fgvc")])
def test_real_vectors_are_never_coded_worse_than_with_the_shipped_profile(n: int, name: str) -> None:
    x = unit_rows(np.load(DATA / f"{name}.npz")["test_x"])
    x = x[np.random.default_rng(0).permutation(len(x))]
    shipped, fresh = load("clip-vit-b32"), x[n : n + 400]
    quick = FitOptions(modes=3, rounds=1) if n == 2000 else None
    own = fit_own(x[:n], manifest=MINE, base=shipped, options=quick)
    assert own.report.comparison is not None
    assert not own.report.comparison.worse
    gains = [fidelity(own.profile, fresh, m) - fidelity(shipped, fresh, m) for m in LENGTHS]
    assert min(gains) > -0.001
    assert gains[0] > 0.002
