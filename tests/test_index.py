from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sememe.errors import UsageError
from sememe.index import CHUNK, QueryTerm, best_rows, candidates, chunks, parse_query, search
from sememe.metrics.calibration import Term
from toys import toy_codec, toy_vectors


def text(value, weight=1.0, sign=1):
    return QueryTerm(sign, weight, "text", value)


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("two parrots", [text("two parrots")]),
        (["two", "parrots"], [text("two parrots")]),
        ("horse + stripes", [text("horse"), text("stripes")]),
        (["horse", "+", "stripes"], [text("horse"), text("stripes")]),
        (["apple", "-", "red", "fruit"], [text("apple"), text("red fruit", sign=-1)]),
        ("- fruit", [text("fruit", sign=-1)]),
        (["+", "fruit"], [text("fruit")]),
        (["2:golden retriever", "+", ".5:dog"], [text("golden retriever", 2.0), text("dog", 0.5)]),
        ("2:golden retriever - 1.5: cat", [text("golden retriever", 2.0), text("cat", 1.5, -1)]),
        (["./pool.JPG", "-", "fruit"], [QueryTerm(1, 1.0, "image", "./pool.JPG"), text("fruit", sign=-1)]),
        ("a - b.jpg", [QueryTerm(1, 1.0, "image", "a - b.jpg")]),
        (["3:a - b.sem", "+", "x"], [QueryTerm(1, 3.0, "sem", "a - b.sem"), text("x")]),
        ("well-known c++ book", [text("well-known c++ book")]),
        ("photo taken at 12:30", [text("photo taken at 12:30")]),
    ],
)
def test_queries_parse(typed, terms):
    assert parse_query(typed) == terms


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("", "empty"),
        ([], "empty"),
        (["  "], "empty"),
        (["+"], "ends with"),
        (["a", "-"], "ends with"),
        (["a", "+", "-", "b"], "nothing before"),
        ("0:a", "positive"),
        ("9999999:a", "positive"),
        (["a.jpg", "dog"], "stands beside"),
        (["dog", "2:a.sem"], "stands beside"),
    ],
)
def test_queries_that_make_no_sense_are_refused(typed, complaint):
    with pytest.raises(UsageError, match=complaint):
        parse_query(typed)


@given(st.one_of(st.text(), st.lists(st.text())))
def test_any_query_gives_terms_or_our_error(typed):
    try:
        terms = parse_query(typed)
    except UsageError:
        return
    assert terms
    assert all(term.value.strip() and term.weight > 0 and term.sign in (1, -1) for term in terms)


@given(
    hnp.arrays(np.float32, st.integers(0, 40), elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0])),
    st.integers(1, 50),
)
def test_best_rows_agree_with_a_full_sort_and_ties_go_to_the_lower_row(scores, k):
    expected = sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:k]
    assert best_rows(scores, k).tolist() == expected


@pytest.mark.parametrize("n", [0, 1, CHUNK, CHUNK + 1])
def test_chunks_cover_every_row_once(n):
    rows = [row for part in chunks(n) for row in range(n)[part]]
    assert rows == list(range(n))


class Recorder:
    """Vectors that note how many rows were ever asked for at once."""

    def __init__(self, x):
        self.x, self.asked = x, []

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        given_out = self.x[rows]
        self.asked.append(len(given_out))
        return given_out


@pytest.fixture(scope="module")
def background():
    return toy_codec().space.background(None)


def test_search_finds_the_vector_itself_first_and_strongly(background):
    x = toy_vectors()
    hits = search(background.query([Term(x[42], "image")]), x, background, k=5)
    assert (hits[0].row, hits[0].rank, hits[0].strength) == (42, 1, "strong")
    assert hits[0].cosine == pytest.approx(1, abs=1e-4)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_search_agrees_with_brute_force_over_everything(background):
    x = toy_vectors()
    query = background.query([Term(x[0], "image"), Term(x[9], "image", -0.5)])
    scores, cosines = background.score([query], x)
    hits = search(query, x, background, k=20)
    assert [hit.row for hit in hits] == np.argsort(-scores[0], kind="stable")[:20].tolist()
    np.testing.assert_allclose([hit.cosine for hit in hits], cosines[0][[hit.row for hit in hits]], atol=1e-5)


def test_vectors_are_asked_for_in_chunks_and_memory_stays_flat(background):
    x = np.resize(toy_vectors(), (CHUNK + 100, 32))
    rows = Recorder(x)
    query = background.query([Term(x[3], "image")])
    hits = search(query, rows, background, k=CHUNK + 100)
    assert rows.asked == [CHUNK, 100, CHUNK]
    scores = background.score([query], x)[0][0]
    np.testing.assert_allclose([hit.score for hit in hits[:500]], np.sort(scores)[::-1][:500], atol=1e-4)
    assert len(hits) == CHUNK


def test_of_a_large_collection_the_nearest_are_candidates(background):
    x = np.resize(toy_vectors(), (CHUNK + 5000, 32)) + np.float32(0)
    query = background.query([Term(x[3], "image")])
    rows = candidates(query, x, background)
    products = background.centre(x, "image") @ background.direction(query)
    left = np.setdiff1d(np.arange(len(x)), rows)
    assert len(rows) == CHUNK
    assert products[rows].min() >= products[left].max()
    assert candidates(query, x[:50], background).tolist() == list(range(50))


def test_fewer_vectors_than_k_give_fewer_hits(background):
    x = toy_vectors()[:3]
    assert len(search(background.query([Term(x[0], "image")]), x, background, k=10)) == 3
    assert search(background.query([Term(x[0], "image")]), x[:0], background) == []


def test_k_must_be_positive(background):
    with pytest.raises(UsageError, match="k must be"):
        search(background.query([Term(toy_vectors()[0], "image")]), toy_vectors(), background, k=0)


def test_hits_have_stable_json_keys(background):
    (hit,) = search(background.query([Term(toy_vectors()[0], "image")]), toy_vectors(), background, k=1)
    assert set(hit.at("cat.jpg").to_json()) == {"row", "rank", "score", "cosine", "strength", "path"}
    assert hit.at("cat.jpg").path == "cat.jpg"
