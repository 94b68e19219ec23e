"""How tags last: train on articles before a date, measure on those since, for news makes new names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from wusum.eval.baselines.keyphrases import dictionary
from wusum.eval.config import EvalConfig
from wusum.eval.gold import tagged, with_tags
from wusum.eval.measures.answers import Answers, Key
from wusum.eval.suites.core import our_tags, tagging
from wusum.eval.suites.transfer import retrained
from wusum.model.errors import ConfigError
from wusum.model.tagger import Tagger
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.words import match_key
from wusum.train.config import load
from wusum.train.stages import calibrate


def drift_keys(config: EvalConfig) -> Iterator[Key]:
    """A model, and a dictionary, of the time before, on almayadeen's articles before and since."""
    if config.drift_date:
        for corpus in (f"almayadeen before {config.drift_date}", f"almayadeen since {config.drift_date}"):
            for system in ("wusum", "dictionary"):
                yield Key("drift", corpus, system)


def drift_answers(key: Key, tagger: Tagger, config: EvalConfig) -> Answers:
    """Ranked tags. The given model has no part in it. Raises ConfigError where there is no article on one side."""
    since = "since" in key.corpus
    found = [e for e in tagged(config, "almayadeen", config.split) if e.date and (e.date >= config.drift_date) == since]
    if not found:
        raise ConfigError(f"drift: no {config.split} article of {key.corpus}")
    training = [e for e in with_tags(config.data, "almayadeen", "train") if e.date < config.drift_date]
    known = {match_key(tag) for e in training for tag in e.tags or ()}
    if key.system == "dictionary":
        return tagging(key, found, dictionary(training, found), known)
    return our_tags(Tagger.from_pretrained(trained_before(config), runtime=config.runtime), key, found, known)


def trained_before(config: EvalConfig) -> Path:
    """Folder of the model that was trained and calibrated on articles before the date."""
    model = retrained(config, f"before-{config.drift_date}", before=config.drift_date)
    if not Vocabulary.load(model / "tags.tsv").entries:
        settings = load(calibrate.CalibrateConfig, config.calibrate)
        calibrate.run(replace(settings, data=config.data, topics=config.topics, model=model, before=config.drift_date))
    return model
