"""Drift: tags of articles that are newer than all training articles, since news brings new names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wusum.eval.baselines.keyphrases import dictionary
from wusum.eval.config import EvalConfig
from wusum.eval.gold import edited_articles, tagged_articles
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.common import model_tags, to_tagging, training_tags
from wusum.eval.suites.retraining import calibrated_folder, model_folder, recalibrate
from wusum.eval.suites.suite import Suite
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger


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
    since = key.corpus == f"{config.drift_corpus} since {config.drift_date}"
    tagged = tagged_articles(config, config.drift_corpus, config.split)
    articles = [e for e in tagged if e.date and (e.date >= config.drift_date) == since]
    if not articles:
        raise ConfigError(f"drift: no {config.split} article of {key.corpus}")
    training = [e for e in edited_articles(config, "train") if e.date < config.drift_date]
    known = training_tags(config, config.drift_date)
    if key.system == "dictionary":
        return to_tagging(key, articles, dictionary(training, articles), known)
    model = recalibrate(config, _name(config), config.drift_date)
    return model_tags(Tagger.from_pretrained(model, runtime=config.runtime), key, articles, known)


def _models(key: Key, config: EvalConfig) -> list[Path]:
    """Return the folders of the model that answers a key, and of the same one before its calibration."""
    if key.system != "wusum":
        return []
    name, date = _name(config), config.drift_date
    return [model_folder(config, name, before=date), calibrated_folder(config, name, date)]


def _name(config: EvalConfig) -> str:
    return f"before-{config.drift_date}"


SUITE = Suite(_keys, _answer, _models)
