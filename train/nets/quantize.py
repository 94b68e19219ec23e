"""Quantise the matrix products of a graph to 8-bit integers, which are faster on processors with instructions for them.

Weights are quantised with a scale for each of a layer's outputs, by operations that ONNX Runtime folds into constants
when it loads the graph, so `model.safetensors` holds the weights of both graphs. Values are quantised at run time with
a scale for each token, so that the output for a token does not depend on the rest of the batch ("vector-wise
quantization" in Dettmers et al., "LLM.int8(): 8-bit matrix multiplication for transformers at scale", NeurIPS 2022).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

LEVELS, WEIGHT_LEVELS = 127, 63
"""The largest integers of values and of weights. Processors without VNNI add two products in 16 bits, which weights of
eight bits would overflow."""

ZERO = LEVELS + 1
"""The integer for the value 0: integers of values are unsigned."""

_MIN_SCALE = 1e-9
"""Least scale, for a token or an output whose values are all 0."""


def quantized(model: onnx.ModelProto, within: str) -> onnx.ModelProto:
    """Return the model with an integer product in place of each `Gemm` whose weight's name begins with `within`."""
    graph = _Graph()
    rows: dict[str, tuple[str, str]] = {}
    for node in model.graph.node:
        if node.op_type != "Gemm" or not node.input[1].startswith(within):
            graph.nodes.append(node)
            continue
        values, weight, bias = node.input
        if values not in rows:  # query, key and value share theirs
            rows[values] = graph.quantized_rows(values)
        graph.product(*rows[values], *graph.quantized_weight(weight), bias, node.output[0])
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    made.graph.node.extend(graph.nodes)
    made.graph.initializer.extend(graph.constants.values())
    made.opset_import.append(helper.make_opsetid(graph.domain, 1))
    return made


class _Graph:
    """The nodes and constants of the quantised graph, as they are added."""

    domain = "com.microsoft"
    """Domain of ONNX Runtime's own operators."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def quantized_rows(self, values: str) -> tuple[str, str]:
        """Add the quantisation of values.

        Return the names of unsigned integers [tokens, size] and scales [tokens, 1].
        """
        scale = self._scale(values, LEVELS)
        zero = numpy_helper.from_array(np.array([ZERO], np.uint8))
        zeros = self._node("ConstantOfShape", self._node("Shape", scale), value=zero)
        return self._node("QuantizeLinear", values, scale, zeros, axis=0), self._column(scale)

    def quantized_weight(self, weight: str) -> tuple[str, str]:
        """Add the quantisation of a weight [outputs, inputs].

        Return the names of signed integers [inputs, outputs] and scales [outputs].
        """
        scale = self._scale(weight, WEIGHT_LEVELS)
        whole = self._node("Round", self._node("Div", weight, self._column(scale)))
        signed = self._node("Cast", whole, to=onnx.TensorProto.INT8)
        return self._node("Transpose", signed, perm=[1, 0]), scale

    def product(self, values: str, scale: str, weight: str, weight_scale: str, bias: str, output: str) -> None:
        """Add the product of quantised values and weight, which is exact but for the scales, and the bias."""
        one, zero = self._constant("one", np.float32(1)), self._constant("zero", np.uint8(ZERO))
        inputs = (values, weight, one, weight_scale, zero)
        scaled = self._node("MatMulIntegerToFloat", *inputs, domain=self.domain)
        self._node("Add", self._node("Mul", scaled, scale), bias, output=output)

    def _scale(self, name: str, levels: int) -> str:
        """Add the scale [rows] that makes `levels` of the largest value of a row; return its name."""
        largest = self._node("ReduceMax", self._node("Abs", name), self._constant("within", np.array([1])), keepdims=0)
        scale = self._node("Mul", largest, self._constant(f"of_{levels}", np.float32(1 / levels)))
        return self._node("Max", scale, self._constant("least", np.float32(_MIN_SCALE)))

    def _column(self, scale: str) -> str:
        """Add a reshaping [rows] → [rows, 1]; return its name."""
        return self._node("Unsqueeze", scale, self._constant("within", np.array([1])))

    def _constant(self, name: str, value: Any) -> str:
        """Add a constant; return its name in the graph."""
        name = f"quantized.{name}"
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = output or f"quantized.{operator}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name
