"""Messages: what is left of files when both ends know what such files have in common."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sememe.errors import FormatError, TruncatedError, UsageError
from sememe.evaluate.imagecodecs.containers import join, split

__all__ = ["Packer"]

_WINDOW = 32_768
"""Bytes that deflate looks back."""


@dataclass(frozen=True)
class Packer:
    """What both ends know of the files of one setting and size.

    Two ways, of which `learn` takes the better one:

    * ``cut``: the header is cut off, and put back by the receiver (`containers`).
    * ``dictionary``: deflate with files of other pictures as the preset dictionary (RFC 1950): it finds
      common parts wherever they are, and pays a byte or two for each place.

    Attributes
    ----------
    way
        Which of the two.
    format
        Name of the codec.
    shared
        The header, or the dictionary: what the receiver holds.
    """

    way: Literal["cut", "dictionary"]
    format: str
    shared: bytes

    @classmethod
    def learn(cls, files: Sequence[bytes], name: str) -> Packer:
        """Learn from files of pictures that do not judge: two thirds to look at, one third to choose by.

        Parameters
        ----------
        files
            Three or more, of one setting and one size in pixels.
        name
            Their format.

        Raises
        ------
        UsageError
            There are fewer than three files.
        FormatError
            Their headers differ, or a file is not one of this format.
        """
        if len(files) < 3:
            raise UsageError(f"three files or more say what such files have in common, not {len(files)}")
        headers = {split(file, name)[0] for file in files}
        if len(headers) > 1:
            raise FormatError(f"{name} files of one setting have {len(headers)} different headers")
        seen = len(files) * 2 // 3
        ways = (
            cls("cut", name, headers.pop()),
            cls("dictionary", name, b"".join(files[:seen])[-_WINDOW:]),
        )
        return min(ways, key=lambda packer: sum(len(packer.pack(file)) for file in files[seen:]))

    def pack(self, file: bytes) -> bytes:
        """Take away what the receiver knows.

        Raises
        ------
        FormatError
            The file has another header than those learned from.
        """
        if self.way == "dictionary":
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, self.shared)
            return deflate.compress(file) + deflate.flush()
        header, payload = split(file, self.format)
        if header != self.shared:
            raise FormatError(f"this {self.format} file has another header than those learned from")
        return payload

    def unpack(self, message: bytes) -> bytes:
        """Give back the whole file, byte for byte.

        Raises
        ------
        FormatError
            The message is damaged.
        """
        if self.way == "cut":
            return join(self.shared, message, self.format)
        inflater = zlib.decompressobj(-15, self.shared)
        try:
            file = inflater.decompress(message)
        except zlib.error as exc:
            raise FormatError(f"{len(message)} bytes are no packed {self.format} file ({exc})") from exc
        if not inflater.eof:
            raise TruncatedError(f"{len(message)} bytes end before the packed {self.format} file does")
        return file
