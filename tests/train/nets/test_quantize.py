"""Products in 8-bit integers: what they compute, and that an article's answer is its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from tests.support import PAGES
from wusum.model import Article, Tagger
from wusum.model.cli import app
from wusum.model.errors import ModelError
from wusum.model.network.artifact import BUNDLED
from wusum.model.network.runtime import open_runtime
from wusum.model.options import ModelSpec
from wusum.model.run.manifest import model_fingerprint
from wusum.train.nets.quantize import LEVELS, WEIGHT_LEVELS, ZERO, quantized


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.from_pretrained(runtime="int8")


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    return [Article.from_page(path.read_text(encoding="utf-8"), id=path.stem) for path in sorted(PAGES.glob("*.txt"))]


def layer(weight: NDArray[np.float32], bias: NDArray[np.float32], name: str = "encoder.weight") -> onnx.ModelProto:
    """The graph of one layer."""
    node = helper.make_node("Gemm", ["values", name, "bias"], ["out"], transB=1)
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["rows", weight.shape[1]])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["rows", weight.shape[0]])],
        [numpy_helper.from_array(weight, name), numpy_helper.from_array(bias, "bias")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def run(model: onnx.ModelProto, values: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"values": values})
    return np.asarray(found)


def rounded(table: NDArray[np.float32], levels: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Whole numbers and their scales, a scale for each row."""
    scale = np.maximum(np.abs(table.astype(np.float64)).max(1, keepdims=True) / levels, 1e-9)
    return np.round(table / scale).astype(np.int64), scale


def test_a_product_is_that_of_whole_numbers() -> None:
    generator = np.random.default_rng(3)
    weight, bias = generator.normal(size=(24, 64)).astype(np.float32), generator.normal(size=24).astype(np.float32)
    values = (generator.normal(size=(9, 64)) * 10.0 ** np.arange(-4, 5)[:, None]).astype(np.float32)
    (whole, scale), (kernel, of_outputs) = rounded(values, LEVELS), rounded(weight, WEIGHT_LEVELS)
    expected = (whole @ kernel.T) * scale * of_outputs.T + bias
    found = run(quantized(layer(weight, bias), "encoder."), values)
    # A value just between two whole numbers may go the other way in single precision: a step of one, of 64 values.
    assert (np.abs(found - expected) <= 1.5 * scale * np.abs(weight).max() + 1e-6).all()
    assert np.mean(np.isclose(found, expected, rtol=1e-5, atol=1e-6)) > 0.9
    size = np.abs(values).max(1, keepdims=True) * np.abs(weight).max()
    assert (np.abs(found - run(layer(weight, bias), values)) < 0.05 * size).all()


def test_the_largest_numbers_do_not_overflow() -> None:
    assert 2 * (ZERO + LEVELS) * WEIGHT_LEVELS < 2**15  # also where two products are added in 16 bits
    weight = np.concatenate([np.ones((1, 64)), -np.ones((1, 64))]).astype(np.float32)
    values = np.concatenate([np.full((1, 64), 7), np.full((1, 64), -7)]).astype(np.float32)
    found = run(quantized(layer(weight, np.zeros(2, np.float32)), "encoder."), values)
    np.testing.assert_allclose(found, [[448, -448], [-448, 448]], rtol=1e-5)


def test_the_product_with_zeros_is_the_bias() -> None:
    bias = np.array([1, -2], np.float32)
    weight = np.array([[0] * 8, [1] * 8], np.float32)  # an output that nothing leads to, too
    found = run(quantized(layer(weight, bias), "encoder."), np.zeros((3, 8), np.float32))
    np.testing.assert_array_equal(found, np.tile(bias, (3, 1)))


def test_heads_stay_as_they_are() -> None:
    model = layer(np.ones((2, 8), np.float32), np.zeros(2, np.float32), name="topic_head.weight")
    assert [node.op_type for node in quantized(model, "encoder.").graph.node] == ["Gemm"]


def test_a_token_is_scaled_by_itself() -> None:
    generator = np.random.default_rng(5)
    model = quantized(layer(generator.normal(size=(8, 32)).astype(np.float32), np.zeros(8, np.float32)), "encoder.")
    values = generator.normal(size=(40, 32)).astype(np.float32)
    together = run(model, values)
    for row in (0, 17, 39):
        np.testing.assert_array_equal(run(model, values[row : row + 1])[0], together[row])
    values[20:] *= 1000
    np.testing.assert_array_equal(run(model, values)[:20], together[:20])


def test_an_article_has_the_same_answer_alone_and_among_others(tagger: Tagger, articles: list[Article]) -> None:
    words = " ".join(article.body for article in articles).split()
    texts = [*articles, *(Article(id=str(n), body=" ".join(words[n : n + 1 + 3 * (n % 40)])) for n in range(120))]
    together = tagger.encoder.encode(texts[::-1])
    for number in range(0, len(texts), 5):
        alone, found = tagger.encoder.encode([texts[number]]), len(texts) - 1 - number
        np.testing.assert_array_equal(together.topic_logits[found], alone.topic_logits[0])
        np.testing.assert_array_equal(together.tag_logits[found], alone.tag_logits[0])
        assert together.phrases[found] == alone.phrases[0]
    assert list(tagger.stream(articles)) == [tagger(article) for article in articles]


def test_integers_answer_as_single_precision_does(tagger: Tagger, articles: list[Article]) -> None:
    exact = Tagger.from_pretrained()
    for one, other in zip(tagger.encoder.encode(articles), exact.encoder.encode(articles), strict=True):
        np.testing.assert_allclose(one.topic_logits, other.topic_logits, atol=0.2)
        np.testing.assert_allclose(one.tag_logits, other.tag_logits, atol=0.2)
        assert not np.array_equal(one.topic_logits, other.topic_logits)  # it is another graph
    for mine, its in zip(tagger(articles), exact(articles), strict=True):
        assert mine.topics[0].code == its.topics[0].code
        assert mine.topics[0].score == pytest.approx(its.topics[0].score, abs=0.03)
        assert len({tag.text for tag in mine.tags} & {tag.text for tag in its.tags}) >= len(its.tags) - 1


def test_the_command_runs_in_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda path, *rest, **more: opened.append(path.name) or real(path, *rest, **more),
    )
    done = CliRunner().invoke(app, ["tag", str(PAGES / "sport.txt"), "--format", "jsonl", "--runtime", "int8"])
    assert done.exit_code == 0, done.output
    assert "رياضة" in done.stdout
    assert opened == ["model.int8.onnx"]


def test_a_model_without_the_graph_runs_on_the_others(tmp_path: Path) -> None:
    Tagger.from_pretrained().save_pretrained(tmp_path)
    (tmp_path / "model.int8.onnx").unlink()
    assert Tagger.from_pretrained(tmp_path)("فاز المنتخب في مباراة كرة القدم").topics[0].name_en == "sport"
    assert model_fingerprint(tmp_path) != model_fingerprint(BUNDLED)
    with pytest.raises(ModelError, match=r"model\.int8\.onnx: missing, the model was exported before there was one"):
        Tagger.from_pretrained(tmp_path, runtime="int8")
    Tagger.from_pretrained().save_pretrained(tmp_path / "other")
    Tagger.from_pretrained(tmp_path).save_pretrained(tmp_path / "other")
    assert not (tmp_path / "other" / "model.int8.onnx").exists()  # it would be another model's


def test_integers_are_for_the_cpu() -> None:
    assert open_runtime(BUNDLED, ModelSpec(runtime="int8")).device == "cpu"
    with pytest.raises(ModelError, match="no CUDA device for the int8 runtime: it is for the CPU"):
        open_runtime(BUNDLED, ModelSpec(runtime="int8", device="cuda"))
    page, options = str(PAGES / "sport.txt"), ["--engine", "ray", "--runtime", "int8", "--device", "cuda"]
    done = CliRunner().invoke(app, ["tag", page, *options])
    assert done.exit_code == 2
    assert "no CUDA device for the int8 runtime" in done.output
