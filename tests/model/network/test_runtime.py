"""Devices of the runtimes, tried with stand-ins for a GPU, and how they reach the workers of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from typer.testing import CliRunner

from tests.support import PAGES
from wusum.model.cli import app
from wusum.model.errors import DumpError, ModelError
from wusum.model.network.artifact import BUNDLED
from wusum.model.network.runtime import OnnxRuntime, TorchRuntime, open_runtime
from wusum.model.options import ModelSpec
from wusum.model.predictor import Predictor
from wusum.model.run import command
from wusum.model.run.command import TagOptions, run_tag
from wusum.model.tagger import Tagger

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
Real = onnxruntime.InferenceSession
ONE_THREAD = ModelSpec(threads=1)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


class Session:
    """Stands in for an ONNX Runtime session on a GPU."""

    def __init__(self, path: Path, options: Any, providers: Sequence[Any], enable_fallback: int) -> None:
        self.providers, self.fallback = providers, enable_fallback

    def get_providers(self) -> list[str]:
        return [CUDA, CPU]


class CpuSession(Session):
    """A session that does not find CUDA's libraries."""

    def get_providers(self) -> list[str]:
        return [CPU]


def without_driver(*arguments: Any, providers: Sequence[Any], **more: Any) -> Any:
    """Open a session as ONNX Runtime does without a driver of the GPU."""
    if len(providers) > 1:
        raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
    return Real(*arguments, providers=providers, **more)


def without_libraries(*arguments: Any, providers: Sequence[Any], **more: Any) -> Any:
    """Open a session as ONNX Runtime does without CUDA's libraries."""
    make = CpuSession if len(providers) > 1 else Real
    return make(*arguments, providers=providers, **more)


def with_gpu(monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_without_a_gpu_auto_is_the_cpu_and_cuda_an_error(name: str) -> None:
    for device in ("auto", "cpu"):
        assert open_runtime(BUNDLED, ModelSpec(runtime=name, device=device)).device == "cpu"
    with pytest.raises(ModelError, match=f"no CUDA device for the {name} runtime: .*; use --device cpu"):
        open_runtime(BUNDLED, ModelSpec(runtime=name, device="cuda"))
    with pytest.raises(ModelError, match="unknown device 'tpu'; the devices are auto, cpu, cuda"):
        open_runtime(BUNDLED, ModelSpec(runtime=name, device="tpu"))


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_gpu_computes_in_full_precision(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    with_gpu(monkeypatch, Session)
    runtime = OnnxRuntime(BUNDLED, device=device)
    assert runtime.device == "cuda"
    assert runtime._session.providers == [(CUDA, {"use_tf32": "0"}), CPU]
    assert not runtime._session.fallback


def test_no_gpu_is_used_if_the_cpu_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpu(monkeypatch, Session)
    runtime = OnnxRuntime(BUNDLED, device="cpu")
    assert runtime.device == "cpu"
    assert runtime._session.providers == [CPU]


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        (without_driver, "CUDA failure 100: no CUDA-capable device"),
        (without_libraries, "does not find CUDA's libraries"),
    ],
)
def test_if_a_gpu_fails_auto_uses_the_cpu(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], session: Any, reason: str
) -> None:
    with_gpu(monkeypatch, session)
    assert Tagger.from_pretrained()("فاز المنتخب في مباراة كرة القدم").topics[0].name_en == "sport"
    assert OnnxRuntime(BUNDLED).device == "cpu"
    assert capfd.readouterr().out == ""  # where rows may go
    with pytest.raises(ModelError, match=reason):
        OnnxRuntime(BUNDLED, device="cuda")


def test_an_error_of_torch_on_a_gpu_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(network: Any, device: str) -> Any:
        raise RuntimeError(f"{device} is out of memory")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.nn.Module, "to", fail)
    with pytest.raises(ModelError, match="the CUDA device cannot be used: cuda is out of memory; use --device cpu"):
        TorchRuntime(BUNDLED)


def test_no_memory_is_planned_for_each_shape() -> None:
    assert OnnxRuntime(BUNDLED)._session.get_session_options().enable_mem_pattern is False


def test_looking_for_a_gpu_does_not_import_torch() -> None:
    code = "import sys; from wusum.model import Tagger; Tagger.from_pretrained()('نص'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"False"


@pytest.mark.usefixtures("no_gpu")
def test_the_command_and_the_predictor_take_a_device() -> None:
    done = CliRunner().invoke(app, ["tag", str(PAGES / "sport.txt"), "--device", "cuda"])
    assert done.exit_code == 2
    assert "wusum tag: no CUDA device for the onnx runtime" in done.output
    with pytest.raises(ModelError, match="no CUDA device"):
        Predictor(ModelSpec(device="cuda"))({"text": ["فاز المنتخب في مباراة كرة القدم"]})


def options(dump: Path, output: Path, spec: ModelSpec = ONE_THREAD, **more: Any) -> TagOptions:
    return TagOptions([str(dump)], str(output), spec=spec, **more)


def test_a_run_does_not_go_on_on_another_device(
    tmp_path: Path, tagger: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = tmp_path / "dump.jsonl"
    rows = [{"id": str(n), "text": f"فاز المنتخب في المباراة رقم {n}"} for n in range(5)]
    dump.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    monkeypatch.setattr(command.Tagger, "open", lambda _: tagger)
    with monkeypatch.context() as patch:
        patch.setattr(tagger.encoder.runtime, "device", "cuda")
        run_tag(options(dump, tmp_path / "out.jsonl"))
    with pytest.raises(DumpError, match="its run had device cuda, not cpu; --force starts over"):
        run_tag(options(dump, tmp_path / "out.jsonl"))
    run_tag(options(dump, tmp_path / "other.jsonl"))
    run_tag(options(dump, tmp_path / "other.jsonl", replace(ONE_THREAD, device="cpu")))  # which auto had found


@pytest.mark.parametrize(
    ("engine", "asked", "opened", "workers"),
    [
        ("local", "auto", "auto", "found"), ("local", "cuda", "cuda", "found"),
        ("ray", "auto", "cpu", "cpu"), ("ray", "cuda", "cpu", "cuda"),
    ],
)  # fmt: skip
def test_the_device_reaches_the_workers(
    tmp_path: Path, tagger: Tagger, monkeypatch: pytest.MonkeyPatch, engine: str, asked: str, opened: str, workers: str
) -> None:
    specs: list[ModelSpec] = []
    monkeypatch.setattr(tagger.encoder.runtime, "device", "found")
    monkeypatch.setattr(command.Tagger, "open", lambda spec: specs.append(spec) or tagger)
    spec = replace(ONE_THREAD, device=asked)
    _, for_workers, count = command._open(options(tmp_path, tmp_path, spec, engine=engine, workers=2))
    assert [spec.device for spec in specs] == [opened]
    assert (for_workers.device, count) == (workers, 2)


@pytest.mark.parametrize(
    ("cpus", "spec", "given", "device", "workers", "threads"),
    [
        (4, {}, {}, "cpu", 4, 1), (4, {"threads": 2}, {}, "cpu", 2, 2), (100, {}, {}, "cpu", 16, 6),
        (1, {}, {}, "cpu", 1, 1), (4, {}, {}, "cuda", 1, 4), (4, {}, {"engine": "ray"}, "cpu", 1, 4),
        (4, {"runtime": "torch"}, {}, "cpu", 1, 4), (4, {}, {"workers": 3}, "cpu", 3, 1),
    ],
)  # fmt: skip
def test_there_is_a_worker_for_each_processor(
    tmp_path: Path, tagger: Tagger, monkeypatch: pytest.MonkeyPatch,
    cpus: int, spec: dict[str, Any], given: dict[str, Any], device: str, workers: int, threads: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(tagger.encoder.runtime, "device", device)
    monkeypatch.setattr(command, "available_cpus", lambda: cpus)
    monkeypatch.setattr(command.Tagger, "open", lambda _: tagger)
    _, for_workers, count = command._open(options(tmp_path, tmp_path, ModelSpec(**spec), **given))
    assert (count, for_workers.threads) == (workers, threads)
