"""`Tagger`: articles in, predictions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Never, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from wusum.model.article import Article
from wusum.model.network.artifact import Artifact
from wusum.model.network.encoder import Encoder
from wusum.model.network.outputs import NetworkOutput
from wusum.model.network.runtime import open_runtime
from wusum.model.network.topics import TopicDecoder
from wusum.model.options import DEFAULT_OPTIONS, DEFAULT_SPEC, ModelSpec, PredictKeywords, PredictOptions
from wusum.model.prediction import Prediction
from wusum.model.stream import Chunk, PredictionCache, chunks, predict_distinct
from wusum.model.tagging.controlled import ControlledRanker
from wusum.model.tagging.ranker import TagModel, TagRanker
from wusum.model.tagging.terms import load_terms
from wusum.model.text.normalisation import arabic_share

_SAMPLE_CHARS = 10_000
"""Characters of a body that are enough to find out whether it has Arabic letters."""


class Tagger:
    """Gives Arabic articles their topics and tags.

    The same article gets the same prediction alone, in a batch and in any order.
    """

    ahead = 0
    """Chunks that a run should request beyond the one it waits for; pools of workers want some."""

    def __init__(self, artifact: Artifact, spec: ModelSpec = DEFAULT_SPEC) -> None:
        """Load the model of an artifact as `spec` says; raises ModelError, or VocabularyError for its vocabulary."""
        self.artifact = artifact
        settings = artifact.settings
        self.encoder = Encoder(artifact, open_runtime(artifact.folder, spec))
        self.topic_decoder = TopicDecoder(settings.topics, settings.temperature, settings.threshold)
        self.tag_model = TagModel.load(artifact.folder, settings)
        self.tag_ranker: TagRanker | ControlledRanker
        if spec.vocabulary is None:
            self.tag_ranker = self.tag_model.ranker()
        else:
            self.tag_ranker = ControlledRanker(self.tag_model, load_terms(spec.vocabulary), self._tag_logits)

    @classmethod
    def open(cls, spec: ModelSpec) -> Tagger:
        """Open the model that `spec` names; raises ModelError if it cannot be used."""
        return cls(Artifact.open(spec.model), spec)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        runtime: str = "onnx",
        device: str = "auto",
        threads: int | None = None,
        vocabulary: str | Path | None = None,
    ) -> Tagger:
        """Open a bundled model (None or "small", "base"), or that of a folder or a Hub id; raises ModelError.

        The arguments are the fields of `ModelSpec`: `runtime` is "onnx", "int8" or "torch"; `device` "cpu", "cuda" or
        "auto"; `threads` None uses every processor; `vocabulary` is a file of the only tags to give, read by
        `load_terms`, which raises VocabularyError.
        """
        return cls.open(ModelSpec(model, runtime, device, threads, vocabulary))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model to a folder that `from_pretrained` reads."""
        self.artifact.copy_to(Path(folder))

    @overload
    def __call__(  # type: ignore[overload-overlap]  # a str is an Iterable[str], too
        self, articles: str | Article, options: PredictOptions = ..., **changes: Unpack[PredictKeywords]
    ) -> Prediction: ...
    @overload
    def __call__(
        self, articles: Iterable[str | Article], options: PredictOptions = ..., **changes: Unpack[PredictKeywords]
    ) -> list[Prediction]: ...
    def __call__(
        self,
        articles: str | Article | Iterable[str | Article],
        options: PredictOptions = DEFAULT_OPTIONS,
        **changes: Unpack[PredictKeywords],
    ) -> Prediction | list[Prediction]:
        """Return the prediction of a text or Article, or the list of predictions of several; options as in `stream`."""
        if isinstance(articles, (str, Article)):
            return next(self.stream([articles], options, **changes))
        return list(self.stream(articles, options, **changes))

    def stream(
        self,
        articles: Iterable[str | Article],
        options: PredictOptions = DEFAULT_OPTIONS,
        **changes: Unpack[PredictKeywords],
    ) -> Iterator[Prediction]:
        """Yield predictions in the order of the articles, reading a chunk of articles at a time.

        A plain text is a body without title; the id of its prediction is its number in the stream. Options can be given
        as `PredictOptions`, as keywords (`max_tags=5`), or both; raises TypeError for an unknown keyword.
        """
        options = options.updated(**changes)
        source = (
            article if isinstance(article, Article) else Article(id=str(number), body=article)
            for number, article in enumerate(articles)
        )
        cache = PredictionCache()
        ready: Iterator[Chunk[Never]] = chunks(article.with_headline() for article in source)
        for chunk in ready:
            yield from predict_distinct(chunk.articles, cache, lambda fresh: self._predict(fresh, options))
            cache.trim()
            if chunk.failure:
                raise chunk.failure

    def _predict(self, articles: Sequence[Article], options: PredictOptions) -> Iterator[Prediction]:
        """Yield the prediction of each article, all encoded together."""
        outputs = self.encoder.encode(articles) if articles else ()
        for article, output in zip(articles, outputs, strict=True):
            yield self._decode(article, output, options).relocated(article.id, article.offset)

    def _decode(self, article: Article, output: NetworkOutput, options: PredictOptions) -> Prediction:
        """Return the prediction for a text, with spans from the beginning of its body."""
        sample = article.body[:: 1 + len(article.body) // _SAMPLE_CHARS]
        if not arabic_share(sample) and not arabic_share(article.title):
            return Prediction("")
        topics = self.topic_decoder.decode(output.topic_logits, options.max_topics, options.min_score)
        sure = self.artifact.settings.sure
        confident = sure < 1 and any(topic.score >= sure for topic in topics[:1])
        return Prediction("", topics, self.tag_ranker.rank(article, output, options), confident)

    def _tag_logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the logits [texts, labels] of the tag head."""
        return self.encoder.encode([Article(id="", body=text) for text in texts]).tag_logits
