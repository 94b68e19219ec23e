"""Streams of gzip, xz and Zstandard, read and written.

Reading a damaged or truncated stream raises one of `READ_ERRORS`.
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
READ_ERRORS: Final = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""Exceptions that reading a compressed stream raises."""

_READ_BYTES = 1_024  # compressed bytes decoded at once: a Zstandard block of 4 bytes can unfold to 128 KiB


def decompress(raw: BinaryIO, compression: str) -> Any:
    """Return a stream of the decompressed bytes of `raw`; raises KeyError for an unknown compression."""
    return _DECODERS[compression](raw)


def compress(raw: BinaryIO, compression: str) -> Any:
    """Return a stream that compresses into `raw`. Closing it leaves `raw` open.

    Raises KeyError for an unknown compression.
    """
    return _ENCODERS[compression](raw)


class _ZstandardReader(io.RawIOBase):
    """Consecutive Zstandard frames; unlike the library's reader, it detects a truncated file."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decoder: Any = None
        self._undecoded = b""
        self._decoded = io.BytesIO()
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._raw.seekable()

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Seek forward by reading on, backward by reading again from the beginning."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end of a Zstandard stream is unknown until it has been read")
        offset += self._position if whence == io.SEEK_CUR else 0
        if offset < self._position:
            self._raw.seek(0)
            self._decoder, self._undecoded, self._decoded, self._position = None, b"", io.BytesIO(), 0
        while self._position < offset and self.read(min(offset - self._position, 1 << 16)):
            pass
        return self._position

    def readinto(self, buffer: Any) -> int:
        while not (size := self._decoded.readinto(buffer)):
            data = self._undecoded or self._raw.read(_READ_BYTES)
            if data:
                self._decode(data)
            elif self._decoder is None:
                return 0
            else:
                raise EOFError("the file ends in the middle of a Zstandard frame")
        self._position += size
        return size

    def _decode(self, data: bytes) -> None:
        import zstandard

        if self._decoder is None:
            # Archives made with --long=31 need the largest window that the format allows.
            self._decoder = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        try:
            self._decoded = io.BytesIO(self._decoder.decompress(data))
        except zstandard.ZstdError as error:
            raise OSError(str(error)) from error
        self._undecoded = self._decoder.unused_data
        if self._decoder.eof:
            self._decoder = None


def _zstandard_writer(raw: BinaryIO) -> Any:
    import zstandard

    return zstandard.ZstdCompressor().stream_writer(raw, closefd=False)


_DECODERS: Final[dict[str, Callable[[BinaryIO], Any]]] = {
    "gz": lambda raw: gzip.GzipFile(fileobj=raw),
    "xz": lzma.LZMAFile,
    "zst": lambda raw: io.BufferedReader(_ZstandardReader(raw), 1 << 16),
}
_ENCODERS: Final[dict[str, Callable[[BinaryIO], Any]]] = {
    # No file name and no time in the header: the same rows give the same bytes.
    "gz": lambda raw: gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0),
    "xz": partial(lzma.LZMAFile, mode="wb"),
    "zst": _zstandard_writer,
}
