from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sememe import backbones
from sememe.errors import UnknownLabelError, UsageError, VectorError
from sememe.zeroshot import EVERYDAY, TEMPLATE, Classifier, embed_labels, read_labels, read_templates
from toys import COLOURS, plain, toy_codec

BACKBONE = backbones.load("toy/32")


@pytest.fixture(scope="module")
def background():
    return toy_codec().space.background(("{}",))


def classifier(background, labels=COLOURS):
    return Classifier.of(labels, BACKBONE, background, template="{}")


def test_colours_are_recognised_and_strongly(background):
    x = BACKBONE.embed_images([plain(colour) for colour in COLOURS])
    predictions = classifier(background).classify(x)
    assert [p.best.label for p in predictions] == list(COLOURS)
    assert sum(p.best.strength == "strong" for p in predictions) >= 5
    assert not any(p.none for p in predictions if p.best.strength != "none")


def test_all_labels_come_ranked_with_probabilities_that_sum_to_one(background):
    (prediction,) = classifier(background).classify(BACKBONE.embed_images([plain("red")]))
    shares = [label.probability for label in prediction.labels]
    assert sorted(label.label for label in prediction.labels) == sorted(COLOURS)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


def test_probabilities_are_a_softmax_of_plain_cosines(background):
    x = BACKBONE.embed_images([plain("red"), plain("white")])
    logits = BACKBONE.logit_scale * x @ embed_labels(COLOURS, BACKBONE, template="{}").T
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier(background).probabilities(x), expected, rtol=1e-4)


def test_none_of_these_when_no_label_fits(background):
    words = ["kitchen", "tuesday", "arithmetic"]
    predictions = classifier(background, words).classify(BACKBONE.embed_images([plain("red"), plain("blue")]))
    assert [p.none for p in predictions] == [True, True]
    assert predictions[0].to_json()["none"] is True


def test_a_single_label_is_certain_but_not_strong(background):
    """A probability says which label; only the strength says whether."""
    (prediction,) = classifier(background, ["tuesday"]).classify(BACKBONE.embed_images([plain("red")]))
    assert prediction.best.probability == 1
    assert prediction.none


def test_the_score_of_a_label_does_not_depend_on_the_others(background):
    x = BACKBONE.embed_images([plain("red")])
    alone = classifier(background, ["red"]).classify(x)[0].best.score
    among = classifier(background).classify(x)[0].best.score
    assert alone == pytest.approx(among, abs=1e-4)


def test_json_keys_are_stable(background):
    (prediction,) = classifier(background).classify(BACKBONE.embed_images([plain("red")]))
    assert set(prediction.to_json()) == {"none", "labels"}
    assert [set(label) for label in prediction.to_json(top=2)["labels"]] == [
        {"label", "probability", "score", "strength"}
    ] * 2


def test_no_rows_give_no_predictions(background):
    assert classifier(background).classify(np.zeros((0, 32), np.float32)) == []


def test_vectors_of_another_space_are_refused(background):
    with pytest.raises(VectorError):
        classifier(background).classify(np.zeros((1, 31), np.float32))


def test_several_templates_are_averaged():
    both = embed_labels(["red"], BACKBONE, template=["{}", "{} thing"])
    each = [embed_labels(["red"], BACKBONE, template=t) for t in ("{}", "{} thing")]
    mean = (each[0] + each[1]) / 2
    np.testing.assert_allclose(both, mean / np.linalg.norm(mean), atol=1e-6)


def test_the_default_template_is_used():
    np.testing.assert_array_equal(
        embed_labels(["red"], BACKBONE), BACKBONE.embed_texts([TEMPLATE.format("red")])
    )


@pytest.mark.parametrize("bad", ["a photo", [], ["{}", "a photo"]])
def test_a_template_must_say_where_the_label_goes(bad):
    with pytest.raises(UsageError, match=r"\{\}"):
        read_templates(bad)


def test_braces_in_labels_and_templates_are_taken_as_they_are():
    assert embed_labels(["{x}"], BACKBONE, template="{} {0}").shape == (1, 32)


@pytest.mark.parametrize(
    ("given_labels", "expected"),
    [
        ("cat, dog,cat ,", ("cat", "dog")),
        (["two  parrots", " cat"], ("two parrots", "cat")),
        (("a,b",), ("a,b",)),
    ],
)
def test_labels_are_stripped_and_come_once(given_labels, expected):
    assert read_labels(given_labels) == expected


def test_a_label_file_has_comments_and_blank_lines(tmp_path):
    file = tmp_path / "labels.txt"
    file.write_text("\ufeff# pets\ncat\n\n  dog, the small one \n# birds\n", "utf-8")
    assert read_labels(str(file)) == ("cat", "dog, the small one")
    assert read_labels(f"@{file}") == ("cat", "dog, the small one")


@pytest.mark.parametrize("labels", ["", " , ,", [], ["", "  "], [1, 2], "@/no/such/file"])
def test_labels_that_hold_nothing_are_refused(labels):
    with pytest.raises(UnknownLabelError):
        read_labels(labels)


@pytest.mark.parametrize("content", [b"", b"# only\n\n", b"\xff\xfe\x00cat"])
def test_a_label_file_that_holds_nothing_is_refused(tmp_path, content):
    file = tmp_path / "labels.txt"
    file.write_bytes(content)
    with pytest.raises(UnknownLabelError, match=r"labels\.txt"):
        read_labels(str(file))


@given(st.text())
def test_any_string_gives_labels_or_our_error(text):
    try:
        labels = read_labels(text)
    except UnknownLabelError:
        return
    assert labels
    assert all(label == " ".join(label.split()) != "" for label in labels)


def test_everyday_words_are_many_and_distinct():
    assert len(EVERYDAY) == len(set(EVERYDAY)) > 200
    assert all(word == word.strip() != "" for word in EVERYDAY)
