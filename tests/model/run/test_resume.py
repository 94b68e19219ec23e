"""An interrupted run that is started again: every article exactly once, to the byte."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import resource
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import TAG_COMMAND, Crash, crash_at, make_dump, parquet_rows, tag_options
from wusum.model import stream
from wusum.model.errors import DumpError
from wusum.model.io import parquet, reader, storage
from wusum.model.run import command
from wusum.model.run.command import run_tag
from wusum.model.run.sinks import OutputPaths
from wusum.model.tagger import Tagger


def rejects_path(path: str) -> str:
    return OutputPaths(path, sharded=False).rejects


def manifest_path(path: str) -> str:
    return OutputPaths(path, sharded=False).manifest


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch, tagger: Tagger) -> None:
    monkeypatch.setattr(command.Tagger, "open", lambda spec: tagger)  # loaded once
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 20)
    monkeypatch.setattr(parquet, "ROW_GROUP", 30)
    monkeypatch.setattr(reader, "RECORDS_PER_TURN", 16)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return make_dump(tmp_path / "dump.jsonl", 150)


def records_done(output: Path) -> int:
    manifest = Path(manifest_path(str(output)))
    return int(json.loads(manifest.read_bytes())["records"]) if manifest.exists() else 0


def files(folder: Path, but: str = "manifest.json") -> dict[str, bytes]:
    """All that a run left, hidden files too, without its manifest."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and not p.name.endswith(but)
    }


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("name", "ahead", "changes"),
    [
        ("out.jsonl", 0, {}),
        ("out.jsonl", 3, {}),
        ("out.csv", 0, {}),
        ("out.jsonl.gz", 3, {}),
        ("out.tsv.xz", 0, {}),
        ("out.jsonl.zst", 0, {}),
        ("out.parquet", 3, {}),
        ("out.jsonl", 0, {"shard_rows": 33}),
        ("out.parquet", 3, {"shard_rows": 33}),
        ("out.csv.gz", 0, {"part": (2, 3)}),
    ],
)
def test_after_a_crash_at_any_moment_the_same_command_ends_as_an_unbroken_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dump: Path, name: str, ahead: int, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(Tagger, "ahead", ahead)  # as with workers: three more chunks are begun before one is written
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        count = crash_at(patch, 0)
        run_tag(tag_options(dump, whole / name, **changes))
    expected = files(whole)
    assert len(expected) >= 2
    for number in random.Random(name).sample(range(1, count() + 1), min(count(), 12)):
        for file in cut.rglob("*"):
            file.is_dir() or file.unlink()
        with pytest.MonkeyPatch.context() as patch:
            crash_at(patch, number)
            with pytest.raises(Crash):
                run_tag(tag_options(dump, cut / name, **changes))
        with pytest.MonkeyPatch.context() as patch:  # and a second time, soon after
            crash_at(patch, 4)
            with contextlib.suppress(Crash):
                run_tag(tag_options(dump, cut / name, **changes))
        run_tag(tag_options(dump, cut / name, **changes))
        assert files(cut) == expected


def test_killed_at_random_moments_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    dump = make_dump(tmp_path / "dump.jsonl", 2500)
    subprocess.run([*TAG_COMMAND, str(dump), "-o", str(tmp_path / "whole.jsonl.gz")], check=True, capture_output=True)
    expected = (tmp_path / "whole.jsonl.gz").read_bytes()
    rejects = Path(rejects_path(str(tmp_path / "whole.jsonl.gz"))).read_bytes()
    out = tmp_path / "out.jsonl.gz"
    generator, kills, progressed = random.Random(1), 0, set()
    while kills < 25:
        run = subprocess.Popen(
            [*TAG_COMMAND, str(dump), "-o", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if generator.random() < 0.5:  # half of the kills come after one more chunk, however slowly the run starts
            before = records_done(out)
            while run.poll() is None and records_done(out) == before:
                time.sleep(0.01)
        deadline = time.monotonic() + generator.uniform(0.0, 1.0)
        while run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if run.poll() is None:
            kills += 1
        run.kill()
        run.wait()
        if Path(manifest_path(str(out))).exists():
            manifest = json.loads(Path(manifest_path(str(out))).read_bytes())
            progressed.add(manifest["records"])
            if manifest["complete"]:
                assert out.read_bytes() == expected
                assert Path(rejects_path(str(out))).read_bytes() == rejects
                for file in tmp_path.glob("out.*"):
                    file.unlink()
    subprocess.run([*TAG_COMMAND, str(dump), "-o", str(out)], check=True, capture_output=True)
    assert out.read_bytes() == expected
    assert Path(rejects_path(str(out))).read_bytes() == rejects
    assert len(progressed) > 3
    rows = [json.loads(line)["id"] for line in gzip.decompress(expected).splitlines()]
    assert rows == [f"n{n}" for n in range(2500) if n % 7 != 3]


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(tmp_path: Path, name: str) -> None:
    dump = make_dump(tmp_path / "dump.jsonl", 1500)
    whole = subprocess.run(
        [*TAG_COMMAND, str(dump), "-o", str(tmp_path / f"whole-{name}")], capture_output=True, check=False
    )
    assert whole.returncode == 0, whole.stderr.decode()
    size = (tmp_path / f"whole-{name}").stat().st_size
    out = tmp_path / name
    cut = subprocess.run(
        [*TAG_COMMAND, str(dump), "-o", str(out)],
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2)),
    )
    assert cut.returncode == 2
    assert b"File too large" in cut.stderr
    again = subprocess.run([*TAG_COMMAND, str(dump), "-o", str(out)], capture_output=True, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert out.read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
    if name == "out.jsonl":
        assert b"before the interruption" in again.stderr


def cut_short(dump: Path, out: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    with monkeypatch.context() as patch:
        crash_at(patch, 12)
        with pytest.raises(Crash):
            run_tag(tag_options(dump, out, **changes))


@pytest.mark.usefixtures("small_chunks")
def test_another_run_to_the_same_output_is_refused_and_force_starts_over(
    tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    cut_short(dump, out, monkeypatch)
    before = files(tmp_path, but="dump.jsonl")
    with pytest.raises(DumpError, match=r"out.jsonl: its run had max-tags 3, not 4; --force starts over"):
        run_tag(tag_options(dump, out, max_tags=4))
    other = make_dump(tmp_path / "other.jsonl", 5)
    with pytest.raises(DumpError, match="its run had other inputs"):
        run_tag(tag_options(dump, out, inputs=[str(other)]))
    other.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(command, "model_fingerprint", lambda folder: "another")
        with pytest.raises(DumpError, match="its run had another model"):
            run_tag(tag_options(dump, out))
    text = dump.read_text(encoding="utf-8")
    dump.write_text(text + text.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(DumpError, match=r"the input \S*dump.jsonl has changed since its run began"):
        run_tag(tag_options(dump, out))
    assert files(tmp_path, but="dump.jsonl") == before  # refused, not touched
    run_tag(tag_options(dump, out, force=True))
    assert len(out.read_text(encoding="utf-8").splitlines()) == len([n for n in range(150) if n % 7 != 3]) + 1
    capsys.readouterr()
    run_tag(tag_options(dump, out))
    assert "out.jsonl is complete, nothing to do; --force starts over" in capsys.readouterr().err


@pytest.mark.usefixtures("small_chunks")
def test_a_removed_output_is_made_anew_and_a_truncated_one_refused(
    tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    run_tag(tag_options(dump, out))
    whole = out.read_bytes()
    out.unlink()
    run_tag(tag_options(dump, out))
    assert out.read_bytes() == whole
    cut_short(dump, tmp_path / "cut.jsonl", monkeypatch)
    (tmp_path / "cut.jsonl").write_bytes(whole[:100])
    with pytest.raises(DumpError, match=r"cut.jsonl: is shorter than its manifest says"):
        run_tag(tag_options(dump, tmp_path / "cut.jsonl"))
    Path(manifest_path(str(out))).write_text("{", encoding="utf-8")
    with pytest.raises(DumpError, match="not a valid manifest"):
        run_tag(tag_options(dump, out))


@pytest.mark.usefixtures("small_chunks")
def test_shards_hold_the_rows_of_one_file_and_old_ones_go(tmp_path: Path, dump: Path) -> None:
    run_tag(tag_options(dump, tmp_path / "one.jsonl"))
    rows = (tmp_path / "one.jsonl").read_bytes().splitlines(keepends=True)
    folder = tmp_path / "shards"
    folder.mkdir()
    run_tag(tag_options(dump, folder / "out.jsonl", shard_rows=10))
    assert len(list(folder.glob("out-?????.jsonl"))) == -(-len(rows) // 10)
    run_tag(tag_options(dump, folder / "out.jsonl", shard_rows=50, force=True))
    shards = sorted(folder.glob("out-?????.jsonl"))
    assert [len(shard.read_bytes().splitlines()) for shard in shards] == [50, 50, len(rows) - 100]
    assert b"".join(shard.read_bytes() for shard in shards) == b"".join(rows)
    rejects = b"".join(path.read_bytes() for path in sorted(folder.glob("*.rejects.jsonl")))
    assert rejects == Path(rejects_path(str(tmp_path / "one.jsonl"))).read_bytes()
    run_tag(tag_options(dump, folder / "out.parquet", shard_rows=50))
    table = [row for path in sorted(folder.glob("out-?????.parquet")) for row in parquet_rows(path)]
    assert table == list(map(json.loads, rows))


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("inputs", ["{folder}", "{folder}/*.jsonl", "file://{folder}"])
def test_outputs_among_the_inputs_are_not_read(tmp_path: Path, inputs: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make_dump(folder / "m.jsonl", 100)
    given = [inputs.format(folder=folder)]
    out = folder / "a.jsonl"
    sharded = tag_options(folder, out, inputs=given, shard_rows=20)
    with pytest.MonkeyPatch.context() as patch:
        crash_at(patch, 14)
        with pytest.raises(Crash):
            run_tag(sharded)
    run_tag(sharded)
    rows = b"".join(path.read_bytes() for path in sorted(folder.glob("a-?????.jsonl")))
    assert [json.loads(row)["id"] for row in rows.splitlines()] == [f"n{n}" for n in range(100) if n % 7 != 3]
    with pytest.raises(DumpError, match="other parts would read it"):
        run_tag(tag_options(folder, folder / "b.jsonl", inputs=[str(folder)], part=(1, 2)))


@pytest.mark.usefixtures("small_chunks")
def test_only_files_of_the_run_are_removed(tmp_path: Path, dump: Path) -> None:
    shard = make_dump(tmp_path / "out-00000.jsonl", 10)
    before = shard.read_bytes()
    with pytest.raises(DumpError, match=r"out-00000.jsonl: this run writes it, so it cannot be an input"):
        run_tag(tag_options(shard, tmp_path / "out.jsonl", shard_rows=5))
    with pytest.raises(DumpError, match=r"out-00000.jsonl: already exists, but no manifest says which run wrote it"):
        run_tag(tag_options(dump, tmp_path / "out.jsonl", shard_rows=5))
    assert shard.read_bytes() == before
    run_tag(tag_options(dump, tmp_path / "out.csv", shard_rows=50))
    run_tag(tag_options(dump, tmp_path / "out.jsonl", shard_rows=50, force=True))
    assert len(list(tmp_path.glob("out-*.csv.rejects.jsonl"))) == len(list(tmp_path.glob("out-*.csv"))) == 3
    run_tag(tag_options(dump, tmp_path / "out.jsonl", force=True))
    assert not list(tmp_path.glob("out-*.jsonl.rejects.jsonl"))
    assert not list(tmp_path.glob("out-?????.jsonl"))
    assert len(list(tmp_path.glob("out-*.csv"))) == 3


@pytest.mark.usefixtures("small_chunks")
def test_a_resumed_run_needs_everything_that_it_has_written(
    tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    with monkeypatch.context() as patch:
        crash_at(patch, 20)
        with pytest.raises(Crash):
            run_tag(tag_options(dump, out, shard_rows=20))
    with pytest.raises(DumpError, match="its run had shard-rows 20, not None"):
        run_tag(tag_options(dump, out))
    (tmp_path / "out-00000.jsonl").unlink()
    with pytest.raises(DumpError, match=r"out-00000.jsonl: is missing, although its run has written it"):
        run_tag(tag_options(dump, out, shard_rows=20))
    cut_short(dump, tmp_path / "one.jsonl", monkeypatch)
    Path(rejects_path(str(tmp_path / "one.jsonl"))).write_bytes(b"")
    with pytest.raises(DumpError, match=r"one.jsonl.rejects.jsonl: is shorter than its manifest says"):
        run_tag(tag_options(dump, tmp_path / "one.jsonl"))


@pytest.mark.usefixtures("small_chunks")
def test_a_complete_run_needs_all_its_shards(tmp_path: Path, dump: Path) -> None:
    run_tag(tag_options(dump, tmp_path / "out.jsonl", shard_rows=50))
    *_, last = sorted(tmp_path.glob("out-?????.jsonl"))
    run_tag(tag_options(dump, tmp_path / "out.jsonl", shard_rows=50))
    last.unlink()
    with pytest.raises(DumpError, match=f"{last.name}: is missing, although its run has written it"):
        run_tag(tag_options(dump, tmp_path / "out.jsonl", shard_rows=50))


@pytest.mark.usefixtures("small_chunks")
def test_two_runs_do_not_write_one_output(tmp_path: Path, dump: Path) -> None:
    out = tmp_path / "out.jsonl"
    with storage.locked(str(out)):
        with pytest.raises(DumpError, match=r"out\.jsonl: another run is writing it"):
            run_tag(tag_options(dump, out))
        run_tag(tag_options(dump, tmp_path / "other.jsonl"))
    assert not out.exists()
    (tmp_path / ".out.jsonl.lock").touch()  # as a run leaves it that was killed
    run_tag(tag_options(dump, out))
    assert out.read_bytes() == (tmp_path / "other.jsonl").read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.usefixtures("small_chunks")
def test_an_input_that_cannot_be_read_for_a_while_leaves_no_trace(
    tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = make_dump(tmp_path / "later.jsonl", 33)
    both = [str(dump), str(second)]
    run_tag(tag_options(dump, tmp_path / "whole.jsonl.gz", inputs=both))
    real = open

    def failing(path: Any, *args: Any, **kwargs: Any) -> Any:
        if str(path) == str(second):
            raise OSError("gone")
        return real(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", failing)
        with pytest.raises(DumpError, match="gone"):
            run_tag(tag_options(dump, tmp_path / "out.jsonl.gz", inputs=both))
    run_tag(tag_options(dump, tmp_path / "out.jsonl.gz", inputs=both))
    assert (tmp_path / "out.jsonl.gz").read_bytes() == (tmp_path / "whole.jsonl.gz").read_bytes()


@pytest.mark.usefixtures("small_chunks")
def test_the_same_input_twice_is_another_run(tmp_path: Path, dump: Path) -> None:
    run_tag(tag_options(dump, tmp_path / "out.jsonl"))
    with pytest.raises(DumpError, match="its run had other inputs"):
        run_tag(tag_options(dump, tmp_path / "out.jsonl", inputs=[str(dump), str(dump)]))


@pytest.mark.usefixtures("small_chunks")
def test_devices_are_written_to_and_nothing_beside_them(dump: Path, tmp_path: Path) -> None:
    run_tag(tag_options(dump, Path("/dev/null"), format="jsonl"))
    assert [path.name for path in Path("/dev").glob("null*")] == ["null"]


@pytest.mark.parametrize(
    ("path", "shard"),
    [
        ("out.jsonl", "out-00007.jsonl"),
        ("a/out.jsonl.gz", "a/out-00007.jsonl.gz"),
        ("out.2024.jsonl", "out.2024-00007.jsonl"),
        ("my.news.parquet", "my.news-00007.parquet"),
        ("s3://b/c/out.csv.zst", "s3://b/c/out-00007.csv.zst"),
    ],
)
def test_shards_are_named_after_their_output(path: str, shard: str) -> None:
    paths = OutputPaths(path, sharded=True)
    assert paths.shard(7) == shard
    real = shard.split("://")[-1] if "://" in shard else os.path.realpath(shard)
    assert paths.is_output(real)
    assert paths.is_output(f"{real}.rejects.jsonl")
    assert not paths.is_output(real.replace("00007", "7"))
    assert not paths.is_output(real.replace("-00007", "er-00007"))


@pytest.mark.usefixtures("small_chunks")
def test_the_parts_of_a_run_are_the_run(tmp_path: Path, dump: Path) -> None:
    run_tag(tag_options(dump, tmp_path / "one.jsonl"))
    rows = (tmp_path / "one.jsonl").read_bytes().splitlines()
    parts = []
    for number in (1, 2, 3):
        run_tag(tag_options(dump, tmp_path / f"part{number}.jsonl", part=(number, 3)))
        parts.append((tmp_path / f"part{number}.jsonl").read_bytes().splitlines())
    assert sorted(row for part in parts for row in part) == sorted(rows)
    assert all(len(part) > 30 for part in parts)


@pytest.mark.usefixtures("small_chunks")
def test_shards_on_a_remote_system_go_on_too(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    if memory.exists("/resume"):
        memory.rm("/resume", recursive=True)
    url = "memory://resume/out.jsonl"
    remote = replace(tag_options(dump, Path(), shard_rows=40), output=url)
    run_tag(remote)
    whole = {path: memory.cat(path) for path in memory.find("/resume") if "manifest" not in path}
    assert len(whole) > 4
    memory.rm("/resume", recursive=True)
    calls = 0
    real = command.Manifest.save

    def save(self: Any, path: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Crash
        real(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(command.Manifest, "save", save)
        with pytest.raises(Crash):
            run_tag(remote)
    assert set(memory.find("/resume")) < {*whole, "/resume/out.jsonl.manifest.json"}  # each shard is complete or absent
    run_tag(remote)
    assert {path: memory.cat(path) for path in memory.find("/resume") if "manifest" not in path} == whole
    run_tag(replace(remote, shard_rows=1000, force=True))
    assert len([path for path in memory.find("/resume") if "manifest" not in path]) == 2


@pytest.mark.parametrize("part", ["0/3", "4/3", "3", "a/b", "1/0"])
def test_an_invalid_part_is_refused(part: str, tmp_path: Path) -> None:
    done = subprocess.run([*TAG_COMMAND, "x.jsonl", "--part", part], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"is not a part such as 3/16" in done.stderr
