"""Sizes of the caches of words."""

from __future__ import annotations

CACHE_SIZE, CACHE_MAX_LETTERS = 1 << 16, 24
"""Most words of a text have been seen before: results for this many words, up to this long, are cached."""
