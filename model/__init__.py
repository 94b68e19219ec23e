"""Tag Arabic news articles: all that inference needs.

from wusum.model import Article, Tagger
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wusum.model.article import Article as Article
    from wusum.model.tagger import Prediction as Prediction
    from wusum.model.tagger import Tagger as Tagger
    from wusum.model.tags import Tag as Tag
    from wusum.model.topics import Topic as Topic

_HOMES = {"Article": "article", "Prediction": "tagger", "Tag": "tags", "Tagger": "tagger", "Topic": "topics"}
__all__ = ["Article", "Prediction", "Tag", "Tagger", "Topic"]


def __getattr__(name: str) -> Any:
    """Import on first use: `wusum --help` must not wait for ONNX Runtime."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"wusum.model.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
