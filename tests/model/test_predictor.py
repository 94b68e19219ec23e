"""Batches of columns, as datasets, Ray and Spark pass them."""

from __future__ import annotations

import inspect
import json
import pickle
import shutil
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest

from tests.support import PAGES
from wusum.model.article import Article
from wusum.model.predictor import Predictor, spark_predictor
from wusum.model.tagger import Tagger

BODIES = [Article.from_page(path.read_text(encoding="utf-8")).body for path in sorted(PAGES.glob("*.txt"))[:3]]


def test_datasets_map_takes_it_and_every_row_gets_its_answer(tagger: Tagger) -> None:
    rows = datasets.Dataset.from_dict(
        {"text": [BODIES[0], None, BODIES[1], "hello, this is no Arabic text", BODIES[2]]}
    )
    made = rows.map(Predictor(max_tags=3), batched=True, batch_size=2)
    expected = [tagger(body, max_tags=3).to_dict() for body in BODIES]
    for number, row in zip((0, 2, 4), expected, strict=True):
        assert {name: made[number][name] for name in ("confident", "topics", "tags")} | {"id": row["id"]} == row
        assert made[number]["error"] is None
    assert made[1]["error"] == "no text: NoneType"
    assert "not Arabic" in made[3]["error"]
    assert made[1]["topics"] == made[3]["tags"] == []
    assert made[1]["confident"] is made[3]["confident"] is False


def test_it_is_pickled_without_the_model() -> None:
    predictor = Predictor(title="headline")
    batch = {"text": BODIES[:1], "headline": [None]}
    first = predictor(batch)
    data = pickle.dumps(predictor)
    assert len(data) < 1000
    assert pickle.loads(data)(batch) == first
    with pytest.raises(KeyError):
        predictor({"body": BODIES})


def test_columns_to_keep_are_given_back(tagger: Tagger) -> None:
    batch = {"id": np.array(["a", "b"]), "text": np.array(BODIES[:2], dtype=object), "title": [float("nan"), None]}
    made = Predictor(title="title", keep=["id"])(batch)
    assert list(made) == ["id", "confident", "topics", "tags", "error"]
    assert list(made["id"]) == ["a", "b"]
    assert made["topics"] == [tagger(body).to_dict()["topics"] for body in BODIES[:2]]  # NaN is no title
    with pytest.raises(KeyError):
        Predictor(keep=["url"])(batch)


@pytest.mark.parametrize("title", [False, True])
def test_spark_gets_a_function_that_makes_the_predicting_one(title: bool) -> None:
    predict = spark_predictor(max_tags=2, title=title)()
    assert len(inspect.signature(predict).parameters) == 1 + title  # Spark passes as many columns as it has parameters
    texts = np.array([*BODIES, None], dtype=object)
    titles = np.array(["أسعار النفط", float("nan"), None, None], dtype=object)
    rows = [json.loads(line) for line in (predict(texts, titles) if title else predict(texts))]
    expected = Predictor(title="title" if title else None, max_tags=2)({"text": texts, "title": titles})
    assert [row["topics"] for row in rows] == expected["topics"]
    assert [row["confident"] for row in rows] == expected["confident"]
    assert [row["error"] for row in rows] == [None, None, None, "no text: NoneType"]
    assert all(len(row["tags"]) <= 2 for row in rows)
    assert any(row["tags"] for row in rows)


def test_spark_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    if not shutil.which("java"):
        pytest.skip("Java is not installed")
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StringType

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.warehouse.dir", str(tmp_path)).getOrCreate()
    try:
        data = session.createDataFrame(
            [(str(n), body, "عنوان") for n, body in enumerate(BODIES)], ["id", "text", "title"]
        )
        for columns in (["text"], ["text", "title"]):
            titled = len(columns) == 2
            tag = predict_batch_udf(spark_predictor(max_tags=2, title=titled), return_type=StringType(), batch_size=2)
            made = {
                row["id"]: json.loads(row["made"]) for row in data.select("id", tag(*columns).alias("made")).collect()
            }
            expected = Predictor(title="title" if titled else None)({"text": BODIES, "title": ["عنوان"] * len(BODIES)})
            assert [made[str(n)]["topics"] for n in range(len(BODIES))] == expected["topics"]
    finally:
        session.stop()
