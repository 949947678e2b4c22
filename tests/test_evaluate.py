"""The harness: what it judges on, what its figures are, and that nothing measured is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from coders import Broken, Tiny
from sememe import evaluate, metrics
from sememe.errors import (
    InputError,
    MissingExtraError,
    ReadOnlyError,
    StorageError,
    UnreadableImageError,
    UsageError,
    VectorError,
)
from sememe.evaluate import Judge, Pool, Report, Rows, Texts, Training, Trial, ZeroShot, make_trial
from sememe.evaluate import report as reports
from sememe.evaluate.needed import bytes_needed
from sememe.evaluate.pool import read_labels
from sememe.evaluate.speed import timed
from sememe.evaluate.tables import figure, figures_table, html, markdown, needed_table, select, size

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the vectors in ../shared/data")

DIM = 24
CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")


def pool(name: str = "one", n: int = 200, *, seed: int = 0, pixels: bool = False) -> Pool:
    """Noisy vectors around seven classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CLASSES), n)
    x = centres()[labels] + 0.35 * rng.normal(size=(n, DIM)) + 0.5
    size = rng.integers(1000, 9000, n) if pixels else None
    return Pool(name, metrics.unit_rows(x), labels, CLASSES, size)


def centres() -> np.ndarray:
    return np.random.default_rng(9).normal(size=(len(CLASSES), DIM))


def texts() -> Texts:
    """A text vector for all classes but the last, and for three words that are no class."""
    rng = np.random.default_rng(5)
    x = np.concatenate([centres()[:-1] + 0.5, rng.normal(size=(3, DIM))])
    return Texts(metrics.unit_rows(x), ("Ant", *CLASSES[1:-1], "hat", "ink", "jar"))


def trial(*, sets: int = 1, pixels: bool = False, seed: int = 0) -> Trial:
    pools = [pool(name, seed=i, pixels=pixels) for i, name in enumerate(("one", "two")[:sets])]
    return make_trial(pools, texts=texts(), seed=seed)


# intervals


def test_wilson_of_known_shares() -> None:
    assert metrics.wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-5)
    assert metrics.wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=5e-5)
    assert metrics.wilson(0, 10) == pytest.approx((0, 0.2775), abs=5e-5)
    assert metrics.wilson(1, 10) == pytest.approx((0.7225, 1), abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_narrows(case: tuple[int, int]) -> None:
    hits, n = case
    low, high = metrics.wilson(hits / n, n)
    assert 0 <= low <= hits / n <= high <= 1
    wide = metrics.wilson(hits / n, 4 * n)
    assert wide[1] - wide[0] < high - low


@pytest.mark.parametrize(("share", "n"), [(0.5, 0), (-0.1, 3), (1.1, 3), (float("nan"), 3)])
def test_wilson_refuses(share: float, n: int) -> None:
    with pytest.raises(VectorError):
        metrics.wilson(share, n)


# the trial and its digest


def small_trial() -> Trial:
    x = np.eye(4, dtype=np.float32)
    rows = Rows(x, np.arange(4), np.array(["a", "a", "b", "b"]))
    return Trial(
        "small",
        Training(x[:2], x[2:], seed=3),
        test=rows,
        queries=rows.of("a"),
        known=rows.of("b"),
        zero_shot=ZeroShot(np.array([0, 3]), np.array([1, 0]), ("u", "v"), x[:2]),
        texts=x[:3],
        pixels=np.array([10, 20, 30, 40]),
    )


def test_the_digest_is_golden() -> None:
    """Reports in the world name trials by it: it never changes for the same arrays."""
    assert small_trial().digest == "5b14d650e613ddb3ec52bc364e33cc24a655bcdfca701e0dc69f6c90407f0511"


def test_the_digest_knows_arrays_and_nothing_else() -> None:
    base = small_trial()
    wide = replace(base.test, sets=base.test.sets.astype("U40"))
    same = [
        replace(base, name="other"),
        replace(base, training=replace(base.training, seed=4)),
        replace(base, test=wide),
    ]
    assert {one.digest for one in same} == {base.digest}
    x = base.test.x.copy()
    x[3] = [0, 0, -1, 0]
    others = [
        replace(base, training=Training(x, base.training.text)),
        replace(base, training=Training(base.training.x, None)),
        replace(base, test=replace(base.test, x=x)),
        replace(base, test=replace(base.test, labels=np.array([0, 1, 2, 2]))),
        replace(base, test=replace(base.test, sets=np.array(["a", "a", "b", "c"]))),
        replace(base, queries=base.test.of("b")),
        replace(base, known=base.test.of("a")),
        replace(base, zero_shot=None),
        replace(base, texts=x),
        replace(base, texts=None),
        replace(base, pixels=None),
    ]
    assert len({base.digest, *(one.digest for one in others)}) == len(others) + 1


def test_one_set_of_a_trial_keeps_its_own_rows() -> None:
    alone = small_trial().of("b")
    assert alone.sets == ("b",)
    assert len(alone.test) == 2
    assert len(alone.queries) == 0
    assert alone.pixels is not None
    assert alone.pixels.tolist() == [30, 40]
    assert alone.zero_shot is not None
    assert (alone.zero_shot.rows.tolist(), alone.zero_shot.labels.tolist()) == ([1], [0])
    assert replace(small_trial(), zero_shot=None).of("a").zero_shot is None


def test_a_trial_refuses_what_does_not_fit() -> None:
    base = small_trial()
    with pytest.raises(VectorError, match="nothing to judge"):
        replace(base, test=Rows.none(4))
    with pytest.raises(VectorError, match="different lengths"):
        replace(base, texts=np.zeros((2, 5), np.float32))
    with pytest.raises(VectorError, match="pixels"):
        replace(base, pixels=np.array([1, 2]))
    with pytest.raises(VectorError, match="labels"):
        Rows(base.test.x, np.arange(3), base.test.sets)
    with pytest.raises(VectorError, match="zero-shot"):
        ZeroShot(np.arange(2), np.arange(2), ("one",), np.zeros((2, 4), np.float32))


# building trials


def test_parts_of_a_split_share_nothing_and_lose_nothing() -> None:
    sets = [pool("one", 200), pool("two", 90, seed=1)]
    made = make_trial(sets, seed=4)
    assert made.name == "one, two"
    assert [len(made.test), len(made.queries), len(made.training.x)] == [60 + 27, 20 + 9, 120 + 54]
    rows = [{row.tobytes() for row in part} for part in (made.test.x, made.queries.x, made.training.x)]
    assert sum(map(len, rows)) == 290
    assert set.union(*rows) == {row.tobytes() for one in sets for row in one.x}
    assert made.counts["test_in_train"] == 0
    assert {row.tobytes() for row in made.known.x} == rows[2]


def test_a_split_depends_on_the_seed_and_not_on_other_sets() -> None:
    one, two = pool("one"), pool("two", 90, seed=1)
    alone, both = make_trial([one]), make_trial([two, one])
    assert np.array_equal(alone.test.x, both.of("one").test.x)
    assert make_trial([one]).digest == alone.digest
    assert make_trial([one], seed=1).digest != alone.digest


def test_large_sets_are_tested_in_part() -> None:
    made = make_trial([pool(n=20_000)])
    assert (len(made.test), len(made.queries), len(made.training.x)) == (4000, 800, 15_200)


def test_training_elsewhere_leaves_the_split_alone() -> None:
    elsewhere = pool("else", 80, seed=7)
    here, there = make_trial([pool()]), make_trial([pool()], train=[elsewhere], train_text=texts().x)
    assert np.array_equal(here.test.x, there.test.x)
    assert np.array_equal(here.known.x, there.known.x)
    assert np.array_equal(there.training.x, elsewhere.x)
    assert there.counts["train_text"] == 9
    leaky = make_trial([pool()], train=[pool()])
    assert leaky.counts["test_in_train"] == 60


def test_zero_shot_takes_classes_with_a_text_of_their_name() -> None:
    made = trial(sets=2)
    assert made.zero_shot is not None
    assert made.zero_shot.names == ("Ant", *CLASSES[1:-1])
    labels = made.test.labels[made.zero_shot.rows]
    assert np.array_equal(labels, made.zero_shot.labels)
    assert set(range(len(made.test))) - set(made.zero_shot.rows) == set(np.flatnonzero(made.test.labels == 6))
    assert made.texts is not None
    assert len(made.texts) == 9


def test_zero_shot_needs_two_classes_with_a_text() -> None:
    few = Texts(texts().x[:1], ("ant",))
    assert make_trial([pool()], texts=few).zero_shot is None
    nameless = replace(pool(), classes=())
    assert make_trial([nameless], texts=texts()).zero_shot is None


def test_unlabelled_vectors_are_coded_but_make_no_class_mean() -> None:
    one = pool()
    hidden = np.where(np.arange(200) % 2, one.labels, -1)
    made = make_trial([replace(one, labels=hidden)])
    assert len(made.training.x) == 120
    assert 0 < len(made.known) < 120
    assert (made.known.labels >= 0).all()


@pytest.mark.parametrize(
    ("pools", "train", "error", "says"),
    [
        ([], [], UsageError, "nothing to judge on"),
        ([pool(n=59)], [], VectorError, "59 vectors are too few; bring at least 60"),
        ([pool(), pool(seed=2)], [], UsageError, "two sets are called 'one'"),
        (
            [pool(), Pool("flat", np.ones((70, 3), np.float32), np.zeros(70, np.int64))],
            [],
            VectorError,
            "flat: has vectors of 3 dimensions, one of 24",
        ),
        ([pool()], [Pool("flat", np.ones((1, 3), np.float32), np.zeros(1, np.int64))], VectorError, "flat"),
    ],
)
def test_pools_that_make_no_trial(
    pools: list[Pool], train: list[Pool], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make_trial(pools, train=train)


# files


def test_vectors_and_labels_come_from_files(tmp_path: Path) -> None:
    one = pool(pixels=True)
    np.save(tmp_path / "v.npy", one.x.astype(np.float16))
    np.save(tmp_path / "y.npy", one.labels)
    names = [CLASSES[label] for label in one.labels]
    (tmp_path / "y.txt").write_text("\n".join(names) + "\n", "utf-8")
    np.savez(tmp_path / "v.npz", x=2 * one.x, y=one.labels, names=np.array(CLASSES), pixels=one.pixels)
    bare = evaluate.read_pool(tmp_path / "v.npy")
    assert (bare.name, bare.classes, set(bare.labels.tolist())) == ("v", (), {-1})
    assert np.linalg.norm(bare.x, axis=1) == pytest.approx(1, abs=1e-6)
    numbered = evaluate.read_pool(tmp_path / "v.npy", tmp_path / "y.npy")
    assert np.array_equal(numbered.labels, one.labels)
    named = evaluate.read_pool(tmp_path / "v.npy", tmp_path / "y.txt")
    assert [named.classes[label] for label in named.labels] == names
    whole = evaluate.read_pool(tmp_path / "v.npz")
    assert whole.classes == CLASSES
    assert whole.x == pytest.approx(one.x, abs=1e-6)
    assert np.array_equal(whole.pixels, one.pixels)


def write(path: Path, **arrays: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, arrays["x"])
    else:
        np.savez(path, **arrays)
    return path


X = np.ones((3, 4), np.float32)
SPOILT: dict[str, tuple[dict[str, np.ndarray], str]] = {
    "ints.npy": ({"x": X.astype(int)}, "not vectors"),
    "flat.npy": ({"x": X[0]}, "not vectors"),
    "empty.npy": ({"x": X[:0]}, "not vectors"),
    "zero.npy": ({"x": X * np.array([[1], [0], [1]])}, "vector 1 is all zero"),
    "nan.npy": ({"x": np.where(np.eye(3, 4) > 0, np.nan, X)}, "vector 0 .* not finite"),
    "other.npz": ({"test_x": X}, "holds test_x, but no array called x"),
    "many.npz": ({"x": X, "y": np.arange(4)}, "holds labels int64 .* for 3 vectors"),
    "floats.npz": ({"x": X, "y": X[:, 0]}, "holds labels float32"),
    "below.npz": ({"x": X, "y": np.array([0, -2, 1])}, "labels run from -2 to 1"),
    "above.npz": ({"x": X, "y": np.arange(3), "names": np.array(["a", "b"])}, "there are 2 names"),
    "pixels.npz": ({"x": X, "pixels": np.array([1, 0, 2])}, "pixels must hold a positive integer"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_without_usable_vectors_says_what_it_holds(name: str, tmp_path: Path) -> None:
    arrays, says = SPOILT[name]
    with pytest.raises(VectorError, match=says):
        evaluate.read_pool(write(tmp_path / name, **arrays))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}, 1], object))
    write(tmp_path / "x.npz", x=X)
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfd")
    for call in (
        lambda: evaluate.read_pool(tmp_path / "absent.npy"),
        lambda: evaluate.read_pool(tmp_path / "objects.npy"),
        lambda: evaluate.read_pool(tmp_path / "bytes.txt"),
        lambda: evaluate.read_pool(tmp_path / "x.npz", tmp_path / "bytes.txt"),
        lambda: read_labels(tmp_path / "absent.txt"),
        lambda: read_labels(tmp_path / "bytes.txt"),
    ):
        with pytest.raises(InputError):
            call()


def test_texts_need_vectors_and_names(tmp_path: Path) -> None:
    good = write(tmp_path / "good.npz", x=X, names=np.array(["a", "b", "c"]))
    assert evaluate.read_texts(good).names == ("a", "b", "c")
    for name, arrays in {
        "vectors.npy": {"x": X},
        "nameless.npz": {"x": X},
        "short.npz": {"x": X, "names": np.array(["a"])},
        "numbers.npz": {"x": X, "names": np.arange(3)},
    }.items():
        with pytest.raises(VectorError):
            evaluate.read_texts(write(tmp_path / name, **arrays))


class Colours:
    """Opens pictures and sees their mean colour; refuses files that say so."""

    def open(self, image: str) -> SimpleNamespace:
        if "broken" in image:
            return SimpleNamespace(image=None, size=(0, 0), error=UnreadableImageError(f"{image}: broken"))
        with Image.open(image) as picture:
            return SimpleNamespace(image=picture.convert("RGB"), size=picture.size, error=None)

    def embed_images(self, images: list[Image.Image]) -> np.ndarray:
        return np.stack([np.asarray(image, np.float32).mean(axis=(0, 1)) + 1 for image in images])

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.random.default_rng(len(texts)).normal(size=(len(texts), 3)).astype(np.float32)


def test_a_folder_is_a_set_and_its_folders_are_classes(tmp_path: Path) -> None:
    folder = tmp_path / "zoo"
    for path in ("cat/1.png", "cat/deep/2.png", "cat/.3.png", "dog/4.png", ".git/5.png", "6.png"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 5), "red").save(folder / path)
    (folder / "dog/broken.png").write_bytes(b"no picture")
    (folder / "dog/notes.txt").write_text("no picture")
    seen: list[tuple[int, int]] = []
    found, failed = evaluate.embed_folder(folder, Colours(), progress=lambda *at: seen.append(at))
    assert (found.name, found.classes) == ("zoo", ("cat", "dog"))
    assert found.labels.tolist() == [-1, 0, 0, 1]
    assert found.pixels is not None
    assert found.pixels.tolist() == [30] * 4
    assert list(failed) == [str(folder / "dog/broken.png")]
    assert seen == [(5, 5)]


def test_a_folder_without_a_usable_picture(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/broken.png").write_bytes(b"")
    for folder, says in (
        ("absent", "cannot be listed"),
        ("empty", "no picture is there"),
        ("bad", "be used"),
    ):
        with pytest.raises(InputError, match=says):
            evaluate.embed_folder(tmp_path / folder, Colours())


def test_words_that_train_are_none_of_the_classes() -> None:
    class Said(Colours):
        said: list[list[str]] = []  # noqa: RUF012

        def embed_texts(self, texts: list[str]) -> np.ndarray:
            self.said.append(list(texts))
            return super().embed_texts(texts)

    judging, training = evaluate.embed_names(["Cat", "gnu", "Cat"], Said())
    judged, learnt = Said.said
    assert judging.names == ("Cat", "gnu")
    assert judged == ["a photo of a Cat", "a photo of a gnu"]
    assert len(training) == len(learnt) > 200
    assert "a photo of a cat" not in learnt
    assert "a photo of a dog" in learnt


# the judge


def test_perfect_vectors_lose_nothing() -> None:
    judge = Judge(trial(sets=2, pixels=True))
    whole = judge.uncompressed["all"]
    assert list(whole) == list(evaluate.FIGURES)
    for name in ("cosine", "centred_cosine", "centred_cosine_p5", "recall_at_10", "text_recall_at_10"):
        assert whole[name] == pytest.approx(1)
    assert whole["text_agreement"] == whole["zero_shot_agreement"] == whole["class_mean_kept"] == 1
    assert whole["bytes_mean"] == whole["bytes_max"] == 4 * DIM
    assert whole["images"] == 120
    assert 0.5 < whole["zero_shot"] <= whole["zero_shot_top5"] <= 1


def test_figures_by_hand() -> None:
    """Every figure from its definition, in loops."""
    made = trial(pixels=True)
    rng = np.random.default_rng(1)
    decoded = metrics.unit_rows(made.test.x + 0.08 * rng.normal(size=made.test.x.shape))
    lengths = rng.integers(3, 9, len(decoded))
    found = Judge(made).judge(decoded, lengths)["all"]
    x, mean = made.test.x.astype(float), made.training.x.mean(axis=0)
    cosines = [float(a @ b) for a, b in zip(x, decoded, strict=True)]
    centred = [
        float((a - mean) @ (b - mean) / np.linalg.norm(a - mean) / np.linalg.norm(b - mean))
        for a, b in zip(x, decoded, strict=True)
    ]
    assert found["cosine"] == pytest.approx(np.mean(cosines), abs=1e-5)
    assert found["centred_cosine"] == pytest.approx(np.mean(centred), abs=1e-5)
    assert found["centred_cosine_p5"] == pytest.approx(np.percentile(centred, 5), abs=1e-5)
    assert found["bytes_mean"] == pytest.approx(lengths.mean(), abs=1e-6)
    assert (found["bytes_p5"], found["bytes_p95"]) == tuple(np.percentile(lengths, [5, 95]))
    assert found["bytes_max"] == lengths.max()
    bits = [8 * length / pixels for length, pixels in zip(lengths, made.pixels, strict=True)]
    assert found["bpp"] == pytest.approx(np.mean(bits), abs=1e-6)

    def ten(query: np.ndarray, vectors: np.ndarray) -> set[int]:
        return set(np.argsort(-(vectors @ query), kind="stable")[:10])

    shares = [len(ten(q, x) & ten(q, decoded)) / 10 for q in made.queries.x]
    assert found["recall_at_10"] == pytest.approx(np.mean(shares), abs=1e-6)
    shares = [len(ten(q, x) & ten(q, decoded)) / 10 for q in made.texts]
    assert found["text_recall_at_10"] == pytest.approx(np.mean(shares), abs=1e-6)
    asked = made.zero_shot
    scores = decoded[asked.rows] @ asked.text.T
    right = (scores.argmax(axis=1) == asked.labels).mean()
    assert found["zero_shot"] == pytest.approx(right, abs=1e-6)
    assert found["zero_shot_interval"] == pytest.approx(metrics.wilson(right, len(asked.rows)), abs=1e-6)
    five = np.mean([label in np.argsort(-s)[:5] for s, label in zip(scores, asked.labels, strict=True)])
    assert found["zero_shot_top5"] == pytest.approx(five, abs=1e-6)
    same = scores.argmax(axis=1) == (x[asked.rows] @ asked.text.T).argmax(axis=1)
    assert found["zero_shot_agreement"] == pytest.approx(same.mean(), abs=1e-6)
    same = (decoded @ made.texts.T).argmax(axis=1) == (x @ made.texts.T).argmax(axis=1)
    assert found["text_agreement"] == pytest.approx(same.mean(), abs=1e-6)
    means = np.stack([made.known.x[made.known.labels == label].mean(axis=0) for label in range(len(CLASSES))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    accuracy = ((decoded @ means.T).argmax(axis=1) == made.test.labels).mean()
    whole = ((x @ means.T).argmax(axis=1) == made.test.labels).mean()
    assert found["class_mean"] == pytest.approx(accuracy, abs=1e-6)
    assert found["class_mean_kept"] == pytest.approx(accuracy / whole, abs=1e-6)


def test_sets_are_judged_among_their_own_and_averaged_plainly() -> None:
    made = make_trial([pool("one", 200), pool("two", 90, seed=1)], texts=texts())
    noise = 0.1 * np.random.default_rng(2).normal(size=made.test.x.shape)
    decoded, lengths = metrics.unit_rows(made.test.x + noise), np.full(len(made.test), 4)
    verdict = Judge(made).judge(decoded, lengths)
    for name in ("one", "two"):
        rows = made.test.sets == name
        alone = Judge(made.of(name)).judge(decoded[rows], lengths[rows])
        assert verdict["sets"][name] == alone["all"] == alone["sets"][name]
    one, two = verdict["sets"].values()
    for name in ("centred_cosine", "recall_at_10", "class_mean", "zero_shot", "class_mean_kept"):
        assert verdict["mean"][name] == pytest.approx((one[name] + two[name]) / 2, abs=1e-6)
    assert verdict["mean"]["zero_shot_interval"] is None
    assert verdict["all"]["recall_at_10"] != verdict["mean"]["recall_at_10"]


def test_a_label_means_nothing_without_its_set() -> None:
    """Two sets that use the same numbers for different classes are told apart."""
    one = pool("one", 300)
    two = replace(one, name="two", x=np.ascontiguousarray(one.x[:, ::-1]))
    verdict = Judge(make_trial([one, two])).uncompressed
    assert verdict["all"]["class_mean"] > 0.9


def test_what_a_trial_cannot_tell_is_none() -> None:
    one = pool()
    bare = make_trial([replace(one, labels=np.full(200, -1), classes=())])
    found = Judge(bare).uncompressed["all"]
    unknown = {name for name, value in found.items() if value is None}
    assert unknown == {"bpp", "text_recall_at_10", "text_agreement"} | {
        name for name in evaluate.FIGURES if name.startswith(("zero_shot", "class_mean"))
    }
    few = replace(bare, test=bare.test.where(np.arange(10)), queries=Rows.none(DIM))
    assert Judge(few).uncompressed["all"]["recall_at_10"] is None


def test_the_judge_wants_every_vector_and_every_length() -> None:
    made = trial()
    with pytest.raises(VectorError):
        Judge(made).judge(made.test.x[1:], np.ones(len(made.test) - 1))
    with pytest.raises(VectorError):
        Judge(made).judge(made.test.x, np.ones(3))


@needs_data
def test_the_judge_agrees_with_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two implementations of the same figures, on the benchmark's own splits."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    import figures
    import frontier
    import split

    keys = {
        "cosine": "cosine",
        "centred_cosine": "centred_cosine",
        "recall_at_10": "recall_at_10",
        "lvis_agreement": "text_agreement",
        "class_mean_accuracy": "class_mean",
        "zero_shot_caltech": "zero_shot",
    }
    parts = split.load_leave_out(DATA, split.LEFT_OUT[1])
    made = frontier.make_trial(frontier.left_out_name(split.LEFT_OUT[1]), DATA)
    noise = 0.03 * np.random.default_rng(0).normal(size=parts.test.x.shape)
    decoded = metrics.unit_rows(parts.test.x + noise)
    verdict = Judge(made).judge(decoded, np.full(len(decoded), 16))
    for name, expected in figures.per_set(parts, decoded, DATA).items():
        found = select(verdict, name)
        for key, value in expected.items():
            assert found[keys[key]] == pytest.approx(value, abs=1e-4 if name == "mean" else 5.1e-5)
    whole = frontier.make_trial("main", DATA)
    assert whole.counts | {"test_in_train": 0} == {
        "train": 25_447,
        "train_text": 865,
        "test": 3_800,
        "queries": 800,
        "known": 10_685,
        "zero_shot": 1_304,
        "zero_shot_classes": 53,
        "texts": 1_203,
        "test_in_train": 0,
    }


# bytes needed


def test_bytes_needed_between_two_rates() -> None:
    points = [(4, 0.5), (8, 0.8), (16, 1.0)]
    assert bytes_needed(points, 0.9) == {"bytes": 11.31, "measured": 16, "how": "interpolated"}
    assert bytes_needed(points, 0.8) == {"bytes": 8.0, "measured": 8, "how": "interpolated"}
    assert bytes_needed(points, 0.4) == {"bytes": 4, "measured": 4, "how": "at most"}
    assert bytes_needed(points, 1.1) == {"bytes": None, "measured": None, "how": "not reached"}


def test_a_figure_that_falls_again_needs_the_later_rate() -> None:
    need = bytes_needed([(16, 0.95), (4, 0.96), (8, 0.9)], 0.95)
    assert (need["measured"], need["how"]) == (16, "interpolated")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.5, 2048), st.floats(0, 1)), min_size=1, max_size=8, unique_by=lambda p: p[0]
    ),
    st.floats(0, 1),
)
def test_bytes_needed_lies_above_every_miss(points: list[tuple[float, float]], mark: float) -> None:
    need = bytes_needed(points, mark)
    missed = [rate for rate, value in points if value < mark]
    if need["bytes"] is None:
        assert max(points)[0] in missed
        return
    assert need["bytes"] >= max(missed, default=0) - 0.006
    assert need["bytes"] <= need["measured"] + 0.006
    assert not missed or need["how"] == "interpolated"


# running


def test_every_coder_at_every_rate_is_a_row() -> None:
    said: list[str] = []
    seen: list[tuple[int, int]] = []
    coders = [Tiny("a"), Tiny("b")]
    report = Report()
    rows = evaluate.run(
        trial(), coders, [8, 4], report=report, note=said.append, progress=lambda *at: seen.append(at)
    )
    assert [(row["coder"], row["rate"]) for row in rows] == [("a", 4), ("a", 8), ("b", 4), ("b", 8)]
    assert [coder.trained for coder in coders] == [1, 1]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert said[:3] == ["a: training on 120 vectors", "a: took the mean", "a: at 4 bytes"]
    for row in rows:
        found = row["figures"]["all"]
        assert found["bytes_mean"] == found["bytes_max"] == row["rate"]
        assert row["table_bytes"] == 4 * DIM
        assert row["speed"]["encode_per_s"] > 0
        assert row["error"] is None
    assert rows[0]["figures"]["all"]["cosine"] < rows[1]["figures"]["all"]["cosine"] < 1
    (section,) = report.sections
    assert section["rows"] == rows
    assert section["seeds"] == [0]
    assert [need["coder"] for need in section["needed"]] == ["a", "b"]


def test_our_own_coder_runs() -> None:
    x = np.random.default_rng(0).normal(size=(300, 32)) * 0.9 ** np.arange(32)
    wide = Pool("wide", metrics.unit_rows(x + 0.2), np.zeros(300, np.int64))
    rows = evaluate.run(make_trial([wide]), [evaluate.coder("sememe")], [4, 16])
    kept = [row["figures"]["all"]["centred_cosine"] for row in rows]
    assert [row["figures"]["all"]["bytes_max"] for row in rows] == [4, 16]
    assert kept[0] < kept[1] > 0.9


def test_coders_with_rates_of_their_own() -> None:
    tiny = Tiny(own=(2.5, 3.0, 12.0))
    assert evaluate.rates_of(tiny, [4, 8, 16, 2, 2.5], DIM) == (2.5, 3.0, 12.0)
    assert evaluate.rates_of(Tiny(), [8, 4, 8], DIM) == (4, 8)
    evaluate.run(trial(), [tiny], [4, 16])
    assert tiny.asked == [3.0, 12.0]
    (row,) = evaluate.run(trial(), [Tiny(own=())], [4, 16])
    assert (row["rate"], row["error"]) == (None, "has no rate for 24 dimensions")


def test_rows_that_are_known_are_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    first = Tiny()
    evaluate.run(trial(), [first], [4, 8], report=Report.open(path), path=path)
    before = json.loads(path.read_text())["trials"][0]["rows"]
    second = Tiny()
    rows = evaluate.run(trial(), [second], [4, 8], report=Report.open(path), path=path)
    assert (second.trained, rows) == (0, before)
    third = Tiny()
    evaluate.run(trial(), [third], [8, 16], report=Report.open(path), path=path)
    assert third.asked == [16]
    after = json.loads(path.read_text())["trials"][0]["rows"]
    assert after[:2] == before
    assert [row["rate"] for row in after] == [4, 8, 16]
    fourth = Tiny()
    evaluate.run(trial(), [fourth], [4], report=Report.open(path), path=path, again=True)
    assert fourth.asked == [4]
    assert [row["rate"] for row in json.loads(path.read_text())["trials"][0]["rows"]] == [4, 8, 16]


def test_another_trial_or_seed_is_measured_beside(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    made = trial()
    for one in (made, trial(seed=1), replace(made, training=replace(made.training, seed=5))):
        evaluate.run(one, [Tiny()], [4], report=Report.open(path), path=path)
    sections = Report.read(path).sections
    assert [len(section["rows"]) for section in sections] == [2, 1]
    assert [section["seeds"] for section in sections] == [[0, 5], [1]]


def test_an_interrupted_run_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "r.json"

    class Interrupted(Tiny):
        def train(self, training: Training, note: evaluate.Note = lambda _: None) -> object:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate.run(trial(), [Tiny("a"), Interrupted("b")], [4, 8], report=Report.open(path), path=path)
    assert [row["rate"] for row in Report.read(path).sections[0]["rows"]] == [4, 8]


def test_one_coder_that_cannot_be_trained_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    missing = MissingExtraError("it needs a library:\npip install 'sememe[eval]'")
    coders = [Broken("a", train=missing), Broken("b", train=RuntimeError("odd")), Tiny("c")]
    rows = evaluate.run(trial(), coders, [4, 8], report=Report.open(path), path=path)
    assert [(row["coder"], row["rate"], row["error"]) for row in rows] == [
        ("a", None, "it needs a library: pip install 'sememe[eval]'"),
        ("b", None, "RuntimeError: odd"),
        ("c", 4, None),
        ("c", 8, None),
    ]
    assert rows[0]["figures"] is rows[0]["speed"] is None
    installed = [Tiny("a"), Broken("b", train=RuntimeError("odd")), Tiny("c")]
    rows = evaluate.run(trial(), installed, [4, 8], report=Report.open(path), path=path)
    assert [row["error"] for row in rows] == [None, None, "RuntimeError: odd", None, None]
    kept = Report.read(path).sections[0]["rows"]
    assert [(row["coder"], row["rate"]) for row in kept] == [
        ("b", None),
        ("c", 4),
        ("c", 8),
        ("a", 4),
        ("a", 8),
    ]


CHEATS: dict[str, tuple[Broken, str]] = {
    "drops a message": (Broken(encode=lambda codes: codes[1:]), "expected 60 messages"),
    "returns no bytes": (Broken(encode=lambda codes: [list(code) for code in codes]), "messages of bytes"),
    "has two lengths": (Broken(encode=lambda codes: [codes[0] + b"!", *codes[1:]]), "one length"),
    "decodes to nothing": (Broken(decode=lambda x: x[:0]), "not to finite floats"),
    "decodes to nan": (Broken(decode=lambda x: x * np.nan), "not to finite floats"),
    "decodes to integers": (Broken(decode=lambda x: np.ones(x.shape, int)), "not to finite floats"),
    "decodes to long vectors": (Broken(decode=lambda x: 2 * x), "unit length"),
    "needs its neighbours": (Broken(decode=lambda x: x if len(x) > 1 else x[:, ::-1]), "without the other"),
    "stops": (Broken(encode=lambda _: 1 / 0), "ZeroDivisionError"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_coder_that_breaks_the_contract_gets_no_figures(cheat: str) -> None:
    coder, says = CHEATS[cheat]
    bad, good = evaluate.run(trial(), [coder, Tiny()], [4])
    assert bad["figures"] is None
    assert says in bad["error"]
    assert good["error"] is None


def test_a_mean_coder_may_vary_its_length() -> None:
    longer = Broken(
        length="mean", encode=lambda codes: [code + b"\0" * (i % 3) for i, code in enumerate(codes)]
    )
    (row,) = evaluate.run(trial(), [longer], [4])
    assert row["error"] is None
    assert row["figures"]["all"]["bytes_mean"] == pytest.approx(5)
    assert (row["figures"]["all"]["bytes_max"], row["figures"]["all"]["bytes_p5"]) == (6, 4)


def test_an_ideal_length_is_a_row_of_its_own() -> None:
    class Ideal(Tiny):
        def train(self, training: Training, note: evaluate.Note = lambda _: None) -> object:
            trained = super().train(training, note)
            fit = trained.at

            def at(nbytes: float, note: evaluate.Note = lambda _: None) -> object:
                fitted = fit(nbytes)
                fitted.ideal_bytes = lambda codes: 0.75 * len(codes[0])
                return fitted

            trained.at = at
            return trained

    plain, ideal = evaluate.run(trial(), [Tiny("a"), Ideal("b")], [4])
    assert (plain["ideal_bytes"], ideal["ideal_bytes"]) == (None, 3)


def test_a_report_that_cannot_be_written_stops_before_measuring(tmp_path: Path) -> None:
    coder = Tiny()
    with pytest.raises(StorageError):
        evaluate.run(trial(), [coder], [4], path=tmp_path / "absent" / "r.json")
    assert coder.trained == 0
    assert issubclass(ReadOnlyError, StorageError)


def test_timing_is_a_median_of_a_few_runs() -> None:
    calls: list[int] = []
    result, timing = timed(lambda: calls.append(1) or len(calls))
    assert (result, timing.runs) == (5, 5)
    assert timing.wall >= 0
    assert timed(lambda: 7, most=1) == (7, (pytest.approx(0, abs=1), pytest.approx(0, abs=1), 1))


def test_no_coder_of_that_name() -> None:
    with pytest.raises(UsageError, match="no coder is called 'gzip'; there are sememe"):
        evaluate.coder("gzip")


# reports


@pytest.fixture
def report(tmp_path: Path) -> Report:
    made = Report()
    evaluate.run(trial(sets=2, pixels=True), [Tiny("a"), Tiny("b", length="mean")], [4, 12], report=made)
    return made


def test_a_report_survives_its_file(report: Report, tmp_path: Path) -> None:
    report.save(tmp_path / "r.json")
    again = Report.read(tmp_path / "r.json")
    assert again.to_json() == report.to_json()
    assert again.to_json()["schema"] == "sememe-bench/1"
    assert Report.open(tmp_path / "absent.json").sections == []


SCRAPE: dict[str, Callable[[dict], object]] = {
    "no trials": lambda data: data.pop("trials"),
    "no machine": lambda data: data.pop("machine"),
    "trials are no list": lambda data: data.update(trials=3),
    "a row without its figures": lambda data: data["trials"][0]["rows"][0].pop("figures"),
    "a set without figures": lambda data: data["trials"][0]["rows"][0]["figures"]["sets"].pop("two"),
    "a trial without its digest": lambda data: data["trials"][0].pop("digest"),
    "nothing uncompressed": lambda data: data["trials"][0].update(uncompressed=None),
}


@pytest.mark.parametrize("damage", SCRAPE)
def test_a_damaged_report_is_named(damage: str, report: Report, tmp_path: Path) -> None:
    data = json.loads(json.dumps(report.to_json()))
    SCRAPE[damage](data)
    (tmp_path / "r.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="damaged report"):
        Report.read(tmp_path / "r.json")


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", "\xff", '{"schema": "sememe-bench/2", "trials": []}', "null"]
)
def test_what_is_no_report(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError):
        Report.read(tmp_path / "r.json")
    with pytest.raises(InputError, match="cannot be read"):
        Report.read(tmp_path / "absent.json")


def test_reports_merge_row_by_row(report: Report) -> None:
    other = Report()
    evaluate.run(trial(sets=2, pixels=True), [Tiny("b", length="mean"), Tiny("c")], [4], report=other)
    evaluate.run(trial(seed=3), [Tiny()], [4], report=other)
    other.sections[0]["rows"][0]["table_bytes"] = 77
    report.merge(other)
    assert [len(section["rows"]) for section in report.sections] == [5, 1]
    assert reports.find(report.sections[0], "b", 4, 0)["table_bytes"] == 77
    assert len(report.sections[0]["needed"]) == 3


def test_a_trial_is_found_by_name(report: Report) -> None:
    assert report.named(None) is report.named("one, two") is report.sections[0]
    with pytest.raises(UsageError, match="it holds 'one, two'"):
        report.named("three")
    report.sections.append({**report.sections[0], "name": "more"})
    with pytest.raises(UsageError, match="'one, two', 'more'"):
        report.named(None)


# tables


def test_a_table_has_a_row_for_each_rate_and_one_for_the_original(report: Report) -> None:
    (section,) = report.sections
    for row in section["rows"]:
        row["source"] = "this project" if row["coder"] == "b" else "x"
    table = figures_table(section)
    assert [row[0] for row in table.rows] == ["4", "4.0 (4 to 4)", "12", "12.0 (12 to 12)", "96"]
    assert table.rows[-1][1] == "uncompressed"
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert table.ours == {1, 3}
    text = markdown(table)
    assert text.count("**tiny, first dimensions**") == 2
    assert len(text.splitlines()) == 7
    assert html(table).count("<tr class='ours'>") == 2
    for which in ("mean", "two"):
        other = figures_table(section, which)
        assert other.header == table.header
        assert other.rows != table.rows
    with pytest.raises(UsageError, match="no set is called 'three'"):
        figures_table(section, "three")
    needed = needed_table(section)
    assert [row[0] for row in needed.rows] == ["tiny, first dimensions"] * 2


def test_cells_are_written_for_people() -> None:
    assert [figure(v) for v in (None, 0.93449, 1.0, 0.99996, 0.0, -0.05)] == [
        "",
        ".934",
        "1",
        "1.000",
        ".000",
        "-.050",
    ]
    assert [size(n) for n in (None, 0, 999, 14_700, 7_657_896)] == ["", "0 B", "999 B", "14.7 kB", "7.66 MB"]


def test_tables_escape_what_coders_call_themselves(report: Report) -> None:
    (section,) = report.sections
    for row in section["rows"]:
        row["title"] = "a|b <i>"
    assert "a\\|b <i>" in markdown(figures_table(section))
    assert "a|b &lt;i&gt;" in html(figures_table(section))
