"""Profiles: identity, files, bad files, and golden bytes of the shipped ones."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sememe.bitstream import RETIRED
from sememe.code import CodeTables
from sememe.errors import (
    ProfileFormatError,
    StorageError,
    UnknownProfileError,
    UsageError,
    VectorError,
)
from sememe.profile import MAX_BYTES, REGISTERED, Profile, available, load, shipped_path

GOLDEN = Path(__file__).parent / "golden" / "codes.json"
MANIFEST = {"space_id": "test", "preprocessing": {"size": 8}, "profile_id": "mine"}


@cache
def vectors(n: int = 400, dim: int = 48) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = 1.0 + rng.normal(size=(n, dim)) * rng.gamma(0.5, 1.0, dim)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@cache
def profile() -> Profile:
    return Profile.fit(vectors(), vectors()[::-7], manifest=MANIFEST)


def golden_vectors(dim: int) -> np.ndarray:
    """Vectors (8, d) that are the same on every machine: small integers over a power of two."""
    integers = (np.arange(8 * dim, dtype=np.int64) * 2654435761 % 4093).reshape(8, dim) - 2046
    return integers.astype(np.float32) / 4096


def test_round_trip_through_bytes_and_files(tmp_path):
    path = tmp_path / "mine.safetensors"
    profile().save(path)
    again = load(path)
    assert again.manifest == profile().manifest
    assert again.fingerprint == profile().fingerprint
    assert again.profile_id == "mine"
    assert again.registered == 0
    assert (again.encode(vectors()) == profile().encode(vectors())).all()
    assert profile().to_bytes() == path.read_bytes() == again.to_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.safetensors"]


def test_fingerprint_covers_space_preprocessing_and_tables_only():
    arrays = profile().tables.to_arrays()
    same = Profile(profile().tables, {**profile().manifest, "profile_id": "other", "provenance": "elsewhere"})
    assert same.fingerprint == profile().fingerprint
    for change in ({"space_id": "else"}, {"preprocessing": {"size": 9}}):
        assert (
            Profile(profile().tables, {**profile().manifest, **change}).fingerprint != profile().fingerprint
        )
    for name in arrays:
        changed = {key: array.copy() for key, array in arrays.items()}
        changed[name].flat[-1] += 1
        tables = type(profile().tables)(**changed)
        assert Profile(tables, profile().manifest).fingerprint != profile().fingerprint


def test_any_length_and_dtype_of_float_is_taken():
    x = vectors()[:5]
    expected = profile().encode(x)
    assert (
        profile().encode(x * np.float32(1e-3)) == profile().encode((x * np.float32(1e-3)).astype(np.float64))
    ).all()
    assert (profile().encode((x * 64).astype(np.float64)) == expected).all()


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 48), np.float32),
        np.full((2, 48), np.nan, np.float32),
        np.full((2, 48), np.inf, np.float32),
        np.ones((2, 47), np.float32),
        np.ones(48, np.float32),
        np.ones((2, 48), np.int64),
    ],
)
def test_bad_vectors_are_refused(x):
    with pytest.raises(VectorError):
        profile().encode(x)


def test_bad_codes_and_lengths_are_refused():
    for nbytes in (0, -1, MAX_BYTES + 1):
        with pytest.raises(UsageError):
            profile().encode(vectors(), nbytes)
    for codes in (np.zeros((2, MAX_BYTES + 1), np.uint8), np.zeros((2, 4), np.int64), np.zeros(4, np.uint8)):
        with pytest.raises(VectorError):
            profile().decode(codes)


def test_no_vectors_make_no_codes():
    assert profile().encode(np.zeros((0, 48), np.float32)).shape == (0, 16)
    assert profile().decode(np.zeros((0, 16), np.uint8)).shape == (0, 48)


def test_longest_codes_decode_best():
    codes = profile().encode(vectors(), MAX_BYTES)
    cosine = (profile().decode(codes) * vectors()).sum(axis=1)
    assert cosine.mean() > 0.995


@pytest.mark.parametrize(("n", "dim"), [(10, 48), (400, 16), (64, 1600)])
def test_fit_refuses_what_it_cannot_learn_from(n, dim):
    with pytest.raises(VectorError):
        Profile.fit(np.ones((n, dim), np.float32), manifest=MANIFEST)


def test_fit_needs_a_space_and_json():
    for manifest in ({}, {"space_id": ""}, {"space_id": "x", "preprocessing": {"size": object()}}):
        with pytest.raises(UsageError):
            Profile.fit(vectors()[:40], manifest=manifest)


def test_a_profile_needs_no_names():
    plain = Profile.fit(vectors())
    assert (plain.profile_id, plain.space_id) == ("custom", "unnamed")


def test_few_vectors_still_make_a_profile():
    few = Profile.fit(vectors()[:40], manifest=MANIFEST)
    assert few.tables.modes == 1
    assert (few.decode(few.encode(vectors())) * vectors()).sum(axis=1).mean() > 0.8
    assert few.uses_universal_mode(vectors()).all()


def test_constant_dimensions_and_repeated_vectors_fit():
    x = vectors().copy()
    x[:, 5] = 0.0
    x[100:] = x[0]
    degenerate = Profile.fit(x, manifest=MANIFEST)
    assert np.isfinite(degenerate.decode(degenerate.encode(x, 4))).all()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data):
    with pytest.raises(ProfileFormatError):
        Profile.from_bytes(data)


def test_100_000_random_inputs_raise_nothing_else():
    """Half pure noise, half noise behind a plausible header length, where a parser reads on."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 120, 100_000)
    noise = rng.integers(0, 256, int(lengths.sum()), np.uint8).tobytes()
    start = 0
    for number, length in enumerate(lengths.tolist()):
        data = noise[start : start + length]
        start += length
        if number % 2 and length > 9:
            data = (length - 8).to_bytes(8, "little") + b"{" + data[9:]
        with pytest.raises(ProfileFormatError):
            Profile.from_bytes(data)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_change_the_fingerprint(data):
    whole = profile().to_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = Profile.from_bytes(bytes(damaged))
    except ProfileFormatError:
        return
    harmless = read.fingerprint == profile().fingerprint and read.manifest != profile().manifest
    assert harmless or read.fingerprint != profile().fingerprint


def test_tampered_tables_are_refused_or_harmless():
    """Extreme entries in any table: a reader refuses them, or decodes something, and never breaks."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (4, 16), np.uint8)
    for _ in range(200):
        arrays = {name: array.copy() for name, array in profile().tables.to_arrays().items()}
        array = arrays[str(rng.choice(list(arrays)))]
        limits = np.iinfo(array.dtype)
        array.flat[rng.integers(array.size)] = rng.choice([limits.max, limits.min, 0, -1, 1])
        try:
            tampered = Profile(CodeTables.from_arrays(arrays), profile().manifest)
        except ProfileFormatError:
            continue
        assert tampered.encode(vectors()[:4], 8).shape == (4, 8)
        assert np.isfinite(tampered.decode(codes)).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_truncated_files_are_refused(part):
    whole = profile().to_bytes()
    with pytest.raises(ProfileFormatError):
        Profile.from_bytes(whole[: int(part * len(whole))])


@pytest.mark.parametrize("key", ["version", "profile_id", "space_id", "preprocessing"])
def test_an_incomplete_manifest_is_refused(key):
    from safetensors.numpy import save

    manifest = {name: value for name, value in profile().manifest.items() if name != key}
    data = save(dict(profile().tables.to_arrays()), {"sememe": json.dumps(manifest)})
    with pytest.raises(ProfileFormatError):
        Profile.from_bytes(data)


def test_unknown_names_and_unreadable_files(tmp_path):
    with pytest.raises(UnknownProfileError, match="shipped are"):
        load("no-such-profile")
    with pytest.raises(StorageError):
        load(tmp_path)
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(ProfileFormatError, match="junk"):
        load(tmp_path / "junk")
    with pytest.raises(StorageError, match="missing"):
        profile().save(tmp_path / "missing" / "p.safetensors")


def test_registered_numbers_are_literals():
    """A number on the wire, once given, keeps its meaning for ever."""
    assert REGISTERED == {4: "clip-vit-b32", 5: "nano"}
    assert RETIRED == {1: "nano/1", 2: "clip-vit-b32/1", 3: "nano/2"}
    assert available() == ["clip-vit-b32", "nano"]


@pytest.mark.parametrize("name", ["nano", "clip-vit-b32"])
def test_shipped_profiles_are_small_and_sound(name):
    shipped = load(name)
    assert shipped.profile_id == name
    assert REGISTERED[shipped.registered] == name
    assert shipped_path(name).stat().st_size <= 8_000_000
    assert shipped is load(name)


@pytest.mark.parametrize("name", ["nano", "clip-vit-b32"])
def test_golden_codes(name):
    """The bytes of fixed vectors never change unnoticed; GENERATE_GOLDEN=1 writes them anew."""
    shipped = load(name)
    codes = shipped.encode(golden_vectors(shipped.dim), 64)
    found = {"fingerprint": shipped.fingerprint.hex(), "codes": [code.tobytes().hex() for code in codes]}
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("GENERATE_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps({**golden, name: found}, indent=1) + "\n")
        pytest.skip("golden codes were written, not compared")
    assert golden[name] == found
