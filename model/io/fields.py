"""The fields of a record, or columns of a table, that hold its id, title and text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from wusum.model.io.limits import not_utf8_reason

Role = Literal["id", "title", "text"]
"""The use of a field; `--ROLE-field` names the field that has it."""

_USUAL_NAMES: Final[dict[Role, tuple[str, ...]]] = {
    "id": ("id", "url"),
    "title": ("title", "headline"),
    "text": ("text", "body", "content", "article"),
}
_LISTED = 20  # names listed in an error message, and characters of each


class RecordError(Exception):
    """A record must be rejected; the message is the reason."""


class FormatError(Exception):
    """A file is not in its format. The reader turns it into a DumpError that names the file and the line."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields to read. None takes the first of the usual names, in any case, whose field is not empty."""

    id: str | None = None
    title: str | None = None
    text: str | None = None

    def value(self, record: Mapping[str, Any], role: Role) -> str:
        """Return the record's id, title or text; "" for a missing id or title.

        Raises RecordError if there is no text, or if the field holds neither a string nor, for an id or title, a
        number.
        """
        names = self._names(record, role)
        name = next((name for name in names if record[name] not in (None, "", b"")), None)
        if name is not None:
            return _as_text(record[name], name, numbers=role != "text")
        if role != "text":
            return ""
        if names:
            raise RecordError(f"no text: field {names[0]!r} is empty")
        wanted = self.text or ", ".join(_USUAL_NAMES["text"])
        raise RecordError(
            f"no text: no field called {wanted} among {_enumerated(record)}; name the one of the text with --text-field"
        )

    def columns(self, found: Sequence[str]) -> list[str]:
        """Return the columns of a table that may hold the id, title and text; raises FormatError if one is missing."""
        listed = f"its columns are {_enumerated(found)}" if found else "it is empty"
        wanted = {role: self._names(found, role) for role in _USUAL_NAMES}
        for role, names in wanted.items():
            given: str | None = getattr(self, role)
            if given is not None and not names:
                raise FormatError(f"no column {given!r} (--{role}-field): {listed}")
            if role == "text" and not names:
                usual = ", ".join(_USUAL_NAMES[role])
                raise FormatError(f"no column called {usual}: {listed}; name the one of the text with --text-field")
        return [name for name in found if any(name in names for names in wanted.values())]

    def _names(self, found: Iterable[str], role: Role) -> list[str]:
        """Return the names among those found that may have a role, best first."""
        given: str | None = getattr(self, role)
        if given is not None:
            return [name for name in found if name == given]
        lowered = {name.lower(): name for name in found}
        return [lowered[name] for name in _USUAL_NAMES[role] if name in lowered]


DEFAULT_FIELDS: Final = Fields()


def decode(data: bytes) -> str:
    """Decode UTF-8; raises RecordError, with a guess at the encoding, for other bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise RecordError(not_utf8_reason(error)) from error


def json_type(value: object) -> str:
    """Return the type of a JSON value in words, with its article."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else f"a {type(value).__name__}")


def _as_text(value: object, name: str, *, numbers: bool) -> str:
    if isinstance(value, bytes):
        return decode(value)
    if isinstance(value, str):
        return value
    if numbers and isinstance(value, int | float):
        return str(value)
    raise RecordError(f"field {name!r} is {json_type(value)}, not a text")


def _enumerated(names: Iterable[str]) -> str:
    shown = [name[:_LISTED] for name in names]
    return ", ".join(shown[:_LISTED]) + (", …" if len(shown) > _LISTED else "")
