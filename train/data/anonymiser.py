"""Removes the names of outlets from training articles, so that no outlet stands for a topic."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DATELINE = re.compile(r"\s*[^:.،؛!؟\n]{2,45}:\s*")
"""Place, reporter, agency and a colon before the first sentence."""


class Anonymiser:
    """Takes the dateline and the outlets' names out of a body."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take out `names`; without names, bodies are left as they are."""
        listed = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        pattern = rf"""[«"“(]?\s*(?<!\w)[وفبل]?(?:{listed})(?!\w)\s*[»"”)]?"""
        self._names = re.compile(pattern) if names else None

    def __call__(self, body: str) -> str:
        """Return the body without dateline and names; a body that consists of nothing else is returned as it is."""
        if self._names is None:
            return body
        rest = _DATELINE.sub("", body, count=1) if _DATELINE.match(body) else body
        rest = self._names.sub(" ", rest)
        return rest if rest.strip() else body
