"""Codes, wherever they are: archives, `.sem` files, or pictures that are encoded on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sememe import api, bitstream
from sememe.archive import Archive
from sememe.cli.files import SQLITE_MAGIC, STDIO, head_of, read_bytes
from sememe.cli.options import DEFAULT_BYTES, DEFAULT_PROFILE
from sememe.errors import FormatError, InputError, SememeError, UsageError

if TYPE_CHECKING:
    from sememe.api import Codec, CodesLike
    from sememe.bitstream import Record

BATCH = 32
"""Pictures encoded together."""

_NUMPY = b"\x93NUMPY"


@dataclass(frozen=True, slots=True)
class Group:
    """Codes that one codec reads, with a name for each."""

    codec: Codec
    names: Sequence[str]
    codes: CodesLike
    nbytes: int


@dataclass(slots=True)
class Sources:
    """Inputs of a verb, read one after the other; what cannot be read is set aside in `failed`."""

    profile: str | None
    nbytes: int | None
    failed: dict[str, SememeError] = field(default_factory=dict)
    _codecs: dict[str, Codec] = field(default_factory=dict)

    def groups(self, names: Iterable[str]) -> Iterator[Group]:
        """Give the codes of each input, cut to `nbytes`; pictures are encoded a batch at a time."""
        pictures: list[str] = []
        for name in names:
            kind = kind_of(name)
            if kind == "picture":
                pictures.append(name)
                if len(pictures) == BATCH:
                    yield from self._encoded(pictures)
                    pictures = []
                continue
            try:
                yield from self._archive(name) if kind == "archive" else self._records(name)
            except SememeError as error:
                self.failed[name] = error
        if pictures:
            yield from self._encoded(pictures)

    def _archive(self, name: str) -> Iterator[Group]:
        with Archive.open(name) as archive:
            codec = api.codec_for(archive, profile=self.profile)
            source = api.read_source(archive, codec.profile)
        nbytes = self._cut(archive.nbytes)
        names = cast("Sequence[str]", source.names)  # those of an archive are all known
        yield Group(codec, names, source.cut(nbytes), nbytes)

    def _records(self, name: str) -> Iterator[Group]:
        for record in records(name):
            nbytes = self._cut(len(record.payload))
            codec = api.codec_for(record, profile=self.profile)
            yield Group(self._shared(codec), [name], [record.payload[:nbytes]], nbytes)

    def _encoded(self, names: list[str]) -> Iterator[Group]:
        nbytes = self.nbytes or DEFAULT_BYTES
        codec = self._shared(api.load(self.profile or DEFAULT_PROFILE, nbytes=nbytes))
        images = [read_bytes(name) if name == STDIO else name for name in names]
        encoded = codec.encode(images, nbytes=nbytes, on_error="record")
        good = [row for row, error in enumerate(encoded.errors) if error is None]
        self.failed |= {names[row]: error for row, error in enumerate(encoded.errors) if error is not None}
        if good:
            yield Group(codec, [names[row] for row in good], [encoded[row] for row in good], nbytes)

    def _cut(self, longest: int) -> int:
        if self.nbytes is not None and self.nbytes > longest:
            raise UsageError(f"holds codes of {longest} bytes, not {self.nbytes}: lower --bytes")
        return self.nbytes or longest

    def _shared(self, codec: Codec) -> Codec:
        """Give the first codec of that profile: its backbone and labels are loaded once."""
        return self._codecs.setdefault(codec.profile.fingerprint.hex(), codec)


def kind_of(name: str) -> str:
    """Tell an archive, a `.sem` file, a `.npy` file and all else (a picture) apart by the first bytes."""
    try:
        head = head_of(name, len(SQLITE_MAGIC))
    except InputError:
        head = b""  # whoever reads it next says why it cannot be read
    suffix = Path(name).suffix.lower()
    if suffix == ".sem" or head.startswith(bitstream.MAGIC):
        return "sem"
    if suffix == ".sems" or head == SQLITE_MAGIC:
        return "archive"
    return "vectors" if head.startswith(_NUMPY) else "picture"


def records(name: str) -> list[Record]:
    """Read the records of a `.sem` file, or of stdin for `-`.

    Raises
    ------
    InputError, FormatError
        It cannot be read or is damaged.
    """
    try:
        return list(bitstream.parse_stream(read_bytes(name)))
    except FormatError as error:
        raise type(error)(f"{name}: {error}") from error


def named(names: Sequence[str], failed: dict[str, SememeError]) -> list[str]:
    """Find the files that are meant; names without one go to `failed`.

    Raises
    ------
    UsageError
        Everything named exists, and no picture is there.
    """
    from sememe.batch import expand

    found = expand([name for name in names if name != STDIO])
    paths = [STDIO] * (STDIO in names) + found.paths
    failed |= {name: InputError(why) for name, why in found.failed.items()}
    if not paths and not failed:
        raise UsageError(f"nothing to read in {', '.join(names)}: no picture is there")
    return paths
