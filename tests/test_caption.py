"""Captions: the tree, what is said of vectors of known meaning, scores of captions, the prefix network."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sememe.caption import (
    NO_IDEA,
    Certainty,
    Claim,
    Composer,
    Concept,
    Mapping,
    Tree,
    Vocabulary,
    certainty_of,
    concepts,
    read_vocabulary,
)
from sememe.caption.certainty import MEASURED
from sememe.caption.compose import sentence
from sememe.caption.words import SETTINGS, STYLES, TREE
from sememe.errors import (
    ModelFormatError,
    ModelUnavailableError,
    ProfileMismatchError,
    UnknownLabelError,
    UsageError,
    VectorError,
)
from sememe.evaluate.captions import Retrieval, bleu, cider_d, ranks
from sememe.metrics import unit_rows

ROOT = Path(__file__).resolve().parents[1]
DIM = 64
EXACT = Certainty(scale=2.0, offset=0.0, slope=1.0, addition_offset=-4.0, addition_slope=1.0)
SMALL = concepts(
    "animal: dog, cat, horse\nanimal / bird: owl, duck\nvehicle: car, bus\nplace outdoors: beach, forest"
)


# a space in which every word has a direction of its own, a general word lies between its special ones


def word_vectors() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(DIM, DIM)))[0].astype(np.float32)
    names = [c.name for c in SMALL] + ["snow", "sea", "painting"]
    found = {name: basis[at] for at, name in enumerate(names)}
    for concept in SMALL:
        if concept.parent:
            found[concept.name] = found[concept.name] + 0.8 * basis[names.index(concept.parent)]
    return found


WORDS = word_vectors()
TYPICAL = unit_rows(np.random.default_rng(1).normal(size=(256, DIM)))


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer.of(Vocabulary.of(WORDS, SMALL), TYPICAL, EXACT)


def picture(*words: str, weights: tuple[float, ...] = ()) -> NDArray[np.float32]:
    noise = 0.02 * np.random.default_rng(2).normal(size=DIM)
    parts = zip(words, weights or (1.0,) * len(words), strict=True)
    return unit_rows((sum(w * unit_rows(WORDS[word][None])[0] for word, w in parts) + noise)[None])


def told(composer: Composer, x: NDArray[np.float32]) -> str:
    return composer.caption(x)[0][0].text


# the tree


def test_our_words_are_a_tree_of_distinct_names() -> None:
    tree = concepts()
    names = [c.name for c in tree]
    marks = TREE.maketrans("", "", "~^")
    listed = [
        n.strip().translate(marks)
        for line in TREE.strip().splitlines()
        for n in line.split(":")[1].split(",")
    ]
    assert len(names) == len(set(names))
    assert sorted(listed) == sorted(set(listed))
    assert all(name == name.lower().strip() for name in names)
    for at, concept in enumerate(tree):
        assert concept.parent in {"", *names[:at]}


def test_a_setting_that_is_a_place_has_the_place_s_name() -> None:
    assert {"beach", "forest", "kitchen", "city street"} <= SETTINGS.keys() & {c.name for c in concepts()}
    assert not SETTINGS.keys() & STYLES.keys()


@pytest.mark.parametrize(
    ("concept", "phrase"),
    [
        (Concept("dog", ""), "a dog"),
        (Concept("owl", ""), "an owl"),
        (Concept("bread", "", ""), "bread"),
        (Concept("moon", "", "the"), "the moon"),
    ],
)
def test_phrases(concept: Concept, phrase: str) -> None:
    assert concept.phrase == phrase


@given(st.sets(st.sampled_from([c.name for c in SMALL]), min_size=1))
def test_any_subset_of_words_makes_a_tree_whose_prior_is_a_distribution(names: set[str]) -> None:
    tree = Tree.of(SMALL, tuple(names))
    assert math.isclose(tree.prior.sum(), 1)
    assert ((tree.prior > 0) == tree.known).all()
    below = tree.prior @ tree.above
    assert (below > 0).all()  # nothing hangs there without a word
    assert {c.name for c, known in zip(tree.concepts, tree.known, strict=True) if known} == names


def test_above_is_the_way_to_the_top() -> None:
    tree = Tree.of(SMALL, [c.name for c in SMALL])
    rows = tree.rows
    assert {tree.concepts[r].name for r in np.flatnonzero(tree.above[rows["owl"]])} == {
        "owl",
        "bird",
        "animal",
    }


# composing


@pytest.mark.parametrize("name", ["dog", "owl", "car", "beach"])
def test_a_clear_picture_is_named(composer: Composer, name: str) -> None:
    caption = composer.caption(picture(name))[0][0]
    article = "an" if name == "owl" else "a"
    assert caption.text == f"a picture of {article} {name}"
    assert caption.strength == "strong"
    assert [claim.word for claim in caption.claims][-1] == name


def test_between_two_animals_it_is_an_animal(composer: Composer) -> None:
    assert told(composer, picture("dog", "cat", "horse", "owl")).startswith("a picture of an animal")
    assert "probably a dog" in told(composer, picture("dog", "cat", weights=(1.2, 1.0)))


def test_of_noise_it_is_seldom_sure(composer: Composer) -> None:
    x = unit_rows(np.random.default_rng(5).normal(size=(200, DIM)))
    captions = [found[0] for found in composer.caption(x)]
    silent = [caption for caption in captions if caption.text == NO_IDEA]
    assert silent
    assert all(not caption.claims and caption.confidence < 0.5 for caption in silent)
    assert sum(caption.strength == "strong" for caption in captions) < 80


def test_a_setting_is_added_where_the_picture_pays_for_it(composer: Composer) -> None:
    assert told(composer, picture("dog", "snow")) == "a picture of a dog in snow"
    assert "snow" not in told(composer, picture("dog"))


def test_a_style_opens_the_caption(composer: Composer) -> None:
    assert told(composer, picture("car", "painting")) == "a painting of a car"


def test_a_place_is_not_put_into_another(composer: Composer) -> None:
    assert told(composer, picture("forest", "snow", weights=(1.5, 1.0))) in (
        "a picture of a forest",
        "probably a picture of a forest",
    )


def test_alternatives_are_other_concepts_by_confidence(composer: Composer) -> None:
    first, *others = composer.caption(picture("dog", "cat", weights=(1.3, 1.0)), alternatives=3)[0]
    assert "dog" in first.text
    assert len(others) == 3
    assert others[0].text == "a picture of a cat"
    assert [one.confidence for one in others] == sorted((one.confidence for one in others), reverse=True)


def test_confidence_grows_up_the_tree(composer: Composer) -> None:
    shares = composer.shares(unit_rows(np.random.default_rng(3).normal(size=(50, DIM))))
    tree = composer.vocabulary.tree
    for row, parent in enumerate(tree.parents):
        if parent >= 0:
            assert (shares[:, parent] >= shares[:, row] - 1e-12).all()
    tops = shares[:, tree.parents < 0].sum(axis=1)
    assert np.allclose(tops, 1)


def test_a_vocabulary_of_another_space_is_refused() -> None:
    with pytest.raises(VectorError, match="64 dimensions, the codes' space has 32"):
        Composer.of(Vocabulary.of(WORDS, SMALL), TYPICAL[:, :32], EXACT)


def claims(*confidences: float) -> list[Claim]:
    words = ("animal", "dog")[-len(confidences) :]
    phrases = {"animal": "an animal", "dog": "a dog"}
    return [Claim("concept", w, phrases[w], c) for w, c in zip(words, confidences, strict=True)]


@pytest.mark.parametrize(
    ("concept", "setting", "text"),
    [
        ((0.95, 0.9), None, "a picture of a dog"),
        ((0.95, 0.6), None, "a picture of an animal, probably a dog"),
        ((0.7, 0.6), None, "probably a picture of a dog"),
        ((0.9, 0.9), 0.6, "a picture of a dog, probably on a beach"),
        ((0.95, 0.6), 0.9, "a picture of an animal on a beach, probably a dog"),
        ((0.95, 0.6), 0.6, "a picture of an animal, probably a dog, probably on a beach"),
    ],
)
def test_sentences(concept: tuple[float, ...], setting: float | None, text: str) -> None:
    added = [Claim("setting", "beach", "on a beach", setting)] if setting else []
    assert sentence(claims(*concept), added) == text


# certainty


def test_spaces_that_were_never_measured_get_the_careful_constants() -> None:
    assert certainty_of("somewhere/else") == MEASURED["nano/3"]


def test_the_constants_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "results" / "captions.json").read_text())
    assert MEASURED["nano/3"]._asdict() == measured["nano"]["constants"]
    assert MEASURED["openai/clip-vit-base-patch32"]._asdict() == measured["clip"]["constants"]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_confidence_is_a_share_and_keeps_the_order(shares: list[float]) -> None:
    found = EXACT.of_concepts(np.sort(shares))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


# vocabularies in files


def test_a_vocabulary_is_read(tmp_path: Path) -> None:
    names = np.array(["Dog", "fire_engine", "snow", "quark"])
    x = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float16)
    np.savez(tmp_path / "v.npz", names=names, x=x)
    found = read_vocabulary(tmp_path / "v.npz")
    assert [c.name for c in found.tree.concepts if c.name in ("dog", "fire engine")] == ["dog", "fire engine"]
    assert {c.name for c in found.tree.concepts} >= {"animal", "vehicle", "truck"}
    assert ("snow", "in snow") in found.additions
    assert found.left_out == ("quark",)
    assert found.dim == 8


def test_a_vocabulary_may_bring_its_own_tree(tmp_path: Path) -> None:
    names, parents = np.array(["up quark", "quark", "lepton"]), np.array(["quark", "", ""])
    np.savez(tmp_path / "v.npz", names=names, x=np.eye(3, 8, dtype=np.float32), parents=parents)
    found = read_vocabulary(tmp_path / "v.npz")
    assert [c.name for c in found.tree.concepts] == ["quark", "lepton", "up quark"]
    assert found.vectors[2].argmax() == 0


@pytest.mark.parametrize(
    ("arrays", "error", "why"),
    [
        ({"names": np.array(["dog"])}, UnknownLabelError, "and `x`"),
        ({"names": np.array([1]), "x": np.ones((1, 4))}, UnknownLabelError, "an array of text"),
        (
            {"names": np.array(["quark"]), "x": np.ones((1, 4))},
            UnknownLabelError,
            "no word of the caption tree",
        ),
        ({"names": np.array(["dog"]), "x": np.ones((2, 4))}, VectorError, "one row a name"),
        ({"names": np.array(["dog"]), "x": np.full((1, 4), np.nan)}, VectorError, "not finite"),
        ({"names": np.array(["dog"]), "x": np.zeros((1, 4))}, VectorError, "all zero"),
        (
            {"names": np.array(["a", "b"]), "x": np.ones((2, 4)), "parents": np.array(["b", "a"])},
            UnknownLabelError,
            "leads to no top",
        ),
        (
            {"names": np.array(["a", "b"]), "x": np.ones((2, 4)), "parents": np.array([""])},
            UnknownLabelError,
            "give one each",
        ),
    ],
)
def test_bad_vocabularies(
    tmp_path: Path, arrays: dict[str, NDArray[np.generic]], error: type[Exception], why: str
) -> None:
    np.savez(tmp_path / "v.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(error, match=why) as caught:
        read_vocabulary(tmp_path / "v.npz")
    assert "v.npz" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut off"])
def test_files_that_are_no_vocabulary(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "v.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnknownLabelError, match="cannot be read as a vocabulary"):
        read_vocabulary(path)


# BLEU, CIDEr-D, ranks: small cases by hand


def test_bleu_clips_and_counts() -> None:
    # Papineni et al., example 2: "the" seven times, at most twice in a reference
    candidate, references = (
        "the the the the the the the",
        ["The cat is on the mat.", "There is a cat on the mat."],
    )
    assert math.isclose(bleu([candidate], [references], order=1), 2 / 7)


def test_bleu_by_hand() -> None:
    # 5 words of 6 match; bigrams 3 of 5: the cat, on the, the mat; same length
    found = bleu(["the cat sat on the mat"], [["the cat is on the mat"]], order=2)
    assert math.isclose(found, math.sqrt(5 / 6 * 3 / 5))
    assert bleu(["the cat sat on the mat"], [["the cat is on the mat"]]) == 0  # no 4-gram matches


def test_bleu_punishes_brevity_by_the_whole_corpus() -> None:
    references = [["a b c d e"], ["f g h i j"]]
    assert math.isclose(bleu(["a b c d", "f g h i j"], references), math.exp(1 - 10 / 9))
    assert bleu(["a b c d e", "f g h i j"], references) == 1


def test_cider_d_by_hand() -> None:
    references = [["a dog runs"], ["a cat sits"]]
    # identical: every n-gram vector of n = 1 to 3 has cosine 1; there is no 4-gram
    assert np.allclose(cider_d(["a dog runs", "a cat sits"], references), 10 * 3 / 4)
    # "a" is in every picture and weighs nothing; dog and runs weigh log 2 each
    # n = 1 alone: (log 2)² / (log 2 · √2 log 2) = 1/√2; two words fewer
    one = cider_d(["dog", "a cat sits"], references)[0]
    assert math.isclose(one, 10 / 4 * (1 / math.sqrt(2)) * math.exp(-(2**2) / (2 * 36)))


def test_cider_d_gains_nothing_by_repetition() -> None:
    references = [["a dog runs"], ["a cat sits"], ["birds fly"]]
    once, often = (cider_d([text, "x", "y"], references)[0] for text in ("a dog runs", "a dog dog runs"))
    assert often < once


def test_metrics_want_a_reference_each() -> None:
    for metric in (bleu, cider_d):
        with pytest.raises(UsageError, match="one reference or more"):
            metric(["a"], [])
        with pytest.raises(UsageError, match="one reference or more"):
            metric(["a"], [[]])


def test_ranks_count_ties_against() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.5, 0.5, 0.9]])
    found = ranks(scores, np.array([0, 0]))
    assert found.tolist() == [1, 3]
    assert Retrieval.of(found) == Retrieval(2.0, (1 + 1 / 3) / 2, 0.5, 1.0)
    with pytest.raises(VectorError):
        ranks(scores, np.array([0]))


# the mapping network


def small_mapping(**changes: object) -> Mapping:
    manifest = {"version": 1, "space_id": "toy/32", "dim": 4, "prefix": 2, "width": 3, "vocabulary": 11}
    shapes = {
        "mean": (4,),
        "first.weight": (5, 4),
        "first.bias": (5,),
        "second.weight": (6, 5),
        "second.bias": (6,),
    }
    rng = np.random.default_rng(0)
    arrays = {name: rng.integers(-8, 9, shape).astype(np.float32) / 8 for name, shape in shapes.items()}
    return Mapping({**manifest, **changes}, arrays)


def test_a_mapping_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    small_mapping().save(path)
    loaded, x = Mapping.load(path), unit_rows(np.random.default_rng(1).normal(size=(3, 4)))
    assert loaded.manifest == small_mapping().manifest
    assert np.array_equal(loaded(x), small_mapping()(x))
    assert loaded(x).shape == (3, 2, 3)


def test_the_bytes_of_a_mapping_are_golden(tmp_path: Path) -> None:
    small_mapping().save(tmp_path / "m.safetensors")
    digest = hashlib.sha256((tmp_path / "m.safetensors").read_bytes()).hexdigest()
    assert digest == "04f8788a9f5bd263f32936c6a68217e577a0434543fe2ab8f4c89802aa8f7c29"


def test_a_mapping_refuses_other_spaces_and_language_models() -> None:
    mapping = small_mapping()
    with pytest.raises(ProfileMismatchError, match=r"trained on vectors of toy/32.*of nano/3"):
        mapping.check_space("nano/3")
    with pytest.raises(ProfileMismatchError, match="width 3 with 11 tokens, not 768 with 50257"):
        mapping.check_language_model(768, 50257)
    with pytest.raises(VectorError, match="takes vectors"):
        mapping(np.ones((1, 5), np.float32))
    mapping.check_space("toy/32")
    mapping.check_language_model(3, 11)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": 2}, "another version"),
        ({"dim": 5}, "do not fit"),
        ({"width": -3}, "lacks dim"),
        ({"space_id": None}, "do not fit"),
    ],
)
def test_mappings_that_contradict_themselves(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    small_mapping(**changes).save(tmp_path / "m.safetensors")
    with pytest.raises(ModelFormatError, match=why):
        Mapping.load(tmp_path / "m.safetensors")


def test_damaged_and_missing_mappings(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(ModelUnavailableError, match="no captioner is there"):
        Mapping.load(path)
    small_mapping().save(path)
    whole = path.read_bytes()
    for content in (b"", whole[:40], whole[:-4], b"x" * 64):
        path.write_bytes(content)
        with pytest.raises(ModelFormatError, match="damaged, or not a captioner"):
            Mapping.load(path)


# ClipCap at tiny size: twenty pairs learned by heart


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random GPT-2 of its true class, and a tokenizer that knows a few dozen words."""
    pytest.importorskip("torch", reason="needs the extra [torch]")
    transformers = pytest.importorskip("transformers", reason="needs the extra [torch]")
    tokenizers = pytest.importorskip("tokenizers", reason="needs the extra [torch]")
    folder = tmp_path_factory.mktemp("gpt2")
    vocabulary = {
        word: at for at, word in enumerate(["<|endoftext|>", *sorted({w for c in TWENTY for w in c.split()})])
    }
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<|endoftext|>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>")
    wrapped.save_pretrained(folder)
    sizes = {"n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 64, "vocab_size": len(vocabulary)}
    import torch

    torch.manual_seed(0)
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = transformers.GPT2Config(**sizes, **still, bos_token_id=0, eos_token_id=0)
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


TWENTY = tuple(
    f"a {colour} {animal} {place}"
    for colour, place in zip(
        ("red", "blue", "black", "white"), ("runs", "sleeps on grass", "eats", "is in a tree"), strict=True
    )
    for animal in ("dog", "cat", "horse", "owl", "fox")
)


@pytest.fixture(scope="module")
def trained(language_model: Path, tmp_path_factory: pytest.TempPathFactory, toy_profile_file: Path) -> Path:
    """The recipe, run to its end."""
    folder = tmp_path_factory.mktemp("captioner")
    x = unit_rows(np.random.default_rng(0).normal(size=(20, 32)))
    np.save(folder / "x.npy", x)
    (folder / "captions.txt").write_text("\n".join(TWENTY) + "\n")
    assert recipe(folder, language_model, toy_profile_file) == 0
    return folder


def recipe(folder: Path, language_model: Path, profile: Path, *more: str, epochs: int = 250) -> int:
    sys.path.insert(0, str(ROOT))
    from recipes.captioner.__main__ import main

    options = {
        "--vectors": folder / "x.npy",
        "--captions": folder / "captions.txt",
        "--language-model": language_model,
        "--profile": profile,
        "-o": folder / "net",
        "--prefix": 4,
        "--epochs": epochs,
        "--batch": 20,
        "--rate": 1e-2,
        "--warmup": 10,
        "--noise": 0.02,
    }
    return main([str(word) for pair in options.items() for word in pair] + ["--tune", "--originals", *more])


def test_a_captioner_learns_twenty_pairs_by_heart(trained: Path) -> None:
    from sememe.caption import PrefixCaptioner

    captioner = PrefixCaptioner.load(Mapping.load(trained / "net"), trained / "net.language-model")
    x = np.load(trained / "x.npy")
    told = [captions[0].text for captions in captioner.caption(x)]
    assert sum(a == b for a, b in zip(told, TWENTY, strict=True)) >= 18
    others = [captions[0].text for captions in captioner.caption(-x)]
    assert sum(a == b for a, b in zip(others, TWENTY, strict=True)) <= 5
    assert captioner.caption(x[:1], alternatives=2)[0][0].confidence is None
    assert len({caption.text for caption in captioner.caption(x[:1], alternatives=2)[0]}) == 3


def test_training_in_parts_gives_what_training_at_once_gives(
    trained: Path, language_model: Path, toy_profile_file: Path, tmp_path: Path
) -> None:
    made = {}
    for name, stops in {"once": (), "parts": ("7", "5")}.items():
        folder = tmp_path / name
        folder.mkdir()
        for file in ("x.npy", "captions.txt"):
            (folder / file).write_bytes((trained / file).read_bytes())
        for steps in stops:
            assert recipe(folder, language_model, toy_profile_file, "--steps", steps, epochs=20) == 0
            assert not (folder / "net").exists()
        assert recipe(folder, language_model, toy_profile_file, epochs=20) == 0
        assert not (folder / "net.checkpoint").exists()
        made[name] = (folder / "net").read_bytes()
    assert made["once"] == made["parts"]


def test_the_recipe_hears_codes_of_every_length(toy_profile_file: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra [torch]")
    sys.path.insert(0, str(ROOT))
    from recipes.captioner.pairs import LENGTHS, Pairs

    from sememe.profile import load

    profile = load(toy_profile_file)
    x = unit_rows(np.random.default_rng(0).normal(size=(6, 32)))
    pairs = Pairs.of(x, ("a",) * 6, profile)
    assert pairs.x.shape == (len(LENGTHS), 6, 32)
    assert np.array_equal(pairs.x[0], x)
    assert np.array_equal(pairs.x[-1], profile.decode(profile.encode(x, 4)))
    drawn = [pairs.batch(np.arange(6), 0.0, np.random.default_rng(seed)) for seed in range(30)]
    heard = {at for batch in drawn for at, known in enumerate(pairs.x) if np.allclose(batch[0], known[0])}
    assert heard == set(range(len(LENGTHS)))
    with pytest.raises(UsageError, match="one caption a vector"):
        Pairs.of(x, ("a",), profile)


def test_a_checkpoint_of_other_settings_is_refused(
    trained: Path,
    language_model: Path,
    toy_profile_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("x.npy", "captions.txt"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    assert recipe(tmp_path, language_model, toy_profile_file, "--steps", "1") == 0
    assert recipe(tmp_path, language_model, toy_profile_file, "--seed", "7", "--steps", "1") == 2
    assert "other settings" in capsys.readouterr().err
