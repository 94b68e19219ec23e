"""Calibration: it fits settings and tags, the same ones each time, each on the articles that it should be fitted on."""

from __future__ import annotations

import json
import lzma
import shutil
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from tests.support import POISON, TINY_COUNTS, calibrate_config, copy_corpora, edit_file
from wusum.model.tagger import Tagger
from wusum.model.tagging.sources.linear import LinearTagModel
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.word_statistics import WordStatistics
from wusum.train import inputs
from wusum.train.data.corpora import Example, LabelMap, examples, held_out
from wusum.train.stages import calibrate
from wusum.train.tagging import ranker, tag_thresholds
from wusum.train.tagging.topic_thresholds import read_hand_labels


def test_calibrating_again_changes_nothing(corpora: Path, trained: Path) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in trained.iterdir()}

    before = files()
    calibrate.run(calibrate_config(corpora, trained))
    assert files() == before


def test_settings_and_tags_are_fitted(corpora: Path, trained: Path) -> None:
    trees = BoostedTrees.load(trained / "ranking.json")
    assert len(trees.roots) == calibrate_config(corpora, trained).trees  # all candidates are tags without the network
    assert trees.bias != BoostedTrees.unfitted().bias
    assert len(LinearTagModel.load(trained, len(Vocabulary.load(trained / "tags.tsv").entries)).weights) > 50
    settings = json.loads((trained / "config.json").read_text(encoding="utf-8"))["wusum"]
    assert 0 < settings["tags"]["threshold"] < settings["tags"]["absent_threshold"]
    assert settings["topics"][3]["given"] is False


# ---- which articles are read


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of a finished model, to be calibrated anew."""
    return shutil.copytree(trained, tmp_path / "model")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """The ids of the articles whose outputs each module asks for, filled as calibration goes on."""
    found: dict[str, list[list[str]]] = {}

    def recorded(name: str) -> Any:
        def outputs(tagger: Tagger, rows: Sequence[Example]) -> Iterator[Any]:
            found.setdefault(name, []).append([row.id for row in rows])
            return real(tagger, rows)

        return outputs

    real = ranker.network_outputs
    for module in (calibrate, ranker, tag_thresholds):
        monkeypatch.setattr(module, "network_outputs", recorded(module.__name__.rpartition(".")[2]))
    return found


def ids(corpora: Path, corpus: str, split: str, before: str = "") -> list[str]:
    return [example.id for example in examples(corpora, corpus, [split], before)]


def hand_labels(path: Path) -> str:
    """Write hand labels of three articles, and return the file."""
    rows = ({"corpus": "plain", "id": f"plain-validation-{n}", "topics": ["sport", "health"]} for n in range(3))
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("before", ["", "2024-07"])
def test_every_part_is_fitted_on_its_split(
    corpora: Path, model: Path, tmp_path: Path, read: dict[str, list[list[str]]], before: str
) -> None:
    by_hand = hand_labels(tmp_path / "hand.jsonl")
    config = replace(
        calibrate_config(corpora, model), tag_holdout=0.3, before=before, topics_by_hand=by_hand,
        phrase_corpora=["almayadeen"],
    )  # fmt: skip
    calibrate.run(config)
    tagged = ids(corpora, "almayadeen", "train", before)
    fresh = [name for name in tagged if held_out(name, 0.3)]
    assert 0 < len(fresh) < len(tagged) / 2
    topics, hand = read["calibrate"]
    assert sorted(topics) == sorted(ids(corpora, "plain", "validation"))
    assert hand == ids(corpora, "plain", "validation")[:3]
    assert read["ranker"] == [fresh, ids(corpora, "almayadeen", "train")]
    assert read["tag_thresholds"] == [ids(corpora, "almayadeen", "validation", before)]


def test_tags_of_other_splits_are_unknown(trained: Path) -> None:
    vocabulary = Vocabulary.load(trained / "tags.tsv")
    assert vocabulary.index("مباراه") is not None
    assert not {entry.text for entry in vocabulary.entries} & {*POISON.values()}
    texts = [entry.tagged for entry in vocabulary.entries if entry.text in ("مباراة", "البورصة", "المستشفى")]
    assert sum(texts) == TINY_COUNTS["almayadeen"]["train"]


def counted(statistics: WordStatistics) -> int:
    """Return how many articles were counted, by the inverse document frequency of a word that none has."""
    return round(float(np.exp(statistics.idf("غائب")))) - 1


def test_words_are_counted_in_training_articles_the_same_number_of_each_corpus(corpora: Path) -> None:
    config, nothing = calibrate_config(corpora, Path("-")), Vocabulary([])
    statistics = calibrate.count_words(config, nothing)
    assert counted(statistics) == TINY_COUNTS["plain"]["train"]
    assert {statistics.idf(word) for word in POISON.values()} == {statistics.idf("غائب")}
    assert statistics.idf("يوم") == 0  # as every article has it
    both = replace(config, word_corpora=["plain", "almayadeen"])
    assert counted(calibrate.count_words(both, nothing)) == sum(counts["train"] for counts in TINY_COUNTS.values())
    assert counted(calibrate.count_words(replace(both, word_articles=11), nothing)) == 22
    early = len(ids(corpora, "plain", "train", "2024-07"))
    assert 0 < early < TINY_COUNTS["plain"]["train"]
    assert counted(calibrate.count_words(replace(config, before="2024-07"), nothing)) == early


# ---- topics


def labels_of(generator: np.random.Generator, probabilities: Any, sets: Any) -> Any:
    """Draw a topic for each article, and return which topics the label of that topic can mean [articles, topics]."""
    return sets[[generator.choice(len(row), p=row) for row in probabilities]]


@pytest.mark.parametrize("temperature", [0.5, 2.5])
def test_a_known_temperature_is_found(temperature: float) -> None:
    """The logits are scaled by it, after labels were drawn from their softmax; one label means two topics."""
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (4000, 4))
    sets = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]], bool)
    labels = labels_of(generator, softmax(logits, axis=1), sets)
    found = calibrate.fit_temperature([((logits * temperature).astype(np.float32), labels)])
    assert found == pytest.approx(temperature, rel=0.07)
    assert found == round(found, 4)


def test_every_corpus_counts_the_same_whatever_its_size() -> None:
    generator = np.random.default_rng(2)
    parts = []
    for scale, size in ((0.7, 2000), (3.0, 200)):
        logits = generator.normal(0, 2, (size, 3))
        labels = labels_of(generator, softmax(logits, axis=1), np.eye(3) > 0)
        parts.append(((logits * scale).astype(np.float32), labels))
    logits, labels = parts[1]
    repeated = (np.concatenate([logits] * 10), np.concatenate([labels] * 10))
    both = calibrate.fit_temperature(parts)
    assert both == pytest.approx(calibrate.fit_temperature([parts[0], repeated]), abs=1e-3)
    assert both == pytest.approx(calibrate.fit_temperature([*parts, *parts]), abs=1e-3)
    assert calibrate.fit_temperature(parts[:1]) + 0.3 < both < calibrate.fit_temperature(parts[1:]) - 0.3


def test_articles_are_sampled_by_their_hashed_ids(
    corpora: Path, trained: Path, tmp_path: Path, read: dict[str, list[list[str]]]
) -> None:
    """Corpora are often sorted by label, so the first articles of a file are no sample."""
    backwards = copy_corpora(corpora, tmp_path / "backwards")
    reverse_rows(backwards / "plain.jsonl.xz")
    tagger, label_map = Tagger.from_pretrained(trained), LabelMap.load(corpora / "topics.yaml")
    for data in (corpora, backwards):
        config = replace(calibrate_config(data, trained), max_rows=6, corpora=["almayadeen", "plain"])
        ((logits, sets),) = calibrate.labelled_articles(config, tagger, label_map)  # one of them has no labels
        assert logits.shape == sets.shape == (6, 4)
    chosen = sorted(ids(corpora, "plain", "validation"), key=lambda name: zlib.crc32(name.encode()))[:6]
    assert read["calibrate"] == [chosen, chosen]
    subjects = [int(name.rpartition("-")[2]) % 3 for name in chosen]
    assert sets.tolist() == [[s == 0, s == 1, s == 2, s == 2] for s in subjects]


def reverse_rows(path: Path) -> None:
    lines = lzma.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(lzma.compress(b"".join(lines[::-1])))


def test_thresholds_of_single_topics_are_kept_and_used(
    corpora: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def thresholds(scores: Any, gold: Any, least: int) -> Any:
        given.append((scores, gold, least))
        return 0.3, {1: 0.15}, 1.0

    monkeypatch.setattr(calibrate, "fit_topic_thresholds", thresholds)
    monkeypatch.setattr(calibrate, "fit_temperature", lambda parts: 20.0)
    config = replace(
        calibrate_config(corpora, model), topics_by_hand=hand_labels(tmp_path / "hand.jsonl"), hand_count=5
    )
    calibrate.run(config)
    settings = json.loads((model / "config.json").read_text(encoding="utf-8"))["wusum"]
    assert settings["threshold"] == 0.3
    assert [topic.get("threshold") for topic in settings["topics"]] == [None, 0.15, None, None]

    decoder = Tagger.from_pretrained(model).topic_decoder
    assert decoder.temperature == settings["temperature"] == 20
    for second, topics in ((1, 2), (2, 1)):  # of the same probability, above the threshold of one of them only
        probabilities = np.full(4, 1e-9)
        probabilities[[0, second]] = 0.8, 0.2
        logits = (np.log(probabilities) * decoder.temperature).astype(np.float32)
        assert len(decoder.decode(logits, 3, None)) == topics

    ((scores, gold, least),) = given
    assert least == 5
    assert gold.tolist() == [[True, False, True, False]] * 3
    assert (scores[:, 3] == 0).all()  # of a topic that is not given
    rows, _ = read_hand_labels(config.topics_by_hand, corpora, LabelMap.load(corpora / "topics.yaml"), 60)
    logits = np.stack([output.topic_logits for output in ranker.network_outputs(Tagger.from_pretrained(model), rows)])
    np.testing.assert_allclose(scores[:, :3], softmax(logits / 20, axis=1)[:, :3], atol=1e-5)
    # Without hand labels, no topic keeps a threshold of its own.
    calibrate.run(calibrate_config(corpora, model))
    settings = json.loads((model / "config.json").read_text(encoding="utf-8"))["wusum"]
    assert settings["threshold"] == calibrate.CalibrateConfig.topic_threshold
    assert not any("threshold" in topic for topic in settings["topics"])


# ---- what a calibration depends on


def test_the_digest_of_a_calibration_counts_settings_and_the_contents_of_its_inputs(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "code_digest", lambda *packages: "")
    data = copy_corpora(corpora, tmp_path / "data")
    shutil.copyfile(data / "plain.jsonl.xz", data / "words.jsonl.xz")
    shutil.copyfile(data / "plain.jsonl.xz", data / "phrases.jsonl.xz")
    by_hand = hand_labels(tmp_path / "hand.jsonl")
    config = replace(
        calibrate_config(data, Path("one")), topics_by_hand=by_hand, word_corpora=["words"], phrase_corpora=["phrases"]
    )
    digest = calibrate.inputs_digest
    found = [digest(config), digest(replace(config, trees=7)), digest(replace(config, topics_by_hand=""))]
    assert digest(replace(config, model=Path("other"), data=copy_corpora(data, tmp_path / "moved"))) == found[0]
    for name in ("plain", "almayadeen", "words", "phrases"):
        edit_file(data / f"{name}.jsonl.xz", "المباراة", "المنافسة")
        found.append(digest(config))
    for path in (data / "topics.yaml", data / "tag_rules.yaml", Path(by_hand)):
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        found.append(digest(config))
    assert len(set(found)) == len(found)
