"""`sememe caption`, run as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sememe import api, backbones
from sememe.bitstream import Record
from test_caption import small_mapping
from workbench import TOY, Bench

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the vectors in ../shared/data")
COLOURS = ("red", "lime", "blue", "white", "black", "yellow")


@pytest.fixture
def coloured(bench: Bench) -> Bench:
    """The bench with a vocabulary of colours: two general words, and those below them."""
    names = [*COLOURS, "bright", "dark"]
    parents = ["bright", "bright", "dark", "bright", "dark", "bright", "", ""]
    x = backbones.load("toy/32").embed_texts(names)
    np.savez(bench.path("words.npz"), names=np.array(names), parents=np.array(parents), x=x)
    return bench


WORDS = ("--vocabulary", "words.npz")


def test_pictures_are_captioned(coloured: Bench) -> None:
    lines = coloured.ok("caption", "photos", *WORDS, *TOY).splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"photos/{c}.png" for c in sorted(COLOURS)]
    told = dict(line.split("  ") for line in lines)
    assert sum(colour in told[f"photos/{colour}.png"] for colour in COLOURS) >= 4


def test_a_file_an_archive_and_a_pipe_say_the_same(coloured: Bench) -> None:
    coloured.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    coloured.ok("encode", "photos", "-o", "all.sems", *TOY)
    profile = ("--profile", "toy.profile")
    picture = coloured.ok("caption", "photos/red.png", *WORDS, *TOY).split("  ")[1]
    assert coloured.ok("caption", "red.sem", *WORDS, *profile).split("  ")[1] == picture
    archive = coloured.ok("caption", "all.sems", *WORDS).splitlines()
    assert f"photos/red.png  {picture.strip()}" in archive
    piped = coloured.ok("caption", "-", *WORDS, *profile, stdin=coloured.path("red.sem").read_bytes())
    assert piped.split("  ") == ["-", picture]


def test_json_and_alternatives(coloured: Bench) -> None:
    line = coloured.ok("caption", "photos/red.png", "-n", "3", "--bytes", "4", "--json", *WORDS, *TOY)
    found = json.loads(line)
    assert list(found) == ["path", "nbytes", "caption", "confidence", "strength", "claims", "alternatives"]
    assert found["nbytes"] == 4
    assert len(found["alternatives"]) == 2
    assert 0 <= found["confidence"] <= 1
    assert len(coloured.ok("caption", "photos/red.png", "-n", "3", *WORDS, *TOY).splitlines()) == 3


def test_nano_needs_no_vocabulary(bench: Bench) -> None:
    done = bench.spawn("caption", "photos/blue.png", "--json", capture_output=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["path"] == "photos/blue.png"
    assert found["caption"] == "no idea" or found["claims"]


@pytest.mark.parametrize(
    ("options", "status", "why"),
    [
        (("--vocabulary", "none.npz"), 2, "none.npz: cannot be read as a vocabulary"),
        (("--captioner", "net"), 2, "--captioner and --language-model go together"),
        (("--captioner", "net", "--language-model", "lm", "--vocabulary", "v"), 2, "give one of the two"),
        (("--captioner", "net", "--language-model", "lm"), 5, "net: no captioner is there"),
        (("-n", "0"), 2, "not a positive number"),
    ],
)
def test_what_cannot_work_says_why(bench: Bench, options: tuple[str, ...], status: int, why: str) -> None:
    found = bench.fails("caption", "photos/red.png", *options, *TOY)
    assert found[0] == status
    assert why in found[1]


def test_a_vocabulary_of_another_space_is_refused(coloured: Bench) -> None:
    status, why = coloured.fails("caption", "photos/red.png", *WORDS)  # nano's codes, the toy's words
    assert status == 1
    assert "vectors of 32 dimensions" in why


def test_one_bad_input_does_not_stop_the_rest(coloured: Bench) -> None:
    coloured.path("broken.png").write_bytes(b"no picture")
    done = coloured.run("caption", "photos", "broken.png", *WORDS, *TOY)
    assert done.returncode == 3
    assert b"broken.png" in done.stderr
    assert len(done.stdout.splitlines()) == len(COLOURS)


def test_a_captioner_of_another_space_is_refused(bench: Bench) -> None:
    small_mapping(space_id="some/space").save(bench.path("net"))
    options = ("--captioner", "net", "--language-model", "lm")
    status, why = bench.fails("caption", "photos/red.png", *options, *TOY)
    assert status == 4
    assert "trained on vectors of some/space, but these codes are of toy/32" in why


def test_a_captioner_of_another_language_model_is_refused(bench: Bench, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra [torch]")
    transformers = pytest.importorskip("transformers", reason="needs the extra [torch]")
    tokenizers = pytest.importorskip("tokenizers", reason="needs the extra [torch]")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"<|endoftext|>": 0, "a": 1}, unk_token="a"))
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|endoftext|>").save_pretrained(
        tmp_path / "lm"
    )
    config = transformers.GPT2Config(n_embd=4, n_layer=1, n_head=1, n_positions=64, vocab_size=11)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path / "lm")
    small_mapping().save(tmp_path / "net")
    language_model = ("--captioner", str(tmp_path / "net"), "--language-model", str(tmp_path / "lm"))
    status, why = bench.fails("caption", "photos/red.png", *language_model, *TOY)
    assert (status, "width 3 with 11 tokens, not 4 with 11" in why) == (4, True)


@needs_data
def test_real_clip_codes_are_captioned_without_clip(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMEME_OFFLINE", "1")
    for home in ("SEMEME_HOME", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(home, str(bench.path("nothing")))
    parts = [np.load(DATA / "text" / f"{name}.npz") for name in ("coco", "openimages", "lvis")]
    names, x = (np.concatenate([part[key] for part in parts]) for key in ("names", "x"))
    np.savez(bench.path("clip.npz"), names=names, x=x)
    pictures = np.load(DATA / "vectors" / "cifar10_500.npz")
    codec = api.load("clip-vit-b32")
    told = []
    for kind, word in ((5, "dog"), (7, "horse"), (0, "airplane")):
        row = pictures["test_x"][pictures["test_y"] == kind][:1].astype(np.float32)
        code = codec.encode_vectors(row)[0]
        api.write_sem(bench.path(f"{word}.sem"), Record(codec.profile.registered, b"", code))
        told.append(word in bench.ok("caption", f"{word}.sem", "--vocabulary", "clip.npz", "-q"))
    assert sum(told) >= 2
    status, why = bench.fails("caption", "dog.sem")  # no vocabulary, and no weights to embed words with
    assert status == 5, why
