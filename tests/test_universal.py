"""The universal code: made from a number, the same everywhere, and joined to whatever has no profile."""

from __future__ import annotations

import hashlib
import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sememe
from sememe import api, backbones, profile
from sememe.api.golden import golden_codes
from sememe.api.universal import find_profile, recognise, universal_for
from sememe.archive import Archive
from sememe.bitstream import pack
from sememe.errors import ProfileMismatchError, UnknownProfileError, UsageError, VectorError
from sememe.metrics import cosine
from sememe.profile import Profile
from sememe.profile.universal import informed, universal
from sememe.profile.universal.gaussian import quantizer
from sememe.profile.universal.rotation import random_rotation
from toys import picture
from workbench import Bench

DIMS = (32, 384, 512, 768, 1152)
LONGEST = 128

GOLDEN = {
    32: (
        "ab9f51fa64d7d8820e1718fb3f32b618f7c039e7cde6a6231f07ef24466fd26b",
        "bcda06bb77d4bd6d2654b9211c06ba71b02ce468e9249429a0f8e9c1c0b1f65a",
    ),
    384: (
        "29a26599d95cd9158bae5d06de83d70af101b997adc732626c9a541450cb3a69",
        "ef2a86288169fa2d8daba69b29da9c2bc97a3c6304fe2f72715217182503c0f4",
    ),
    512: (
        "44be3e31a0ba1a6a1b04d0445548179d03a0c2c04112d09195f3d68537aa551c",
        "04283fbd816b481240019a75379e9197d296fc01c94ae9dcf41e5e9fe5febdbf",
    ),
    768: (
        "8e75e456f1ea069cd47e070f6c1ace6c0c8b55ef3c6d91a0c0b5a589724bbeda",
        "d1e4ed102766400d1d4792bb686b657d7241912f60937212b5fc63e676fe15d9",
    ),
    1152: (
        "81b3409346afcb95adbe49fe3ff929ad17e51f91a4e8ef532e540e31fef1773a",
        "ad15249aeacae350fb038c48bfe3c2dcb058d7e734e812b2457ee9b642e3bb07",
    ),
}
"""Fingerprint, and SHA-256 of what golden codes of 64 bytes decode to, of each dimension: never to change."""


def vectors(dim: int, count: int, seed: int) -> np.ndarray:
    """Rows with a common mean and a few loud coordinates, as networks make them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, dim)) + 0.5
    x[:, :3] *= 12
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@cache
def text_informed(dim: int) -> Profile:
    rng = np.random.default_rng(dim)
    text = 1 + rng.normal(size=(60, 8)) @ rng.normal(size=(8, dim))
    return informed((text / np.linalg.norm(text, axis=1, keepdims=True)).astype(np.float32))


@cache
def plain(dim: int) -> Profile:
    return universal(dim)


def made(dim: int, kind: str) -> Profile:
    return plain(dim) if kind == "universal" else text_informed(dim)


KINDS = st.sampled_from(("universal", "informed"))


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(DIMS), KINDS, st.integers(0, 2**32), st.integers(1, 64), st.integers(1, 64))
def test_law_1_a_shorter_code_is_a_prefix(dim, kind, seed, one, other):
    short, long = sorted((one, other))
    x = vectors(dim, 2, seed)
    assert (made(dim, kind).encode(x, long)[:, :short] == made(dim, kind).encode(x, short)).all()


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(DIMS), KINDS, st.integers(0, LONGEST), st.integers(0, 2**32))
def test_law_2_every_prefix_and_any_bytes_decode(dim, kind, nbytes, seed):
    codes = np.random.default_rng(seed).integers(0, 256, (4, nbytes), np.uint8)
    x = made(dim, kind).decode(codes)
    assert x.shape == (4, dim)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("dim", DIMS)
def test_law_2_more_bytes_never_decode_worse_on_average(dim):
    x = vectors(dim, 60, 1)
    codes = plain(dim).encode(x, LONGEST)
    lengths = (2, 8, 16, 32, 64, 128)
    cosines = [(plain(dim).decode(codes[:, :n]) * x).sum(axis=1).mean() for n in lengths]
    assert (np.diff(cosines) > -1e-3).all()
    assert cosines[-1] > (0.99 if dim < 384 else 0.7)


@pytest.mark.parametrize("dim", [32, 512])
def test_law_3_no_byte_is_constant(dim):
    codes = plain(dim).encode(vectors(dim, 300, 2), 16)
    assert (np.ptp(codes, axis=0) > 0).all()


@settings(max_examples=5, deadline=None)
@given(st.sampled_from(DIMS), st.integers(0, 2**32))
def test_bytes_and_vectors_do_not_depend_on_the_batch(dim, seed):
    x = vectors(dim, 6, seed)
    together = plain(dim).encode(x, 24)
    assert all((plain(dim).encode(x[row : row + 1], 24)[0] == together[row]).all() for row in (0, 5))
    decoded = plain(dim).decode(together)
    assert (plain(dim).decode(together[5:6])[0] == decoded[5]).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(32, 400))
def test_the_rotation_is_orthogonal_without_rounding(dim):
    rotation, rounds = random_rotation(dim)
    wide = rotation.astype(np.int64)
    assert (wide @ wide.T == 4**rounds * np.eye(dim, dtype=np.int64)).all()
    assert np.abs(wide).max() <= 127


def test_the_rotation_spreads_every_coordinate():
    """A loud coordinate of a network must not stay one."""
    rotation, rounds = random_rotation(512)
    unit = rotation / 2.0**rounds
    assert np.abs(unit).max() < 0.25
    assert abs(np.mean(unit**4) * 512**2 - 3) < 0.1  # the fourth moment of a normal density


@pytest.mark.parametrize("dim", DIMS)
def test_tables_are_the_same_on_every_machine(dim):
    decoded = plain(dim).decode(golden_codes(64))
    digest = hashlib.sha256(np.ascontiguousarray(decoded, "<f4").tobytes()).hexdigest()
    assert (universal(dim).fingerprint.hex(), digest) == GOLDEN[dim]


def test_the_stored_quantizer_is_that_of_the_normal_density():
    """Frequencies and means of the stored tree against a large sample, not against the recipe's formulas."""
    tables = quantizer()
    sample = np.random.default_rng(0).normal(size=400_000) * 4096
    inside = {0: sample}
    for at in np.flatnonzero(tables["ranks"] >= 0).tolist():
        values = inside[at]
        children = [child for child in tables["children"][at].tolist() if child >= 0]
        where = np.digitize(values, tables["thresholds"][at][: len(children) - 1])
        off = 4 / len(values) ** 0.5 + 1e-3
        for symbol, child in enumerate(children):
            inside[child] = values[where == symbol]
            share = len(inside[child]) / len(values)
            assert abs(share - tables["frequencies"][at][symbol] / 65536) < off
            assert abs(inside[child].mean() - tables["means"][child]) < 4096 * 2 * off


@pytest.mark.parametrize("dim", [0, 31, 1537])
def test_a_dimension_that_is_not_supported_is_refused(dim):
    with pytest.raises(UsageError, match=f"32 to 1536 dimensions, not {dim}"):
        universal(dim)


@pytest.mark.parametrize(
    "text",
    [np.ones((40, 16), np.float32), np.ones((31, 64), np.float32), np.full((40, 64), np.nan), np.ones(64)],
)
def test_texts_that_say_nothing_are_refused(text):
    with pytest.raises(VectorError):
        informed(text)


def test_a_mean_must_be_one_of_unit_vectors():
    text = np.random.default_rng(0).normal(size=(40, 64))
    for mean in (np.ones(64), np.zeros(63), np.full(64, np.nan)):
        with pytest.raises(VectorError, match="mean"):
            informed(text, mean=mean)


def test_texts_tell_where_bytes_matter():
    """With all text variance in eight directions, what lies in these is told long before the rest."""
    dim = 512
    x = vectors(dim, 100, 3)
    rng = np.random.default_rng(dim)
    rng.normal(size=(60, 8))
    seen = np.linalg.qr(rng.normal(size=(8, dim)).T)[0]
    kept = [
        cosine(x @ seen, p.decode(p.encode(x, 8)) @ seen).mean() for p in (text_informed(dim), plain(dim))
    ]
    assert kept[0] > 0.95
    assert kept[1] < 0.6


def test_a_known_mean_lifts_the_cosine():
    x = vectors(512, 200, 4)
    text = np.random.default_rng(5).normal(size=(60, 512))
    with_mean = informed(text, mean=x[:100].mean(axis=0))
    kept = [
        (p.decode(p.encode(x[100:], 8)) * x[100:]).sum(axis=1).mean() for p in (with_mean, informed(text))
    ]
    assert kept[0] > kept[1] + 0.2


def test_names_of_universal_profiles():
    assert profile.load("universal/96").space_id == "vectors/96"
    named = profile.load("universal/96@my-space")
    assert (named.space_id, named.profile_id, named.dim) == ("my-space", "universal/96@my-space", 96)
    assert named.fingerprint != profile.load("universal/96").fingerprint
    with pytest.raises(UsageError, match="universal/512"):
        profile.load("universal")
    with pytest.raises(UnknownProfileError):
        profile.load("universal/none-such")


def test_a_backbone_without_a_profile_gets_the_universal_one():
    codec = sememe.load("toy/32", nbytes=32)
    assert codec.profile.space_id == "toy/32"
    assert codec.profile.profile_id == "universal/toy/32"
    codes = codec.encode([picture(row) for row in range(4)])
    assert codes.cosines.min() > 0.95
    assert codec.classify(codes, "red, blue")
    assert sememe.load("universal/toy/32").profile.fingerprint == codec.profile.fingerprint


@pytest.mark.parametrize("name", sorted({*backbones.KNOWN} - {*profile.available()}))
def test_every_model_of_the_catalogue_codes_vectors_at_once(name):
    codec = sememe.load(name, nbytes=64)
    entry = backbones.CATALOGUE[name]
    assert (codec.profile.dim, codec.profile.space_id) == (entry.dim, entry.space_id)
    x = vectors(entry.dim, 3, 0)
    assert codec.decode(codec.encode_vectors(x)).shape == x.shape


def test_a_shipped_profile_comes_first():
    assert find_profile("clip-vit-b32").registered
    assert not find_profile("universal/clip-vit-b32").registered


@pytest.mark.parametrize("name", ["clip-vit-l14", "toy/32", "universal/768"])
def test_a_lone_record_is_recognised_without_weights(name):
    codec = sememe.load(name)
    record = codec.record(bytes(16))
    assert (record.profile, len(record.fingerprint)) == (0, 4)
    found = sememe.codec_for(record)
    assert found.profile.fingerprint == codec.profile.fingerprint
    assert sememe.codec_for(record, profile=name).profile.fingerprint == codec.profile.fingerprint
    with pytest.raises(ProfileMismatchError):
        sememe.codec_for(record, profile="universal/64")


def test_what_is_not_universal_is_not_recognised():
    assert recognise(b"\xde\xad\xbe\xef") is None


def test_an_archive_carries_the_tables(tmp_path):
    codec = sememe.load("toy/32")
    with codec.open_archive(tmp_path / "a.sems") as archive:
        assert archive.profile.tables is not None
    with Archive.open(tmp_path / "a.sems") as archive:
        assert api.codec_for(archive).profile.fingerprint == universal_for("toy/32").fingerprint


def test_an_informed_profile_is_a_file_of_its_own(tmp_path):
    backbone = backbones.load("toy/32")
    one = api.informed_for(backbone)
    assert one.profile_id == "informed/toy/32"
    one.save(tmp_path / "toy.profile")
    codec = sememe.load(tmp_path / "toy.profile", nbytes=32)
    assert codec.profile.fingerprint == api.informed_for(backbone).fingerprint
    assert codec.encode([picture(1)]).cosines.min() > 0.9


def test_the_command_codes_vectors_of_any_model(bench: Bench):
    np.save(bench.folder / "x.npy", vectors(100, 20, 0))
    args = ("encode", "x.npy", "-o", "codes.npy", "--bytes", "64")
    done = bench.run(*args, "--profile", "universal")
    assert (done.returncode, done.stdout.decode()) == (0, "codes.npy: 20 codes of 64 B\n")
    assert done.stderr.decode().count("\n") == 1
    assert b"universal/100 was made without data" in done.stderr
    bench.ok("decode", "codes.npy", "--profile", "universal/100", "-o", "back.npy")
    x, back = np.load(bench.folder / "x.npy"), np.load(bench.folder / "back.npy")
    assert (x * back).sum(axis=1).min() > 0.98
    told = json.loads(bench.ok(*args, "--profile", "universal@mine", "--json", "-q"))
    assert told["profile"] == "universal/100@mine"


def test_the_command_needs_a_dimension_or_vectors(bench: Bench):
    assert bench.fails("encode", "photos/red.png", "--profile", "universal")[0] == 2
    np.save(bench.folder / "flat.npy", np.ones(7, np.float32))
    assert bench.fails("encode", "flat.npy", "-o", "c.npy", "--profile", "universal")[0] == 2
    np.save(bench.folder / "short.npy", np.ones((2, 7), np.float32))
    status, why = bench.fails("encode", "short.npy", "-o", "c.npy", "--profile", "universal")
    assert (status, "32 to 1536 dimensions, not 7" in why) == (2, True)


def test_the_command_goes_the_whole_way_with_a_backbone_of_no_profile(bench: Bench):
    bench.ok("encode", "photos", "-o", "a.sems", "--profile", "toy/32", "--bytes", "32", "-q")
    assert "red.png" in bench.ok("search", "a.sems", "red", "-t", "1")
    bench.ok("verify", "a.sems", "--profile", "toy/32")
    bench.ok("encode", "photos/red.png", "-o", "red.sem", "--profile", "toy/32", "-q")
    bench.ok("decode", "red.sem", "-o", "red.npy")
    assert np.load(bench.folder / "red.npy").shape == (1, 32)
    assert pack(api.read_sem(bench.folder / "red.sem"))[4] == 0  # a custom profile, by fingerprint
