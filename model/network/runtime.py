"""Runtimes of the network: ONNX Runtime and torch behind one interface."""

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
"""TF32 is off: it keeps three digits, so that scores would differ from those of the CPU."""

WindowLogits = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Topic logits [windows, topics], tag logits [windows, tags] and span logits [windows, tokens, kinds * marks]."""

DEVICES = ("auto", "cpu", "cuda")
"""Devices to ask for; "auto" is a CUDA device if the runtime can use one, else the CPU."""


class Runtime(Protocol):
    """Runs the network on a batch of windows."""

    @property
    def device(self) -> str:
        """The device that it runs on, "cpu" or "cuda"."""

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> WindowLogits:
        """Return the logits for token ids and their mask, both [windows, tokens]."""


class OnnxRuntime:
    """Runs `model.onnx` with ONNX Runtime: on the CPU, or on a GPU if onnxruntime-gpu is installed."""

    graph = "model.onnx"
    """File name of the graph."""

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        """Open the graph of a model folder; `threads` None uses every processor.

        Raises ModelError if the graph or its weights are damaged, or if `device` is "cuda" and there is none.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cpus()
        options.log_severity_level = 3
        # A memory plan for each shape of a batch takes 240 MiB instead of 200 and saves no time here.
        options.enable_mem_pattern = False

        def session(*providers: Any) -> Any:
            # ONNX Runtime's own fallback is off: it prints to standard output.
            return onnxruntime.InferenceSession(
                folder / self.graph, options, providers=[*providers, _CPU], enable_fallback=0
            )

        available = () if device == "cpu" else onnxruntime.get_available_providers()
        found, reason = _on_cuda(available, session)
        if device == "cuda" and not found:
            raise ModelError(f"no CUDA device for the onnx runtime: {reason}; use --device cpu")
        try:
            self._session = found or session()
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class
            raise ModelError(
                f"{folder}: {self.graph}, or model.safetensors with its weights, is damaged; install the model again: "
                f"{error}"
            ) from error
        self.device = "cuda" if found else "cpu"

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> WindowLogits:
        """Return the logits for token ids and their mask, both [windows, tokens]."""
        topics, tags, spans = self._session.run(None, {"input_ids": input_ids, "attention_mask": attention_mask})
        return topics, tags, spans


INT8_NEEDS_CPU = "no CUDA device for the int8 runtime: it is for the CPU; use the onnx runtime"
"""The message of the error for the int8 runtime on a GPU."""


class Int8Runtime(OnnxRuntime):
    """Runs `model.int8.onnx`, the same network with matrix products of 8-bit integers, on the CPU."""

    graph = "model.int8.onnx"

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        """Open the graph of a model folder as `OnnxRuntime` does; raises ModelError if it is missing, too."""
        if device == "cuda":
            raise ModelError(INT8_NEEDS_CPU)
        if not (folder / self.graph).is_file():
            raise ModelError(
                f"{folder / self.graph}: missing, the model was exported before there was one; export and "
                "calibrate it again, or use the onnx runtime"
            )
        super().__init__(folder, threads, "cpu")


def _on_cuda(available: Sequence[str], session: Callable[..., Any]) -> tuple[Any, str]:
    """Return a session on a CUDA device and "", or None and the reason."""
    name, _ = _CUDA
    if name not in available:
        return None, "the installed onnxruntime is for the CPU; install onnxruntime-gpu instead"
    try:
        found = session(_CUDA)
    except Exception as error:  # no device, no driver or no memory
        return None, str(error)
    # If it does not find CUDA's libraries, ONNX Runtime uses the CPU without an error.
    return (found, "") if name in found.get_providers() else (None, "onnxruntime-gpu does not find CUDA's libraries")


class TorchRuntime:
    """Runs `model.safetensors` with torch; needs the `train` extra."""

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        """Load the weights of a model folder; `threads` None leaves their number to torch.

        Raises ModelError if torch is not installed, the weights are damaged or the device cannot be used.
        """
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
            raise ModelError("no CUDA device for the torch runtime: torch finds none; use --device cpu")
        self.device = "cuda" if here else "cpu"
        try:
            network = load_network(folder)
        except Exception as error:  # safetensors, torch and transformers each raise their own
            raise ModelError(f"{folder / 'model.safetensors'}: damaged, or not of this model: {error}") from error
        try:
            self._network = network.to(self.device)
        except RuntimeError as error:
            raise ModelError(f"the CUDA device cannot be used: {error}; use --device cpu") from error

    def __call__(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> WindowLogits:
        """Return the logits for token ids and their mask, both [windows, tokens]."""
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
"""The runtimes by name."""


def open_runtime(folder: Path, spec: ModelSpec) -> Runtime:
    """Open a model folder with the runtime that `spec` names; raises ModelError if that is impossible."""
    if spec.runtime not in RUNTIMES:
        raise ModelError(f"unknown runtime {spec.runtime!r}; the runtimes are {', '.join(RUNTIMES)}")
    if spec.device not in DEVICES:
        raise ModelError(f"unknown device {spec.device!r}; the devices are {', '.join(DEVICES)}")
    return RUNTIMES[spec.runtime](folder, spec.threads, spec.device)


def available_cpus() -> int:
    """Return the number of processors that this process may use; a container may have fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
