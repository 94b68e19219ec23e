"""What runs the network: ONNX Runtime or torch behind one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wusum.model.errors import ModelError
from wusum.model.options import ModelSpec

_CPU = "CPUExecutionProvider"
_CUDA = ("CUDAExecutionProvider", {"use_tf32": "0"})
"""Without TF32, which keeps three digits: a score would not be the CPU's."""

WindowLogits = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Topic logits [windows, topics], tag logits [windows, tags] and span logits [windows, tokens, kinds * marks]."""


DEVICES = ("auto", "cpu", "cuda")
"""Where a network runs; "auto" is a CUDA device where the runtime can use one, else the CPU."""


class Runtime(Protocol):
    """Runs the network on a batch of windows."""

    @property
    def device(self) -> str:
        """Where: "cpu" or "cuda"."""
        ...

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> WindowLogits:
        """The logits of ids and mask [windows, tokens]."""
        ...


class OnnxRuntime:
    """`model.onnx` on ONNX Runtime: on the CPU, or on a GPU where onnxruntime-gpu is installed."""

    graph = "model.onnx"

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cpus()
        options.log_severity_level = 3
        # Plans of memory, one for each shape of a batch, cost more of it (240 MiB, not 200) and save no time here.
        options.enable_mem_pattern = False

        def session(*providers: Any) -> Any:
            # Without ONNX Runtime's own fallback, which prints to standard output.
            return onnxruntime.InferenceSession(
                folder / self.graph, options, providers=[*providers, _CPU], enable_fallback=0
            )

        available = () if device == "cpu" else onnxruntime.get_available_providers()
        found, reason = _on_cuda(available, session)
        if device == "cuda" and not found:
            raise ModelError(f"no CUDA device for the onnx runtime: {reason}; --device cpu does without")
        try:
            self._session = found or session()
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class
            raise ModelError(
                f"{folder}: {self.graph}, or model.safetensors with its weights, is damaged; install it again: {error}"
            ) from error
        self.device = "cuda" if found else "cpu"

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> WindowLogits:
        topics, tags, spans = self._session.run(None, {"input_ids": input_ids, "attention_mask": attention_mask})
        return topics, tags, spans


INT8_NEEDS_CPU = "no CUDA device for the int8 runtime: it is for the CPU; the onnx runtime is for both"


class Int8Runtime(OnnxRuntime):
    """`model.int8.onnx`, the same weights in products of 8-bit integers, on the CPU."""

    graph = "model.int8.onnx"

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        if device == "cuda":
            raise ModelError(INT8_NEEDS_CPU)
        if not (folder / self.graph).is_file():
            raise ModelError(
                f"{folder / self.graph}: missing, the model was exported before there was one; export and "
                "calibrate it again, or run it with the onnx runtime"
            )
        super().__init__(folder, threads, "cpu")


def _on_cuda(available: Sequence[str], session: Callable[..., Any]) -> tuple[Any, str]:
    """A session on a CUDA device, or None and why there is none."""
    name, _ = _CUDA
    if name not in available:
        return None, "onnxruntime is built for the CPU; onnxruntime-gpu takes its place"
    try:
        found = session(_CUDA)
    except Exception as error:  # no device, no driver or no memory
        return None, str(error)
    # Where it does not find CUDA's libraries, it leaves the network on the CPU without an error.
    return (found, "") if name in found.get_providers() else (None, "onnxruntime-gpu does not find CUDA's libraries")


class TorchRuntime:
    """The same weights in torch; needs the `train` extra."""

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        try:
            import torch

            from wusum.model.network.module import load_network
        except ImportError as error:
            raise ModelError("the torch runtime needs torch and transformers: pip install 'wusum[train]'") from error
        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        here = device != "cpu" and torch.cuda.is_available()
        if device == "cuda" and not here:
            raise ModelError("no CUDA device for the torch runtime: torch finds none; --device cpu does without")
        self.device = "cuda" if here else "cpu"
        try:
            network = load_network(folder)
        except Exception as error:  # safetensors, torch and transformers each have their own
            raise ModelError(f"{folder / 'model.safetensors'}: damaged, or not of this model: {error}") from error
        try:
            self._network = network.to(self.device)
        except RuntimeError as error:
            raise ModelError(f"the CUDA device cannot be used: {error}; --device cpu does without") from error

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> WindowLogits:
        with self._torch.inference_mode():
            inputs = (self._torch.from_numpy(part).to(self.device) for part in (input_ids, attention_mask))
            outputs = self._network(*inputs)
        topics, tags, spans = (output.cpu().numpy() for output in outputs)
        return topics, tags, spans


RUNTIMES: dict[str, type[OnnxRuntime] | type[TorchRuntime]] = {
    "onnx": OnnxRuntime,
    "int8": Int8Runtime,
    "torch": TorchRuntime,
}


def open_runtime(folder: Path, spec: ModelSpec) -> Runtime:
    """Open the runtime that `spec` names on a model folder; raises ModelError."""
    if spec.runtime not in RUNTIMES:
        raise ModelError(f"no runtime {spec.runtime!r}; there are {', '.join(RUNTIMES)}")
    if spec.device not in DEVICES:
        raise ModelError(f"no device {spec.device!r}; there are {', '.join(DEVICES)}")
    return RUNTIMES[spec.runtime](folder, spec.threads, spec.device)


def available_cpus() -> int:
    """Processors that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
