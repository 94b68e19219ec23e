"""Limits of texts, and the reasons that texts beyond them or in another encoding are rejected with."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from wusum.model.text.normalisation import arabic_share

ENCODING_SAMPLE = 4_000  # characters or bytes that are enough to recognise an encoding


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a text that can be tagged."""

    min_arabic: float = 0.5
    """Least share of Arabic letters among its letters, from 0 to 1."""
    max_chars: int = 20_000_000
    """Most characters."""

    @property
    def max_bytes(self) -> int:
        """Bytes that no line or page within `max_chars` exceeds: six for a JSON escape, and room for other fields."""
        return 6 * self.max_chars + 65_536


DEFAULT_LIMITS: Final = Limits()


def too_long_reason(limits: Limits) -> str:
    """Return the reason for rejecting a text beyond `limits.max_chars`."""
    return f"too long: more than {limits.max_chars:,} characters"


def not_utf8_reason(error: UnicodeDecodeError) -> str:
    """Return the reason for rejecting bytes that are not UTF-8, with a guess at their encoding."""
    data = error.object
    guess = _guess_encoding(data)
    return f"not UTF-8: byte 0x{data[error.start]:02x} at {error.start}" + (f"; looks like {guess}" if guess else "")


def _guess_encoding(data: bytes) -> str:
    """Return the likely encoding of Arabic bytes that are not UTF-8, or ""."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    high = data[: 16 * ENCODING_SAMPLE].translate(None, bytes(range(128)))
    text = high.decode(errors="replace")
    if arabic_share(text) >= 0.5 and text.count("\ufffd") < len(text) / 5:
        return "UTF-8 with damaged bytes"
    return "windows-1256" if arabic_share(high.decode("cp1256")) >= 0.8 else ""


def mojibake_codec(text: str) -> str:
    """Return the codec with which Arabic UTF-8 was wrongly decoded, or "".

    Each Arabic letter then shows as two characters, the first of which stands for the lead byte.
    """
    for codec, leads in (("windows-1252", "ØÙ"), ("windows-1256", "طظ")):
        if sum(map(text.count, leads)) > max(len(text) / 5, 8):
            return codec
    return ""
