"""Code blocks of the pages of the repository."""

from __future__ import annotations

import re


def code_blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def shell_lines(block: str) -> list[str]:
    """Return the lines of a shell block without comments."""
    lines = (re.sub(r"(?:^|\s)#.*", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line]
