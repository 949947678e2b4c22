"""Mutations: of bytes, and of bytes that know their format, so that damage gets past the first check."""

from __future__ import annotations

import io
import json
import random
import zipfile
from binascii import crc_hqx
from collections.abc import Callable
from typing import Any, TypeAlias

Mutation: TypeAlias = Callable[[random.Random, bytes], bytes]

_NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63)
_DEEP = "<deep>"
_ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        -1,
        0,
        1,
        77,
        2**31,
        2**63,
        10**400,
        -(10**30),
        0.5,
        1e308,
        float("nan"),
        float("inf"),
    ),
    *("", "\ud800", "../../up", "/dev/zero", "a" * 300, "\0", [], {}, [[]], [1, 2, 3], {"a": []}, _DEEP),
)


def raw(rng: random.Random, data: bytes) -> bytes:
    """Damage bytes in one to four places."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice(_BYTEWISE)(rng, data)
    return data


def with_crc(rng: random.Random, data: bytes) -> bytes:
    """Damage a `.sem` file and make its checksum right again."""
    body = raw(rng, data[:-2])
    return body + crc_hqx(body, 0xFFFF).to_bytes(2, "big")


def damaged(mutation: Mutation, rng: random.Random, data: bytes) -> bytes:
    """Mutate, or damage bytes where earlier damage left nothing of the format."""
    try:
        return mutation(rng, data)
    except Exception:
        return raw(rng, data)


def of_json(rng: random.Random, data: bytes) -> bytes:
    """Put odd values into JSON, or take values out."""
    value = json.loads(data)
    for _ in range(rng.choice((1, 1, 2))):
        value = _changed(rng, value)
    text = json.dumps(value).replace(json.dumps(_DEEP), "[" * 3000 + "]" * 3000)
    return text.encode()


def of_safetensors(rng: random.Random, data: bytes) -> bytes:
    """Change what a safetensors file says of itself, or its numbers."""
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    kind = rng.randrange(4)
    if kind == 0:
        header["__metadata__"] = {key: _text(rng, text) for key, text in header["__metadata__"].items()}
    elif kind == 1:
        header = _changed(rng, header)
    elif kind == 2:
        header, body = _with_empty(rng, header, body)
    else:
        body = raw(rng, body)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def _text(rng: random.Random, text: object) -> str:
    return of_json(rng, str(text).encode("utf-8", "replace")).decode("utf-8", "replace")


def _with_empty(rng: random.Random, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """Put a tensor without numbers, whose other sizes may be absurd, in the place of one."""
    made: dict[str, Any] = {"__metadata__": header["__metadata__"]}
    parts, at = [], 0
    hit = rng.choice(sorted(set(header) - {"__metadata__"}))
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        start, end = tensor["data_offsets"]
        part = body[start:end]
        shape = tensor["shape"]
        if name == hit:
            shape, part = _hollow(rng), b""
        parts.append(part)
        made[name] = {"dtype": tensor["dtype"], "shape": shape, "data_offsets": [at, at + len(part)]}
        at += len(part)
    return made, b"".join(parts)


def _hollow(rng: random.Random) -> list[int]:
    shape = [rng.choice((0, 1, 2**20, 2**33, 2**40)) for _ in range(rng.randrange(4))] + [0]
    rng.shuffle(shape)
    return shape


def of_zip(rng: random.Random, data: bytes) -> bytes:
    """Damage one member of a zip file, or what the file says of it."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    name = rng.choice(sorted(members))
    members[name] = raw(rng, members[name])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return made.getvalue() if rng.random() < 0.7 else raw(rng, made.getvalue())


def either(*mutations: Mutation) -> Mutation:
    """One of several, by chance."""
    return lambda rng, data: rng.choice(mutations)(rng, data)


def _changed(rng: random.Random, value: Any) -> Any:
    """Replace, remove or go into one of the parts of a value."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(sorted(value))
        if rng.random() < 0.15:
            return {name: part for name, part in value.items() if name != key}
        return value | {key: _changed(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.7:
        row = rng.randrange(len(value))
        return value[:row] + [_changed(rng, value[row])] * rng.choice((0, 1, 1, 2)) + value[row + 1 :]
    if isinstance(value, str) and value[:1] == "{":
        return of_json(rng, value.encode("utf-8", "replace")).decode("utf-8", "replace")
    return rng.choice(_ODD)


def _flip(rng: random.Random, data: bytes) -> bytes:
    if not data:
        return b"\0"
    at, changed = rng.randrange(len(data)), bytearray(data)
    changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(rng: random.Random, data: bytes) -> bytes:
    size = rng.choice((1, 1, 2, 4, 8))
    number = (rng.choice(_NUMBERS) & ((1 << 8 * size) - 1)).to_bytes(size, rng.choice(("little", "big")))
    at = rng.randrange(len(data) + 1)
    return data[:at] + number + data[at + size :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 8, 100))) + data[at:]


def _cut(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 2, 16, 512)) :]


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    some = data[at : at + rng.choice((1, 8, 64, 1024))]
    return data[:at] + some + data[at:]


def _wipe(rng: random.Random, data: bytes) -> bytes:
    """As a disk that lost a page."""
    at, size = rng.randrange(len(data) + 1), rng.choice((4, 64, 512, 4096))
    return data[:at] + rng.choice((b"\0", b"\xff")) * min(size, len(data) - at) + data[at + size :]


_BYTEWISE: tuple[Mutation, ...] = (
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _insert,
    _cut,
    _truncate,
    _repeat,
    _wipe,
)
