"""The checks of a text: encoding, length and language, and the reason for rejecting one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import TEXT, json_lines, read_articles, read_rejects, reject_reason, write_file
from wusum.model.article import Article
from wusum.model.io.limits import Limits
from wusum.model.io.validation import validate


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no text: the body is empty"),
        (TEXT.encode("cp1256"), "not UTF-8: byte 0xc7 at 0; looks like windows-1256"),
        (TEXT.encode("utf-16"), "not UTF-8: byte 0xff at 0; looks like UTF-16"),
        (TEXT.encode("utf-16-le"), "wrong encoding: NUL character"),
        (TEXT.encode() + b"\xff", f"not UTF-8: byte 0xff at {len(TEXT.encode())}; looks like UTF-8 with damaged"),
        ("Études à Québec".encode("latin-1"), "not UTF-8: byte 0xc9 at 0"),
        (TEXT.encode().decode("latin-1").encode(), "looks like UTF-8 that was read as windows-1252"),
        (TEXT.encode().decode("cp1252", "ignore").encode(), "looks like UTF-8 that was read as windows-1252"),
        (TEXT.encode().decode("cp1256").encode(), "looks like UTF-8 that was read as windows-1256"),
        ((TEXT + "\ufffd" * 9).encode(), "U+FFFD"),
    ],
)
def test_a_bad_page_is_rejected(tmp_path: Path, data: bytes, message: str) -> None:
    path = write_file(tmp_path, "p7.txt", data)
    (reject,) = read_rejects(path)
    assert (reject.source, reject.line, reject.id) == ("p7.txt", 1, "p7")
    assert message in reject.error


def test_an_encoding_is_guessed_only_for_arabic(tmp_path: Path) -> None:
    assert "looks like" not in reject_reason(write_file(tmp_path, "p.txt", "Études à Québec".encode("latin-1")))


@pytest.mark.parametrize("pages", [True, False])
def test_an_overlong_text_is_rejected(tmp_path: Path, pages: bool) -> None:
    limits = Limits(max_chars=100)
    for size in (101, 1_000_000):
        page = write_file(tmp_path, "p.txt", ("ا" * size).encode())
        assert reject_reason(page, limits=limits, pages=pages) == "too long: more than 100 characters"
    dump = write_file(tmp_path, "dump.jsonl", json_lines({"text": "ا" * 101}))
    assert reject_reason(dump, limits=limits, pages=pages) == "too long: more than 100 characters"
    assert read_articles(write_file(tmp_path, "p.txt", ("ا" * 100).encode()), limits=limits, pages=pages)


def test_an_article_passes_and_the_share_of_arabic_is_limited() -> None:
    mixed = Article(id="1", body="أعلنت Apple")
    assert validate(Article(id="1", body=TEXT)) is None
    assert validate(mixed) is None
    assert validate(mixed, Limits(min_arabic=0.6)) == "not Arabic: 50% of the letters are Arabic, fewer than 60%"
    assert validate(Article(id="1", body=TEXT, title="\udcff")) == (
        "wrong encoding: lone surrogate U+DCFF at 0 of the title"
    )
