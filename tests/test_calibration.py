from __future__ import annotations

import numpy as np
import pytest

from sememe.errors import VectorError
from sememe.metrics.calibration import Background, Term
from sememe.metrics.strength import STRONG, WEAK
from toys import toy_vectors


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def space(seed: int = 0, n: int = 400, d: int = 64):
    """Pictures and words of one space: two cones far apart, words aligned with pictures inside."""
    rng = np.random.default_rng(seed)
    meanings = rng.standard_normal((n, d)) * 0.05
    gap_text, gap_image = unit(rng.standard_normal((2, d)))
    images = unit(gap_image + meanings + rng.standard_normal((n, d)) * 0.02)
    texts = unit(gap_text + meanings + rng.standard_normal((n, d)) * 0.02)
    return images, texts


@pytest.fixture(scope="module")
def background():
    images, texts = space(seed=7)
    return Background.of(images=images, texts=texts)


def text_query(background, vector):
    return background.query([Term(vector, "text")])


def test_unrelated_pairs_score_like_a_standard_normal(background):
    images, texts = space(seed=7)
    scores, _ = background.score([text_query(background, t) for t in texts[:200]], images[200:])
    assert abs(scores.mean()) < 0.1
    assert 0.9 < scores.std() < 1.1


def test_pairs_that_belong_together_are_strong_and_others_are_not(background):
    images, texts = space(seed=7)
    scores, cosines = background.score([text_query(background, t) for t in texts[:100]], images[:100])
    own = np.diag(scores)
    assert (own > STRONG).mean() > 0.95
    assert (scores[~np.eye(100, dtype=bool)] > WEAK).mean() < 0.02
    assert np.diag(cosines).min() > cosines[~np.eye(100, dtype=bool)].mean()


def test_a_collection_of_one_thing_still_matches_its_name_strongly(background):
    images, texts = space(seed=7)
    rng = np.random.default_rng(3)
    alike = unit(images[5] + rng.standard_normal((50, 64)) * 0.01)
    scores, _ = background.score([text_query(background, texts[5])], alike)
    assert (scores > STRONG).mean() > 0.95


def test_centring_removes_the_gap_between_modalities(background):
    images, texts = space(seed=7)
    raw = (texts[:50] @ images[:50].T).diagonal().mean()
    centred = background.centre(texts[:50], "text") @ background.centre(images[:50], "image").T
    assert centred.diagonal().mean() > raw + 0.3


def test_a_query_has_unit_length_and_knows_its_parts(background):
    images, texts = space(seed=7)
    query = background.query([Term(texts[0], "text", 2.0), Term(images[1], "image", -1.0)])
    assert np.linalg.norm(query.vector) == pytest.approx(1, abs=1e-5)
    kinds = {kind: (total, square) for kind, total, square in query.parts}
    assert kinds["text"][0] == pytest.approx(-2 * kinds["image"][0])
    assert kinds["text"][1] == pytest.approx(4 * kinds["image"][1])


def test_mixed_queries_are_calibrated_too(background):
    images, texts = space(seed=7)
    queries = [
        background.query(
            [Term(texts[i], "text"), Term(images[i + 100], "image", 0.5), Term(texts[i + 50], "text", -1)]
        )
        for i in range(50)
    ]
    scores, _ = background.score(queries, images[200:])
    assert abs(scores.mean()) < 0.15
    assert 0.85 < scores.std() < 1.15


def test_scores_do_not_depend_on_what_else_is_asked_or_searched(background):
    images, texts = space(seed=7)
    queries = [text_query(background, t) for t in texts[:5]]
    together, _ = background.score(queries, images)
    alone = np.concatenate([background.score([q], images[:7])[0] for q in queries])
    np.testing.assert_allclose(together[:, :7], alone, atol=1e-4)


def test_without_texts_pictures_can_be_compared_and_texts_cannot():
    images, texts = space()
    background = Background.of(images=images)
    scores, _ = background.score([background.query([Term(images[3], "image")])], images)
    assert scores[0].argmax() == 3
    with pytest.raises(VectorError, match="no text vectors"):
        text_query(background, texts[0])


def test_a_copy_of_the_query_is_strong_even_in_a_small_space():
    rng = np.random.default_rng(0)
    images = unit(rng.standard_normal((300, 6)))
    background = Background.of(images=images)
    scores, cosines = background.score([background.query([Term(images[7], "image")])], images)
    assert scores[0, 7] > STRONG
    assert np.isfinite(scores).all()
    assert scores[0].argmax() == cosines[0].argmax() == 7


def test_terms_that_cancel_out_are_refused(background):
    _, texts = space(seed=7)
    with pytest.raises(VectorError, match="cancel out"):
        background.query([Term(texts[0], "text"), Term(texts[0], "text", -1.0)])


@pytest.mark.parametrize("bad", [np.zeros((1, 64)), np.zeros(64), np.zeros((3, 64, 2))])
def test_a_background_needs_two_vectors_or_more(bad):
    with pytest.raises(VectorError, match="two vectors or more"):
        Background.of(images=bad.astype(np.float32))


def test_vectors_of_another_dimension_are_refused(background):
    with pytest.raises(VectorError, match="shape"):
        background.centre(np.zeros((2, 63), np.float32), "image")


def test_a_background_without_spread_gives_finite_scores():
    same = np.repeat(toy_vectors()[:1], 4, axis=0)
    background = Background.of(images=same, texts=same)
    query = background.query([Term(toy_vectors()[5], "image")])
    assert np.isfinite(background.score([query], toy_vectors()[:9])[0]).all()
