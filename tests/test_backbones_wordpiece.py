"""Text to word pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sememe.backbones.wordpiece import WordPiece, hash_pieces, words

PIECES = ["a", "cat", "##s", "un", "##known", "know", "##n", "2", "##0"]


def read(text: str) -> list[str]:
    return [PIECES[i] for i in WordPiece(hash_pieces(PIECES))(text)]


def test_the_longest_piece_wins() -> None:
    assert read("A cat, unknown CATS") == ["a", "cat", "un", "##known", "cat", "##s"]


def test_what_no_piece_covers_is_skipped() -> None:
    assert read("xcat catx ... 20") == ["cat", "2", "##0"]


def test_accents_and_signs() -> None:
    assert words("Café-Crème, naïve!") == ["cafe", "-", "creme", ",", "naive", "!"]


def test_very_long_words_are_cut() -> None:
    assert len(words("z" * 1000)[0]) == 64


@given(st.text())
def test_any_text_gives_valid_ids(text: str) -> None:
    assert all(0 <= i < len(PIECES) for i in WordPiece(hash_pieces(PIECES))(text))


@given(st.lists(st.sampled_from(["cat", "a", "unknown"])))
def test_words_are_read_one_by_one(parts: list[str]) -> None:
    assert read(" ".join(parts)) == [p for w in parts for p in read(w)]
