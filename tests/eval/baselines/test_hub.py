"""Classifiers of the Hub as baselines, by tiny ones in folders."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
import yaml
from safetensors.torch import load_file

from tests.fakes import FakeTagger
from tests.support import ROOT
from wusum.eval.baselines import hub
from wusum.eval.baselines.topics import TOPIC_BASELINES
from wusum.eval.config import EvalConfig
from wusum.eval.gold import read_split
from wusum.eval.measures.answers import Classification, Key
from wusum.eval.report.verdicts import verdicts
from wusum.eval.runner import evaluate
from wusum.eval.suites.topics import SUITE
from wusum.model.errors import ConfigError
from wusum.train.config import load
from wusum.train.data.corpora import LabelMap
from wusum.train.stages import tokenizer

LABELS = ["Health", "Sports", "Business"]
MEANINGS = {"Sports": ["sport"], "Business": ["economy"], "Health": ["health"]}


def saved(folder: Path, pieces: Path, kind: Any, labels: list[str], **settings: Any) -> Any:
    """An untrained network with its tokenizer, saved to a folder."""
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(pieces), pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(1)
    shape = transformers.BertConfig(
        vocab_size=len(fast), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=24, id2label=dict(enumerate(labels)), **settings,
    )  # fmt: skip
    network = kind(shape)
    network.save_pretrained(folder)
    return network


@pytest.fixture(scope="module")
def pieces(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.run(tokenizer.TokenizerConfig(corpora, folder, ["plain"], vocab_size=200, min_frequency=1))
    return folder / "tokenizer.json"


@pytest.fixture(scope="module")
def trained(corpora: Path, pieces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier that was taught the articles of the tiny corpus, with labels of its own."""
    folder = tmp_path_factory.mktemp("classifier")
    # Weights of BERT's 0.02 learn nothing for so long that now and then they had not by the end; these always have.
    steady = {"initializer_range": 0.1, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    network = saved(folder, pieces, transformers.BertForSequenceClassification, LABELS, **steady)
    fast = transformers.AutoTokenizer.from_pretrained(folder)
    articles = read_split(corpora, "plain", "train")
    inputs = fast([e.text for e in articles], truncation=True, max_length=24, padding=True, return_tensors="pt")
    targets = torch.tensor([["health", "sport", "economy"].index(e.label or "") for e in articles])
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(60):
        network(**inputs, labels=targets).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    network.save_pretrained(folder)
    return folder


def constant(folder: Path, pieces: Path, logits: list[float], **settings: Any) -> str:
    """A classifier that says the same of every text."""
    network = saved(folder, pieces, transformers.BertForSequenceClassification, LABELS, **settings)
    with torch.no_grad():
        network.classifier.weight.zero_()
        network.classifier.bias.copy_(torch.tensor(logits))
    network.save_pretrained(folder)
    return str(folder)


def config(corpora: Path, **models: dict[str, list[str]]) -> EvalConfig:
    labels = {"plain": ["sport", "economy", "health"]}
    return EvalConfig(corpora, corpora / "topics.yaml", labels, cache=corpora / "none", hub_models=models)


def answered(settings: EvalConfig) -> Classification:
    (name,) = settings.hub_models
    fake: Any = FakeTagger()
    answers = SUITE.answer(Key("topics", "plain", name), fake, settings)
    assert isinstance(answers, Classification)
    return answers


def test_a_label_counts_in_equal_parts_for_the_sets_with_one_of_its_topics(corpora: Path) -> None:
    label_map = LabelMap.load(corpora / "topics.yaml")  # sport, economy, health, weather
    meanings = {"a": ["sport"], "b": ["health", "weather"], "c": ["sport", "weather"], "d": []}
    found = hub.label_weights(["a", "b", "c", "d", "unmapped"], meanings, label_map, [(0,), (1,), (2, 3)])
    assert found.tolist() == [[1, 0, 0], [0, 0, 1], [0.5, 0, 0.5], [0, 0, 0], [0, 0, 0]]
    predicted, confidence = hub.most_probable(np.array([[0.2, 0.3, 0.1, 0.3, 0.1]]) @ found)
    assert predicted.tolist() == [2]
    assert confidence == pytest.approx([0.35 / (0.25 + 0.35)])


def test_a_classifier_answers_beside_the_other_baselines(corpora: Path, trained: Path, tmp_path: Path) -> None:
    name = str(trained)
    settings = replace(config(corpora, **{name: MEANINGS}), cache=tmp_path)
    assert [key.system for key in SUITE.keys(settings)] == ["wusum", *TOPIC_BASELINES, name]
    fake: Any = FakeTagger()
    evaluation = evaluate(fake, settings, ["topics"])
    answers = evaluation.find("topics", "plain", name)
    assert isinstance(answers, Classification)
    assert answers.correct.all()
    assert f"{name} on plain (accuracy -0.190)" in verdicts(evaluation)[0].text  # the fake is right on 17 of the 21


def test_probabilities_are_those_of_the_sets_alone(corpora: Path, pieces: Path, tmp_path: Path) -> None:
    logits = np.log([0.5, 0.3, 0.2]).tolist()
    name = constant(tmp_path / "one", pieces, logits)
    every = answered(config(corpora, **{name: MEANINGS}))
    assert set(every.predicted) == {every.classes.index("health / weather")}
    assert every.confidence == pytest.approx([0.5] * 21, abs=1e-5)
    two = answered(config(corpora, **{name: {"Sports": ["sport"], "Business": ["economy"]}}))
    assert set(two.predicted) == {two.classes.index("sport")}
    assert two.confidence == pytest.approx([0.3 / 0.5] * 21, abs=1e-5)
    name = constant(tmp_path / "several", pieces, [0.0, 9.0, 0.0], problem_type="multi_label_classification")
    several = answered(config(corpora, **{name: MEANINGS}))
    sure = 1 / (1 + np.exp(-9))
    assert several.confidence == pytest.approx([sure / (sure + 1)] * 21, abs=1e-5)


def test_a_classifier_is_not_measured_on_a_corpus_of_which_it_covers_one_class(corpora: Path) -> None:
    settings = config(corpora, one={"Sports": ["sport"], "Rain": ["weather"]})
    labels = {"plain": ["sport", "economy", "health"], "almayadeen": []}
    keys = list(SUITE.keys(replace(settings, topic_labels=labels)))
    assert [key.corpus for key in keys if key.system == "one"] == ["plain"]
    with pytest.raises(ConfigError, match="hub_models: one: its labels do not cover two classes of any corpus"):
        list(SUITE.keys(replace(settings, topic_labels={"plain": ["sport", "economy"]})))


def test_a_changed_folder_or_meaning_makes_an_answer_stale(corpora: Path, pieces: Path, tmp_path: Path) -> None:
    name = constant(tmp_path / "model", pieces, [1.0, 0.0, 0.0])
    settings = replace(config(corpora, **{name: MEANINGS}), cache=tmp_path / "cache")
    fake: Any = FakeTagger()

    def first(now: EvalConfig) -> str:
        answers: Any = evaluate(fake, now, ["topics"]).find("topics", "plain", name)
        return str(answers.classes[answers.predicted[0]])

    assert first(settings) == "health / weather"
    made = len(list(settings.cache.iterdir()))
    swapped = {"Sports": ["sport"], "Business": ["economy"], "Health": ["economy"]}
    assert first(replace(settings, hub_models={name: swapped})) == "economy"
    assert len(list(settings.cache.iterdir())) == made + 1  # the other systems were not asked again
    constant(tmp_path / "model", pieces, [0.0, 1.0, 0.0])
    assert first(settings) == "sport"


@pytest.mark.parametrize(
    ("name", "meanings", "reason"),
    [
        ("any", {"Sports": ["sports"], "Business": ["economy"]}, "any: Sports: no topic sports; there are sport, econ"),
        ("linear", MEANINGS, "linear is the name of another system"),
    ],
)
def test_a_mistake_in_the_meanings_is_reported_before_anything_is_measured(
    corpora: Path, name: str, meanings: dict[str, list[str]], reason: str
) -> None:
    with pytest.raises(ConfigError, match=f"hub_models: {reason}"):
        list(SUITE.keys(config(corpora, **{name: meanings})))


def test_a_label_that_the_model_lacks_is_named(corpora: Path, trained: Path) -> None:
    with pytest.raises(ConfigError, match="the model has no label 'Sport'; there are 'Health', 'Sports', 'Business'"):
        answered(config(corpora, **{str(trained): {"Sport": ["sport"], "Business": ["economy"]}}))


def test_a_classifier_that_cannot_be_loaded_is_named_and_none_of_its_code_is_run(
    corpora: Path, pieces: Path, tmp_path: Path
) -> None:
    def refused(folder: Path, reason: str) -> None:
        with pytest.raises(ConfigError, match=rf"(?s)hub_models: .*{folder.name}: cannot be loaded: .*{reason}"):
            answered(config(corpora, **{str(folder): MEANINGS}))

    refused(tmp_path / "nowhere", "nowhere")
    saved(tmp_path / "headless", pieces, transformers.BertModel, LABELS)
    refused(tmp_path / "headless", r"not a trained classifier: it lacks classifier\.bias, classifier\.weight")
    constant(tmp_path / "pickled", pieces, [1.0, 0.0, 0.0])
    weights = tmp_path / "pickled" / "model.safetensors"
    torch.save(load_file(weights), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    refused(tmp_path / "pickled", "model.safetensors")
    constant(tmp_path / "damaged", pieces, [1.0, 0.0, 0.0])
    (tmp_path / "damaged" / "model.safetensors").write_bytes(b"\xff" * 100)
    refused(tmp_path / "damaged", "")
    shutil.copytree(tmp_path / "pickled", tmp_path / "coded")
    code = {
        "model_type": "coded",
        "auto_map": {"AutoConfig": "coded.C", "AutoModelForSequenceClassification": "coded.M"},
    }
    (tmp_path / "coded" / "config.json").write_text(json.dumps(code), encoding="utf-8")
    (tmp_path / "coded" / "coded.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    refused(tmp_path / "coded", "trust_remote_code")
    assert not (tmp_path / "ran").exists()


def test_the_example_in_the_shipped_config_is_valid() -> None:
    text = (ROOT / "configs" / "eval.yaml").read_text(encoding="utf-8")
    (example,) = re.findall(r"^# hub_models:\n(?:#  .*\n)+", text, re.MULTILINE)
    settings = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--hub-models", str(uncommented(example))])
    assert settings.hub_models["owner/name@revision"]["Finance"] == ["economy", "labour"]
    found = hub.classifiers_by_corpus(settings, LabelMap.load(ROOT / "configs" / "topics.yaml"))
    assert set(map(tuple, found.values())) == {("owner/name@revision",)}


def uncommented(example: str) -> Any:
    return yaml.safe_load(re.sub("^# ", "", example, flags=re.MULTILINE))["hub_models"]
