"""Batches of columns in, batches of columns out: for `datasets.map`, Ray Data's `map_batches`, Spark's pandas UDFs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from wusum.model.article import Article
from wusum.model.io.validation import check

if TYPE_CHECKING:
    from wusum.model.tagger import Tagger

_COLUMNS = ("topics", "tags", "error")


class Predictor:
    """Tags the articles of a batch. It is pickled without the model, which each process opens when it is first needed.

    The columns that it adds are `topics` and `tags`, as in a row of the output, and `error`: why a text cannot be
    tagged, null where it can. `datasets` keeps the other columns; Ray Data keeps those alone that are given back.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        text: str = "text",
        title: str | None = None,
        keep: Sequence[str] = (),
        runtime: str = "onnx",
        device: str = "auto",
        threads: int | None = None,
        vocabulary: str | None = None,
        **options: Any,
    ) -> None:
        """`text` and `title` are the names of the columns, and `keep` of those that are given back as they came.

        `options` are those of `Tagger.stream`.
        """
        self._opening: dict[str, Any] = {
            "name": model,
            "runtime": runtime,
            "device": device,
            "threads": threads,
            "vocabulary": vocabulary,
        }
        self._text, self._title, self._keep, self._options = text, title, tuple(keep), options
        self._tagger: Tagger | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_tagger": None}

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """The columns `topics`, `tags` and `error` of a batch; raises KeyError where it lacks one that is named."""
        texts = batch[self._text]
        titles = batch[self._title] if self._title else [""] * len(texts)
        rows = [self._row(*pair) for pair in zip(texts, titles, strict=True)]
        good = [article for article in rows if isinstance(article, Article)]
        if self._tagger is None:
            from wusum.model.tagger import Tagger

            self._tagger = Tagger.from_pretrained(**self._opening)
        predictions = self._tagger.stream(good, **self._options)
        made: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for row in rows:
            found = next(predictions).to_dict() if isinstance(row, Article) else {"topics": [], "tags": []}
            found["error"] = None if isinstance(row, Article) else row
            for name, column in made.items():
                column.append(found[name])
        kept: dict[str, Any] = {name: batch[name] for name in self._keep}
        return kept | made

    def _row(self, text: Any, title: Any) -> Article | str:
        """An article, or why there is none."""
        if not isinstance(text, str):
            return f"no text: {type(text).__name__}"
        article = Article("", text, title if isinstance(title, str) else "")  # pandas has NaN where there is none
        return check(article) or article


def spark_predictor(model: str | None = None, **options: Any) -> Callable[[], Callable[..., Any]]:
    """What `pyspark.ml.functions.predict_batch_udf` asks for; takes the options of a `Predictor`, but no columns.

    The function made of it takes a column of texts, and one of titles if there is any, and gives strings: each a JSON
    object with topics, tags and error.
    """

    def make() -> Callable[..., Any]:
        import numpy as np

        predict = Predictor(model, title="title", **options)

        def rows(texts: Any, titles: Any = None) -> Any:
            columns = predict({"text": list(texts), "title": [""] * len(texts) if titles is None else list(titles)})
            lines = [
                orjson.dumps(dict(zip(columns, row, strict=True))).decode()
                for row in zip(*columns.values(), strict=True)
            ]
            return np.array(lines, dtype=object)

        return rows

    return make
