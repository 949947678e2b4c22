"""Every parser on damaged inputs: only our errors, in bounded time and memory. See fuzz/README.md."""

from __future__ import annotations

import io
import json
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from fuzz.limits import TooLongError, bounded  # noqa: E402
from fuzz.targets import TARGETS, Target  # noqa: E402
from fuzz.targets.codes import profiles  # noqa: E402
from fuzz.targets.models import COMMIT, FakeClient  # noqa: E402

from sememe import errors  # noqa: E402
from sememe.api.identity import for_archive, profile_of_archive  # noqa: E402
from sememe.archive import Archive  # noqa: E402
from sememe.caption.vocabulary import MOST_NAMES, read_vocabulary  # noqa: E402
from sememe.generate.marking import read_marks  # noqa: E402
from sememe.hub.listing import tree  # noqa: E402
from sememe.profile import Profile, load  # noqa: E402


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    found = TARGETS[request.param]
    if found.missing:
        pytest.skip(f"{found.name} needs {', '.join(found.missing)}")
    return found


def test_seeds_are_read_and_damage_is_named(target: Target, tmp_path: Path) -> None:
    for data in target.seeds():
        assert target.survive(data, tmp_path) is None
    seen = {target.survive(data, tmp_path) for data in target.mutated(0, target.runs)}
    assert seen - {None} or target.name in TOLERANT


TOLERANT = {"cache", "import-npy", "import-parquet"}
"""Damage is no error to these: a cache is made anew, and what cannot be imported is listed as failed."""


def test_the_same_seed_gives_the_same_inputs() -> None:
    lock = TARGETS["lock-file"]
    assert list(lock.mutated(3, 20)) == list(lock.mutated(3, 20)) != list(lock.mutated(4, 20))


def go_on_for_ever() -> None:
    while True:
        pass


def test_bounds_hold() -> None:
    with pytest.raises(MemoryError), bounded(megabytes=64):
        bytearray(1 << 30)
    with pytest.raises(TooLongError), bounded(seconds=0.05):
        go_on_for_ever()
    bytearray(1 << 27)  # the bound is lifted again


# what fuzzing found, one case each


def with_tensor(data: bytes, name: str, shape: list[int]) -> bytes:
    """Exchange one tensor of a safetensors file for one without numbers."""
    size = int.from_bytes(data[:8], "little")
    header, body, at, parts = json.loads(data[8 : 8 + size]), data[8 + size :], 0, []
    for key, tensor in header.items():
        if key == "__metadata__":
            continue
        part = b"" if key == name else body[slice(*tensor["data_offsets"])]
        header[key] = tensor | {"data_offsets": [at, at + len(part)]}
        at += len(part)
        parts.append(part)
    header[name]["shape"] = shape
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


@pytest.mark.parametrize("shape", [[0], [2**33, 0], [2**20, 2**20, 0], [0, 2**40]])
def test_centroids_without_numbers_allocate_nothing(shape: list[int]) -> None:
    data = with_tensor(profiles()[0].to_bytes(), "centroids", shape)
    with bounded(megabytes=256), pytest.raises(errors.ProfileFormatError):
        Profile.from_bytes(data)


@pytest.mark.parametrize("value", [float("nan"), "\ud800"])
def test_a_manifest_that_has_no_canonical_bytes_is_refused(value: object) -> None:
    data = profiles()[0].to_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    manifest = json.loads(header["__metadata__"]["sememe"]) | {"preprocessing": {"mean": value}}
    header["__metadata__"]["sememe"] = json.dumps(manifest)
    text = json.dumps(header).encode()
    with pytest.raises(errors.ProfileFormatError):
        Profile.from_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


@pytest.mark.parametrize("name", ["universal/" + "9" * 5000, "a" * 5000])
def test_names_too_long_for_a_number_or_a_path_are_unknown(name: str) -> None:
    with pytest.raises(errors.UnknownProfileError):
        load(name)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device without end here")
def test_a_device_without_end_is_no_profile() -> None:
    with pytest.raises(errors.ProfileFormatError, match="larger"):
        load("/dev/zero")


@pytest.mark.parametrize("name", ["/dev/zero", "../fitted.profile", "universal/64"])
def test_an_archive_names_no_file_as_its_profile(tmp_path: Path, name: str) -> None:
    """Only shipped profiles are left out of an archive: it can make nobody read a path."""
    profile = for_archive(profiles()[1])._replace(profile_id=name, tables=None)
    with (
        Archive.create(tmp_path / "a.sems", profile, 8) as archive,
        pytest.raises(errors.UnknownProfileError, match="unknown here"),
    ):
        profile_of_archive(archive)


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "ftp://hub.invalid/x", "http://hub.invalid/x", "http://["]
)
def test_a_list_goes_on_at_safe_addresses_only(link: str) -> None:
    with pytest.raises(errors.UnexpectedAnswerError, match="redirects to"):
        tree(FakeClient(b"[]", f'<{link}>; rel="next"'), "org/name", COMMIT, lambda _: None)


def test_a_tokenizer_without_a_token_for_unknown_words_is_named(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="needs the extra [clip]")
    (data,) = TARGETS["tokenizer"].seeds()
    data = data.replace(b'"[UNK]":', b'"[NONE]":').replace(b'"cat":', b'"dog":')
    assert TARGETS["tokenizer"].survive(data, tmp_path) == "ModelFormatError"


def vocabulary(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)
    return path


X = np.eye(3, dtype=np.float32)
NAMES = np.array(["cat", "dog", "animal"])


@pytest.mark.parametrize(
    "arrays",
    [
        {"names": np.array([["cat"], ["dog"], ["animal"]]), "x": X},
        {"names": np.array("cat"), "x": X},
        {"names": NAMES, "x": X, "parents": np.array([1, 2, 3])},
        {"names": np.frombuffer(b"\xff" * 12, "<U1"), "x": X},
        {"names": NAMES, "x": X * np.float64(1e300)},
        {"names": np.array([str(i) for i in range(MOST_NAMES + 1)]), "x": np.ones((MOST_NAMES + 1, 1), "f4")},
    ],
)
def test_vocabularies_of_the_wrong_kind(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises((errors.UnknownLabelError, errors.VectorError)):
        read_vocabulary(vocabulary(tmp_path / "words.npz", **arrays))


def test_a_vocabulary_that_unpacks_to_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sememe.caption.vocabulary._LARGEST", 1 << 20)
    path = vocabulary(tmp_path / "words.npz", names=NAMES, x=np.zeros((3, 1 << 20), np.float32))
    assert path.stat().st_size < 1 << 16
    with bounded(megabytes=4), pytest.raises(errors.UnknownLabelError, match="a vocabulary holds"):
        read_vocabulary(path)


def test_a_deep_tree_of_words_is_read_in_one_pass(tmp_path: Path) -> None:
    """A chain, lowest first, took a pass for each word."""
    count = 600
    names = np.array([f"w{i}" for i in range(count)])
    parents = np.array([*(f"w{i + 1}" for i in range(count - 1)), ""])
    path = vocabulary(tmp_path / "w.npz", names=names, x=np.ones((count, 1), "f4"), parents=parents)
    made = read_vocabulary(path)
    assert [concept.name for concept in made.tree.concepts] == [f"w{i}" for i in reversed(range(count))]


def test_a_picture_that_claims_too_many_pixels_has_no_marks() -> None:
    made = io.BytesIO()
    Image.new("RGB", (1, 1)).save(made, "PNG")
    data = bytearray(made.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    with pytest.raises(errors.UnreadableImageError, match="decompression bomb"):
        read_marks(bytes(data))


def test_no_flipped_bit_of_a_cache_is_believed(tmp_path: Path) -> None:
    """Not even in the numbers, where nothing else would tell: the whole shortlist is made anew."""
    pytest.importorskip("faiss", reason="a shortlist needs FAISS")
    cache = TARGETS["cache"]
    (whole,) = cache.seeds()
    for at in np.random.default_rng(0).integers(len(whole) - 8000, len(whole), 8).tolist():
        cache.survive(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], tmp_path)
        kept = (tmp_path / "some.sems.cache" / "shortlist-8.safetensors").read_bytes()
        assert kept[-8000:] == whole[-8000:]  # before are names, in any order
