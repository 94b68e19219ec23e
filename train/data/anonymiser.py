"""What gives an outlet away: removed from training articles, so that no outlet stands for a topic."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DATELINE = re.compile(r"\s*[^:.،؛!؟\n]{2,45}:\s*")
"""Place, reporter, agency and a colon before the first sentence."""


class Anonymiser:
    """Takes the dateline and the outlets' names out of a body."""

    def __init__(self, names: Sequence[str]) -> None:
        listed = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        self._names = re.compile(rf"""[«"“(]?\s*(?<!\w)[وفبل]?(?:{listed})(?!\w)\s*[»"”)]?""")

    def __call__(self, body: str) -> str:
        """The body without them; a body that is nothing else is left as it is."""
        rest = _DATELINE.sub("", body, count=1) if _DATELINE.match(body) else body
        rest = self._names.sub(" ", rest)
        return rest if rest.strip() else body
