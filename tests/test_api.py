from __future__ import annotations

import errno
import hashlib
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

import sememe
from sememe import Archive, Profile, api, backbones
from sememe.api.inputs import open_input
from sememe.archive import ArchiveProfile, NewItem
from sememe.bitstream import Record, Tag, pack, parse, read_pixel_size
from sememe.errors import (
    ArchiveFormatError,
    ChecksumError,
    DecodeMismatchError,
    DiskFullError,
    FormatError,
    InputError,
    MissingExtraError,
    ProfileFormatError,
    ProfileMismatchError,
    StorageError,
    TruncatedError,
    UnknownProfileError,
    UnreadableImageError,
    UsageError,
    VectorError,
)
from sememe.metrics import byte_to_fidelity, cosine
from toys import COLOURS, other_profile, picture, plain, save_pictures, toy_codec, toy_profile, toy_vectors


@pytest.fixture(scope="module")
def codec():
    return toy_codec()


@pytest.fixture
def archive_path(tmp_path, codec):
    """Archive of ten pictures and one failure."""
    encoded = codec.encode([picture(i) for i in range(10)])
    items = [NewItem(f"{i}.png", i, 100, b"", 64, 48, fidelity=encoded.fidelity(i)) for i in range(10)]
    path = tmp_path / "toy.sems"
    with codec.open_archive(path) as archive:
        archive.put([*items, NewItem("bad.png", error="broken")], encoded.codes)
    return path


# encode


def test_all_kinds_of_images_give_the_same_code(tmp_path, codec):
    image = picture(1)
    path = tmp_path / "a.png"
    image.save(path)
    kinds = [str(path), path, path.read_bytes(), image, np.asarray(image)]
    encoded = codec.encode(kinds)
    assert len({encoded[i] for i in range(len(kinds))}) == 1
    assert encoded.names == (str(path), str(path), "image 2", "image 3", "image 4")
    assert encoded.sizes == ((64, 48),) * 5


@pytest.mark.parametrize("one", [picture(1), np.asarray(picture(1))])
def test_one_image_needs_no_list(codec, one):
    assert len(codec.encode(one)) == 1


def test_an_oriented_pillow_image_is_turned_upright(codec):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(2).save(buffer, "JPEG", exif=exif, quality=95)
    turned = codec.encode([Image.open(buffer), buffer.getvalue()])
    assert turned.sizes == ((48, 64), (48, 64))
    assert turned[0] == turned[1]


def test_batches_do_not_change_codes(codec):
    images = [picture(i) for i in range(7)]
    np.testing.assert_array_equal(codec.encode(images, batch_size=2).codes, codec.encode(images).codes)


def test_codes_are_prefixes_and_cosines_are_true(codec):
    images = [picture(i) for i in range(20)]
    short, long = codec.encode(images, nbytes=8), codec.encode(images, nbytes=24)
    np.testing.assert_array_equal(long.codes[:, :8], short.codes)
    x = codec.backbone.embed_images(images)
    np.testing.assert_allclose(short.cosines, cosine(x, codec.decode(short)), atol=1e-6)
    assert long.cosines.mean() > short.cosines.mean()


def test_encode_raises_the_error_of_a_bad_image_by_default(codec):
    with pytest.raises(UnreadableImageError, match="image 1"):
        codec.encode([picture(0), b"no image", picture(1)])


def test_encode_can_record_bad_images_instead(tmp_path, codec):
    encoded = codec.encode([picture(0), tmp_path / "absent.png", picture(1), 7], on_error="record")
    assert encoded.ok.tolist() == [True, False, True, False]
    assert encoded.lengths.tolist() == [16, 0, 16, 0]
    assert np.isnan(encoded.cosines).tolist() == [False, True, False, True]
    assert encoded[2] == codec.encode(picture(1))[0]
    with pytest.raises(UnreadableImageError, match=r"absent\.png"):
        encoded[1]
    rows = encoded.to_json()
    assert rows[1]["code"] is None
    assert "absent.png" in rows[1]["error"]
    assert json.loads(json.dumps(rows))[0]["code"] == encoded[0].hex()


@pytest.mark.parametrize(
    "bad",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8), object()],
)
def test_what_is_no_image_is_refused_by_name(codec, bad):
    with pytest.raises(UnreadableImageError, match="image 0"):
        codec.encode([bad])


def test_a_pillow_image_of_a_truncated_file_is_refused(codec):
    buffer = io.BytesIO()
    picture(3, (400, 300)).save(buffer, "PNG")
    lazy = Image.open(io.BytesIO(buffer.getvalue()[:-200]))
    with pytest.raises(UnreadableImageError):
        codec.encode([lazy])


def test_large_pictures_are_shrunk_to_what_the_backbone_needs(tmp_path):
    path = tmp_path / "large.png"
    picture(1, (3000, 2000)).save(path, compress_level=1)
    opened = open_input(path, min_side=200)
    assert opened.size == (3000, 2000)
    assert opened.image.size == (300, 200)
    assert open_input(path).image.size == (3000, 2000)
    picture(1, (1000, 800)).save(path)
    assert open_input(path, min_side=200).image.size == (1000, 800)


def test_no_images_give_no_codes(codec):
    encoded = codec.encode([])
    assert encoded.codes.shape == (0, 16)
    assert encoded.to_json() == []
    assert codec.decode(encoded).shape == (0, 32)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"nbytes": 0},
        {"nbytes": 999},
        {"batch_size": 0},
        {"min_cosine": 1.5},
        {"mean_bytes": 0.5},
        {"mean_bytes": 200},
        {"mean_bytes": 8, "min_cosine": 0.9},
    ],
)
def test_parameters_out_of_range_are_refused(codec, kwargs):
    with pytest.raises(UsageError):
        codec.encode([picture(0)], **kwargs)


def test_min_cosine_spends_the_fewest_bytes_that_reach_it(codec):
    encoded = codec.encode([picture(i) for i in range(30)], min_cosine=0.9)
    x = codec.backbone.embed_images([picture(i) for i in range(30)])
    assert (encoded.cosines >= 0.9).all()
    assert len(set(encoded.lengths.tolist())) > 1
    for row, length in enumerate(encoded.lengths):
        assert len(encoded[row]) == length
        for shorter in range(1, length):
            kept = cosine(x[row : row + 1], codec.decode(encoded[row][:shorter]))[0]
            assert kept < 0.9
    np.testing.assert_allclose(cosine(x, codec.decode(encoded)), encoded.cosines, atol=1e-6)


def test_min_cosine_that_cannot_be_reached_gives_all_bytes_allowed_and_says_what_they_keep(codec):
    encoded = codec.encode(picture(0), min_cosine=0.9999999, nbytes=6)
    assert encoded.lengths.tolist() == [6]
    assert encoded.cosines[0] < 0.9999999


def test_mean_bytes_spends_more_where_it_helps_more(codec):
    pictures = [picture(i) for i in range(60)]
    encoded, even = codec.encode(pictures, mean_bytes=8), codec.encode(pictures, nbytes=8)
    assert 7 < encoded.lengths.mean() <= 8
    assert len(set(encoded.lengths.tolist())) > 1
    assert encoded.cosines.mean() > even.cosines.mean()
    longest = codec.encode(pictures, nbytes=int(encoded.lengths.max()))
    for row in range(60):
        assert encoded[row] == longest[row][: encoded.lengths[row]]


def test_encoded_is_a_sequence_of_bytes_and_an_array(codec):
    encoded = codec.encode([picture(i) for i in range(5)])
    assert list(encoded) == [row.tobytes() for row in encoded.codes]
    assert np.asarray(encoded).shape == (5, 16)
    assert list(encoded[1:3]) == list(encoded)[1:3]
    assert encoded[1:3].names == ("image 1", "image 2")
    assert [byte_to_fidelity(encoded.fidelity(i)) <= encoded.cosines[i] for i in range(5)] == [True] * 5


def test_truncating_encoded_codes_forgets_their_cosines(codec):
    encoded = codec.encode([picture(i) for i in range(3)])
    cut = encoded.truncate(4)
    assert cut.codes.shape == (3, 4)
    assert np.isnan(cut.cosines).all()
    assert cut.fidelity(0) is None
    assert (encoded.truncate(99).cosines == encoded.cosines).all()
    with pytest.raises(UsageError):
        encoded.truncate(0)


def test_vectors_encode_as_images_do(codec):
    x = codec.backbone.embed_images([picture(i) for i in range(4)])
    np.testing.assert_array_equal(
        codec.encode_vectors(x).codes, codec.encode([picture(i) for i in range(4)]).codes
    )
    with pytest.raises(VectorError):
        codec.encode_vectors(np.zeros((2, 32), np.float32))


# decode, similarity, truncate


def test_codes_decode_in_every_form(tmp_path, codec, archive_path):
    encoded = codec.encode([picture(i) for i in range(10)])
    expected = codec.decode(encoded)
    np.testing.assert_array_equal(codec.decode(encoded.codes), expected)
    np.testing.assert_array_equal(codec.decode(list(encoded)), expected)
    np.testing.assert_array_equal(codec.decode(encoded[3]), expected[3:4])
    np.testing.assert_array_equal(codec.decode([codec.record(code) for code in encoded]), expected)
    np.testing.assert_array_equal(codec.decode(archive_path), expected)
    with Archive.open(archive_path) as archive:
        np.testing.assert_array_equal(codec.decode(archive), expected)
    stream = tmp_path / "two.sem"
    stream.write_bytes(b"".join(pack(codec.record(code)) for code in encoded[:2]))
    np.testing.assert_array_equal(codec.decode(str(stream)), expected[:2])


def test_codes_of_many_lengths_decode_each_as_if_alone(codec):
    code = codec.encode(picture(0), nbytes=20)[0]
    lengths = (20, 3, 1, 20, 7)
    mixed = codec.decode([code[:n] for n in lengths])
    for row, n in zip(mixed, lengths, strict=True):
        np.testing.assert_array_equal(row, codec.decode(code[:n])[0])


@pytest.mark.parametrize("bad", [np.zeros((2, 999), np.uint8), np.zeros((2, 4), np.int64), [3], b"x" * 200])
def test_what_is_no_code_is_refused(codec, bad):
    with pytest.raises(UsageError):
        codec.decode(bad)


def test_codes_of_another_profile_are_refused(tmp_path, codec, archive_path):
    other = sememe.load(other_profile())
    with pytest.raises(ProfileMismatchError, match="toy"):
        other.decode(archive_path)
    with pytest.raises(ProfileMismatchError):
        other.decode(codec.record(b"abcd"))


def test_similarity_is_the_cosine_with_what_codes_decode_to(codec):
    encoded = codec.encode([picture(i) for i in range(4)])
    query = 3 * codec.image(picture(2))
    one = codec.similarity(query, encoded)
    assert one.argmax() == 2
    assert one[2] == pytest.approx(encoded.cosines[2], abs=1e-5)
    assert codec.similarity(np.stack([query, codec.text("red")]), encoded).shape == (2, 4)


def test_truncate_is_slicing(codec):
    encoded = codec.encode([picture(i) for i in range(4)])
    np.testing.assert_array_equal(codec.truncate(encoded.codes, 5), encoded.codes[:, :5])
    np.testing.assert_array_equal(
        codec.truncate(encoded, 5), codec.encode([picture(i) for i in range(4)], nbytes=5)
    )
    with pytest.raises(UsageError):
        codec.truncate(encoded, 17)


# classify, search, explain


def test_codes_are_classified_from_the_bytes_alone(codec):
    codes = codec.encode([plain(colour) for colour in COLOURS]).codes
    predictions = codec.classify(codes, ",".join(COLOURS), template="{}")
    assert [p.best.label for p in predictions] == list(COLOURS)


def test_classifying_an_archive_gives_one_prediction_an_image(codec, archive_path):
    assert len(codec.classify(archive_path, ["red", "blue"])) == 10


def test_search_by_image_text_sem_and_vector(tmp_path, codec, archive_path):
    save_pictures(tmp_path, 1, first=4)
    query = tmp_path / "0004.png"
    sem = tmp_path / "q.sem"
    api.write_sem(sem, codec.record(codec.encode(query)[0]))
    for one in (query, str(query), picture(4), codec.image(query), sem, [str(sem)]):
        hits = codec.search(archive_path, one, k=3)
        assert hits[0].path == "4.png"
        assert hits[0].strength == "strong"
    codes = codec.encode([plain(colour) for colour in COLOURS])
    assert codec.search(codes, "green", k=1)[0].row == COLOURS.index("green")
    assert codec.search(codes, "green", k=1)[0].path == f"image {COLOURS.index('green')}"


def test_query_arithmetic_moves_the_result(codec):
    codes = codec.encode([plain(colour) for colour in COLOURS])
    first = codec.search(codes, "red + 0.8:blue", k=8)
    without = codec.search(codes, "red - 0.8:blue", k=8)
    blue = COLOURS.index("blue")
    ranks = [next(hit.rank for hit in hits if hit.row == blue) for hits in (first, without)]
    assert ranks[0] < ranks[1] == 8


def test_a_query_without_text_needs_no_backbone(tmp_path, archive_path):
    manifest = {"profile_id": "mine", "space_id": "somewhere"}
    codec = sememe.load(Profile.fit(toy_vectors(), manifest=manifest))
    codes = codec.encode_vectors(toy_vectors()[:20])
    sem = tmp_path / "q.sem"
    api.write_sem(sem, codec.record(codes[7]))
    assert codec.search(codes, str(sem), k=1)[0].row == 7
    with pytest.raises(ProfileFormatError, match="no backbone"):
        codec.search(codes, "red")


@pytest.mark.parametrize("query", ["", np.zeros(31), "red - red"])
def test_queries_that_make_no_sense_are_refused(codec, query):
    with pytest.raises((UsageError, VectorError)):
        codec.search(codec.encode(picture(0)), query)


@pytest.mark.parametrize("query", ["/no/such.jpg", "/no/such.sem"])
def test_query_files_that_cannot_be_read_are_named(codec, query):
    with pytest.raises(InputError, match="/no/such"):
        codec.search(codec.encode(picture(0)), query)


def test_explain_an_image_at_every_rate(codec):
    explanation = codec.explain(picture(0), COLOURS, template="{}")
    assert [rate.nbytes for rate in explanation.rates] == [4, 8, 16, 32]
    cosines = [rate.cosine for rate in explanation.rates]
    assert cosines[-1] > cosines[0]
    assert explanation.rates[-1].cosine_to_full == pytest.approx(1)
    assert explanation.code == codec.encode(picture(0), nbytes=32)[0]
    for rate in explanation.rates:
        code = explanation.code[: rate.nbytes]
        alone = codec.classify(code, COLOURS, template="{}")[0]
        assert [label.label for label in rate.prediction.labels] == [label.label for label in alone.labels]
        assert rate.prediction.best.score == pytest.approx(alone.best.score, abs=1e-4)
        assert rate.agrees == (rate.prediction.best.label == explanation.original.best.label)


def test_explain_a_record_with_and_without_its_original(tmp_path, codec):
    sem = tmp_path / "a.sem"
    api.write_sem(sem, codec.record(codec.encode(picture(0), nbytes=10)[0]))
    alone = codec.explain(sem)
    assert [rate.nbytes for rate in alone.rates] == [4, 8, 10]
    assert [rate.cosine for rate in alone.rates] == [None] * 3
    assert alone.original is None
    against = codec.explain(str(sem), ["red", "blue"], against=picture(0))
    assert against.rates[-1].cosine == pytest.approx(codec.encode(picture(0), nbytes=10).cosines[0], abs=1e-5)
    assert codec.explain(api.read_sem(sem)).code == alone.code


def test_explanations_have_stable_json_keys(codec):
    fields = codec.explain(picture(0), ["red", "blue"]).to_json()
    assert set(fields) == {"input", "code", "original", "rates"}
    assert set(fields["rates"][0]) == {"nbytes", "cosine", "cosine_to_full", "agrees", "none", "labels"}
    json.dumps(fields)


def test_explain_refuses_what_makes_no_sense(codec):
    with pytest.raises(UsageError, match="own original"):
        codec.explain(picture(0), against=picture(1))
    with pytest.raises(UsageError, match="bytes"):
        codec.explain(picture(0), rates=[0])
    with pytest.raises(ProfileMismatchError):
        codec.explain(sememe.load(other_profile()).record(b"abcd"))


# loading


def test_profiles_load_by_path_and_by_themselves(tmp_path):
    path = tmp_path / "toy.profile"
    toy_profile().save(path)
    codec = sememe.load(path, nbytes=8)
    assert codec.profile.fingerprint == toy_profile().fingerprint
    assert codec.nbytes == 8
    assert "toy" in repr(codec)


def test_unknown_profiles_are_named():
    with pytest.raises(UnknownProfileError, match="no-such"):
        sememe.load("no-such")


@pytest.mark.parametrize("nbytes", [0, 1000])
def test_a_codec_has_a_length_that_its_profile_makes(nbytes):
    with pytest.raises(UsageError, match="bytes"):
        sememe.load(toy_profile(), nbytes=nbytes)


def test_a_backbone_of_another_space_is_refused():
    manifest = {"space_id": "elsewhere", "backbone_id": "toy/32"}
    profile = Profile.fit(toy_vectors(), manifest=manifest)
    with pytest.raises(ProfileMismatchError, match="elsewhere"):
        sememe.load(profile, backbone=backbones.load("toy/32"))
    with pytest.raises(ProfileMismatchError, match="elsewhere"):
        _ = sememe.load(profile).backbone


def test_an_archive_brings_its_own_profile(archive_path):
    with Archive.open(archive_path) as archive:
        codec = sememe.codec_for(archive)
    assert codec.profile.fingerprint == toy_profile().fingerprint
    assert codec.nbytes == 16


def test_an_archive_whose_tables_are_others_than_it_says_is_refused(tmp_path):
    lie = ArchiveProfile("toy", bytes(32), "{}", toy_profile().to_bytes())
    with Archive.create(tmp_path / "a.sems", lie, 16) as archive, pytest.raises(ProfileMismatchError):
        sememe.codec_for(archive)


def test_an_archive_of_another_profile_than_the_one_given_is_refused(tmp_path, archive_path):
    other_profile().save(tmp_path / "other")
    with Archive.open(archive_path) as archive, pytest.raises(ProfileMismatchError):
        sememe.codec_for(archive, profile=tmp_path / "other")


def test_a_custom_record_needs_its_profile(tmp_path, codec):
    record = codec.record(b"abcd")
    with pytest.raises(UnknownProfileError, match="--profile"):
        sememe.codec_for(record)
    toy_profile().save(tmp_path / "toy")
    other_profile().save(tmp_path / "other")
    assert sememe.codec_for(record, profile=tmp_path / "toy").nbytes == 4
    with pytest.raises(ProfileMismatchError):
        sememe.codec_for(record, profile=tmp_path / "other")


def test_a_record_of_an_unknown_number_is_refused():
    with pytest.raises(UnknownProfileError, match="126"):
        sememe.codec_for(Record(126, b"", b"abcd"))


def test_a_record_of_a_retired_profile_says_what_to_do():
    with pytest.raises(UnknownProfileError, match=r"nano/1.*encode the picture again"):
        sememe.codec_for(Record(1, b"", b"abcd"))


# files


def test_sem_files_carry_size_and_fidelity(tmp_path, codec):
    encoded = codec.encode(picture(0))
    record = codec.record(encoded[0], cosine=encoded.cosines[0], size=encoded.sizes[0])
    path = tmp_path / "a.sem"
    size = api.write_sem(path, record)
    assert size == path.stat().st_size
    read = api.read_sem(path)
    assert read == record
    assert read_pixel_size(read.get(Tag.PIXEL_SIZE)) == (64, 48)
    assert read.get(Tag.FIDELITY) == bytes([encoded.fidelity(0)])


def test_errors_of_sem_files_name_the_file(tmp_path, codec):
    path = tmp_path / "a.sem"
    data = pack(codec.record(b"abcd"))
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ChecksumError, match=r"a\.sem"):
        api.read_sem(path)
    path.write_bytes(data[:5])
    with pytest.raises(TruncatedError, match=r"a\.sem"):
        api.read_records(path)
    with pytest.raises(InputError, match=r"absent\.sem"):
        api.read_sem(tmp_path / "absent.sem")


def test_a_failed_write_leaves_the_older_file_and_no_litter(tmp_path, codec, monkeypatch):
    path = tmp_path / "a.sem"
    api.write_sem(path, codec.record(b"old"))

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError, match=r"a\.sem"):
        api.write_sem(path, codec.record(b"new"))
    assert api.read_sem(path).payload == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_target_in_no_folder_is_refused(tmp_path, codec):
    with pytest.raises(StorageError, match="nowhere"):
        api.write_sem(tmp_path / "nowhere" / "a.sem", codec.record(b"abcd"))


def test_a_device_can_be_written(codec):
    assert api.write_sem("/dev/null", codec.record(b"abcd")) == 16


def test_truncate_a_sem_file(tmp_path, codec):
    encoded = codec.encode(picture(0))
    source, target = tmp_path / "a.sem", tmp_path / "b.sem"
    api.write_sem(source, codec.record(encoded[0], cosine=0.9, size=(64, 48)))
    api.truncate(source, target, 4)
    record = api.read_sem(target)
    assert record.payload == encoded[0][:4]
    assert record.get(Tag.FIDELITY) is None
    assert record.get(Tag.PIXEL_SIZE) is not None
    api.truncate(source, target, 16)
    assert target.read_bytes() == source.read_bytes()
    for nbytes in (0, 17):
        with pytest.raises(UsageError):
            api.truncate(source, target, nbytes)


def test_truncate_an_archive(tmp_path, codec, archive_path):
    api.truncate(archive_path, tmp_path / "b.sems", 4)
    with Archive.open(tmp_path / "b.sems") as archive:
        assert archive.nbytes == 4
        np.testing.assert_array_equal(
            archive.codes()[1], codec.encode([picture(i) for i in range(10)], nbytes=4)
        )
    with pytest.raises(StorageError):
        api.truncate(archive_path, tmp_path / "b.sems", 4)
    with pytest.raises(InputError, match="absent"):
        api.truncate(tmp_path / "absent", tmp_path / "c", 4)


def test_merge_makes_its_target_or_adds_to_it(tmp_path, codec, archive_path):
    encoded = codec.encode([picture(20), picture(21)])
    with codec.open_archive(tmp_path / "b.sems") as archive:
        archive.put([NewItem("20.png"), NewItem("3.png", mtime_ns=-5)], encoded.codes)
    with api.merge([archive_path, tmp_path / "b.sems"], tmp_path / "all.sems") as merged:
        assert len(merged) == 11
    with api.merge([tmp_path / "b.sems"], archive_path) as merged:
        assert len(merged) == 11
    assert api.verify(tmp_path / "all.sems") == []


def test_a_merge_that_cannot_be_leaves_nothing(tmp_path, codec, archive_path):
    other = sememe.load(other_profile())
    other.open_archive(tmp_path / "other.sems").close()
    toy_codec(8).open_archive(tmp_path / "eight.sems").close()
    for bad in ("other.sems", "eight.sems"):
        with pytest.raises(ProfileMismatchError):
            api.merge([archive_path, tmp_path / bad], tmp_path / "all.sems")
        assert not (tmp_path / "all.sems").exists()
    with pytest.raises(UsageError, match="nothing to merge"):
        api.merge([], tmp_path / "all.sems")


def test_opening_an_archive_of_another_length_or_profile_is_refused(archive_path):
    with pytest.raises(ProfileMismatchError, match="--bytes 16"):
        toy_codec(8).open_archive(archive_path)
    with pytest.raises(ProfileMismatchError, match="encode again"):
        sememe.load(other_profile()).open_archive(archive_path)


def test_verify_finds_nothing_wrong_with_what_we_write(tmp_path, codec, archive_path):
    toy_profile().save(tmp_path / "toy")
    sem = tmp_path / "a.sem"
    api.write_sem(sem, codec.record(b"abcd"))
    assert api.verify(archive_path) == []
    assert api.verify(archive_path, profile=tmp_path / "toy") == []
    assert api.verify(sem, profile=tmp_path / "toy") == []


def test_verify_finds_damage(tmp_path, codec, archive_path):
    toy_profile().save(tmp_path / "toy")
    other_profile().save(tmp_path / "other")
    sem = tmp_path / "a.sem"
    data = bytearray(pack(codec.record(b"abcd")))
    data[11] ^= 4
    sem.write_bytes(data)
    assert "checksum" in api.verify(sem, profile=tmp_path / "toy")[0]
    assert "made with profile" in api.verify(archive_path, profile=tmp_path / "other")[0]
    raw = bytearray(archive_path.read_bytes())
    code = codec.encode(picture(3))[0]
    raw[raw.index(code)] ^= 1
    archive_path.write_bytes(raw)
    assert any("checksum" in problem for problem in api.verify(archive_path))


def test_verify_finds_codes_longer_than_the_profile_makes(tmp_path, codec):
    toy_profile().save(tmp_path / "toy")
    sem = tmp_path / "a.sem"
    api.write_sem(sem, codec.record(bytes(200)))
    assert "200 bytes" in api.verify(sem, profile=tmp_path / "toy")[0]


def test_verify_needs_the_profile_and_the_file(tmp_path, codec):
    api.write_sem(tmp_path / "a.sem", codec.record(b"abcd"))
    with pytest.raises(UnknownProfileError, match=r"a\.sem"):
        api.verify(tmp_path / "a.sem")
    with pytest.raises(InputError, match="absent"):
        api.verify(tmp_path / "absent")


# vectors and export


def test_npy_vectors_to_codes_and_back(tmp_path, codec):
    x = toy_vectors()
    np.save(tmp_path / "x.npy", x.astype(np.float16))
    assert api.encode_npy(tmp_path / "x.npy", tmp_path / "c.npy", codec) == len(x)
    codes = np.load(tmp_path / "c.npy")
    np.testing.assert_array_equal(codes, codec.encode_vectors(x.astype(np.float16)).codes)
    assert api.decode_npy(tmp_path / "c.npy", tmp_path / "y.npy", codec) == len(x)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), codec.decode(codes))


def test_npy_can_go_to_an_open_file(tmp_path, codec, archive_path):
    buffer = io.BytesIO()
    assert api.decode_npy(archive_path, buffer, codec) == 10
    buffer.seek(0)
    np.testing.assert_array_equal(np.load(buffer), codec.decode(archive_path))


def test_npy_files_that_hold_something_else_are_refused(tmp_path, codec):
    np.save(tmp_path / "dim.npy", np.zeros((3, 31), np.float32))
    np.save(tmp_path / "int.npy", np.zeros((3, 32), np.int64))
    np.save(tmp_path / "object.npy", np.array([{}, {}]), allow_pickle=True)
    np.savez(tmp_path / "two.npz", a=np.zeros(3))
    zero = toy_vectors().copy()
    zero[3] = 0
    np.save(tmp_path / "zero.npy", zero)
    (tmp_path / "junk.npy").write_bytes(b"junk")
    for name in ("dim.npy", "int.npy", "object.npy", "two.npz", "zero.npy", "junk.npy", "absent.npy"):
        with pytest.raises(InputError, match=name.split(".")[0]):
            api.encode_npy(tmp_path / name, tmp_path / "c.npy", codec)
    assert not (tmp_path / "c.npy").exists()
    with pytest.raises(VectorError, match="not codes"):
        api.decode_npy(tmp_path / "int.npy", tmp_path / "y.npy", codec)


def test_export_codes_in_every_format(tmp_path, codec, archive_path):
    expected = codec.encode([picture(i) for i in range(10)])
    for suffix in ("npy", "jsonl", "parquet"):
        assert api.export(archive_path, tmp_path / f"x.{suffix}") == 10
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), expected.codes)
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [bytes.fromhex(line["code"]) for line in lines] == list(expected)
    assert set(lines[0]) == {"path", "code", "nbytes", "fidelity", "width", "height", "mtime_ns"}
    assert lines[3]["path"] == "3.png"
    assert lines[3]["fidelity"] == byte_to_fidelity(expected.fidelity(3))


def test_export_parquet_carries_the_profile(tmp_path, codec, archive_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    api.export(archive_path, tmp_path / "x.parquet", what="vectors")
    table = parquet.read_table(tmp_path / "x.parquet", page_checksum_verification=True)
    assert table.schema.metadata[b"sememe.fingerprint"].decode() == toy_profile().fingerprint.hex()
    assert table.schema.field("code").type.byte_width == 16
    vectors = np.array([row for row in table["vector"].to_pylist() if row is not None], np.float32)
    np.testing.assert_array_equal(vectors, codec.decode(archive_path))


def test_export_vectors(tmp_path, codec, archive_path):
    api.export(archive_path, tmp_path / "x.npy", what="vectors")
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), codec.decode(archive_path))
    buffer = io.BytesIO()
    assert api.export(archive_path, buffer, what="vectors") == 10
    first = json.loads(buffer.getvalue().splitlines()[0])
    np.testing.assert_allclose(first["vector"], codec.decode(archive_path)[0], rtol=1e-6)


def test_export_to_an_unknown_format_is_refused(tmp_path, archive_path):
    with pytest.raises(UsageError, match="npy, jsonl, parquet"):
        api.export(archive_path, tmp_path / "x.csv")
    with pytest.raises(StorageError, match="absent"):
        api.export(tmp_path / "absent.sems", tmp_path / "x.npy")


def test_parquet_without_pyarrow_names_the_extra(tmp_path, archive_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"sememe\[parquet\]"):
        api.export(archive_path, tmp_path / "x.parquet")
    assert not (tmp_path / "x.parquet").exists()


def test_exporting_a_damaged_archive_is_refused(tmp_path, codec, archive_path):
    raw = bytearray(archive_path.read_bytes())
    raw[raw.index(codec.encode(picture(3))[0])] ^= 1
    archive_path.write_bytes(raw)
    with pytest.raises(ArchiveFormatError):
        api.export(archive_path, tmp_path / "x.npy")
    assert not (tmp_path / "x.npy").exists()


# fit and selftest


def test_fit_own_vectors(tmp_path):
    np.save(tmp_path / "x.npy", toy_vectors())
    np.save(tmp_path / "t.npy", toy_vectors()[:50])
    lines = []
    profile = api.fit_vectors(
        tmp_path / "x.npy", text=tmp_path / "t.npy", manifest={"space_id": "toy/32"}, log=lines.append
    )
    assert profile.dim == 32
    assert lines
    assert sememe.load(profile).encode_vectors(toy_vectors()).cosines.mean() > 0.9
    np.save(tmp_path / "one.npy", np.zeros(32, np.float32))
    with pytest.raises(VectorError, match=r"one\.npy"):
        api.fit_vectors(tmp_path / "one.npy", manifest={"space_id": "toy/32"})


def test_selftest_passes_for_every_shipped_profile():
    checks = list(api.selftest())
    assert checks
    assert [check.to_json() for check in checks if not check.ok] == []


def test_selftest_finds_a_machine_that_decodes_otherwise(monkeypatch):
    decode = Profile.decode

    def drifted(self, codes):
        x = decode(self, codes)
        x[0, 0] = np.nextafter(x[0, 0], np.float32(1))
        return x

    monkeypatch.setattr(Profile, "decode", drifted)
    checks = []
    with pytest.raises(DecodeMismatchError, match="golden"):
        checks.extend(api.selftest())
    assert checks
    assert not any(check.ok for check in checks)


def test_golden_codes_are_literal():
    from sememe.api.golden import golden_codes

    assert golden_codes(8).shape == (64, 8)
    assert golden_codes(64)[1].tobytes() == hashlib.sha512(b"\0\1").digest()


def test_a_parsed_file_of_a_registered_profile_needs_no_hint():
    for name in sememe.profile.available():
        codec = sememe.load(name)
        record = parse(pack(codec.record(bytes(range(1, 9)))))
        assert sememe.codec_for(record).profile.profile_id == name


@pytest.mark.parametrize("error", [FormatError, StorageError])
def test_errors_share_a_base(error):
    assert issubclass(error, sememe.SememeError)
