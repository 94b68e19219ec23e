"""Streams of gzip, xz and Zstandard, read and written.

A damaged stream raises one of `DAMAGE` as it is read, and so does one that is cut short.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, Final

COMPRESSIONS: Final = ("gz", "xz", "zst")
DAMAGE: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)

_PIECE = 1_024  # compressed bytes decoded at once: a Zstandard block of 4 bytes can unfold to 128 KiB


def decompress(raw: BinaryIO, compression: str) -> Any:
    """A stream of what `raw` holds compressed; raises KeyError for an unknown compression."""
    return _DECODERS[compression](raw)


def compress(raw: BinaryIO, compression: str) -> Any:
    """A stream that compresses into `raw`, to be closed before `raw` is, which it leaves open.

    Raises KeyError for an unknown compression.
    """
    return _ENCODERS[compression](raw)


class _Zstandard(io.RawIOBase):
    """Zstandard frames, one after the other; unlike the library's reader it notices a file cut short."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decoder: Any = None
        self._left = b""
        self._plain = io.BytesIO()
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._raw.seekable()

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Forward by reading on, backward by reading anew."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("nobody knows the end of a Zstandard stream before it is read")
        place += self._place if whence == io.SEEK_CUR else 0
        if place < self._place:
            self._raw.seek(0)
            self._decoder, self._left, self._plain, self._place = None, b"", io.BytesIO(), 0
        while self._place < place and self.read(min(place - self._place, 1 << 16)):
            pass
        return self._place

    def readinto(self, buffer: Any) -> int:
        while not (size := self._plain.readinto(buffer)):
            data = self._left or self._raw.read(_PIECE)
            if data:
                self._decode(data)
            elif self._decoder is None:
                return 0
            else:
                raise EOFError("the file ends in the middle of a Zstandard frame")
        self._place += size
        return size

    def _decode(self, data: bytes) -> None:
        import zstandard

        if self._decoder is None:
            # Archives made with --long=31 need the whole window that the format allows.
            self._decoder = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        try:
            self._plain = io.BytesIO(self._decoder.decompress(data))
        except zstandard.ZstdError as error:
            raise OSError(str(error)) from error
        self._left = self._decoder.unused_data
        if self._decoder.eof:
            self._decoder = None


def _to_zstandard(raw: BinaryIO) -> Any:
    import zstandard

    return zstandard.ZstdCompressor().stream_writer(raw, closefd=False)


_DECODERS: Final[dict[str, Callable[[BinaryIO], Any]]] = {
    "gz": lambda raw: gzip.GzipFile(fileobj=raw),
    "xz": lzma.LZMAFile,
    "zst": lambda raw: io.BufferedReader(_Zstandard(raw), 1 << 16),
}
_ENCODERS: Final[dict[str, Callable[[BinaryIO], Any]]] = {
    "gz": lambda raw: gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0),  # the same rows, the same bytes
    "xz": partial(lzma.LZMAFile, mode="wb"),
    "zst": _to_zstandard,
}
