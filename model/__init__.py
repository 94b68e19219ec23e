"""Tag Arabic news articles: everything that inference needs.

from wusum.model import Article, Tagger
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wusum.model.article import Article
    from wusum.model.errors import WusumError
    from wusum.model.prediction import Prediction, Tag, Topic
    from wusum.model.tagger import Tagger

_HOMES = {
    "Article": "article",
    "Prediction": "prediction",
    "Tag": "prediction",
    "Tagger": "tagger",
    "Topic": "prediction",
    "WusumError": "errors",
}
"""The module of each public name."""

__all__ = ["Article", "Prediction", "Tag", "Tagger", "Topic", "WusumError"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `wusum --help` does not wait for ONNX Runtime."""
    if name in _HOMES:
        return getattr(import_module(f"wusum.model.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
