"""Sinks: the files of a run, their names, and what a resumed run finds of an interrupted one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import fsspec
import pytest

from tests.support import parquet_rows, write_file
from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io import parquet, storage
from wusum.model.io.reader import Reject
from wusum.model.io.writer import parts_folder
from wusum.model.prediction import Prediction
from wusum.model.run.sinks import FileSink, OutputPaths, RejectsFile, ResumePoint, ShardedSink, Sink, StdoutSink

BAD = Reject("dump.jsonl", 7, "x", "no text")


def write(sink: Sink, *names: str) -> None:
    """Write a row for each name, and a reject for each that begins with an exclamation mark; commit at a bar."""
    for name in names:
        if name == "|":
            sink.commit()
        elif name.startswith("!"):
            sink.reject(Reject("dump.jsonl", int(name[1:]), "", "bad"))
        else:
            sink.write(Article(name, "نص"), Prediction(name))


def write_and_fail(sink: Sink, *names: str) -> None:
    """Write the same, and raise MemoryError before the sink is closed."""
    with sink:
        write(sink, *names)
        raise MemoryError


def rows(path: Path | str) -> list[str]:
    """The ids of the rows of a file, or the line numbers of its rejects, with an exclamation mark."""
    found = [json.loads(line) for line in Path(path).read_bytes().splitlines()]
    return [f"!{row['line']}" if "line" in row else row["id"] for row in found]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- paths


@pytest.mark.parametrize(
    ("path", "shard", "sharded_rejects"),
    [
        ("/a/out.jsonl", "/a/out-00012.jsonl", "/a/out-00012.jsonl.rejects.jsonl"),
        ("/a/out.JSONL.GZ", "/a/out-00012.JSONL.GZ", "/a/out-00012.JSONL.GZ.rejects.jsonl"),
        ("/a/out", "/a/out-00012", "/a/out-00012.rejects.jsonl"),
        ("memory://a/out.csv.xz", "a/out-00012.csv.xz", "a/out-00012.csv.xz.rejects.jsonl"),
    ],
)
def test_a_run_knows_what_it_writes(path: str, shard: str, sharded_rejects: str) -> None:
    whole, sharded = OutputPaths(path, sharded=False), OutputPaths(path, sharded=True)
    assert (whole.manifest, whole.rejects) == (f"{path}.manifest.json", f"{path}.rejects.jsonl")
    assert sharded.shard(12) == ("memory://" if "://" in path else "") + shard
    assert sharded.shard(123456) == sharded.shard(12).replace("00012", "123456")
    folder, name = os.path.split(shard)
    own = path.removeprefix("memory://")
    for paths in (whole, sharded):
        assert paths.is_output(own)
        assert paths.is_output(f"{own}.rejects.jsonl")
        assert not paths.is_output(f"{folder}/b/{os.path.basename(own)}")
        assert not paths.is_output(f"{own}.bak")
    for written in (shard, sharded_rejects, f"{folder}/.{name}", shard.replace("00012", "123456")):
        assert sharded.is_output(written)
        assert not whole.is_output(written)
    for other in (shard.replace("00012", "0012"), f"{shard}.bak", f"{folder}/x{name}", shard.replace("-0", "0")):
        assert not sharded.is_output(other)


def test_a_remote_system_may_put_a_slash_before_its_paths() -> None:
    paths = OutputPaths("memory://x/out.csv", sharded=True)
    assert all(map(paths.is_output, ("/x/out.csv", "x/out-00000.csv", "/x/.out-00000.csv")))
    assert not paths.is_output("/b/out.csv")


def test_characters_of_a_path_stand_for_themselves(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "o.t+.jsonl"), sharded=True)
    assert paths.is_output(f"{tmp_path}/o.t+-00001.jsonl")
    assert not paths.is_output(f"{tmp_path}/ottt-00001.jsonl")
    assert not paths.is_output(f"{tmp_path}/o.t+-00001xjsonl")


def test_existing_shards_are_listed_and_a_missing_one_is_named(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "out.jsonl"), sharded=True)
    assert paths.shards() == []
    assert paths.missing_shard(0) is None
    listed = [
        write_file(tmp_path, f"out-{name}", b"") for name in ("00000.jsonl", "00001.jsonl.rejects.jsonl", "00002.jsonl")
    ]
    for other in ("out.jsonl", "out-1.jsonl", "out-00003.csv"):
        write_file(tmp_path, other, b"")
    assert paths.shards() == listed
    assert paths.shards(1) == listed[1:]
    assert paths.shards(3) == []
    assert OutputPaths(paths.path, sharded=False).shards() == []
    assert paths.missing_shard(1) is None
    assert paths.missing_shard(2) == paths.missing_shard(3) == str(tmp_path / "out-00001.jsonl")
    assert paths.missing_shard(0) is None


@pytest.mark.parametrize("sharded", [False, True])
def test_only_what_the_run_has_written_is_removed(tmp_path: Path, sharded: bool) -> None:
    whole = ["out.jsonl", "out.jsonl.rejects.jsonl"]
    shards = ["out-00000.jsonl", "out-00000.jsonl.rejects.jsonl", ".out-00001.jsonl"]
    others = ["out.jsonl.manifest.json", "out.csv", "out-1.jsonl"]
    for name in (*whole, *shards, *others, ".out.jsonl.parts/000000.parquet"):
        write_file(tmp_path, name, b"")
    OutputPaths(str(tmp_path / "out.jsonl"), sharded).remove()
    assert names(tmp_path) == sorted([*others, *(whole if sharded else shards)])


# ---- one file


def test_rows_and_rejects_go_to_their_files(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "out.jsonl"), sharded=False)
    with FileSink(paths, None, {}) as sink:
        assert sink.commit_interval is None
        write(sink, "a")
        assert sink.commit() == {"rows": (tmp_path / "out.jsonl").stat().st_size, "rejects": 0}
        assert names(tmp_path) == ["out.jsonl"]  # no rejects, no file of them
        write(sink, "!3", "b", "!5")
        point = sink.commit()
    assert rows(paths.path) == ["a", "b"]
    assert rows(paths.rejects) == ["!3", "!5"]
    assert point == {"rows": Path(paths.path).stat().st_size, "rejects": Path(paths.rejects).stat().st_size}
    assert json.loads(Path(paths.rejects).read_bytes().splitlines()[0]) == {
        "source": "dump.jsonl", "line": 3, "id": "", "error": "bad"
    }  # fmt: skip


@pytest.mark.parametrize("with_reject", [False, True])
def test_a_file_is_continued_where_the_last_commit_was(tmp_path: Path, with_reject: bool) -> None:
    paths = OutputPaths(str(tmp_path / "out.jsonl"), sharded=False)
    sink = FileSink(paths, None, {})
    write(sink, "a", *["!1"] * with_reject)
    point = sink.commit()
    write(sink, "lost", "!2")
    sink.abort()
    assert (rows(paths.path), rows(paths.rejects)) == (["a", "lost"], [*["!1"] * with_reject, "!2"])
    with FileSink(paths, None, point) as sink:
        write(sink, "b", "!3")
    assert rows(paths.path) == ["a", "b"]
    assert rows(paths.rejects) == [*["!1"] * with_reject, "!3"]


@pytest.mark.parametrize("point", [{}, None])
def test_a_new_run_replaces_the_files_of_an_earlier_one(tmp_path: Path, point: ResumePoint | None) -> None:
    paths = OutputPaths(str(tmp_path / "out.jsonl"), sharded=False)
    for names_ in (("a", "!1"), ("b",)):
        with FileSink(paths, None, point) as sink:
            write(sink, *names_)
    assert rows(paths.path) == ["b"]
    assert names(tmp_path) == ["out.jsonl"]


def test_the_format_given_counts(tmp_path: Path) -> None:
    with FileSink(OutputPaths(str(tmp_path / "out.txt"), sharded=False), "csv", {}) as sink:
        write(sink, "a")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").startswith("id,confident,topics,")


def test_rejects_of_a_device_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with FileSink(OutputPaths("/dev/null", sharded=False), "jsonl", None) as sink:
        write(sink, "a")
        sink.reject(BAD)
        assert sink.commit() is None
    assert capsys.readouterr().err == "wusum: rejected dump.jsonl:7: no text\n"


def test_a_remote_file_and_its_rejects_cannot_be_continued(tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}/out.jsonl"
    with FileSink(OutputPaths(url, sharded=False), None, None) as sink:
        write(sink, "a", "!3")
        assert sink.commit() is None
    files = fsspec.filesystem("memory")
    assert json.loads(files.cat(f"/{tmp_path.name}/out.jsonl"))["id"] == "a"
    assert json.loads(files.cat(f"/{tmp_path.name}/out.jsonl.rejects.jsonl"))["line"] == 3


def test_a_parquet_file_is_put_together_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    paths = OutputPaths(str(tmp_path / "out.parquet"), sharded=False)
    sink = FileSink(paths, None, {})
    write(sink, "a")
    assert sink.commit() is None
    write(sink, "b", "!1")
    point = sink.commit()
    assert point == {"rows": 1, "rejects": Path(paths.rejects).stat().st_size}
    write(sink, "lost")
    sink.abort()
    assert not Path(paths.path).exists()
    assert parts_folder(paths.path).is_dir()
    with FileSink(paths, None, point) as sink:
        write(sink, "c")
    assert [row["id"] for row in parquet_rows(Path(paths.path))] == ["a", "b", "c"]


def test_a_parquet_file_of_a_run_that_cannot_resume_has_no_parts(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "out.parquet"), sharded=False)
    sink = FileSink(paths, None, None)
    write(sink, "a", "!1")
    sink.abort()
    assert not parts_folder(paths.path).exists()
    assert names(tmp_path) == ["out.parquet", "out.parquet.rejects.jsonl"]


def test_a_file_of_rejects_is_created_by_the_first(tmp_path: Path) -> None:
    path = tmp_path / "out.rejects.jsonl"
    file = RejectsFile(str(path))
    assert (file.commit(), path.exists()) == (0, False)
    file.write(BAD)
    assert file.commit() == path.stat().st_size > 0
    file.close()
    again = RejectsFile(str(path), path.stat().st_size)
    assert again.commit() == path.stat().st_size
    again.close()
    assert rows(path) == ["!7"]
    RejectsFile(str(path)).close()
    assert not path.exists()
    remote = RejectsFile(f"memory://{tmp_path.name}/out.rejects.jsonl")
    remote.write(BAD)
    assert remote.commit() == 0
    remote.close()
    with pytest.raises(DumpError, match="shorter"):
        RejectsFile(write_file(tmp_path, "short.jsonl", b"{}"), 100)


# ---- shards


def test_shards_are_full_and_only_the_last_is_short(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "out.jsonl"), sharded=True)
    with ShardedSink(paths, None, 2) as sink:
        assert sink.commit_interval == 2
        write(sink, "a", "!1")
        assert sink.commit() is None
        assert names(tmp_path) == [".out-00000.jsonl", ".out-00000.jsonl.rejects.jsonl"]  # not complete yet
        write(sink, "b")
        assert sink.commit() == {"shards": 1}
        assert names(tmp_path) == ["out-00000.jsonl", "out-00000.jsonl.rejects.jsonl"]
        write(sink, "c")
        assert sink.commit() is None
        write(sink, "d")
        assert sink.commit() == {"shards": 2}
        write(sink, "e", "!2")
    assert [rows(path) for path in paths.shards()] == [["a", "b"], ["!1"], ["c", "d"], ["e"], ["!2"]]
    assert [os.path.basename(path) for path in paths.shards()] == [
        "out-00000.jsonl",
        "out-00000.jsonl.rejects.jsonl",
        "out-00001.jsonl",
        "out-00002.jsonl",
        "out-00002.jsonl.rejects.jsonl",
    ]


def test_a_shard_is_complete_before_it_appears_and_its_rejects_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(storage, "move_into_place", lambda scratch, path: moved.append((path, rows(scratch))))
    sink = ShardedSink(OutputPaths(str(tmp_path / "out.jsonl"), sharded=True), None, 2)
    write(sink, "a", "!1", "b", "!2", "|")
    path = str(tmp_path / "out-00000.jsonl")
    assert moved == [(f"{path}.rejects.jsonl", ["!1", "!2"]), (path, ["a", "b"])]


def test_without_a_row_after_the_last_commit_there_is_no_further_shard(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "out.jsonl"), sharded=True)
    with ShardedSink(paths, None, 1) as sink:
        write(sink, "a")
        sink.commit()
    assert names(tmp_path) == ["out-00000.jsonl"]


def test_a_resumed_run_keeps_the_shards_that_were_committed(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "out.csv"), sharded=True)
    for number in range(3):
        write_file(tmp_path, f"out-0000{number}.csv", b"old")
        write_file(tmp_path, f"out-0000{number}.csv.rejects.jsonl", b"old")
    with ShardedSink(paths, None, 1, {"shards": 1}) as sink:
        assert names(tmp_path) == ["out-00000.csv", "out-00000.csv.rejects.jsonl"]
        write(sink, "b")
    assert names(tmp_path) == ["out-00000.csv", "out-00000.csv.rejects.jsonl", "out-00001.csv"]
    assert (tmp_path / "out-00001.csv").read_text(encoding="utf-8").splitlines()[1].startswith("b,")
    with ShardedSink(paths, None, 1):
        assert names(tmp_path) == []


def test_a_failure_leaves_no_incomplete_shard(tmp_path: Path) -> None:
    paths = OutputPaths(str(tmp_path / "out.jsonl"), sharded=True)
    with pytest.raises(MemoryError):
        write_and_fail(ShardedSink(paths, None, 1), "a", "|", "b", "!1")
    assert names(tmp_path) == ["out-00000.jsonl"]


def test_shards_of_a_remote_system_are_uploaded_when_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sink = ShardedSink(OutputPaths(f"memory://{tmp_path.name}/out.jsonl", sharded=True), None, 1)
    system = fsspec.filesystem("memory")
    write(sink, "a", "!1")
    assert not system.exists(f"/{tmp_path.name}/out-00000.jsonl")
    with pytest.raises(MemoryError):
        write_and_fail(sink, "|", "b", "!2")
    found = sorted(path.rsplit("/", 1)[1] for path in system.find(f"/{tmp_path.name}"))
    assert found == ["out-00000.jsonl", "out-00000.jsonl.rejects.jsonl"]
    assert names(tmp_path) == []  # nor is anything left on this machine


def test_an_unknown_format_is_refused_before_a_shard_is_removed(tmp_path: Path) -> None:
    write_file(tmp_path, "out-00000.docx", b"old")
    with pytest.raises(DumpError, match="unknown suffix"):
        ShardedSink(OutputPaths(str(tmp_path / "out.docx"), sharded=True), None, 1)
    assert names(tmp_path) == ["out-00000.docx"]
    with ShardedSink(OutputPaths(str(tmp_path / "out.docx"), sharded=True), "csv", 1) as sink:
        write(sink, "a")
    assert (tmp_path / "out-00000.docx").read_bytes().startswith(b"id,confident,topics,")


# ---- standard output


@pytest.mark.parametrize(
    ("format", "beginning"), [(None, '{"id":"a"'), ("csv", "id,confident,topics,"), ("table", "\na\n")]
)
def test_standard_output_gets_rows_and_standard_error_the_rejects(
    format: str | None, beginning: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with StdoutSink(format) as sink:
        assert sink.commit_interval is None
        write(sink, "a")
        sink.reject(BAD)
        assert sink.commit() is None
    out, err = capfd.readouterr()
    assert out.startswith(beginning)
    assert err == "wusum: rejected dump.jsonl:7: no text\n"
    with pytest.raises(MemoryError):
        write_and_fail(StdoutSink(format), "b")
    assert capfd.readouterr().out.startswith(beginning.replace("a", "b", format != "csv"))


def test_a_failure_while_aborting_does_not_hide_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink(OutputPaths(str(tmp_path / "out.jsonl"), sharded=False), None, {})

    def fail() -> None:
        raise OSError("second")

    monkeypatch.setattr(sink, "abort", fail)
    with pytest.raises(MemoryError):
        write_and_fail(sink)
