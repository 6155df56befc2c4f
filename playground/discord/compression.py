"""Compression of the gateway's transport, one stream for the whole of a connection."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any

Encode = Callable[[str], str | bytes]


def encoder(asked: str) -> Encode:
    """What turns a payload into a frame; a compression that is not to be had is as none asked for."""
    match asked:
        case "zlib-stream":
            return _zlib_stream()
        case "zstd-stream":
            return _zstd_stream() or str
        case _:
            return str


def _zlib_stream() -> Encode:
    stream = zlib.compressobj()

    def encode(payload: str) -> bytes:
        return stream.compress(payload.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)

    return encode


def _zstd_stream() -> Encode | None:
    try:
        zstandard: Any = importlib.import_module("zstandard")  # not a dependency: a client that asks for it has it
    except ImportError:
        return None
    stream = zstandard.ZstdCompressor().compressobj()

    def encode(payload: str) -> bytes:
        return stream.compress(payload.encode()) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    return encode
