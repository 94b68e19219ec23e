"""Tags: ranked, against the tags that editors gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wusum.eval.baselines.keyphrases import UNSUPERVISED, TagBaseline, dictionary, nearest_phrases
from wusum.eval.config import EvalConfig
from wusum.eval.gold import read_tagged, sample, tagged_articles
from wusum.eval.measures.answers import Answers, Key, Tagging
from wusum.eval.suites.common import model_tags, to_tagging, training_tags
from wusum.eval.suites.suite import Suite
from wusum.model.tagger import Tagger
from wusum.train.data.corpora import Example, TagRules

BASELINES: dict[str, TagBaseline] = {"dictionary": dictionary, **UNSUPERVISED}
"""The baselines that do not use the model's encoder."""


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield for each tagged corpus the model, a dictionary of training tags, and unsupervised keyphrases."""
    for corpus in config.tag_corpora:
        for system in ("wusum", *BASELINES, "embeddings"):
            yield Key("tags", corpus, system)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return ranked tags."""
    return rank_tags(key, tagger, config, key.corpus, tagged_articles(config, key.corpus, config.split))


def rank_tags(key: Key, tagger: Tagger, config: EvalConfig, corpus: str, articles: Sequence[Example]) -> Tagging:
    """Return the ranked tags of articles of a corpus.

    Baselines learn from the training articles of that corpus and of those that editors tagged.
    """
    known = training_tags(config)
    if key.system == "wusum":
        return model_tags(tagger, key, articles, known)
    corpora = sorted({corpus, *TagRules.load(config.tag_rules).edited})
    training = [e for name in corpora for e in read_tagged(config.data, name, "train", config.tag_rules)]
    if config.quick:
        training = sample(training, config.quick_training, config.seed)
    rank = nearest_phrases(tagger) if key.system == "embeddings" else BASELINES[key.system]
    return to_tagging(key, articles, rank(training, articles), known)


SUITE = Suite(_keys, _answer)
