"""A prediction as text for a terminal, arranged so that right-to-left letters cannot disorder it."""

from __future__ import annotations

from wusum.model.article import Article
from wusum.model.prediction import Prediction, Tag

_ISOLATE, _END_ISOLATE = "\u2067", "\u2069"
_EXCERPT_CHARS = 70
_UNSURE = "(unsure) "


def format_prediction(article: Article, prediction: Prediction) -> str:
    """Return a few lines: numbers and Latin letters first, Arabic last on each line and in a bidirectional isolate.

    Whether a terminal reorders Arabic itself or not, it cannot move a score to the tag of another line. The first topic
    is marked unless the prediction is confident.
    """
    opening = " ".join((article.title or article.body[: 4 * _EXCERPT_CHARS]).split())
    excerpt = opening if len(opening) <= _EXCERPT_CHARS else opening[:_EXCERPT_CHARS].rsplit(" ", 1)[0] + "…"
    lines = [f"\n{prediction.id}", f"        {_isolated(excerpt)}"]
    for name, items in (
        ("topics", [(t.score, f"{t.name_en}  {_isolated(t.name_ar)}") for t in prediction.topics]),
        ("tags", [(t.score, _isolated(t.text) + _explanation(t)) for t in prediction.tags]),
    ):
        for number, (score, text) in enumerate(items):
            unsure = name == "topics" and not number and not prediction.confident
            lines.append(f"{'' if number else name:>7} {score:.2f}  {_UNSURE if unsure else ''}{text}")
    return "\n".join(lines)


def _explanation(tag: Tag) -> str:
    """Return the features that contribute at least 0.05 to the log odds of a tag, in parentheses."""
    parts = [f"{name} {value:+.1f}" for name, value in (tag.why or {}).items() if abs(value) >= 0.05]
    return f"  ({', '.join(parts)})" if parts else ""


def _isolated(text: str) -> str:
    return f"{_ISOLATE}{text}{_END_ISOLATE}"
