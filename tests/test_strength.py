from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sememe.api.space import TYPICAL
from sememe.metrics.strength import STRONG, STRONG_BY_CHANCE, WEAK, WEAK_BY_CHANCE, chance, strengths
from sememe.zeroshot import EVERYDAY

SCORES = hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(-10, 12))


@pytest.mark.parametrize(
    ("score", "name"), [(4.0, "strong"), (3.99, "weak"), (2.5, "weak"), (2.49, "none"), (-9.0, "none")]
)
def test_a_lone_score_is_named_by_its_height(score, name):
    assert strengths(np.array([score])) == [name]


def test_the_same_score_is_worth_less_among_many():
    assert [strengths(np.array([4.5]), total=n)[0] for n in (1, 10, 300, 10_000)] == [
        "strong",
        "strong",
        "weak",
        "none",
    ]


def test_many_such_scores_are_worth_more_than_one():
    """In a collection of nothing but dogs, every dog is a strong match."""
    assert set(strengths(np.full(10_000, 4.5))) == {"strong"}
    assert set(strengths(np.full(10_000, 2.6))) == {"weak"}


def test_chance_alone_is_seldom_called_anything():
    rng = np.random.default_rng(0)
    tails = WEAK - np.log(rng.random((200, 2000)) / 0.0125) / 1.35  # scores as `chance` says they fall
    np.testing.assert_allclose((tails >= STRONG).mean(), chance(np.array(STRONG)), rtol=0.1)
    names = [strengths(scores) for scores in tails]
    assert np.mean(["strong" in row for row in names]) < 0.15
    assert np.mean(["none" not in row for row in names]) == 0


def test_only_the_best_need_be_given():
    rng = np.random.default_rng(1)
    scores = np.sort(np.concatenate([rng.normal(0, 1, 5000), rng.normal(5.5, 1, 40)]))[::-1]
    assert strengths(scores[:500], total=len(scores)) == strengths(scores)[:500]


@given(SCORES)
def test_a_higher_score_is_never_named_weaker(scores):
    rank = {"none": 0, "weak": 1, "strong": 2}
    order = np.argsort(scores)
    names = [rank[strengths(scores)[i]] for i in order]
    assert names == sorted(names)
    assert all(scores[i] >= (WEAK, STRONG)[rank_ - 1] for i, rank_ in zip(order, names, strict=True) if rank_)


@given(SCORES, st.randoms(use_true_random=False))
def test_names_do_not_depend_on_the_order(scores, random):
    order = list(range(len(scores)))
    random.shuffle(order)
    names = strengths(scores)
    assert strengths(scores[order]) == [names[i] for i in order]


def test_chance_falls_and_is_a_share():
    shares = chance(np.linspace(-10, 20, 100))
    assert (np.diff(shares) <= 0).all()
    assert shares.max() == 1
    assert chance(np.array(WEAK)) == pytest.approx(0.0125)


def test_the_page_says_what_holds(monkeypatch):
    root = Path(__file__).parents[1]
    monkeypatch.syspath_prepend(str(root / "bench"))
    text = (root / "docs" / "strength.md").read_text("utf-8")
    assert importlib.import_module("table").fill(text) == text
    assert f"{len(EVERYDAY)} everyday words" in text
    assert f"{TYPICAL} typical pictures" in text
    for score, one_in in re.findall(r"^\| ([\d.]+) \| 1 in ([\d,]+) \|$", text, re.MULTILINE):
        assert 1 / chance(np.array(float(score))) == pytest.approx(int(one_in.replace(",", "")), rel=0.05)
    assert (STRONG, WEAK, STRONG_BY_CHANCE, WEAK_BY_CHANCE) == (4.0, 2.5, 0.1, 0.5)
