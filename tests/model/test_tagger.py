"""The bundled model: one answer for an article, however it is asked; offsets; leakage; runtimes."""

from __future__ import annotations

import json
import lzma
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.support import PAGES
from wusum.model.article import Article
from wusum.model.errors import ModelError
from wusum.model.network.artifact import BUNDLED, FILES
from wusum.model.network.topics import TopicDecoder
from wusum.model.prediction import Prediction
from wusum.model.tagger import Tagger
from wusum.model.text.words import match_key

FIRST_TOPIC = {
    "culture": {"01"},
    "economy": {"04"},
    "health": {"07"},
    "politics": {"11", "16"},
    "sport": {"15"},
    "technology": {"13"},
}


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    pages = [Article.from_page(path.read_text(encoding="utf-8"), path.stem) for path in sorted(PAGES.glob("*.txt"))]
    long = Article(id="long", title=pages[0].title, body="\n".join(page.body for page in pages * 4))
    short = Article(id="short", body="فاز المنتخب")
    return [*pages, long, short]


def assert_same(one: Prediction, other: Prediction) -> None:
    assert (one.id, one.confident) == (other.id, other.confident)
    assert [t.code for t in one.topics] == [t.code for t in other.topics]
    assert [(t.text, t.spans) for t in one.tags] == [(t.text, t.spans) for t in other.tags]
    scores = ([t.score for t in (*p.topics, *p.tags)] for p in (one, other))
    np.testing.assert_allclose(*scores, atol=1e-3)


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_sample_page_gets_its_topic_and_some_tags(tagger: Tagger, path: Path) -> None:
    prediction = tagger(Article.from_page(path.read_text(encoding="utf-8")))
    assert prediction.topics[0].code.removeprefix("medtop:")[:2] in FIRST_TOPIC[path.stem]
    assert prediction.tags


def test_alone_in_a_batch_and_in_any_order_the_answer_is_one(tagger: Tagger, articles: list[Article]) -> None:
    alone = {article.id: tagger(article) for article in articles}
    shuffled = articles * 2
    random.Random(5).shuffle(shuffled)
    for order in (articles, articles[::-1], shuffled):
        for article, prediction in zip(order, tagger(order), strict=True):
            assert prediction == alone[article.id]


def test_logits_do_not_depend_on_their_batch_to_the_last_bit(tagger: Tagger, articles: list[Article]) -> None:
    words = " ".join(article.body for article in articles).split()
    texts = [Article(id=str(n), body=" ".join(words[n : n + 3 + 7 * n])) for n in range(40)]
    together = tagger.encoder.encode(texts)
    for number, text in enumerate(texts):
        alone = tagger.encoder.encode([text])
        np.testing.assert_array_equal(together.topic_logits[number], alone.topic_logits[0])
        np.testing.assert_array_equal(together.tag_logits[number], alone.tag_logits[0])
        assert together.phrases[number] == alone.phrases[0]


def test_short_texts_in_full_batches_have_the_logits_of_each(tagger: Tagger, articles: list[Article]) -> None:
    words = " ".join(article.body for article in articles).split()
    texts = [Article(id=str(n), body=" ".join(words[n : n + 1 + n % 12])) for n in range(400)]
    together = tagger.encoder.encode(texts)
    for number in range(0, 400, 7):
        alone = tagger.encoder.encode([texts[number]])
        np.testing.assert_array_equal(together.tag_logits[number], alone.tag_logits[0])


def test_torch_gives_the_same_answer_as_onnx(tagger: Tagger, articles: list[Article]) -> None:
    other = Tagger.from_pretrained(runtime="torch")
    for one, two in zip(tagger.encoder.encode(articles), other.encoder.encode(articles), strict=True):
        np.testing.assert_allclose(one.topic_logits, two.topic_logits, atol=1e-3)
        np.testing.assert_allclose(one.tag_logits, two.tag_logits, atol=1e-3)
        assert one.phrases.keys() == two.phrases.keys()
    for one, two in zip(tagger(articles), other(articles), strict=True):
        assert_same(one, two)


def test_a_text_that_comes_again_is_not_encoded_again(
    tagger: Tagger, articles: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = []
    encode = tagger.encoder.encode
    monkeypatch.setattr(tagger.encoder, "encode", lambda found: run.extend(found) or encode(found))
    copies = [replace(article, id=f"{article.id}-{n}", offset=n) for n in range(80) for article in articles]
    predictions = list(tagger.stream(copies))
    assert len(run) == len(articles)
    assert [p.id for p in predictions] == [a.id for a in copies]
    for copy, prediction in zip(copies, predictions, strict=True):
        first = predictions[copies.index(copy) % len(articles)]
        assert prediction.topics == first.topics
        for tag, other in zip(prediction.tags, first.tags, strict=True):
            assert [(s - copy.offset, e - copy.offset) for s, e in tag.spans] == list(other.spans)


def test_spans_point_into_the_page_that_was_given(tagger: Tagger) -> None:
    count = 0
    for path in PAGES.glob("*.txt"):
        raw = path.read_text(encoding="utf-8").replace("\n", "\r\n")
        article = Article.from_page(raw)
        for tag in tagger(article, min_score=0.0).tags:
            for start, end in tag.spans:
                article_alone = (
                    "ا" if raw[start - 1 : start + 1] == "لل" else ""
                )  # the second ل of للحصبة is its article
                assert match_key(article_alone + raw[start:end]) == match_key(tag.text)
                assert article.offset <= start < end <= article.offset + len(article.body)
                count += 1
    assert count > 20


HEADLINE = "قراءة في أخبار اليوم من تونس والقاهرة وموسكو\n\n"


@pytest.mark.parametrize("headline", ["", HEADLINE])
def test_a_page_is_tagged_the_same_with_its_gold_fields_and_without(tagger: Tagger, headline: str) -> None:
    for path in PAGES.glob("*.txt"):
        raw = headline + path.read_text(encoding="utf-8")
        page = Article.from_page(raw)
        assert page.tags
        assert page.related or page.similar
        cut = raw[: page.offset + len(page.body)]
        forged = (
            raw[: page.offset + len(page.body)] + "\n\nالمصدر: سانا\n\nكلمات دلالية: كرة السلة، الفاتيكان، القهوة\n"
        )
        other = Article.from_page(forged)
        assert set(other.tags) == {"كرة السلة", "الفاتيكان", "القهوة"}
        assert page.title == headline.strip()
        with_fields = tagger(page, min_score=0.0)
        assert tagger(Article.from_page(cut), min_score=0.0) == with_fields
        assert tagger(cut, min_score=0.0).tags == with_fields.tags
        assert tagger(other, min_score=0.0) == with_fields


def test_real_pages_are_tagged_the_same_without_their_gold_fields(tagger: Tagger, shared: Path) -> None:
    with lzma.open(shared / "data" / "raw_pages.jsonl.xz", "rt", encoding="utf-8") as lines:
        raws = [json.loads(line)["raw"] for line in islice(lines, 60)]
    pages = [Article.from_page(raw) for raw in raws]
    cut = [Article.from_page(raw[: page.offset + len(page.body)]) for raw, page in zip(raws, pages, strict=True)]
    assert sum(bool(page.title) for page in pages) > 10
    for one, other in zip(tagger(pages), tagger(cut), strict=True):
        assert_same(one, other)


def test_long_blank_openings_are_skipped(tagger: Tagger, articles: list[Article]) -> None:
    sport = next(article for article in articles if article.id == "sport")
    for opening in ("\n" * 5000, "ـ" * 5000, " \t" * 3000):
        prediction = tagger(opening + sport.body)
        assert prediction.topics[0].name_en == "sport"
        assert prediction.topics[0].score > 0.9


def test_articles_before_a_failure_are_tagged(tagger: Tagger) -> None:
    def articles() -> Iterator[str]:
        yield from ["فاز المنتخب في المباراة"] * 3
        raise OSError("the disk is gone")

    stream = tagger.stream(articles())
    assert [next(stream).id for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)


def test_a_list_gives_a_list_and_a_stream_keeps_its_order(tagger: Tagger) -> None:
    texts = [f"{'فاز المنتخب في المباراة ' * (n % 7 + 1)}" for n in range(600)]
    predictions = list(tagger.stream(texts, max_tags=0))
    assert [p.id for p in predictions] == [str(n) for n in range(600)]
    assert tagger([]) == []
    assert isinstance(tagger(texts[0]), Prediction)


def test_a_text_without_arabic_gets_no_guess(tagger: Tagger) -> None:
    for text in ("", "   ", "The quick brown fox", "12345"):
        assert tagger(text) == Prediction("0")


def test_a_very_long_article_is_tagged_to_its_end(tagger: Tagger, articles: list[Article]) -> None:
    filler = "ثم عاد إلى البيت وجلس قليلا. " * 40_000
    prediction = tagger(f"{articles[0].body}\n{filler}\nموسكو", max_tags=300, min_score=0.0)
    assert len(filler) > 1_000_000
    spans = [span for tag in prediction.tags if tag.text == "موسكو" for span in tag.spans]
    assert spans
    assert spans[-1][1] == len(articles[0].body) + len(filler) + 7


def test_options_limit_the_answer(tagger: Tagger, articles: list[Article]) -> None:
    wide = tagger(articles[0], max_topics=17, max_tags=30, min_score=0.0)
    narrow = tagger(articles[0], max_topics=1, max_tags=2, min_score=0.0)
    assert len(wide.topics) > 3
    assert len(wide.tags) == 30
    assert narrow.topics == wide.topics[:1]
    assert narrow.tags == wide.tags[:2]
    assert len(tagger(articles[0], min_score=1.0).topics) == 1


def test_a_row_is_what_the_readme_says(tagger: Tagger, articles: list[Article]) -> None:
    row = json.loads(json.dumps(tagger(articles[0]).to_dict()))
    assert list(row) == ["id", "confident", "topics", "tags"]
    assert list(row["topics"][0]) == ["code", "name_ar", "name_en", "score"]
    assert list(row["tags"][0]) == ["text", "score", "spans"]
    assert row["topics"][0]["code"].startswith("medtop:")


@pytest.fixture
def sure_from(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that sets the score from which on the model is sure of a topic."""

    def change(score: float) -> None:
        settings = replace(tagger.artifact.settings, sure=score)
        monkeypatch.setattr(tagger, "artifact", replace(tagger.artifact, settings=settings))

    return change


def test_a_prediction_is_confident_if_its_first_topic_is_likely_enough(
    tagger: Tagger, articles: list[Article], sure_from: Callable[[float], None]
) -> None:
    score = tagger(articles[0]).topics[0].score
    for least, expected in ((score - 0.001, True), (score, True), (score + 0.001, False)):
        sure_from(least)
        copies = [replace(articles[0], id=str(n), offset=n) for n in range(3)]
        assert [prediction.confident for prediction in tagger(copies)] == [expected] * 3
        assert tagger(articles[0], max_topics=1, min_score=1.0).confident is expected
        assert tagger(articles[0]).to_dict()["confident"] is expected


def test_a_model_without_a_sure_score_is_never_confident(
    tagger: Tagger, articles: list[Article], sure_from: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagger, "topic_decoder", TopicDecoder(tagger.artifact.settings.topics, 1e-3, 0.5))
    for least, expected in ((0.99, True), (1.0, False)):
        sure_from(least)
        prediction = tagger(articles[0])
        assert (prediction.topics[0].score, prediction.confident) == (1.0, expected)


def test_no_topic_is_no_confident_answer(
    tagger: Tagger, articles: list[Article], sure_from: Callable[[float], None]
) -> None:
    sure_from(0.0)
    assert tagger(articles[0]).confident
    assert not tagger(articles[0], max_topics=0).confident
    assert not tagger("The quick brown fox").confident


def test_a_saved_model_is_the_model(tagger: Tagger, articles: list[Article], tmp_path: Path) -> None:
    tagger.save_pretrained(tmp_path / "copy")
    assert Tagger.from_pretrained(tmp_path / "copy")(articles[:3]) == tagger(articles[:3])


def runtime_of(file: str) -> str:
    """A runtime that needs a file."""
    return "int8" if file == "model.int8.onnx" else "onnx"


@pytest.mark.parametrize("file", [name for name in FILES if name != "README.md"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    shutil.copytree(BUNDLED, tmp_path / "model", ignore=shutil.ignore_patterns("base"))
    (tmp_path / "model" / file).unlink()
    with pytest.raises(ModelError, match=file):
        Tagger.from_pretrained(tmp_path / "model", runtime=runtime_of(file))


@pytest.mark.parametrize("file", [name for name in FILES if name != "README.md"])
def test_a_damaged_file_is_named(tmp_path: Path, file: str) -> None:
    shutil.copytree(BUNDLED, tmp_path / "model", ignore=shutil.ignore_patterns("base"))
    path = tmp_path / "model" / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=file):
        Tagger.from_pretrained(tmp_path / "model", runtime=runtime_of(file))


@pytest.mark.parametrize("name", ["temperature", "threshold", "sure"])
def test_a_missing_setting_is_named(tmp_path: Path, name: str) -> None:
    shutil.copytree(BUNDLED, tmp_path / "model", ignore=shutil.ignore_patterns("base"))
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["wusum"][name]
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=rf"config\.json: not the configuration of a wusum model.*{name}"):
        Tagger.from_pretrained(tmp_path / "model")


def test_a_model_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere: no such model folder"):
        Tagger.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="unknown runtime 'tpu'; the runtimes are onnx, int8, torch"):
        Tagger.from_pretrained(runtime="tpu")


def test_the_seed_page(tagger: Tagger, shared: Path) -> None:
    path = next((shared / "seed").glob("*.txt"))
    page = Article.from_page(path.read_text(encoding="utf-8"))
    prediction = tagger(page, max_tags=15, min_score=0.0)
    assert prediction.topics[0].code in {"medtop:11000000", "medtop:16000000"}
    given = {match_key(tag.text) for tag in prediction.tags}
    assert len(given.intersection(map(match_key, page.tags))) >= 10  # of the editor's eleven
    assert all(tag.spans for tag in tagger(page).tags)
