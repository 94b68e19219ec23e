"""Suites and their answers, on cases computed by hand, and the bundled model against what the README says."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.fakes import FakeTagger
from tests.support import ROOT
from wusum.eval import gold, runner
from wusum.eval.baselines.keyphrases import UNSUPERVISED
from wusum.eval.cli import app
from wusum.eval.config import EvalConfig
from wusum.eval.measures.answers import Classification, Key, Labelling, Tagging, from_json, p_value, to_json
from wusum.eval.measures.metrics import f1_at, micro_f1
from wusum.eval.report.report import worst_errors, write_report
from wusum.eval.runner import evaluate
from wusum.eval.suites import core
from wusum.eval.suites.core import by_hand_answers, by_hand_keys, own_keys, robustness_keys, tag_answers, topic_answers
from wusum.model.errors import ConfigError, CorpusError
from wusum.model.network.outputs import NetworkOutputs
from wusum.model.network.topics import TopicDecoder
from wusum.model.tagger import Tagger
from wusum.train.config import load
from wusum.train.data.corpora import LabelMap

TOPICS, TAGS = Key("topics", "plain"), Key("tags", "almayadeen")


@pytest.mark.parametrize(
    ("gold", "ranked", "k", "f1"),
    [
        ({"a", "b", "c"}, ["a", "x", "b", "y", "z"], 5, 2 * 2 / 8),
        ({"a", "b", "c"}, ["a", "x", "b", "y", "z", "c"], 5, 2 * 2 / 8),
        ({"a"}, ["a"], 5, 2 * 1 / 6),
        ({"a"}, [], 5, 0.0),
        ({"a", "b"}, ["a", "b"], 2, 1.0),
    ],
)
def test_f1_at_k(gold: set[str], ranked: list[str], k: int, f1: float) -> None:
    assert f1_at(gold, ranked, k) == pytest.approx(f1)


def test_micro_f1_counts_every_label_of_every_article() -> None:
    pairs = [({"a", "b"}, {"a"}), ({"a"}, {"a", "c"}), (set(), {"b"})]
    assert micro_f1(pairs) == pytest.approx(2 * 2 / (3 + 4))
    assert micro_f1([]) == 0


@pytest.fixture
def fake() -> Any:
    return FakeTagger()


def config(corpora: Path, **labels: list[str]) -> EvalConfig:
    return EvalConfig(
        data=corpora, topics=corpora / "topics.yaml", topic_labels=labels, cache=corpora / "cache" / str(len(labels))
    )


def numbers(answers: Any) -> dict[str, float]:
    return {score.metric: score.value for score in answers.scores()}


def test_topics_are_judged_by_the_summed_probability_of_a_labels_set(corpora: Path, fake: Any) -> None:
    answers = topic_answers(TOPICS, fake, config(corpora, plain=["sport", "economy", "health"]))
    assert isinstance(answers, Classification)
    assert answers.classes == ("sport", "economy", "health / weather")
    found = numbers(answers)
    assert found["accuracy"] == pytest.approx(10 / 12)
    f1 = [2 * 4 / (4 + 6), 1.0, 2 * 2 / (2 + 4)]
    assert found["macro-F1"] == pytest.approx(sum(f1) / 3)
    assert answers.confusion().tolist() == [[4, 0, 0], [0, 4, 0], [2, 0, 2]]
    assert answers.per_class()[2] == {"class": "health / weather", "precision": 1, "recall": 0.5, "f1": pytest.approx(2 / 3), "articles": 4}  # fmt: skip # noqa: E501
    assert all(score.low <= score.value <= score.high for score in answers.scores() if score.metric != "ECE")
    sure = np.exp(9) / (np.exp(9) + 3)
    assert max(answers.confidence or ()) == pytest.approx(sure, abs=1e-5)


def test_a_models_topics_are_told_by_their_codes(corpora: Path, fake: Any) -> None:
    class Reordered(FakeTagger):
        topics = TopicDecoder(FakeTagger.topics.topics[::-1], 1.0, 0.5)

        def read(self, found: list[Any]) -> NetworkOutputs:
            readings = super().read(found)
            return replace(readings, topics=readings.topics[:, ::-1])

    class Dry(FakeTagger):
        topics = TopicDecoder(FakeTagger.topics.topics[:3], 1.0, 0.5)

    settings = config(corpora, plain=["sport", "economy", "health"])
    reordered, dry = Reordered(), Dry()  # type: Any, Any
    assert topic_answers(TOPICS, reordered, settings) == topic_answers(TOPICS, fake, settings)
    with pytest.raises(CorpusError, match="plain: the model has no topic weather, which labels of it mean"):
        topic_answers(TOPICS, dry, settings)


def test_labels_that_overlap_or_have_no_articles_are_refused(corpora: Path, fake: Any) -> None:
    with pytest.raises(CorpusError, match="overlap or mean nothing"):
        topic_answers(TOPICS, fake, config(corpora, plain=["sport", "unheard"]))
    with pytest.raises(CorpusError, match="no test article"):
        topic_answers(Key("topics", "almayadeen"), fake, config(corpora, almayadeen=[]))


def test_tags_are_compared_by_key_over_articles_tagged_with_care(
    corpora: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CorpusError, match="no test article of 300 characters with 3 tags"):
        tag_answers(TAGS, fake, config(corpora))
    monkeypatch.setattr(gold, "MIN_TAGGED_CHARS", 10)
    monkeypatch.setattr(gold, "MIN_GOLD_TAGS", 2)
    answers = tag_answers(TAGS, fake, config(corpora))
    assert isinstance(answers, Tagging)
    found = numbers(answers)
    assert found["F1@5"] == pytest.approx((4 / 12) * 2 / (5 + 2))
    assert found["F1@10"] == pytest.approx((4 / 12) * 2 / (10 + 2))
    assert found["F1@M"] == pytest.approx((4 / 12) * 2 / (1 + 2))
    assert answers.present is not None
    assert set(answers.present) == {("مباراه",), ("بورصه",), ("مستشفي",)}  # of which none was given
    assert (found["present R@10"], found["absent R@10"]) == (0, pytest.approx(4 / 12))
    assert "new R@10" not in found  # every tag is one of training
    assert answers.curve()[4] == (5, pytest.approx(found["F1@5"]))


def test_a_tag_is_new_that_stands_in_the_text_and_in_no_training_article() -> None:
    example = gold.Example("1", "c", "", "زار فلان مدينة بعيدة", None, ("فلان", "مدينة", "غائب"))
    answers = core.tagging(TAGS, [example], [("فلان",)], {"مدينه"})
    assert answers.new == (("فلان",),)
    assert numbers(answers)["new R@10"] == 1


@pytest.mark.parametrize("system", ["majority", "linear", "fastText-like"])
def test_topic_baselines_learn_from_the_training_split(corpora: Path, fake: Any, system: str) -> None:
    key = replace(TOPICS, system=system)
    found = numbers(topic_answers(key, fake, config(corpora, plain=["sport", "economy", "health"])))
    assert found["accuracy"] == (pytest.approx(1 / 3) if system == "majority" else 1.0)


def test_the_dictionary_finds_the_tags_of_training_articles(
    corpora: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gold, "MIN_TAGGED_CHARS", 10)
    monkeypatch.setattr(gold, "MIN_GOLD_TAGS", 2)
    answers = tag_answers(replace(TAGS, system="dictionary"), fake, config(corpora))
    found = numbers(answers)
    assert (found["present R@10"], found["absent R@10"]) == (1, 0)


@pytest.mark.parametrize("system", ["TF-IDF", "TextRank", "YAKE"])
def test_keyphrases_are_phrases_of_the_article_without_common_words_at_their_ends(system: str) -> None:
    def article(text: str) -> gold.Example:
        return gold.Example("1", "c", "", text, None, ("x",))

    training = [article(f"قال مصدر اليوم إن الأمر رقم{n} قد تم") for n in range(20)]
    story = "قال مصدر اليوم إن كأس العالم يبدأ غدا. كأس العالم في المغرب، وقال مصدر إن جمهور كأس العالم كبير اليوم"
    (ranked,) = UNSUPERVISED[system](training, [article(story)])
    assert 1 < len(ranked) <= 15
    assert len(set(ranked)) == len(ranked)
    assert all(f" {phrase} " in f" {gold.match_key(story)} " for phrase in ranked if system != "YAKE")
    assert "كاس عالم" in ranked[:3] or "عالم" in ranked[:3]
    if system != "YAKE":
        assert not {"قال", "مصدر", "يوم"} & {
            word for phrase in ranked for word in (phrase.split()[0], phrase.split()[-1])
        }


def test_phrases_nearest_to_the_article_by_the_models_own_encoder(tagger: Tagger) -> None:
    from wusum.eval.baselines.keyphrases import embeddings, varied

    football = "فاز الفريق في المباراة وسجل المهاجم هدفين في مرمى الخصم على ملعب المدينة"
    example = gold.Example("1", "c", "", f"{football} وقال المدرب إنه سعيد", None, ("هدف",))
    (ranked,) = embeddings(tagger)([], [example])
    assert 5 < len(ranked) <= 15
    assert all(set(phrase.split()) <= set(gold.match_key(example.text).split()) for phrase in ranked)
    alike = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], np.float32)
    assert varied(np.array([0.9, 0.8, 0.5], np.float32), alike) == [0, 2, 1]


def labelling(predicted: tuple[tuple[str, ...], ...]) -> Labelling:
    return Labelling(Key("by-hand", "all"), ("1", "2", "3"), (("a",), ("a", "c"), ("b",)), predicted)


def test_sets_of_topics_are_judged_over_all_their_labels() -> None:
    found = numbers(labelling((("b", "a"), ("a",), ())))
    assert found == {"micro-F1": pytest.approx(2 * 2 / (3 + 4)), "first right": pytest.approx(1 / 3)}


def test_each_topic_is_judged_by_itself() -> None:
    found = {row.pop("class"): row for row in labelling((("b", "a"), ("a",), ())).per_class()}
    assert found == {
        "a": {"precision": 1, "recall": 1, "f1": 1, "articles": 2},
        "b": {"precision": 0, "recall": 0, "f1": 0, "articles": 1},
        "c": {"precision": 0, "recall": 0, "f1": 0, "articles": 1},
    }
    one = replace(labelling((("a",), (), ("a",))), gold=(("a",), ("a",), ()))
    assert one.per_class() == [{"class": "a", "precision": 0.5, "recall": 0.5, "f1": 0.5, "articles": 2}]


def test_answers_come_back_from_json(corpora: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gold, "MIN_TAGGED_CHARS", 10)
    monkeypatch.setattr(gold, "MIN_GOLD_TAGS", 2)
    settings = config(corpora, plain=["sport", "economy", "health"])
    for answers in (
        topic_answers(TOPICS, fake, settings), tag_answers(TAGS, fake, settings), labelling((("a",), (), ("b",))),
    ):  # fmt: skip
        assert from_json(json.loads(json.dumps(to_json(answers)))) == answers


def test_topics_by_hand_are_compared_by_the_measure_that_is_told() -> None:
    ours = labelling((("a",), ("a",), ("b",)))
    theirs = replace(labelling((("a",), ("c",), ())), key=Key("by-hand", "all", "linear"))
    (row,) = runner.Evaluation((ours, theirs), {}).comparisons()
    assert row["difference"] == pytest.approx(2 * 3 / (3 + 4) - 2 * 2 / (2 + 4))
    assert (row["baseline"], row["metric"]) == ("linear", "micro-F1")
    with pytest.raises(ValueError, match="not the same kind"):
        p_value(ours, Tagging(ours.key, ours.ids, ours.gold, ours.gold))


def test_systems_are_compared_on_the_same_articles_only() -> None:
    one, other = labelling((("a",), ("a", "c"), ("b",))), labelling(((), (), ()))
    assert p_value(one, one) == 1
    assert p_value(one, other) < 0.5
    with pytest.raises(ValueError, match="not the same articles"):
        p_value(one, replace(other, ids=("1", "2", "4")))


def test_an_answer_is_made_once_for_a_model_and_its_data(corpora: Path, tmp_path: Path) -> None:
    fake: Any = FakeTagger()
    settings = replace(config(corpora, plain=["sport", "economy"]), cache=tmp_path, baselines=False)
    told: list[tuple[str, int, int]] = []
    first = evaluate(fake, settings, ["topics"], lambda key, done, total: told.append((key.corpus, done, total)))
    assert told == [("plain", 0, 1)]
    asked = fake.asked
    assert evaluate(fake, settings, ["topics"]).answers == first.answers
    assert fake.asked == asked
    for file in tmp_path.glob("*.json"):
        file.write_text(file.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert evaluate(fake, settings, ["topics"]).answers == first.answers  # a damaged file is made again
    evaluate(fake, replace(settings, topic_labels={"plain": ["sport", "health"]}), ["topics"])
    assert fake.asked == asked + 2
    evaluate(fake, replace(settings, runtime="int8"), ["topics"])
    assert fake.asked == asked + 3
    with pytest.raises(ConfigError, match="nothing to measure"):
        evaluate(fake, replace(settings, topic_labels={}), ["topics"])
    assert first.about["data"].keys() == {"plain.jsonl.xz", "almayadeen.jsonl.xz"}
    assert first.about["versions"]["numpy"] == np.__version__


def test_quick_runs_take_samples(corpora: Path, fake: Any) -> None:
    settings = replace(config(corpora, plain=["sport", "economy", "health"]), quick=True, quick_articles=5)
    answers = topic_answers(TOPICS, fake, settings)
    assert len(answers.ids) == 5
    assert answers.ids == topic_answers(replace(TOPICS, system="linear"), fake, settings).ids


def test_robustness_asks_for_topics_or_tags_of_known_corpora(corpora: Path) -> None:
    settings = config(corpora, plain=["sport", "economy"])
    assert len(list(robustness_keys(replace(settings, robustness={"plain": "topics"})))) == 12
    with pytest.raises(CorpusError, match="not names"):
        list(robustness_keys(replace(settings, robustness={"plain": "names"})))
    with pytest.raises(CorpusError, match="not among topic_labels"):
        list(robustness_keys(replace(settings, robustness={"almayadeen": "topics"})))


def test_ones_own_articles(corpora: Path, tmp_path: Path, fake: Any) -> None:
    file = tmp_path / "own.jsonl"
    rows: list[dict[str, Any]] = [
        {"id": "x", "text": "خبر عن مباراة", "topics": ["رياضة", "medtop:00000001"], "tags": ["كرة القدم"]},
        {"text": "خبر آخر", "topics": ["Health"]},
    ]
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n", encoding="utf-8")
    settings = replace(config(corpora), labelled=str(file), cache=tmp_path)
    assert [(key.corpus, key.system) for key in own_keys(settings)] == [
        ("topics", "wusum"), ("topics", "majority"),
        ("tags", "wusum"), ("tags", "TF-IDF"), ("tags", "YAKE"), ("tags", "TextRank"),
    ]  # fmt: skip
    found = evaluate(fake, settings, ["own"])
    topics, majority, tags, *_ = found.answers
    assert isinstance(majority, Labelling)
    assert majority.predicted == (("sport",), ("sport",))  # all three are as frequent, it comes first
    assert "own.jsonl" in found.about["data"]
    assert isinstance(topics, Labelling)
    assert topics.gold == (("sport", "economy"), ("health",))
    assert topics.ids == ("x", "2")
    assert numbers(topics)["micro-F1"] == pytest.approx(2 * 1 / (2 + 3))
    assert numbers(tags)["F1@5"] == pytest.approx(2 / 6)
    assert [answers.ids for answers in found.answers[2:]] == [("x",)] * 4
    phrases = found.find("own", "tags", "TF-IDF")
    assert isinstance(phrases, Tagging)
    assert "مباراه" in phrases.ranked[0]


def test_an_article_without_a_phrase_gets_none() -> None:
    number = gold.Example("1", "own", "", "1 2 3", None, ("x",))
    assert [UNSUPERVISED[system]([], [number]) for system in ("TF-IDF", "TextRank")] == [[()], [()]]


def test_the_report_of_ones_own_articles_shows_each_topic_and_what_went_wrong(
    corpora: Path, tmp_path: Path, fake: Any
) -> None:
    file = tmp_path / "own.jsonl"
    rows = [
        {"text": "خبر عن مباراة", "topics": ["sport"]},
        {"text": "خبر عن بنك", "topics": ["economy"], "tags": ["بنك"]},
    ]
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    settings = replace(config(corpora), labelled=str(file), cache=tmp_path)
    found = evaluate(fake, settings, ["own"])
    wrong = [(row["corpus"], row["gold"], row["given"], row["text"]) for row in worst_errors(found, settings)]
    assert wrong[0] == ("topics", "economy", "sport", "خبر عن بنك")
    assert [row[:2] for row in wrong[1:]] == [("tags", "بنك")]
    write_report(found, settings, tmp_path)
    made = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert [row["class"] for row in made["per_class"]["own/topics"]] == ["economy", "sport"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<td class="name">economy</td><td>0.000</td><td>0.000</td><td>0.000</td><td>1</td>' in page


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (ModuleNotFoundError("No module named 'torch'"), "'torch': pip install 'wusum[train,eval]'"),
        (CorpusError("plain: not there"), "wusum eval: plain: not there"),
    ],
)
def test_the_command_says_what_is_missing(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, reason: str
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise raised

    file = tmp_path / "eval.yaml"
    file.write_text(json.dumps({"data": str(corpora), "topics": str(corpora / "topics.yaml")}), encoding="utf-8")
    monkeypatch.setattr(Tagger, "from_pretrained", failing)
    done = CliRunner().invoke(app, ["eval", str(file)])
    assert (done.exit_code, reason in done.stderr) == (2, True)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert "wusum[train,eval]" in CliRunner().invoke(app, ["eval", str(file)]).stderr


@pytest.fixture
def command(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `wusum eval` with a model that needs no network; takes settings of the config, and then arguments."""
    opened: list[str] = []
    monkeypatch.setattr(Tagger, "from_pretrained", lambda name, *, runtime: opened.append(runtime) or FakeTagger())

    def run(settings: dict[str, Any], *arguments: str) -> Any:
        file = tmp_path / "eval.yaml"
        whole = {"data": str(corpora), "topics": str(corpora / "topics.yaml"), "cache": str(tmp_path / "cache")}
        file.write_text(json.dumps(whole | settings), encoding="utf-8")
        return CliRunner().invoke(app, ["eval", str(file), *arguments])

    run.opened = opened  # type: ignore[attr-defined]
    return run


def test_the_command_writes_reports_and_compares_them_and_models(command: Any, tmp_path: Path) -> None:
    settings = {"topic_labels": {"plain": ["sport", "economy"]}}
    flags = ("--suite", "topics", "--no-baselines")
    done = command(settings, *flags, "-o", str(tmp_path / "report"))
    assert (done.exit_code, "report.html and metrics.json written" in done.stderr) == (0, True)
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.html", "metrics.json", "answers.jsonl"}
    for other in (str(tmp_path / "report"), "a-model"):
        done = command(settings, *flags, "--compare", str(tmp_path / "report"), other)
        assert (done.exit_code, "+0.0000" in done.stdout, "1.0000" in done.stdout) == (0, True, True)
    done = command(settings, "--compare", "one", "other", "-o", str(tmp_path / "third"))
    assert (done.exit_code, "makes no report" in done.stderr) == (2, True)
    done = command(
        {"topic_labels": {"plain": ["sport", "economy", "health"]}},
        *flags,
        "--compare",
        "a-model",
        str(tmp_path / "report"),
    )
    assert (done.exit_code, "not the same articles" in done.stderr) == (2, True)


def test_the_command_runs_what_the_flag_says_or_else_the_config(command: Any) -> None:
    settings = {"topic_labels": {"plain": ["sport", "economy"]}}
    flags = ("--suite", "topics", "--no-baselines")
    for more, arguments in ({}, ()), ({"runtime": "torch"}, ()), ({"runtime": "torch"}, ("--runtime", "int8")):
        assert command(settings | more, *flags, *arguments).exit_code == 0
    assert command.opened == ["onnx", "torch", "int8"]


@pytest.mark.parametrize(
    ("suite", "settings", "reason"),
    [
        ("topics", {"topic_labels": {"nowhere": ["sport"]}}, "overlap or mean nothing"),
        ("topics", {"topic_labels": {"plain": ["sport", "sports"]}}, "overlap or mean nothing"),
        ("tags", {"tag_corpora": ["nowhere"]}, "nowhere.jsonl.xz"),
        ("parser", {"pages": "nowhere"}, "nowhere.jsonl.xz"),
        ("parser", {"pages": "plain"}, "plain: no raw page with the truth about its parts"),
        ("parser", {}, "nothing to measure"),
        ("robustness", {"robustness": {"nowhere": "tags"}}, "nowhere.jsonl.xz"),
        ("topics", {"topic_label": {}}, "topic_label"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_suite(
    command: Any, suite: str, settings: dict[str, Any], reason: str
) -> None:
    done = command(settings, "--suite", suite)
    assert (done.exit_code, done.stdout, reason in done.stderr.replace("\n", "")) == (2, "", True)


def test_a_suite_that_is_none_is_refused() -> None:
    done = CliRunner().invoke(app, ["eval", "--suite", "topic"])
    assert done.exit_code == 2
    assert "'topic' is not one of" in done.stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "an object with a text"),
        ('{"text": " "}', "an object with a text"),
        ('{"text": "خبر"}', "neither topics nor tags"),
        ('{"text": "خبر", "topics": ["sports"]}', "no topic 'sports'; there are"),
        ('{"text": "خبر", "topics": "sport"}', "topics is no list of names"),
        ('{"text": "خبر", "tags": [1]}', "tags is no list of names"),
        ('{"text": "خبر", "tags": ["؟", "!"]}', "no tag has a letter"),
    ],
)
def test_a_bad_line_of_ones_own_is_named(corpora: Path, tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text('{"text": "خبر", "topics": ["sport"]}\n' + line, encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"own\.jsonl:2: {reason}"):
        list(own_keys(replace(config(corpora), labelled=str(file))))


def test_the_bundled_model_is_as_good_as_the_readme_says(tagger: Tagger, shared: Path) -> None:
    settings = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--data", str(shared / "data")])
    topics = topic_answers(Key("topics", "sanad_khaleej"), tagger, settings)
    tags = tag_answers(TAGS, tagger, settings)
    assert (len(topics.ids), len(tags.ids)) == (4544, 810)
    accuracy, f1_at_5 = numbers(topics)["accuracy"], numbers(tags)["F1@5"]
    assert accuracy >= 0.965
    assert f1_at_5 >= 0.36
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for value in (accuracy, f1_at_5):
        assert f"{value:.3f}" in readme, f"{value} is not what README.md says"


def test_labels_of_one_meaning_are_one_class(corpora: Path, tmp_path: Path, fake: Any) -> None:
    text = (
        (corpora / "topics.yaml").read_text(encoding="utf-8").replace('"economy": ["economy"]', '"economy": ["sport"]')
    )
    (tmp_path / "topics.yaml").write_text(text, encoding="utf-8")
    settings = EvalConfig(corpora, tmp_path / "topics.yaml", {"plain": ["sport", "economy", "health"]})
    answers = topic_answers(TOPICS, fake, settings)
    assert numbers(answers)["accuracy"] == pytest.approx(6 / 12)  # every economy article is now held to be sport


def test_topics_by_hand_have_a_majority_and_a_linear_model_beside(
    corpora: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(corpora, plain=["sport", "economy", "health"])
    keys = list(by_hand_keys(settings))
    assert [(key.corpus, key.system) for key in keys] == [
        ("all", "wusum"), ("all", "majority"), ("all", "linear"), ("two topics", "wusum"), ("two topics", "majority"),
    ]  # fmt: skip
    rows = [
        (e, (e.label, "health") if e.id.endswith("-0") else (e.label,)) for e in gold.read(corpora, "plain", "test")
    ]
    monkeypatch.setattr(core, "by_hand", lambda _: [row for row in rows if row[0].label != "health"])
    ours, majority, linear, two, _ = (by_hand_answers(key, fake, settings) for key in keys)
    assert [len(answers.ids) for answers in (ours, linear, two)] == [8, 8, 1]
    assert numbers(majority)["first right"] == 0.5
    assert numbers(linear) == {"first right": 1, "micro-F1": pytest.approx(2 * 8 / (8 + 9))}


def test_articles_labelled_by_hand_must_all_be_there(corpora: Path, fake: Any) -> None:
    with pytest.raises(CorpusError, match=r"hespress\.jsonl\.xz"):
        by_hand_answers(Key("by-hand", "all"), fake, config(corpora))


def test_topics_by_hand_name_topics_and_articles_of_test_splits(tagger: Tagger, shared: Path) -> None:
    settings = load(EvalConfig, ROOT / "configs" / "eval.yaml", ["--data", str(shared / "data")])
    keys = LabelMap.load(ROOT / "configs" / "topics.yaml").keys
    lines = (ROOT / "eval" / "topics_by_hand.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        assert set(row["topics"]) <= set(keys)
        assert 1 <= len(row["topics"]) <= 2
    everything, two = (by_hand_answers(Key("by-hand", name), tagger, settings) for name in ("all", "two topics"))
    assert (len(everything.ids), len(two.ids)) == (353, 168)
    assert 0.4 < numbers(two)["micro-F1"] < numbers(everything)["micro-F1"]
