"""Token ids by a model's own files against those of the libraries that CLIP and SigLIP came with."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from sememe.backbones.modelfolder import ModelFolder
from sememe.backbones.tokens import TextRule, canonical, read_tokenizer
from sememe.errors import MissingExtraError, ModelFormatError, ModelUnavailableError

pytest.importorskip("tokenizers", reason="needs the extra [clip]")
pytest.importorskip("transformers", reason="needs the extra [torch] as reference")

import cpu_torchvision
import tiny_clip

TEXTS = tiny_clip.odd_texts(1000)


def reference(tokenizer, length: int) -> np.ndarray:
    """What transformers makes of the thousand texts."""
    kept = {"padding": "max_length", "truncation": True, "max_length": length}
    return np.array(tokenizer(TEXTS, **kept)["input_ids"])


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CLIP's true tokenizer, 49,408 entries, as files."""
    cpu_torchvision.open_clip()  # whose package holds CLIP's vocabulary
    folder = tmp_path_factory.mktemp("clip")
    tokenizer = tiny_clip.openai_clip_tokenizer()
    tokenizer.model_max_length = 77
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sentencepiece", reason="needs the extra [clip]")
    folder = tmp_path_factory.mktemp("siglip")
    tiny_clip.trained_siglip_tokenizer(folder / "pieces").save_pretrained(folder)
    return folder


@pytest.fixture
def files(clip_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(clip_folder, tmp_path / "model")


def rewrite(path: Path, **changes: object) -> None:
    said = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in said.items() if v is not None}))


def test_clip_ids_are_those_of_transformers_on_a_thousand_texts(clip_folder: Path) -> None:
    ids = read_tokenizer(ModelFolder(clip_folder))(TEXTS)
    assert ids.shape == (1000, 77)
    assert ids.dtype == np.int64
    assert np.array_equal(ids, reference(tiny_clip.openai_clip_tokenizer(), 77))
    assert ids.max() == 49407


def test_clip_ids_are_those_of_open_clip_where_it_repairs_nothing(clip_folder: Path) -> None:
    open_clip = cpu_torchvision.open_clip()
    basic_clean = open_clip.tokenizer.basic_clean

    def untouched(text: str) -> bool:
        joined = " ".join(text.split())
        same = " ".join(basic_clean(text).split()) == joined == unicodedata.normalize("NFC", joined)
        same = same and "\u0345" not in text  # which its expression loses, folding case
        return same and "<|" not in text and joined.lower() == unicodedata.normalize("NFC", joined.lower())

    plain = [text for text in TEXTS if untouched(text)]
    assert len(plain) > 300
    theirs = open_clip.get_tokenizer("ViT-B-32")(plain).numpy()
    ours = read_tokenizer(ModelFolder(clip_folder), TextRule(pad=0))(plain)
    assert np.array_equal(ours, theirs)


def test_siglip_pieces_are_those_of_transformers_on_a_thousand_texts(siglip_folder: Path) -> None:
    from transformers import SiglipTokenizer

    theirs = reference(SiglipTokenizer(str(siglip_folder / "spiece.model")), tiny_clip.LENGTH)
    assert np.array_equal(read_tokenizer(ModelFolder(siglip_folder))(TEXTS), theirs)


def test_a_unigram_tokenizer_json_with_lower_case_is_read_as_transformers_reads_it(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    letters = sorted({c for text in tiny_clip.SENTENCES for c in f"▁{text.lower()}" if c != " "})
    library = Tokenizer(models.Unigram([*pieces, *((c, -5.0) for c in letters)], 2, False))
    library.normalizer = normalizers.Lowercase()
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    library.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 1e30, "pad_token": {"content": "<pad>"}})
    )
    (tmp_path / "config.json").write_text(json.dumps({"text_config": {"max_position_embeddings": 64}}))
    theirs = PreTrainedTokenizerFast(tokenizer_object=library, pad_token="<pad>")
    ours = read_tokenizer(ModelFolder(tmp_path))(TEXTS)
    assert np.array_equal(ours, reference(theirs, 64))
    assert set(ours[TEXTS.index("a" * 3000)][-1:]) == {1}  # what is cut still ends


def test_an_empty_text_and_a_long_one_keep_both_ends(clip_folder: Path) -> None:
    empty, long = read_tokenizer(ModelFolder(clip_folder))(["", "cat " * 500])
    assert empty[:2].tolist() == [49406, 49407]
    assert set(empty[2:].tolist()) == {49407}
    assert (long[0], long[-1]) == (49406, 49407)


def test_no_texts_give_no_rows(clip_folder: Path) -> None:
    assert read_tokenizer(ModelFolder(clip_folder))([]).shape == (0, 77)


def test_what_is_known_of_a_model_goes_before_its_files(clip_folder: Path) -> None:
    rule = TextRule(length=20, pad=0, lowercase=True)
    ids = read_tokenizer(ModelFolder(clip_folder), rule)(["A CAT"])
    assert ids.shape == (1, 20)
    assert ids[0, -1] == 0


@pytest.mark.parametrize("text", ["a, b.", "  a\t\nb ", "(a) b!?"])
def test_siglip_texts_lose_punctuation_and_double_spaces(text: str) -> None:
    assert canonical(text) == "a b"


def test_a_missing_tokenizer_is_named(files: Path) -> None:
    (files / "tokenizer.json").unlink()
    with pytest.raises(ModelUnavailableError, match=r"lacks tokenizer\.json or .*spiece\.model.*pull"):
        read_tokenizer(ModelFolder(files))


@pytest.mark.parametrize("data", [b"", b"{}", b"\0" * 100, b'{"model": {"type": "BPE"}}'])
def test_a_damaged_tokenizer_is_named(files: Path, data: bytes) -> None:
    (files / "tokenizer.json").write_bytes(data)
    with pytest.raises(ModelFormatError, match=r"tokenizer\.json: no tokenizer, or damaged"):
        read_tokenizer(ModelFolder(files))


def test_a_length_that_no_file_says_is_not_guessed(files: Path) -> None:
    rewrite(files / "tokenizer_config.json", model_max_length=10**30)
    with pytest.raises(ModelFormatError, match=r"how many tokens.*model_max_length"):
        read_tokenizer(ModelFolder(files))


def test_a_padding_token_that_no_file_says_is_not_guessed(files: Path) -> None:
    rewrite(files / "tokenizer_config.json", pad_token=None)
    rewrite(files / "tokenizer.json", padding=None)
    with pytest.raises(ModelFormatError, match=r"which token fills texts up; add pad_token"):
        read_tokenizer(ModelFolder(files))


def test_a_damaged_spiece_model_is_named(siglip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(siglip_folder, tmp_path / "model")
    (folder / "spiece.model").write_bytes(b"\xff" * 50)
    with pytest.raises(ModelFormatError, match=r"spiece\.model: no SentencePiece model, or damaged"):
        read_tokenizer(ModelFolder(folder))


@pytest.mark.parametrize("key", ["eos_token", "pad_token", "do_lower_case"])
def test_what_siglip_s_files_leave_out_is_not_guessed(siglip_folder: Path, tmp_path: Path, key: str) -> None:
    folder = shutil.copytree(siglip_folder, tmp_path / "model")
    rewrite(folder / "tokenizer_config.json", **{key: None})
    with pytest.raises(ModelFormatError, match=rf"tokenizer_config\.json: has no '{key}'"):
        read_tokenizer(ModelFolder(folder))


@pytest.mark.parametrize("library", ["tokenizers", "sentencepiece"])
def test_a_library_that_is_not_installed_is_named(
    clip_folder: Path, siglip_folder: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    folder = clip_folder if library == "tokenizers" else siglip_folder
    with pytest.raises(MissingExtraError, match=r"sememe\[clip\]"):
        read_tokenizer(ModelFolder(folder))
