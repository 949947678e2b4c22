"""What the user names becomes a list of files, each once, in a stable order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sememe.cli.inputs import expand
from sememe.errors import UsageError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.jpg", "a.PNG", "notes.txt", "sub/c.webp", ".hidden.jpg", ".git/d.jpg", "sub/deep/e.tiff"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_is_searched_below_without_hidden_entries(tree: Path) -> None:
    assert expand(["."]).paths == ["a.PNG", "b.jpg", "sub/c.webp", "sub/deep/e.tiff"]


def test_a_file_that_is_named_is_taken_whatever_its_suffix(tree: Path) -> None:
    assert expand(["notes.txt", ".hidden.jpg"]).paths == ["notes.txt", ".hidden.jpg"]


def test_each_path_once_in_the_order_named(tree: Path) -> None:
    assert expand(["sub", "b.jpg", "sub/c.webp"]).paths == ["sub/c.webp", "sub/deep/e.tiff", "b.jpg"]


def test_globs_the_shell_did_not_expand(tree: Path) -> None:
    assert expand(["*.jpg"]).paths == ["b.jpg"]
    assert expand(["**/*.webp"]).paths == ["sub/c.webp"]
    assert expand(["[x]*.jpg", "b.jpg"]).failed == {"[x]*.jpg": "nothing matches this pattern"}


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tree: Path) -> None:
    (tree / "[b].jpg").touch()
    assert expand(["[b].jpg"]).paths == ["[b].jpg"]


def test_a_list_names_inputs_one_a_line(tree: Path) -> None:
    (tree / "list.txt").write_text("b.jpg\n\nsub\n")
    assert expand(["@list.txt"]).paths == ["b.jpg", "sub/c.webp", "sub/deep/e.tiff"]


def test_a_file_whose_name_begins_with_an_at_sign_is_no_list(tree: Path) -> None:
    (tree / "@b.jpg").touch()
    assert expand(["@b.jpg"]).paths == ["@b.jpg"]


def test_names_that_are_not_utf8_survive(tree: Path) -> None:
    name = os.fsdecode(b"\xff.jpg")
    Path(name).touch()
    (tree / "list.txt").write_bytes(b"\xff.jpg\n")
    assert expand(["@list.txt"]).paths == [name]


def test_a_list_that_cannot_be_read_is_a_usage_error(tree: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.txt: the list of inputs cannot be read"):
        expand(["@gone.txt"])


def test_a_missing_file_fails_alone(tree: Path) -> None:
    found = expand(["b.jpg", "gone.jpg", "nul\0.jpg"])
    assert found.paths == ["b.jpg"]
    assert found.failed == {"gone.jpg": "No such file or directory", "nul\0.jpg": "embedded null byte"}


def test_a_loop_of_links_fails_alone(tree: Path) -> None:
    (tree / "loop").symlink_to("loop")
    (tree / "sub/up").symlink_to("..")
    found = expand(["loop", "sub"])
    assert list(found.failed) == ["loop"]
    assert "symbolic links" in found.failed["loop"]
    assert found.paths == ["sub/c.webp", "sub/deep/e.tiff"]


def test_a_folder_that_cannot_be_listed_fails_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = os.scandir

    def refuse(path: str) -> object:
        if os.fspath(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return listing(path)

    monkeypatch.setattr(os, "scandir", refuse)  # permissions do not bind root, who may run this test
    found = expand(["sub"])
    assert found.paths == ["sub/c.webp"]
    assert found.failed == {"sub/deep": "Permission denied"}


def test_nothing_to_read_is_a_usage_error(tree: Path) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing to read in empty"):
        expand(["empty"])
