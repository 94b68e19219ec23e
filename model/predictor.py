"""Batches of columns in, batches of columns out: for `datasets.map`, Ray Data's `map_batches`, Spark's pandas UDFs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import orjson

from wusum.model.article import Article
from wusum.model.io.validation import validate
from wusum.model.options import DEFAULT_OPTIONS, ModelSpec, PredictKeywords
from wusum.model.prediction import Prediction

if TYPE_CHECKING:
    from wusum.model.tagger import Tagger

_COLUMNS = ("confident", "topics", "tags", "error")
_NOTHING = Prediction("")


class Predictor:
    """Tags the articles of a batch. It is pickled without the model, which each process opens on first use.

    It adds the columns `confident`, `topics` and `tags`, as in an output row, and `error`: why a text cannot be tagged,
    null if it can. `datasets` keeps the other columns; Ray Data keeps only those that are returned (`keep`).
    """

    def __init__(
        self,
        model: str | ModelSpec | None = None,
        *,
        text: str = "text",
        title: str | None = None,
        keep: Sequence[str] = (),
        **options: Unpack[PredictKeywords],
    ) -> None:
        """Predict with `model`: None is the small one, a string a name, folder or Hub id, a `ModelSpec` says more.

        `text` and `title` name the columns to read, `keep` those to return unchanged; `options` are the fields of
        `PredictOptions`.
        """
        self._spec = model if isinstance(model, ModelSpec) else ModelSpec(model)
        self._text, self._title, self._keep = text, title, tuple(keep)
        self._options = DEFAULT_OPTIONS.updated(**options)
        self._tagger: Tagger | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle: everything but the model."""
        return self.__dict__ | {"_tagger": None}

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Return the columns that are added to a batch, and those to keep; raises KeyError for a missing column."""
        texts = batch[self._text]
        titles = batch[self._title] if self._title else [""] * len(texts)
        rows = [_article(*pair) for pair in zip(texts, titles, strict=True)]
        good = [article for article in rows if isinstance(article, Article)]
        if self._tagger is None:
            from wusum.model.tagger import Tagger

            self._tagger = Tagger.open(self._spec)
        predictions = self._tagger.stream(good, self._options)
        made: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for row in rows:
            found = (next(predictions) if isinstance(row, Article) else _NOTHING).to_dict()
            found["error"] = None if isinstance(row, Article) else row
            for name, column in made.items():
                column.append(found[name])
        kept: dict[str, Any] = {name: batch[name] for name in self._keep}
        return kept | made


def _article(text: Any, title: Any) -> Article | str:
    """Return an article, or the reason why there is none."""
    if not isinstance(text, str):
        return f"no text: {type(text).__name__}"
    article = Article("", text, title if isinstance(title, str) else "")  # pandas has NaN for a missing title
    return validate(article) or article


def spark_predictor(
    model: str | ModelSpec | None = None, *, title: bool = False, **options: Unpack[PredictKeywords]
) -> Callable[[], Callable[..., Any]]:
    """Return what `pyspark.ml.functions.predict_batch_udf` asks for; `model` and `options` are a `Predictor`'s.

    The function made from it takes a column of texts, with `title` also one of titles, and returns strings: each a
    JSON object with these columns. Spark counts its parameters, so that neither column can be optional.
    """

    def make() -> Callable[..., Any]:
        import numpy as np

        predict = Predictor(model, title="title" if title else None, **options)

        def strings(**batch: Any) -> Any:
            columns = predict(batch)
            rows = zip(*columns.values(), strict=True)
            return np.array([orjson.dumps(dict(zip(columns, row, strict=True))).decode() for row in rows], dtype=object)

        def of_texts(texts: Any) -> Any:
            return strings(text=texts)

        def of_texts_and_titles(texts: Any, titles: Any) -> Any:
            return strings(text=texts, title=titles)

        return of_texts_and_titles if title else of_texts

    return make
