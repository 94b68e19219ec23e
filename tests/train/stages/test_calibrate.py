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
from scipy.special import expit, logit, softmax

from tests.support import (
    POISON,
    TINY_COUNTS,
    annotate,
    calibrate_config,
    copy_corpora,
    edit_file,
    read_corpus,
    write_corpus,
)
from wusum.model.errors import CorpusError
from wusum.model.tagger import Tagger
from wusum.model.tagging.sources.linear import LinearTagModel
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.model.text.word_statistics import WordStatistics
from wusum.train import inputs
from wusum.train.data.corpora import Example, LabelMap, examples, held_out
from wusum.train.stages import calibrate
from wusum.train.tagging import ranker, tag_thresholds


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
    assert (
        len(
            LinearTagModel.load(
                trained / "linear.safetensors", len(Vocabulary.load(trained / "tags.tsv").entries)
            ).weights
        )
        > 50
    )
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


READ = ("read-validation-0", "read-validation-1", "read-validation-2", "read-validation-3")
"""Annotated validation articles."""


def annotated_rows(corpora: Path, **changes: Any) -> list[dict[str, Any]]:
    """Return annotated articles of every split, whose first topic is that of their label."""
    rows = read_corpus(corpora / "plain.jsonl.xz")
    chosen = [row for split in TINY_COUNTS["plain"] for row in [row for row in rows if row["split"] == split][:4]]
    return [
        row | {"id": row["id"].replace("plain", "read"), "topics": [row["label"], "weather"], "label": None} | changes
        for row in chosen
    ]


@pytest.fixture
def data(corpora: Path, tmp_path: Path) -> Path:
    """The tiny corpora, with annotated articles."""
    folder = copy_corpora(corpora, tmp_path / "data")
    write_corpus(folder / "annotated.jsonl.xz", annotated_rows(corpora))
    return folder


@pytest.mark.parametrize("before", ["", "2024-07"])
def test_every_part_is_fitted_on_its_split(
    corpora: Path, model: Path, read: dict[str, list[list[str]]], before: str
) -> None:
    config = replace(calibrate_config(corpora, model), tag_holdout=0.3, before=before, phrase_corpora=["almayadeen"])
    calibrate.run(config)
    tagged = ids(corpora, "almayadeen", "train", before)
    fresh = [name for name in tagged if held_out(name, 0.3)]
    assert 0 < len(fresh) < len(tagged) / 2
    (topics,) = read["calibrate"]
    assert sorted(topics) == sorted(ids(corpora, "plain", "validation"))
    assert read["ranker"] == [fresh, ids(corpora, "almayadeen", "train")]
    assert read["tag_thresholds"] == [ids(corpora, "almayadeen", "validation", before)]


def test_topics_are_fitted_on_annotated_validation_articles_where_there_are_any(
    data: Path, model: Path, tmp_path: Path, read: dict[str, list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    further = {"corpus": "almayadeen", "topics": ["sport"], "tags": ["وسم"]}
    annotate(
        monkeypatch, tmp_path,
        *(further | {"id": f"almayadeen-train-{n}", "split": split} for n, split in ((5, "validation"), (6, "train"))),
    )  # fmt: skip
    calibrate.run(replace(calibrate_config(data, model), annotated="annotated"))
    assert read["calibrate"] == [[*READ, "almayadeen-train-5"]]
    (fitted, *_) = read["ranker"]
    assert "almayadeen-train-5" not in fitted
    assert "almayadeen-train-6" in fitted or not held_out("almayadeen-train-6", 0.125)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_tags_of_annotated_articles_are_learned_as_those_of_editors(
    data: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str
) -> None:
    """An article that has both has those of the annotator. Half of the articles have their whole body."""
    rows = [row for row in read_corpus(data / "almayadeen.jsonl.xz") if row["split"] == split]
    for row in rows:
        row["text"] += " كلمة" * 200
    write_corpus(data / "almayadeen.jsonl.xz", rows)
    known = {"corpus": "almayadeen", "split": split, "topics": ["sport"], "tags": ["وسم"]}
    annotate(monkeypatch, tmp_path, *({**known, "id": row["id"]} for row in rows[:12]))
    config = replace(calibrate_config(data, trained), annotated="annotated")
    found = {example.id: example for example in calibrate.read_tagged(config, split)}
    read = [row["id"] for row in read_corpus(data / "annotated.jsonl.xz") if row["split"] == split and row["tags"]]
    assert list(found) == [*read, *(row["id"] for row in rows[:12]), *(row["id"] for row in rows[12:] if row["tags"])]
    both = [found[row["id"]] for row in rows[:12]]
    assert {(e.corpus, e.tags, e.phrases) for e in both} == {("annotated", ("وسم",), ("وسم",))}
    whole = [e for e in both if len(e.body.split()) > 200]
    assert {len(e.body.split()) for e in both if e not in whole} == {150}
    assert 2 <= len(whole) <= 10
    assert {found[row["id"]].corpus for row in rows[12:] if row["tags"]} == {"almayadeen"}
    without = calibrate.read_tagged(replace(config, annotated=""), split)
    assert [e.id for e in without] == [row["id"] for row in rows if row["tags"]]


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


@pytest.mark.parametrize("temperature", [0.5, 2.5])
def test_a_known_temperature_is_found_where_all_topics_are_known(temperature: float) -> None:
    """The logits are scaled by it, after the topics of each article were drawn independently of each other."""
    generator = np.random.default_rng(3)
    logits = generator.normal(-1, 2, (3000, 4))
    gold = generator.random(logits.shape) < expit(logits)
    found = calibrate.fit_known_temperature((logits * temperature).astype(np.float32), gold)
    assert found == pytest.approx(temperature, rel=0.07)
    assert found == round(found, 4)


def fitted_topics(data: Path, model: Path) -> dict[str, Any]:
    config = replace(calibrate_config(data, model), annotated="annotated", topic_count=2, sure_share=0.7)
    tagger = Tagger.from_pretrained(model)
    return calibrate.fit_topics(config, tagger, LabelMap.load(config.topics), [{"code": code} for code in "abcd"])


def test_settings_of_topics_depend_on_annotated_validation_articles_alone(data: Path, trained: Path) -> None:
    """In the other splits, all topics change, and so do the words of the poisoned texts."""
    first = fitted_topics(data, trained)
    assert first.keys() == {"temperature", "threshold", "sure", "topics"}
    (outputs, gold) = [], []
    for row in (row for row in read_corpus(data / "annotated.jsonl.xz") if row["split"] == "validation"):
        assert POISON["validation"] in row["text"]
        example = Example(row["id"], "annotated", row["title"] or "", row["text"], None, None)
        outputs += ranker.network_outputs(Tagger.from_pretrained(trained), [example])
        gold.append([key in row["topics"] for key in ("sport", "economy", "health", "weather")])
    logits = np.stack([output.topic_logits for output in outputs])
    assert first["temperature"] == pytest.approx(calibrate.fit_known_temperature(logits, np.array(gold)), abs=1e-3)

    def changed(*splits: str) -> dict[str, Any]:
        rows = read_corpus(data / "annotated.jsonl.xz")
        other = {"sport": "economy", "economy": "health", "health": "sport"}
        for row in rows:
            if row["split"] in splits:
                row |= {"topics": [other[row["topics"][0]]], "text": f"{row['text']} {POISON['test']}"}
        folder = copy_corpora(data, data.parent / "-".join(splits))
        write_corpus(folder / "annotated.jsonl.xz", rows)
        return fitted_topics(folder, trained)

    assert changed("train", "test") == first
    assert changed("validation") != first


def test_of_annotated_articles_only_those_with_topics_count(data: Path, trained: Path) -> None:
    first = fitted_topics(data, trained)
    rows = read_corpus(data / "annotated.jsonl.xz")
    without = [row | {"id": "empty", "topics": []} for row in rows if row["split"] == "validation"]
    write_corpus(data / "annotated.jsonl.xz", [*rows, *without])
    assert fitted_topics(data, trained) == first
    write_corpus(data / "annotated.jsonl.xz", [rows[0] | {"split": "validation", "topics": ["love"]}])
    with pytest.raises(CorpusError, match="annotated: read-train-0: no topic 'love'"):
        fitted_topics(data, trained)


@pytest.mark.parametrize("annotated", ["", "annotated"])
def test_without_annotated_validation_articles_labels_give_the_temperature(
    data: Path, trained: Path, annotated: str
) -> None:
    """The rest is as the settings say."""
    rows = [row for row in read_corpus(data / "annotated.jsonl.xz") if row["split"] != "validation"]
    write_corpus(data / "annotated.jsonl.xz", rows)
    config = replace(calibrate_config(data, trained), annotated=annotated, topic_threshold=0.37)
    tagger, label_map = Tagger.from_pretrained(trained), LabelMap.load(config.topics)
    temperature = calibrate.fit_temperature(calibrate.labelled_articles(config, tagger, label_map))
    found = calibrate.fit_topics(config, tagger, label_map, [{}] * 4)
    assert found == {"temperature": temperature, "threshold": 0.37, "sure": 1.0}


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


def test_fitted_settings_of_topics_are_kept_and_used(data: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def thresholds(scores: Any, gold: Any, least: int) -> Any:
        given.append((scores, gold, least))
        return 0.3, {1: 0.15}, 1.0

    def sure(scores: Any, right: Any, share: float) -> float:
        given.append((scores, right, share))
        return 0.7

    write_corpus(data / "annotated.jsonl.xz", annotated_rows(data, topics=["health", "sport"]))
    monkeypatch.setattr(calibrate, "fit_topic_thresholds", thresholds)
    monkeypatch.setattr(calibrate, "fit_sure_score", sure)
    monkeypatch.setattr(calibrate, "fit_known_temperature", lambda logits, gold: 20.0)
    config = replace(calibrate_config(data, model), annotated="annotated", topic_count=5, sure_share=0.8)
    calibrate.run(config)
    settings = json.loads((model / "config.json").read_text(encoding="utf-8"))["wusum"]
    assert (settings["threshold"], settings["sure"]) == (0.3, 0.7)
    assert [topic.get("threshold") for topic in settings["topics"]] == [None, 0.15, None, None]

    decoder = Tagger.from_pretrained(model).topic_decoder
    assert decoder.temperature == settings["temperature"] == 20
    for second, topics in ((1, 2), (2, 1)):  # of the same probability, above the threshold of one of them only
        probabilities = np.full(4, 1e-9)
        probabilities[[0, second]] = 0.8, 0.2
        logits = (logit(probabilities) * decoder.temperature).astype(np.float32)
        assert len(decoder.decode(logits, 3, None)) == topics

    (scores, gold, least), (first_scores, right, share) = given
    assert (least, share) == (5, 0.8)
    assert gold.tolist() == [[True, False, True, False]] * len(READ)
    assert (scores[:, 3] == 0).all()  # of a topic that is not given
    rows = list(examples(data, "annotated", ["validation"]))
    logits = np.stack([output.topic_logits for output in ranker.network_outputs(Tagger.from_pretrained(model), rows)])
    np.testing.assert_allclose(scores[:, :3], expit(logits / 20)[:, :3], atol=1e-5)
    np.testing.assert_array_equal(first_scores, scores.max(axis=1))
    assert right.tolist() == (scores.argmax(axis=1) == 2).tolist()  # health is the main topic, sport is another
    assert 0 < right.sum() < len(READ)
    # Without annotated articles, no topic keeps a threshold of its own.
    calibrate.run(calibrate_config(data, model))
    settings = json.loads((model / "config.json").read_text(encoding="utf-8"))["wusum"]
    assert (settings["threshold"], settings["sure"]) == (calibrate.CalibrateConfig.topic_threshold, 1.0)
    assert not any("threshold" in topic for topic in settings["topics"])


# ---- what a calibration depends on


def test_the_digest_of_a_calibration_counts_settings_and_the_contents_of_its_inputs(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "code_digest", lambda *packages: "")
    row = {"corpus": "further", "id": "further-1", "split": "train", "topics": ["sport"], "tags": ["وسم"]}
    annotate(monkeypatch, tmp_path, row)
    shutil.copyfile(data / "plain.jsonl.xz", data / "further.jsonl.xz")
    shutil.copyfile(data / "plain.jsonl.xz", data / "words.jsonl.xz")
    shutil.copyfile(data / "plain.jsonl.xz", data / "phrases.jsonl.xz")
    config = replace(
        calibrate_config(data, Path("one")), annotated="annotated", word_corpora=["words"], phrase_corpora=["phrases"]
    )
    digest = calibrate.inputs_digest
    found = [digest(config), digest(replace(config, trees=7)), digest(replace(config, annotated=""))]
    assert digest(replace(config, model=Path("other"), data=copy_corpora(data, tmp_path / "moved"))) == found[0]
    for name in ("plain", "almayadeen", "words", "phrases", "annotated", "further"):
        edit_file(data / f"{name}.jsonl.xz", "المباراة", "المنافسة")
        found.append(digest(config))
    for path in (data / "topics.yaml", data / "tag_rules.yaml"):
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        found.append(digest(config))
    annotate(monkeypatch, tmp_path, row | {"split": "validation"})
    found.append(digest(config))
    assert len(set(found)) == len(found)
