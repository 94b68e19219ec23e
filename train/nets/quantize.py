"""The network's products in integers of eight bits: faster where a processor has instructions for them.

Weights are quantised with a scale for each of a layer's outputs, by operations that ONNX Runtime folds into constants
when it loads the graph: the weights of `model.safetensors` serve both graphs. Values are quantised when they come, with
a scale for each token, so that no token's answer depends on what else is in the batch ("vector-wise quantization" in
Dettmers et al., "LLM.int8(): 8-bit matrix multiplication for transformers at scale", NeurIPS 2022).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

LEVELS, WEIGHT_LEVELS = 127, 63
"""The largest whole numbers of values and weights. Processors without VNNI add two products in 16 bits, for which
weights of eight would be too large."""

ZERO = LEVELS + 1
"""What stands for the value 0: integers of values are unsigned."""

_LEAST = 1e-9
"""A scale is at least this, for a token or an output whose values are all 0."""


def quantized(model: onnx.ModelProto, within: str) -> onnx.ModelProto:
    """The model with integer products in place of each `Gemm`, bias and all, whose weight's name begins with `within`:
    of the layers in the encoder, not of the heads."""
    graph = _Graph()
    rows: dict[str, tuple[str, str]] = {}
    for node in model.graph.node:
        if node.op_type != "Gemm" or not node.input[1].startswith(within):
            graph.nodes.append(node)
            continue
        values, weight, bias = node.input
        if values not in rows:  # query, key and value have the same
            rows[values] = graph.quantized_rows(values)
        graph.product(*rows[values], *graph.quantized_weight(weight), bias, node.output[0])
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    made.graph.node.extend(graph.nodes)
    made.graph.initializer.extend(graph.constants.values())
    made.opset_import.append(helper.make_opsetid(graph.ours, 1))
    return made


class _Graph:
    """Nodes in the making."""

    ours = "com.microsoft"
    """Where ONNX Runtime keeps its own operators."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def quantized_rows(self, values: str) -> tuple[str, str]:
        """Unsigned integers [tokens, size] for values of the same shape, and their scales [tokens, 1]."""
        scale = self._scale(values, LEVELS)
        zero = numpy_helper.from_array(np.array([ZERO], np.uint8))
        zeros = self._node("ConstantOfShape", self._node("Shape", scale), value=zero)
        return self._node("QuantizeLinear", values, scale, zeros, axis=0), self._column(scale)

    def quantized_weight(self, weight: str) -> tuple[str, str]:
        """Signed integers [inputs, outputs] for a weight [outputs, inputs], and the scales [outputs]."""
        scale = self._scale(weight, WEIGHT_LEVELS)
        whole = self._node("Round", self._node("Div", weight, self._column(scale)))
        signed = self._node("Cast", whole, to=onnx.TensorProto.INT8)
        return self._node("Transpose", signed, perm=[1, 0]), scale

    def product(self, values: str, scale: str, weight: str, weight_scale: str, bias: str, output: str) -> None:
        """The values' product with the weight, which is exact but for its scales, and the bias."""
        one, zero = self._constant("one", np.float32(1)), self._constant("zero", np.uint8(ZERO))
        inputs = (values, weight, one, weight_scale, zero)
        told = self._node("MatMulIntegerToFloat", *inputs, domain=self.ours)
        self._node("Add", self._node("Mul", told, scale), bias, output=output)

    def _scale(self, name: str, levels: int) -> str:
        """The scale [rows] that makes the largest value of a row so many levels."""
        largest = self._node("ReduceMax", self._node("Abs", name), self._constant("within", np.array([1])), keepdims=0)
        scale = self._node("Mul", largest, self._constant(f"of_{levels}", np.float32(1 / levels)))
        return self._node("Max", scale, self._constant("least", np.float32(_LEAST)))

    def _column(self, scale: str) -> str:
        return self._node("Unsqueeze", scale, self._constant("within", np.array([1])))

    def _constant(self, name: str, value: Any) -> str:
        name = f"quantized.{name}"
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"quantized.{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name
