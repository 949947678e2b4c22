from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import sememe
from sememe import Archive, api
from sememe.batch import encode_paths, expand, fit_images
from sememe.batch.reading import read_ahead
from sememe.errors import (
    DiskFullError,
    ModelUnavailableError,
    ProfileMismatchError,
    UnreadableImageError,
    UsageError,
    VectorError,
)
from toys import other_profile, picture, save_pictures, toy_codec, toy_profile
from workbench import hear_interrupts


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    save_pictures(folder, 6)
    save_pictures(folder / "sub", 2, first=6)
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "photos.sems"


def run(inputs, target, nbytes=16, **kwargs):
    return encode_paths(inputs, target, toy_codec(nbytes), progress=False, **kwargs)


def summary(report):
    return report.new, report.changed, report.unchanged, len(report.failed)


def touch(path):
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns + 10**9))


# expand


def test_folders_are_searched_in_order_and_hidden_entries_left_out(tmp_path):
    for name in ("b/2.JPG", "b/1.png", "a.webp", ".hidden.png", ".git/x.png", "notes.txt", "c"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = expand(tmp_path.as_posix())
    assert [os.path.relpath(path, tmp_path) for path in found.paths] == ["a.webp", "b/1.png", "b/2.JPG"]
    assert found.failed == {}


def test_a_named_file_is_taken_whatever_its_suffix_and_paths_are_normalised(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("odd.bin").touch()
    assert expand(["./odd.bin", "odd.bin", Path("x/../odd.bin")]).paths == ["odd.bin"]


def test_patterns_and_lists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_pictures(Path("p"), 3)
    Path("list.txt").write_text("p/0002.png\n\n# comment\np/*1.png\np/absent.png\n")
    assert expand(["p/*0.png"]).paths == ["p/0000.png"]
    assert expand(["**/*.png"]).paths == ["p/0000.png", "p/0001.png", "p/0002.png"]
    found = expand(["@list.txt"])
    assert found.paths == ["p/0002.png", "p/0001.png"]
    assert list(found.failed) == ["p/absent.png"]
    assert "nothing matches" in expand(["*.xyz"]).failed["*.xyz"]
    with pytest.raises(UsageError, match="nolist"):
        expand(["@nolist.txt"])


def test_names_that_exist_are_never_patterns_or_lists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("[1].png", "@x.png"):
        picture(0).save(name)
    assert expand(["[1].png", "@x.png"]).paths == ["[1].png", "@x.png"]


def test_links_to_folders_are_followed_once(tmp_path):
    save_pictures(tmp_path / "real", 1)
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real")
    (tmp_path / "again").symlink_to(tmp_path / "real")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    found = expand([tmp_path])
    names = [os.path.relpath(path, tmp_path) for path in found.paths]
    assert names == ["again/0000.png", "broken.png", "self.png"]


def refuse_listing(monkeypatch, name):
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refusing)


def test_an_unreadable_folder_is_a_failure_until_it_can_be_read(photos, target, monkeypatch):
    with monkeypatch.context() as patch:
        refuse_listing(patch, "sub")
        report = run([photos], target)
    assert summary(report) == (6, 0, 0, 1)
    assert report.failed[0].path.endswith("sub")
    assert "Permission denied" in report.failed[0].error
    with Archive.open(target) as archive:
        assert [Path(item.path).name for item in archive.failed()] == ["sub"]
    assert summary(run([photos], target)) == (2, 0, 6, 0)
    with Archive.open(target) as archive:
        assert list(archive.failed()) == []


# encode and resume


def test_an_archive_holds_what_encoding_one_by_one_gives(photos, target):
    report = run([photos], target)
    assert summary(report) == (8, 0, 0, 0)
    assert (report.bytes, report.images, report.encoded) == (8 * 16, 8, 8)
    with Archive.open(target) as archive:
        items = list(archive.items())
        codes = archive.codes()[1]
    assert [item.path for item in items] == expand([photos]).paths
    encoded = toy_codec().encode([item.path for item in items])
    np.testing.assert_array_equal(codes, encoded.codes)
    assert [item.fidelity for item in items] == [encoded.fidelity(i) for i in range(8)]
    assert {(item.width, item.height) for item in items} == {(64, 48)}
    assert {len(item.content_hash) for item in items} == {16}
    assert api.verify(target) == []


def test_a_rerun_does_only_what_is_new_changed_or_failed(photos, target):
    (photos / "bad.jpg").write_bytes(b"no image")
    assert summary(run([photos], target)) == (8, 0, 0, 1)
    assert summary(run([photos], target)) == (0, 0, 8, 1)
    picture(100).save(photos / "0001.png")
    touch(photos / "0001.png")
    touch(photos / "0002.png")
    picture(101).save(photos / "0099.png")
    picture(102).save(photos / "bad.jpg", "JPEG")
    report = run([photos], target)
    assert summary(report) == (2, 1, 7, 0)
    assert report.bytes == 3 * 16
    assert summary(run([photos], target)) == (0, 0, 10, 0)
    with Archive.open(target) as archive:
        assert archive.code(str(photos / "0001.png")) == toy_codec().encode(photos / "0001.png")[0]
        assert list(archive.failed()) == []


def test_a_touched_file_is_not_encoded_again_and_not_read_the_next_time(photos, target, monkeypatch):
    run([photos], target)
    touch(photos / "0003.png")
    monkeypatch.setattr("sememe.api.space.Space.embed_images", lambda *_: pytest.fail("encoded again"))
    assert summary(run([photos], target)) == (0, 0, 8, 0)
    with Archive.open(target) as archive:
        item = archive.get(str(photos / "0003.png"))
        assert item.mtime_ns == (photos / "0003.png").stat().st_mtime_ns
        assert (item.width, item.height) == (64, 48)
        assert item.fidelity is not None
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda *_: pytest.fail("read again"))
    assert summary(run([photos], target)) == (0, 0, 8, 0)


BAD = {
    "empty.png": b"",
    "text.jpg": b"hello, I am no picture",
    "cut.png": None,  # truncated, written below
}


def test_bad_images_never_stop_a_run(photos, target):
    for name, data in BAD.items():
        (photos / name).write_bytes(data if data is not None else (photos / "0000.png").read_bytes()[:60])
    report = run([photos, photos / "absent.png"], target)
    assert report.new == 8
    failed = {Path(failure.path).name: failure.error for failure in report.failed}
    assert set(failed) == {*BAD, "absent.png"}
    assert "empty" in failed["empty.png"]
    assert all(str(photos) not in error for error in failed.values())
    assert api.verify(target) == []
    with Archive.open(target) as archive:
        assert {Path(item.path).name for item in archive.failed()} == set(BAD)


def test_a_picture_that_the_network_refuses_does_not_spoil_its_batch(photos, target, monkeypatch):
    embed = sememe.api.Codec.encode_vectors

    def fussy(self, x, **kwargs):
        if any(np.allclose(row, bad, atol=1e-5) for row in x):
            raise VectorError("not finite")
        return embed(self, x, **kwargs)

    bad = toy_codec().image(photos / "0002.png")
    monkeypatch.setattr(sememe.api.Codec, "encode_vectors", fussy)
    report = run([photos], target)
    assert summary(report) == (7, 0, 0, 1)
    assert report.failed[0].path.endswith("0002.png")


def test_a_file_that_cannot_be_read_now_keeps_its_code(photos, target, monkeypatch):
    run([photos], target)
    touch(photos / "0004.png")
    read = Path.read_bytes

    def refusing(path):
        if path.name == "0004.png":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    report = run([photos], target)
    assert summary(report) == (0, 0, 7, 1)
    with Archive.open(target) as archive:
        assert len(archive) == 8


def test_a_file_that_became_bad_loses_its_code(photos, target):
    run([photos], target)
    (photos / "0004.png").write_bytes(b"overwritten")
    assert summary(run([photos], target)) == (0, 0, 7, 1)
    with Archive.open(target) as archive:
        assert len(archive) == 7


def test_pipes_are_refused_not_waited_for(photos, target):
    os.mkfifo(photos / "pipe.png")
    report = run([photos], target)
    assert summary(report) == (8, 0, 0, 1)
    assert "not a file" in report.failed[0].error


def test_files_too_large_for_a_picture_are_not_read(photos, target, monkeypatch):
    monkeypatch.setattr("sememe.batch.reading.MAX_FILE", (photos / "0001.png").stat().st_size - 1)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda *_: pytest.fail("read"))
    report = run([photos / "0001.png"], target)
    assert "more than a picture" in report.failed[0].error


def test_names_that_are_not_utf8_work(photos, target):
    name = os.fsencode(photos) + b"/caf\xe9.png"
    picture(50).save(photos / "x.png")
    (photos / "x.png").rename(os.fsdecode(name))
    assert summary(run([photos], target)) == (9, 0, 0, 0)
    assert summary(run([photos], target)) == (0, 0, 9, 0)


def test_no_inputs_make_an_empty_archive(tmp_path, target):
    (tmp_path / "empty").mkdir()
    assert summary(run([tmp_path / "empty"], target)) == (0, 0, 0, 0)
    with Archive.open(target) as archive:
        assert len(archive) == 0


@pytest.mark.parametrize("workers", [1, 5])
def test_the_number_of_workers_changes_nothing(photos, tmp_path, workers):
    run([photos], tmp_path / "a.sems", workers=workers)
    run([photos], tmp_path / "b.sems")
    with Archive.open(tmp_path / "a.sems") as a, Archive.open(tmp_path / "b.sems") as b:
        np.testing.assert_array_equal(a.codes()[1], b.codes()[1])
        assert [item.path for item in a.items()] == [item.path for item in b.items()]


# refusals


def test_another_profile_or_length_is_refused_before_anything_is_read(photos, target, monkeypatch):
    run([photos], target)
    before = target.read_bytes()
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda *_: pytest.fail("read"))
    with pytest.raises(ProfileMismatchError, match="--bytes 16"):
        run([photos], target, nbytes=8)
    with pytest.raises(ProfileMismatchError, match="other"):
        encode_paths([photos], target, sememe.load(other_profile()), progress=False)
    monkeypatch.undo()
    assert target.read_bytes() == before


def test_without_weights_no_archive_is_begun(photos, target):
    manifest = {"space_id": "clip-vit-b16", "backbone_id": "clip-vit-b16"}
    codec = sememe.load(
        sememe.Profile.fit(
            toy_codec().backbone.embed_images([picture(i) for i in range(40)]), manifest=manifest
        )
    )
    with pytest.raises(ModelUnavailableError):
        encode_paths([photos], target, codec)
    assert not target.exists()


def test_workers_must_be_positive(photos, target):
    with pytest.raises(UsageError, match="workers"):
        run([photos], target, workers=0)


# interruption


def stop_after(monkeypatch, batches, error):
    embed = sememe.api.space.Space.embed_images
    calls = []

    def stopping(self, images):
        calls.append(len(images))
        if len(calls) > batches:
            raise error
        return embed(self, images)

    monkeypatch.setattr("sememe.api.space.Space.embed_images", stopping)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("network"), MemoryError()])
def test_whatever_stops_a_run_what_is_done_is_committed(tmp_path, target, monkeypatch, error):
    folder = tmp_path / "many"
    save_pictures(folder, 50)
    monkeypatch.setattr("sememe.batch.run.BATCH", 8)
    with monkeypatch.context() as patch:
        stop_after(patch, 3, error)
        with pytest.raises(type(error)):
            run([folder], target)
    with Archive.open(target) as archive:
        assert len(archive) == 24
    assert summary(run([folder], target)) == (26, 0, 24, 0)
    assert api.verify(target) == []


def test_a_full_disk_is_said_and_what_was_committed_stays(tmp_path, target, monkeypatch):
    folder = tmp_path / "many"
    save_pictures(folder, 40)
    monkeypatch.setattr("sememe.batch.run.COMMIT_ITEMS", 16)
    put, calls = Archive.put, []

    def filling(self, items, codes, lengths):
        calls.append(len(items))
        if len(calls) > 1:
            raise DiskFullError("no space left")
        put(self, items, codes, lengths)

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "put", filling)
        with pytest.raises(DiskFullError):
            run([folder], target)
    with Archive.open(target) as archive:
        assert len(archive) == 16
    assert summary(run([folder], target)) == (24, 0, 16, 0)


def test_a_full_disk_at_the_last_commit_is_said_too(photos, target, monkeypatch):
    def full(self, items, codes, lengths):
        raise DiskFullError("no space left")

    monkeypatch.setattr(Archive, "put", full)
    with pytest.raises(DiskFullError):
        run([photos], target)


SLOW_RUN = """
import sys, time
from toys import toy_codec
from sememe.api.space import Space
from sememe.batch import encode_paths
import sememe.batch.run as run
run.BATCH, run.COMMIT_ITEMS = 4, 4
embed, batches = Space.embed_images, []
def slow(self, images):
    batches.append(images)
    print(len(images), flush=True)
    if len(batches) > 8:
        time.sleep(30)  # until it is killed: a busy machine must not let it finish first
    return embed(self, images)
Space.embed_images = slow
encode_paths([sys.argv[1]], sys.argv[2], toy_codec(), progress=False)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_from_its_last_commit(tmp_path, target, number):
    folder = tmp_path / "many"
    save_pictures(folder, 80)
    command = [sys.executable, "-c", textwrap.dedent(SLOW_RUN), str(folder), str(target)]
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=hear_interrupts,
    ) as process:
        for _ in range(8):
            process.stdout.readline()
        process.send_signal(number)
        process.wait(timeout=60)
    assert process.returncode != 0
    assert api.verify(target) == []
    with Archive.open(target) as archive:
        done = len(archive)
    assert 16 <= done < 80
    assert summary(run([folder], target)) == (80 - done, 0, done, 0)


# progress and reading ahead


def test_progress_counts_every_input(photos, target):
    seen = []
    (photos / "bad.jpg").write_bytes(b"")
    encode_paths([photos], target, toy_codec(), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 9) for i in range(1, 10)]


def test_no_bar_where_nobody_sees_it(photos, target, capsys):
    encode_paths([photos], target, toy_codec())
    assert capsys.readouterr() == ("", "")


def test_a_bar_can_be_asked_for(photos, target, capsys):
    encode_paths([photos], target, toy_codec(), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "/8" in err


def test_reading_ahead_keeps_order_and_stays_within_its_window():
    started = []

    def work(job):
        started.append(job)
        time.sleep(0.001 * (job % 3))
        return job

    got = []
    for result in read_ahead(work, range(40), workers=3, window=5):
        got.append(result)
        assert len(started) <= len(got) + 5
    assert got == list(range(40))


def test_threads_leave_the_filters_of_warnings_as_they_were(photos, target):
    before = list(warnings.filters)
    for i in range(6):
        target.unlink(missing_ok=True)
        run([photos], target, workers=1 + i)
    assert warnings.filters == before


def test_reading_ahead_passes_errors_on_and_stops():
    def work(job):
        if job == 3:
            raise UnreadableImageError("three")
        return job

    reader = read_ahead(work, range(1000), workers=2, window=4)
    with pytest.raises(UnreadableImageError, match="three"):
        list(reader)


def test_reports_have_stable_json_keys(photos, target):
    (photos / "bad.jpg").write_bytes(b"")
    fields = run([photos], target).to_json()
    assert set(fields) == {"new", "changed", "unchanged", "failed", "bytes", "seconds"}
    assert set(fields["failed"][0]) == {"path", "error"}


# fit


def test_fit_own_images(tmp_path):
    save_pictures(tmp_path / "p", 60)
    (tmp_path / "p" / "bad.png").write_bytes(b"")
    profile, failed = fit_images([tmp_path / "p", "absent.png"], toy_codec(), name="mine", progress=False)
    assert profile.profile_id == "mine"
    assert profile.space_id == toy_profile().space_id
    assert {Path(failure.path).name for failure in failed} == {"bad.png", "absent.png"}
    assert sememe.load(profile).encode(picture(0)).cosines[0] > 0.5
    with pytest.raises(VectorError, match="too few"):
        fit_images([tmp_path / "p" / "0000.png"], toy_codec(), progress=False)
