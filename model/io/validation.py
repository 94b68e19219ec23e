"""What a text must be to be tagged, and in what words one is refused."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from wusum.model.article import Article
from wusum.model.text.normalisation import arabic_share

_SAMPLE = 4_000  # characters or bytes enough to recognise an encoding
_COUNTED = 10_000  # characters enough to measure the share of Arabic letters
_NUL = "\0"

MAX_TITLE: Final = 10_000
"""Characters of the longest title; a longer one is a mistaken field."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a text must be to be tagged: `min_arabic` is a share of its letters (0–1), `max_chars` its length."""

    min_arabic: float = 0.5
    max_chars: int = 20_000_000

    @property
    def max_bytes(self) -> int:
        """No line or page within `max_chars` is longer: six bytes for a JSON escape, and room for other fields."""
        return 6 * self.max_chars + 65_536


DEFAULT_LIMITS: Final = Limits()


def validate(article: Article, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """Why an article cannot be tagged; None where it can."""
    body = article.body
    if not body.strip():
        return "no text: the body is empty"
    if len(body) > limits.max_chars:
        return too_long(limits)
    if len(article.title) > MAX_TITLE:
        return f"absurdly long: a title of {len(article.title):,} characters, more than {MAX_TITLE:,}"
    for label, text in (("id", article.id), ("title", article.title), ("text", body)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"wrongly encoded: lone surrogate U+{ord(text[error.start]):04X} at {error.start} of the {label}"
    if _NUL in body:
        return f"wrongly encoded: NUL character at {body.index(_NUL)} of the text (UTF-16, or no text at all)"
    # Every n-th character of a long text is a fair sample, and keeps the count of a 20-million-character text cheap.
    sample = body[:: 1 + len(body) // _COUNTED]
    if sample.count("\ufffd") > len(sample) / 20:
        return "wrongly encoded: more than 5% of the characters are U+FFFD, lost in an earlier conversion"
    if codec := _mojibake(body[:_SAMPLE]):
        return f"wrongly encoded: looks like UTF-8 that was read as {codec}"
    share = arabic_share(sample)
    if share == 0 and not any(map(str.isalpha, sample)):
        return "not Arabic: the text has no letters"
    if share < limits.min_arabic:
        return f"not Arabic: {share:.0%} of the letters are Arabic, fewer than {limits.min_arabic:.0%}"
    return None


def too_long(limits: Limits) -> str:
    """The reason for a text beyond `limits.max_chars`."""
    return f"absurdly long: more than {limits.max_chars:,} characters"


def not_utf8(error: UnicodeDecodeError) -> str:
    """The reason for bytes that are not UTF-8, with a guess at what they are."""
    data = error.object
    guess = _encoding(data)
    return f"not UTF-8: byte 0x{data[error.start]:02x} at {error.start}" + (f"; looks like {guess}" if guess else "")


def _encoding(data: bytes) -> str:
    """A guess at the encoding of Arabic bytes that are not UTF-8; "" for none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    high = data[: 16 * _SAMPLE].translate(None, bytes(range(128)))
    text = high.decode(errors="replace")
    if arabic_share(text) >= 0.5 and text.count("\ufffd") < len(text) / 5:
        return "UTF-8 with damaged bytes"
    return "windows-1256" if arabic_share(high.decode("cp1256")) >= 0.8 else ""


def _mojibake(text: str) -> str:
    """The encoding in which Arabic UTF-8 was wrongly read: each letter then shows as a lead byte and another."""
    for codec, leads in (("windows-1252", "ØÙ"), ("windows-1256", "طظ")):
        if sum(map(text.count, leads)) > max(len(text) / 5, 8):
            return codec
    return ""
