"""What runs the network: ONNX Runtime or torch behind one call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class ModelError(Exception):
    """A model folder that cannot be used: the message names the file and what to do."""


Outputs = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Topic logits [windows, topics], tag logits [windows, tags] and span logits [windows, tokens, kinds * marks]."""


class Runtime(Protocol):
    """Runs the network on a batch of windows."""

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        """The logits of ids and mask [windows, tokens]."""
        ...


class OnnxRuntime:
    """`model.onnx` on ONNX Runtime, on the CPU."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cpus()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                folder / "model.onnx", options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class
            raise ModelError(
                f"{folder}: model.onnx, or model.safetensors with its weights, is damaged; install it again: {error}"
            ) from error

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        topics, tags, spans = self._session.run(None, {"input_ids": input_ids, "attention_mask": attention_mask})
        return topics, tags, spans


class TorchRuntime:
    """The same weights in torch; needs the `train` extra."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        try:
            import torch

            from wusum.model.network import load_network
        except ImportError as error:
            raise ModelError("the torch runtime needs torch and transformers: pip install 'wusum[train]'") from error
        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        try:
            self._network = load_network(folder)
        except Exception as error:  # safetensors, torch and transformers each have their own
            raise ModelError(f"{folder / 'model.safetensors'}: damaged, or not of this model: {error}") from error

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Outputs:
        with self._torch.inference_mode():
            outputs = self._network(self._torch.from_numpy(input_ids), self._torch.from_numpy(attention_mask))
        topics, tags, spans = (output.numpy() for output in outputs)
        return topics, tags, spans


RUNTIMES: dict[str, type[OnnxRuntime] | type[TorchRuntime]] = {"onnx": OnnxRuntime, "torch": TorchRuntime}


def open_runtime(name: str, folder: Path, threads: int | None = None) -> Runtime:
    """The runtime called `name` (onnx or torch) on a model folder; raises ModelError."""
    if name not in RUNTIMES:
        raise ModelError(f"no runtime {name!r}; there are {', '.join(RUNTIMES)}")
    return RUNTIMES[name](folder, threads)


def available_cpus() -> int:
    """Processors that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
