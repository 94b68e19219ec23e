"""The checks that a text must pass to be tagged, and the reasons given for rejecting one."""

from __future__ import annotations

from typing import Final

from wusum.model.article import Article
from wusum.model.io.limits import DEFAULT_LIMITS, ENCODING_SAMPLE, Limits, mojibake_codec, too_long_reason
from wusum.model.text.normalisation import arabic_share

_LETTER_SAMPLE = 10_000  # characters that are enough to measure the share of Arabic letters
_NUL = "\0"

MAX_TITLE: Final = 10_000
"""Characters of the longest title; a longer one is the wrong field."""


def validate(article: Article, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """Return the reason why an article cannot be tagged, or None if it can."""
    return _size_fault(article, limits) or _encoding_fault(article) or _language_fault(_sample(article.body), limits)


def _size_fault(article: Article, limits: Limits) -> str | None:
    body = article.body
    if not body.strip():
        return "no text: the body is empty"
    if len(body) > limits.max_chars:
        return too_long_reason(limits)
    if len(article.title) > MAX_TITLE:
        return f"too long: the title has {len(article.title):,} characters, more than {MAX_TITLE:,}"
    return None


def _encoding_fault(article: Article) -> str | None:
    body = article.body
    for label, text in (("id", article.id), ("title", article.title), ("text", body)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"wrong encoding: lone surrogate U+{ord(text[error.start]):04X} at {error.start} of the {label}"
    if _NUL in body:
        return f"wrong encoding: NUL character at {body.index(_NUL)} of the text (UTF-16 or binary data)"
    sample = _sample(body)
    if sample.count("\ufffd") > len(sample) / 20:
        return "wrong encoding: more than 5% of the characters are U+FFFD, lost in an earlier conversion"
    if codec := mojibake_codec(body[:ENCODING_SAMPLE]):
        return f"wrong encoding: looks like UTF-8 that was read as {codec}"
    return None


def _language_fault(sample: str, limits: Limits) -> str | None:
    share = arabic_share(sample)
    if share == 0 and not any(map(str.isalpha, sample)):
        return "not Arabic: the text has no letters"
    if share < limits.min_arabic:
        return f"not Arabic: {share:.0%} of the letters are Arabic, fewer than {limits.min_arabic:.0%}"
    return None


def _sample(body: str) -> str:
    """Return every n-th character: a fair sample that makes a text of 20 million characters cheap to check."""
    return body[:: 1 + len(body) // _LETTER_SAMPLE]
