"""A prediction as text for a terminal, safe for right-to-left letters."""

from __future__ import annotations

from wusum.model.article import Article
from wusum.model.prediction import Prediction, Tag

_ISOLATE, _END = "\u2067", "\u2069"
_EXCERPT = 70


def format_prediction(article: Article, prediction: Prediction) -> str:
    """A few lines: numbers and Latin letters first, Arabic last on its line and in a bidirectional isolate.

    So no terminal, whether it orders Arabic itself or not, can move a score to another line's tag.
    """
    opening = " ".join((article.title or article.body[: 4 * _EXCERPT]).split())
    excerpt = opening if len(opening) <= _EXCERPT else opening[:_EXCERPT].rsplit(" ", 1)[0] + "…"
    lines = [f"\n{prediction.id}", f"        {_arabic(excerpt)}"]
    for name, items in (
        ("topics", [(t.score, f"{t.name_en}  {_arabic(t.name_ar)}") for t in prediction.topics]),
        ("tags", [(t.score, _arabic(t.text) + _reasons(t)) for t in prediction.tags]),
    ):
        for number, (score, text) in enumerate(items):
            lines.append(f"{'' if number else name:>7} {score:.2f}  {text}")
    return "\n".join(lines)


def _reasons(tag: Tag) -> str:
    """What tells most for a tag and against it, as it adds to the log odds."""
    parts = [f"{name} {value:+.1f}" for name, value in (tag.why or {}).items() if abs(value) >= 0.05]
    return f"  ({', '.join(parts)})" if parts else ""


def _arabic(text: str) -> str:
    return f"{_ISOLATE}{text}{_END}"
