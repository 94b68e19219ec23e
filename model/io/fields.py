"""Which fields of a record, or columns of a table, hold its id, title and text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from wusum.model.io.validation import not_utf8

Option = Literal["id", "title", "text"]

_USUAL: Final[dict[Option, tuple[str, ...]]] = {
    "id": ("id", "url"),
    "title": ("title", "headline"),
    "text": ("text", "body", "content", "article"),
}
_SHOWN = 20  # names listed in an error message, and characters of each


class RecordError(Exception):
    """A record that must be rejected, and why."""


class FormatError(Exception):
    """A file of a wrong make; becomes a DumpError that names the file and the place."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields to read; None = the first of the usual names that holds something, in any case of letters."""

    id: str | None = None
    title: str | None = None
    text: str | None = None

    def value(self, record: Mapping[str, Any], option: Option) -> str:
        """The record's id, title or text; "" for an id or title it has not. Raises Bad without a text."""
        names = self._names(record, option)
        name = next((name for name in names if record[name] not in (None, "", b"")), None)
        if name is not None:
            return _textual(record[name], name, numbers=option != "text")
        if option != "text":
            return ""
        if names:
            raise RecordError(f"no text: field {names[0]!r} is empty")
        wanted = self.text or ", ".join(_USUAL["text"])
        raise RecordError(f"no text: no field called {wanted} among {_listed(record)} (--text-field names it)")

    def columns(self, found: Sequence[str]) -> list[str]:
        """The columns of a table that may hold the id, title and text; raises Unreadable where one is missing."""
        listed = f"its columns are {_listed(found)}" if found else "it is empty"
        wanted = {option: self._names(found, option) for option in _USUAL}
        for option, names in wanted.items():
            given: str | None = getattr(self, option)
            if given is not None and not names:
                raise FormatError(f"no column {given!r} (--{option}-field): {listed}")
            if option == "text" and not names:
                usual = ", ".join(_USUAL[option])
                raise FormatError(f"no column called {usual}: {listed}; name the one of the text with --text-field")
        return [name for name in found if any(name in names for names in wanted.values())]

    def _names(self, found: Iterable[str], option: Option) -> list[str]:
        """The names, best first, among those found that may be the id, title or text."""
        given: str | None = getattr(self, option)
        if given is not None:
            return [name for name in found if name == given]
        lowered = {name.lower(): name for name in found}
        return [lowered[name] for name in _USUAL[option] if name in lowered]


DEFAULT_FIELDS: Final = Fields()


def decode(data: bytes) -> str:
    """UTF-8 → text; raises Bad, with a guess at the encoding, for other bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise RecordError(not_utf8(error)) from error


def json_type(value: object) -> str:
    """What a JSON value is, in words."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")


def _textual(value: object, name: str, *, numbers: bool) -> str:
    if isinstance(value, bytes):
        return decode(value)
    if isinstance(value, str):
        return value
    if numbers and isinstance(value, int | float):
        return str(value)
    raise RecordError(f"field {name!r} is no text but {json_type(value)}")


def _listed(names: Iterable[str]) -> str:
    shown = [name[:_SHOWN] for name in names]
    return ", ".join(shown[:_SHOWN]) + (", …" if len(shown) > _SHOWN else "")
