"""What a caller chooses: models and limits."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from wusum.model.options import DEFAULT_OPTIONS, DEFAULT_SPEC, ModelSpec, PredictOptions
from wusum.model.tagger import Tagger


def test_options_are_updated_by_keyword() -> None:
    options = PredictOptions(max_topics=1).updated(max_tags=5, explain=True)
    assert options == PredictOptions(max_topics=1, max_tags=5, explain=True)
    assert options.updated() is options
    assert PredictOptions(3, 10, None, False) == DEFAULT_OPTIONS


def test_an_unknown_option_is_named_beside_the_known_ones(tagger: Tagger) -> None:
    message = "unknown option max_topic, tags; the options are max_topics, max_tags, min_score, explain"
    with pytest.raises(TypeError, match=message):
        DEFAULT_OPTIONS.updated(max_topic=3, max_tags=1, tags=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unknown option limit; the options are max_topics, max_tags"):
        tagger("نص", limit=1)  # type: ignore[call-overload]


def test_options_cannot_be_changed_in_place() -> None:
    for chosen, name in ((DEFAULT_OPTIONS, "max_tags"), (DEFAULT_SPEC, "runtime")):
        with pytest.raises(FrozenInstanceError):
            setattr(chosen, name, 1)


@pytest.mark.parametrize("spec", [DEFAULT_SPEC, ModelSpec(Path("model"), "int8", "cpu", 2, "tags.txt")])
def test_a_spec_is_pickled(spec: ModelSpec) -> None:
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_options_are_pickled() -> None:
    options = PredictOptions(1, 2, 0.5, True)
    assert pickle.loads(pickle.dumps(options)) == options
