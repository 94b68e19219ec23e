"""The fields of a record that hold its id, title and text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from wusum.model.io.fields import Fields, FormatError, RecordError, decode, json_type

ANY = Fields()


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"id": "1", "title": "ع", "text": "ن"}, ("1", "ع", "ن")),
        ({"url": "1", "headline": "ع", "body": "ن"}, ("1", "ع", "ن")),
        ({"content": "ن"}, ("", "", "ن")),
        ({"article": "ن"}, ("", "", "ن")),
        ({"ID": "1", "Title": "ع", "TEXT": "ن"}, ("1", "ع", "ن")),
        ({"url": "2", "id": "1", "headline": "غ", "title": "ع", "body": "م", "text": "ن"}, ("1", "ع", "ن")),
        ({"article": "أ", "content": "ب", "body": "ج"}, ("", "", "ج")),
        ({"id": "", "url": "2", "title": None, "headline": b"", "text": "", "article": "ن"}, ("2", "", "ن")),
        ({"id": 7, "title": 1.5, "text": b"\xd9\x86"}, ("7", "1.5", "ن")),
        ({"id": 0, "text": " "}, ("0", "", " ")),
        ({"identity": "1", "text": "ن"}, ("", "", "ن")),
    ],
)
def test_the_first_of_the_usual_names_that_holds_something_counts(
    record: dict[str, Any], found: tuple[str, str, str]
) -> None:
    assert (ANY.value(record, "id"), ANY.value(record, "title"), ANY.value(record, "text")) == found


def test_a_name_that_is_given_is_the_only_one() -> None:
    fields = Fields("key", "head", "نص")
    record = {"id": "1", "key": "2", "title": "ع", "head": "غ", "text": "ن", "نص": "م"}
    assert [fields.value(record, role) for role in ("id", "title", "text")] == ["2", "غ", "م"]
    assert fields.value({"KEY": "2", "id": "1"}, "id") == fields.value({"key": None}, "id") == ""
    with pytest.raises(RecordError, match="no text: field 'نص' is empty"):
        fields.value({"نص": "", "text": "ن"}, "text")
    with pytest.raises(RecordError, match="no text: no field called نص among id, text; name the one of the text"):
        fields.value({"id": "1", "text": "ن"}, "text")


@pytest.mark.parametrize(
    ("record", "role", "reason"),
    [
        ({"id": "1"}, "text", "no text: no field called text, body, content, article among id; name the one"),
        ({"text": None, "body": ""}, "text", "no text: field 'text' is empty"),
        ({"body": b""}, "text", "no text: field 'body' is empty"),
        ({"text": 5}, "text", "field 'text' is a number, not a text"),
        ({"text": True}, "text", "field 'text' is true or false, not a text"),
        ({"url": ["x"]}, "id", "field 'url' is a list, not a text"),
        ({"title": {}}, "title", "field 'title' is an object, not a text"),
        ({"id": b"\xff"}, "id", "not UTF-8: byte 0xff at 0"),
        ({"a" * 30: 1}, "text", f"among {'a' * 20}; name"),
        ({f"f{n:02}": 1 for n in range(20)}, "text", "f18, f19; name"),
        ({f"f{n:02}": 1 for n in range(21)}, "text", "f18, f19, …; name"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(record: dict[str, Any], role: Any, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        ANY.value(record, role)


def test_the_columns_that_may_be_needed_are_read_in_their_order() -> None:
    found = ["date", "Body", "URL", "text", "title", "other", "headline"]
    assert ANY.columns(found) == ["Body", "URL", "text", "title", "headline"]
    assert Fields(text="other").columns(found) == ["URL", "title", "other", "headline"]
    assert Fields("date", "other").columns(found) == ["date", "Body", "text", "other"]
    assert Fields(id="text").columns(["text"]) == ["text"]


@pytest.mark.parametrize(
    ("fields", "found", "reason"),
    [
        (ANY, [], "no column called text, body, content, article: it is empty; name the one of the text"),
        (ANY, ["id", "نص"], "no column called text, body, content, article: its columns are id, نص; name the one"),
        (Fields("key"), ["id", "text"], r"no column 'key' \(--id-field\): its columns are id, text$"),
        (Fields(title="head"), ["Head", "text"], r"no column 'head' \(--title-field\): its columns are Head, text$"),
        (Fields(text="نص"), ["text"], r"no column 'نص' \(--text-field\): its columns are text$"),
    ],
)
def test_a_missing_column_is_named(fields: Fields, found: list[str], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        fields.columns(found)


@pytest.mark.parametrize(
    ("value", "kind"),
    [({}, "an object"), ([], "a list"), ("", "a string"), (True, "true or false"), (None, "null"), (1, "a number"),
     (1.5, "a number"), (Decimal(1), "a Decimal")],
)  # fmt: skip
def test_types_have_names(value: object, kind: str) -> None:
    assert json_type(value) == kind


def test_bytes_are_utf8() -> None:
    assert decode("نص".encode()) == "نص"
    with pytest.raises(RecordError, match="not UTF-8: byte 0xe4 at 0; looks like windows-1256"):
        decode("نص عربي".encode("cp1256")[:1] * 20)
