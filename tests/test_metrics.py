from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sememe import metrics
from sememe.errors import VectorError

RNG = np.random.default_rng(5)
SMALL = st.floats(-4, 4, width=32).map(lambda v: round(v * 2) / 2)  # few values: ties happen all the time


@st.composite
def searches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    n, d, q = draw(st.integers(1, 9)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    arrays = [draw(npst.arrays(np.float32, (rows, d), elements=SMALL)) for rows in (q, n, n)]
    return arrays[0], arrays[1], arrays[2], draw(st.integers(1, n))


def best_by_hand(query: np.ndarray, vectors: np.ndarray, k: int) -> list[int]:
    scores = [sum(float(a) * float(b) for a, b in zip(query, row, strict=True)) for row in vectors]
    return sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:k]


def test_cosine_of_known_angles() -> None:
    x = np.array([[1, 0], [1, 0], [3, 4], [0, 0], [2, 0]], np.float32)
    y = np.array([[0, 2], [5, 5], [-3, -4], [1, 1], [7, 0]], np.float32)
    assert metrics.cosine(x, y) == pytest.approx([0, math.sqrt(0.5), -1, 0, 1])


def test_centred_cosine_by_hand() -> None:
    x, y = np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 3.0], [4.0, 4.0]])
    assert metrics.centred_cosine(x, y, np.array([1.0, 1.0])) == pytest.approx([0.0, 0.0])
    assert metrics.centred_cosine(x, y, np.zeros(2)) == pytest.approx(metrics.cosine(x, y))


def test_centring_takes_away_what_all_pictures_share() -> None:
    mean = np.full(32, 3.0)
    x, y = RNG.normal(size=(2, 50, 32)) + mean
    assert metrics.cosine(x, y).mean() > 0.8
    assert abs(metrics.centred_cosine(x, y, mean).mean()) < 0.15


@given(searches())
def test_search_equals_brute_force_with_ties_by_row(
    case: tuple[np.ndarray, np.ndarray, np.ndarray, int],
) -> None:
    queries, vectors, _, k = case
    expected = [best_by_hand(query, vectors, k) for query in queries]
    assert metrics.search(queries, vectors, k).tolist() == expected


@given(searches())
def test_recall_equals_brute_force(case: tuple[np.ndarray, np.ndarray, np.ndarray, int]) -> None:
    queries, originals, decoded, k = case
    shared = [
        len(set(best_by_hand(query, originals, k)) & set(best_by_hand(query, decoded, k))) / k
        for query in queries
    ]
    assert metrics.recall_at(queries, originals, decoded, k) == pytest.approx(np.mean(shared))


def test_recall_spans_nothing_to_everything() -> None:
    originals = RNG.normal(size=(400, 16))
    queries = originals[:300] + 0.01  # more than one block of queries
    assert metrics.recall_at(queries, originals, originals) == 1.0
    assert metrics.recall_at(queries, originals, -originals) == 0.0


def test_equal_rows_tie_exactly_whatever_the_scores_are() -> None:
    vectors = np.repeat(RNG.normal(size=(7, 129)).astype(np.float32), 31, axis=0)
    hits = metrics.search(RNG.normal(size=(40, 129)).astype(np.float32), vectors, 31)
    assert np.array_equal(hits, hits[:, :1] + np.arange(31))
    assert np.all(hits[:, 0] % 31 == 0)


def test_negative_zero_ties_with_zero() -> None:
    assert metrics.search(np.ones((1, 1)), np.array([[-0.0], [0.0]]), 2).tolist() == [[0, 1]]


@given(npst.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 7)), elements=SMALL), st.data())
def test_top_k_is_a_stable_sort(scores: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, scores.shape[1]))
    expected = [sorted(range(len(row)), key=lambda c, row=row: (-row[c], c))[:k] for row in scores]
    assert metrics.top_k(scores, k).tolist() == expected


def test_top_k_accuracy_by_hand() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.1, 0.3], [0.4, 0.4, 0.0]])
    labels = np.array([0, 0, 1])
    assert metrics.top_k_accuracy(scores, labels) == pytest.approx(1 / 3)
    assert metrics.top_k_accuracy(scores, labels, 2) == 1.0


def test_agreement_by_hand() -> None:
    scores = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    assert metrics.agreement(scores, np.array([[5, 2], [0, 3], [0, 9], [1, 2]])) == 0.75


def test_class_means_are_unit_and_in_label_order() -> None:
    means, classes = metrics.class_means(
        np.array([[0, 2], [3, 0], [0, 4], [1, -1], [-1, 1]]), [7, 2, 7, 9, 9]
    )
    assert classes.tolist() == [2, 7, 9]
    assert means == pytest.approx(np.array([[1, 0], [0, 1], [0, 0]]))


def test_nearest_class_mean_by_hand() -> None:
    train_x, train_y = np.array([[1.0, 0.1], [1.0, -0.1], [0.0, 1.0]]), np.array([4, 4, 6])
    x = np.array([[2.0, 1.0], [1.0, 2.0], [0.0, 1.0], [1.0, 0.0]])
    accuracy = metrics.nearest_class_mean_accuracy(
        x, np.array([4, 6, 4, 5]), train_x=train_x, train_labels=train_y
    )
    assert accuracy == 0.5  # the third is in the wrong class, the fourth in one without a mean


@given(st.floats(0, 1))
def test_fidelity_byte_promises_no_more_than_the_truth(cosine: float) -> None:
    byte = metrics.fidelity_to_byte(cosine)
    assert metrics.byte_to_fidelity(byte) <= cosine
    assert byte == 0 or metrics.byte_to_fidelity(byte - 1) >= cosine - 1e-12


@pytest.mark.parametrize("byte", [0, 1, 2, 100, 254, 255])
def test_fidelity_bytes_round_trip(byte: int) -> None:
    assert metrics.fidelity_to_byte(metrics.byte_to_fidelity(byte)) == byte


@pytest.mark.parametrize(("cosine", "byte"), [(1.0, 0), (1.0 + 1e-7, 0), (0.0, 255), (-0.7, 255), (0.9, 81)])
def test_fidelity_byte_values(cosine: float, byte: int) -> None:
    assert metrics.fidelity_to_byte(cosine) == byte


ONE, TWO = np.ones((1, 2)), np.ones((2, 2))
REFUSED = {
    "cosine of vectors": lambda: metrics.cosine(np.ones(2), np.ones(2)),
    "cosine of two shapes": lambda: metrics.cosine(ONE, TWO),
    "mean of another dimension": lambda: metrics.centred_cosine(TWO, TWO, np.ones(3)),
    "queries of another dimension": lambda: metrics.search(np.ones((1, 3)), TWO, 1),
    "k = 0": lambda: metrics.search(ONE, TWO, 0),
    "k > n": lambda: metrics.search(ONE, TWO, 3),
    "recall without queries": lambda: metrics.recall_at(np.ones((0, 2)), TWO, TWO, 1),
    "recall of two collections": lambda: metrics.recall_at(ONE, ONE, TWO, 1),
    "top_k of a vector": lambda: metrics.top_k(np.ones(3), 1),
    "labels of another length": lambda: metrics.top_k_accuracy(TWO, np.zeros(3, int)),
    "no rows": lambda: metrics.top_k_accuracy(np.ones((0, 2)), np.zeros(0, int)),
    "agreement of nothing": lambda: metrics.agreement(np.ones((0, 2)), np.ones((0, 2))),
    "class means of nothing": lambda: metrics.class_means(np.ones((0, 2)), np.zeros(0, int)),
    "means of another dimension": lambda: metrics.nearest_class_mean_accuracy(
        np.ones((1, 3)), np.zeros(1, int), train_x=ONE, train_labels=np.zeros(1, int)
    ),
    "fidelity nan": lambda: metrics.fidelity_to_byte(math.nan),
    "fidelity byte 256": lambda: metrics.byte_to_fidelity(256),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_arguments_are_refused_in_one_line(case: str) -> None:
    with pytest.raises(VectorError) as caught:
        REFUSED[case]()
    assert len(str(caught.value).splitlines()) == 1
