"""Drift: tags of articles that are newer than all training articles, since news brings new names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from wusum.eval.baselines.keyphrases import dictionary
from wusum.eval.config import EvalConfig
from wusum.eval.gold import edited_articles, tagged_articles
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import model_tags, to_tagging
from wusum.eval.suites.retraining import retrain
from wusum.eval.suites.suite import Suite
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.words import match_key
from wusum.train.config import load
from wusum.train.stages import calibrate


def _keys(config: EvalConfig) -> Iterator[Key]:
    """Yield a model and a dictionary, made from articles before the date, on articles before and since."""
    if config.drift_date:
        name, date = config.drift_corpus, config.drift_date
        for corpus in (f"{name} before {date}", f"{name} since {date}"):
            for system in ("wusum", "dictionary"):
                yield Key("drift", corpus, system)


def _answer(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Return ranked tags by a model trained on articles before the date; the given tagger is not used.

    Raises ConfigError if there are no articles on this side of the date.
    """
    since = "since" in key.corpus
    tagged = tagged_articles(config, config.drift_corpus, config.split)
    articles = [e for e in tagged if e.date and (e.date >= config.drift_date) == since]
    if not articles:
        raise ConfigError(f"drift: no {config.split} article of {key.corpus}")
    training = [e for e in edited_articles(config, "train") if e.date < config.drift_date]
    known = {match_key(tag) for e in training for tag in e.tags or ()}
    if key.system == "dictionary":
        return to_tagging(key, articles, dictionary(training, articles), known)
    model = _train_before(config)
    return model_tags(Tagger.from_pretrained(model, runtime=config.runtime), key, articles, known)


def _train_before(config: EvalConfig) -> Path:
    """Return the folder of a model trained and calibrated on articles before the date."""
    model = retrain(config, f"before-{config.drift_date}", before=config.drift_date)
    if not Vocabulary.load(model / "tags.tsv").entries:
        settings = load(calibrate.CalibrateConfig, config.calibrate)
        calibrate.run(replace(settings, data=config.data, topics=config.topics, model=model, before=config.drift_date))
    return model


SUITE = Suite(_keys, _answer)
