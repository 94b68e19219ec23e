"""The manifest of a run: whatever its output depends on is in it, and a run that differs is refused."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.support import TEXT, json_lines, tag_options, write_file
from wusum.model.errors import DumpError
from wusum.model.io.fields import Fields
from wusum.model.io.inputs import InputFile, no_outputs
from wusum.model.network.artifact import FILES
from wusum.model.options import DEFAULT_OPTIONS, DEFAULT_SPEC, ModelSpec, PredictOptions
from wusum.model.run import command, manifest
from wusum.model.run.command import TagOptions, run_tag
from wusum.model.run.manifest import Manifest, file_fingerprint, input_fingerprints, model_fingerprint
from wusum.model.tagger import Tagger

# ---- options

IN_MANIFEST_OTHERWISE = {
    "inputs": "Manifest.inputs",
    "output": "the manifest lies beside it",
    "predict": "its fields",
    "spec": "its fields",
    "fields": "its fields",
    "ModelSpec.model": "Manifest.model",
    "ModelSpec.device": "added once it is known, see below",
}
WITHOUT_EFFECT = {"force", "workers", "engine", "ModelSpec.threads"}
"""Options that do not change the rows. Any other option, and any new one, must change the manifest."""


def changed(kind: type, name: str, folder: Path) -> Any:
    """A value that no option has by default."""
    if (kind, name) == (ModelSpec, "vocabulary"):
        return write_file(folder, "terms.txt", "لبنان".encode())
    return (2, 3) if (kind, name) == (TagOptions, "part") else "other"


PARTS = {TagOptions: "", PredictOptions: "predict", ModelSpec: "spec", Fields: "fields"}
"""The classes of options, and where TagOptions has them."""
OPTIONS = [(kind, field.name) for kind in PARTS for field in fields(kind)]


@pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=[f"{kind.__name__}.{name}" for kind, name in OPTIONS])
def test_every_option_that_changes_the_output_is_in_the_manifest(kind: type, name: str, tmp_path: Path) -> None:
    options = TagOptions(["dump.jsonl"], "out.jsonl")
    label = name if kind is TagOptions else f"{kind.__name__}.{name}"
    change = {name: changed(kind, name, tmp_path)}
    part = PARTS[kind]
    other = replace(options, **({part: replace(getattr(options, part), **change)} if part else change))
    if label in IN_MANIFEST_OTHERWISE:
        return
    assert (other.output_settings() != options.output_settings()) is (label not in WITHOUT_EFFECT)


def test_the_lists_of_options_name_options() -> None:
    labels = {name if kind is TagOptions else f"{kind.__name__}.{name}" for kind, name in OPTIONS}
    assert labels >= IN_MANIFEST_OTHERWISE.keys() | WITHOUT_EFFECT
    assert TagOptions([]).predict == DEFAULT_OPTIONS
    assert TagOptions([]).spec == DEFAULT_SPEC


def test_settings_are_called_like_their_flags() -> None:
    settings = TagOptions(["dump.jsonl"], part=(2, 3), shard_rows=7, fields=Fields(text="نص")).output_settings()
    assert settings.pop("wusum")
    assert settings == {
        "format": None, "max-topics": 3, "max-tags": 10, "min-score": None, "pages": None, "runtime": "onnx",
        "shard-rows": 7, "explain": False, "id-field": None, "title-field": None, "text-field": "نص",
        "vocabulary": None, "part": "2/3",
    }  # fmt: skip


def test_a_vocabulary_is_known_by_its_contents(tmp_path: Path) -> None:
    def settings(name: str, data: bytes) -> dict[str, object]:
        spec = ModelSpec(vocabulary=write_file(tmp_path, name, data))
        return TagOptions(["dump.jsonl"], spec=spec).output_settings()

    assert settings("a.txt", b"a") == settings("b.txt", b"a") != settings("a.txt", b"b")


@pytest.fixture
def dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tagger: Tagger) -> Path:
    monkeypatch.setattr(command.Tagger, "open", lambda spec: tagger)  # loaded once
    records = [{"id": str(number), "text": TEXT} for number in range(3)]
    return Path(write_file(tmp_path, "dump.jsonl", json_lines(*records)))


def test_a_run_on_another_device_is_refused(tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = tag_options(dump, tmp_path / "out.jsonl", max_tags=0, workers=1)
    run_tag(options)
    real = command._open

    def on_another(given: TagOptions) -> tuple[Tagger, ModelSpec, int]:
        tagger, spec, workers = real(given)
        return tagger, replace(spec, device="cuda"), workers

    monkeypatch.setattr(command, "_open", on_another)
    with pytest.raises(DumpError, match=r"out\.jsonl: its run had device cpu, not cuda; --force starts over"):
        run_tag(options)


# ---- inputs


def replaced(path: Path, data: bytes, nanoseconds: int = 1) -> None:
    """Replace a file by one that is so much newer."""
    time = path.stat().st_mtime_ns
    path.write_bytes(data)
    os.utime(path, ns=(time, time + nanoseconds))


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_dump_that_was_replaced_by_one_of_the_same_size_is_refused(
    tmp_path: Path, dump: Path, interrupted: bool
) -> None:
    out = tmp_path / "out.jsonl"
    options = tag_options(dump, out, max_tags=0)
    run_tag(options)
    state = Path(f"{out}.manifest.json")
    if interrupted:
        state.write_text(json.dumps(json.loads(state.read_bytes()) | {"complete": False}), encoding="utf-8")
    rows = out.read_bytes()
    replaced(dump, dump.read_bytes().replace(b'"0"', b'"7"'))
    with pytest.raises(
        DumpError, match=r"the input \S*dump\.jsonl has changed since its run began; --force starts over"
    ):
        run_tag(options)
    assert out.read_bytes() == rows
    run_tag(replace(options, force=True))
    assert [json.loads(row)["id"] for row in out.read_bytes().splitlines()] == ["7", "1", "2"]


def fingerprint(*inputs: str | Path) -> list[list[str]]:
    return input_fingerprints([str(path) for path in inputs], no_outputs)


def test_an_input_is_known_by_the_names_sizes_and_times_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "dump"
    first, second = (Path(write_file(folder, name, b"{}\n")) for name in ("a.jsonl", "b.jsonl"))
    seen = [fingerprint(folder)]
    assert seen == [fingerprint(folder)]
    assert seen[0][0][0] == str(folder)

    def is_new() -> bool:
        seen.append(fingerprint(folder))
        return seen.count(seen[-1]) == 1

    replaced(first, b"[]\n")
    assert is_new()
    replaced(second, b"{} \n", 0)
    assert is_new()
    first.rename(folder / "c.jsonl")
    assert is_new()
    write_file(folder, "d.jsonl", b"")
    assert is_new()
    write_file(folder, "notes.md", b"no dump")
    assert not is_new()


def test_several_inputs_have_a_fingerprint_each_in_their_order(tmp_path: Path) -> None:
    first, second = (write_file(tmp_path, name, b"{}\n") for name in ("a.jsonl", "b.jsonl"))
    both = fingerprint(first, second)
    assert both == [*fingerprint(first), *fingerprint(second)]
    assert [name for name, _ in both] == [first, second]
    assert both[0][1] != both[1][1]
    assert {len(digest) for _, digest in both} == {32}


def test_an_output_among_the_inputs_does_not_count(tmp_path: Path) -> None:
    write_file(tmp_path, "a.jsonl", b"{}\n")
    before = fingerprint(tmp_path)
    output = write_file(tmp_path, "out.jsonl", b"{}\n")
    assert input_fingerprints([str(tmp_path)], lambda path: path == os.path.realpath(output)) == before
    assert fingerprint(tmp_path) != before


def test_names_that_are_no_utf8_have_a_fingerprint(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl")
    Path(path).write_bytes(b"{}\n")
    ((name, digest),) = fingerprint(path)
    assert name == f"{tmp_path}/\\udcff.jsonl"
    assert fingerprint(tmp_path)[0][1] == digest


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.jsonl"), data)
    return made.getvalue()


def test_an_archive_is_known_by_its_size_and_time_and_the_sizes_of_its_members(tmp_path: Path) -> None:
    path = Path(write_file(tmp_path, "dump.zip", zipped(b"{}\n")))
    time = path.stat().st_mtime_ns
    before = fingerprint(path)
    replaced(path, zipped(b"[]\n"))
    assert fingerprint(path) != before
    replaced(path, zipped(b"{}\n"), 0)
    os.utime(path, ns=(time, time))
    assert fingerprint(path) == before
    path.write_bytes(zipped(b"{} \n"))
    os.utime(path, ns=(time, time))
    assert fingerprint(path) != before


def test_a_remote_archive_is_known_by_the_checksums_of_its_members(tmp_path: Path) -> None:
    system, url = fsspec.filesystem("memory"), f"memory://{tmp_path.name}/dump.zip"
    found = []
    for data in (b"{}\n", b"[]\n", b"{}\n"):
        system.pipe(f"/{tmp_path.name}/dump.zip", zipped(data))
        found.append(fingerprint(url))
    assert found[0] == found[2] != found[1]


class Remote:
    """A remote file system that knows this about every file."""

    def __init__(self, **info: Any) -> None:
        self._info = info

    def info(self, path: str) -> dict[str, Any]:
        if "error" in self._info:
            raise self._info["error"]
        return self._info


@pytest.mark.parametrize("key", ["mtime", "LastModified", "last_modified", "updated", "ETag", "etag", "created"])
def test_a_remote_file_is_known_by_its_size_and_time_or_checksum(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(**info: Any) -> list[list[str]]:
        file = InputFile("bucket/a.jsonl", "a.jsonl", Remote(**info))
        monkeypatch.setattr(manifest, "find_files", lambda name, is_output: iter([file]))
        return fingerprint("s3://bucket/a.jsonl")

    one = of(size=5, **{key: 1})
    assert one == of(size=5, **{key: 1}, name="a")
    assert one not in (of(size=5, **{key: 2}), of(size=6, **{key: 1}), of(size=5))
    assert of(size=5, mtime=None, **{} if key == "mtime" else {key: 1}) == (of(size=5) if key == "mtime" else one)


def test_an_input_whose_size_cannot_be_found_out_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = InputFile("bucket/a.jsonl", "a.jsonl", Remote(error=PermissionError("no access")))
    monkeypatch.setattr(manifest, "find_files", lambda name, is_output: iter([file]))
    with pytest.raises(DumpError, match=r"bucket/a\.jsonl: no access"):
        fingerprint("s3://bucket/a.jsonl")
    gone = InputFile(str(tmp_path / "a.jsonl"), "a.jsonl")
    monkeypatch.setattr(manifest, "find_files", lambda name, is_output: iter([gone]))
    with pytest.raises(DumpError, match=r"a\.jsonl: .*No such file"):
        fingerprint("a.jsonl")


# ---- the model


def test_every_file_of_the_model_but_its_readme_counts(tmp_path: Path) -> None:
    for name in FILES:
        write_file(tmp_path, name, name.encode())
    before = model_fingerprint(tmp_path)
    assert len(before) == 32
    for name in FILES:
        write_file(tmp_path, name, b"other")
        assert (model_fingerprint(tmp_path) != before) is (name != "README.md"), name
        write_file(tmp_path, name, name.encode())
    write_file(tmp_path, "history.json", b"")
    assert model_fingerprint(tmp_path) == before
    (tmp_path / "model.int8.onnx").unlink()  # an optional one
    assert model_fingerprint(tmp_path) != before


def test_a_file_is_known_by_its_contents(tmp_path: Path) -> None:
    first, same, other = (write_file(tmp_path, name, data) for name, data in (("a", b"1"), ("b", b"1"), ("c", b"2")))
    assert file_fingerprint(first) == file_fingerprint(same) != file_fingerprint(other)
    assert len(file_fingerprint(first)) == 32
    with pytest.raises(DumpError, match=r"none\.txt: .*No such file"):
        file_fingerprint(str(tmp_path / "none.txt"))


# ---- the file


def a_manifest(**changes: Any) -> Manifest:
    values = {"inputs": [["a.jsonl", "1"], ["b.jsonl", "2"]], "model": "m", "options": {"max-tags": 3, "part": "1/1"}}
    return Manifest(**values | changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"inputs": [["a.jsonl", "1"]]}, r"its run had other inputs \(a\.jsonl, b\.jsonl\)"),
        ({"inputs": [["b.jsonl", "2"], ["a.jsonl", "1"]]}, r"its run had other inputs \(a\.jsonl, b\.jsonl\)"),
        ({"inputs": [["a.jsonl", "1"], ["b.jsonl", "3"]]}, r"the input b\.jsonl has changed since its run began"),
        ({"inputs": [["a.jsonl", "3"], ["b.jsonl", "2"]]}, r"the input a\.jsonl has changed since its run began"),
        ({"model": "n"}, "its run had another model"),
        ({"options": {"max-tags": 4, "part": "1/1"}}, "its run had max-tags 3, not 4"),
        ({"options": {"max-tags": 3, "part": "1/2"}}, "its run had part 1/1, not 1/2"),
        ({"options": {"max-tags": 3}}, "its run had part 1/1, not None"),
        ({"options": {"max-tags": 3, "part": "1/1", "new": True}}, "its run had new None, not True"),
    ],
)
def test_another_run_is_refused_with_the_first_difference(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DumpError, match=rf"^out\.jsonl: {reason}; --force starts over$"):
        a_manifest().require_same_run(a_manifest(**changes), "out.jsonl")


def test_progress_makes_no_other_run() -> None:
    done = a_manifest(records=7, tagged=5, rejected=2, place={"rows": 10}, complete=True)
    done.require_same_run(a_manifest(), "out.jsonl")
    a_manifest().require_same_run(done, "out.jsonl")


@pytest.mark.parametrize("remote", [False, True])
def test_a_saved_manifest_comes_back(tmp_path: Path, remote: bool) -> None:
    path = f"memory://{tmp_path.name}/out.manifest.json" if remote else str(tmp_path / "out.manifest.json")
    assert Manifest.load(path) is None
    for records in (0, 7):  # the second replaces the first
        made = a_manifest(records=records, tagged=5, rejected=2, place={"rows": 10}, complete=True)
        made.save(path)
        assert Manifest.load(path) == made
    assert [file.name for file in tmp_path.iterdir()] == ([] if remote else ["out.manifest.json"])


def test_a_new_manifest_has_no_progress() -> None:
    made = a_manifest()
    assert (made.records, made.tagged, made.rejected, made.place, made.complete) == (0, 0, 0, {}, False)


def test_a_manifest_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match=r"out\.manifest\.json: cannot be written: .*No such file"):
        a_manifest().save(str(tmp_path / "nowhere" / "out.manifest.json"))


WHOLE: dict[str, Any] = {"inputs": [], "model": "m", "options": {}, "place": {}, "records": 0}


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[]",
        "7",
        {name: value for name, value in WHOLE.items() if name != "inputs"},
        WHOLE | {"colour": "red"},
        WHOLE | {"inputs": {}},
        WHOLE | {"options": []},
        WHOLE | {"place": []},
        WHOLE | {"records": "7"},
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, data: str | dict[str, Any]) -> None:
    path = write_file(tmp_path, "out.manifest.json", (data if isinstance(data, str) else json.dumps(data)).encode())
    with pytest.raises(DumpError, match=r"out\.manifest\.json: not a valid manifest \(.+\); remove it, or start over"):
        Manifest.load(path)
    Path(path).write_text(json.dumps(WHOLE), encoding="utf-8")
    assert Manifest.load(path) == Manifest([], "m", {})
