"""The checks that a text must pass to be tagged, and the reasons given for rejecting one."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from wusum.model.article import Article
from wusum.model.text.normalisation import arabic_share

_ENCODING_SAMPLE = 4_000  # characters or bytes that are enough to recognise an encoding
_LETTER_SAMPLE = 10_000  # characters that are enough to measure the share of Arabic letters
_NUL = "\0"

MAX_TITLE: Final = 10_000
"""Characters of the longest title; a longer one is the wrong field."""


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


def validate(article: Article, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """Return the reason why an article cannot be tagged, or None if it can."""
    body = article.body
    if not body.strip():
        return "no text: the body is empty"
    if len(body) > limits.max_chars:
        return too_long_reason(limits)
    if len(article.title) > MAX_TITLE:
        return f"too long: the title has {len(article.title):,} characters, more than {MAX_TITLE:,}"
    for label, text in (("id", article.id), ("title", article.title), ("text", body)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"wrong encoding: lone surrogate U+{ord(text[error.start]):04X} at {error.start} of the {label}"
    if _NUL in body:
        return f"wrong encoding: NUL character at {body.index(_NUL)} of the text (UTF-16 or binary data)"
    # Every n-th character is a fair sample and makes a text of 20 million characters cheap to check.
    sample = body[:: 1 + len(body) // _LETTER_SAMPLE]
    if sample.count("\ufffd") > len(sample) / 20:
        return "wrong encoding: more than 5% of the characters are U+FFFD, lost in an earlier conversion"
    if codec := _mojibake_codec(body[:_ENCODING_SAMPLE]):
        return f"wrong encoding: looks like UTF-8 that was read as {codec}"
    share = arabic_share(sample)
    if share == 0 and not any(map(str.isalpha, sample)):
        return "not Arabic: the text has no letters"
    if share < limits.min_arabic:
        return f"not Arabic: {share:.0%} of the letters are Arabic, fewer than {limits.min_arabic:.0%}"
    return None


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
    high = data[: 16 * _ENCODING_SAMPLE].translate(None, bytes(range(128)))
    text = high.decode(errors="replace")
    if arabic_share(text) >= 0.5 and text.count("\ufffd") < len(text) / 5:
        return "UTF-8 with damaged bytes"
    return "windows-1256" if arabic_share(high.decode("cp1256")) >= 0.8 else ""


def _mojibake_codec(text: str) -> str:
    """Return the codec with which Arabic UTF-8 was wrongly decoded, or "".

    Each Arabic letter then shows as two characters, the first of which stands for the lead byte.
    """
    for codec, leads in (("windows-1252", "ØÙ"), ("windows-1256", "طظ")):
        if sum(map(text.count, leads)) > max(len(text) / 5, 8):
            return codec
    return ""
