"""Inputs: names and suffixes, the files that a name stands for, and progress through them."""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.support import TEXT, json_lines, read_articles, write_file
from wusum.model.errors import DumpError
from wusum.model.io.archives import DamagedArchiveError
from wusum.model.io.inputs import (
    InputFile,
    ReadProgress,
    error_message,
    find_files,
    local_path,
    no_outputs,
    split_suffix,
    total_size,
)
from wusum.model.io.reader import read_records

# ---- names


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *((f"a.{name}", (name, "")) for name in ("txt", "jsonl", "csv", "tsv", "parquet")),
        *((f"a.jsonl.{name}", ("jsonl", name)) for name in ("gz", "xz", "zst")),
        ("b.c/A.2024.TXT.GZ", ("txt", "gz")),
        ("a.parquet.gz", ("", "gz")),
        ("a.gz", ("", "gz")),
        ("a.tar.gz", ("", "gz")),
        ("a.gz.txt", ("txt", "")),
        ("a.txt.bz2", ("", "")),
        ("a.json", ("", "")),
        ("txt", ("", "")),
        (".txt", ("", "")),
        ("a.txt/b", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_suffix_is_a_format_and_a_compression(path: str, expected: tuple[str, str]) -> None:
    assert split_suffix(path) == expected


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("file:///a/b.txt", "/a/b.txt"),
        ("local:///a/b.txt", "/a/b.txt"),
        ("a/file://b", "a/file://b"),
        ("s3://a/b.txt", "s3://a/b.txt"),
        ("a/b.txt", "a/b.txt"),
    ],
)
def test_a_scheme_of_the_local_file_system_is_no_scheme(name: str, path: str) -> None:
    assert local_path(name) == path


def test_an_exception_without_a_message_is_called_by_its_class() -> None:
    assert error_message(OSError("gone")) == "gone"
    assert error_message(EOFError()) == "EOFError"
    assert no_outputs("anything") is False


# ---- files


def zipped(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return path


def found(name: str | Path, **options: Any) -> list[tuple[str, str]]:
    """The names and displayed paths of the files of an input."""
    return [(file.name, str(file)) for file in find_files(str(name), **options)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with files of every sort."""
    names = (
        "b.txt",
        "a.jsonl.gz",
        "sub/c.TXT",
        "sub/deep/d.csv",
        ".hid/e.txt",
        "sub/.f.txt",
        "notes.md",
        "sub/g.gz",
    )
    for name in names:
        write_file(tmp_path / "in", name, b"x")
    zipped(tmp_path / "in" / "sub" / "z.zip", "1.txt", "./in/2.txt", "/3.txt", ".4.txt", "in/.h/5.txt", "6.md", "d/")
    return tmp_path / "in"


def members(archive: str) -> list[str]:
    """The names of the files in the archive of the tree."""
    return [f"{archive}/1.txt", f"{archive}/in/2.txt", f"{archive}/3.txt"]


IN_TREE = ["a.jsonl.gz", "b.txt", "sub/c.TXT", "sub/deep/d.csv", *members("sub/z.zip")]


def test_files_in_a_folder_are_called_by_their_paths_below_it(tree: Path) -> None:
    assert [name for name, _ in found(tree)] == [name for name, _ in found(f"{tree}/")] == IN_TREE
    assert found(tree)[2] == ("sub/c.TXT", f"{tree}/sub/c.TXT")
    assert found(tree)[5] == ("sub/z.zip/in/2.txt", f"{tree}/sub/z.zip/./in/2.txt")
    assert found(f"file://{tree}") == found(tree)


def test_files_of_a_glob_are_called_by_their_paths_below_its_fixed_part(tree: Path) -> None:
    assert [name for name, _ in found(tree / "*.txt")] == ["b.txt"]
    assert [name for name, _ in found(tree / "*")] == ["a.jsonl.gz", "b.txt"]
    assert [name for name, _ in found(tree / "sub" / "*")] == ["c.TXT", *members("z.zip")]
    assert [name for name, _ in found(tree / "s*" / "**" / "*.csv")] == ["sub/deep/d.csv"]


def test_a_glob_may_begin_in_the_working_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "sub")
    assert found("*.TXT") == [("c.TXT", "c.TXT")]
    assert found("../*.txt") == [("b.txt", "../b.txt")]
    assert [name for name, _ in found(".")] == ["c.TXT", "deep/d.csv", *members("z.zip")]
    assert [name for name, _ in found("..")] == IN_TREE


def test_a_file_that_is_given_is_called_by_its_name(tree: Path) -> None:
    assert found(tree / "sub" / "c.TXT") == [("c.TXT", f"{tree}/sub/c.TXT")]
    assert found(tree / ".hid" / "e.txt") == [("e.txt", f"{tree}/.hid/e.txt")]
    archive = f"{tree}/sub/z.zip"
    assert [name for name, _ in found(archive)] == ["1.txt", "in/2.txt", "3.txt"]
    assert [path for _, path in found(archive)] == [f"{archive}{end}" for end in ("/1.txt", "/./in/2.txt", "//3.txt")]


def test_files_of_remote_systems_are_called_alike(tree: Path, tmp_path: Path) -> None:
    system, root = fsspec.filesystem("memory"), f"/{tmp_path.name}"
    for path in tree.rglob("*"):
        if path.is_file():
            system.pipe(f"{root}/{path.relative_to(tree)}", path.read_bytes())
    url = f"memory:/{root}"
    assert [name for name, _ in found(url)] == IN_TREE
    assert [name for name, _ in found(f"{url}/*.txt")] == ["b.txt"]
    assert found(f"{url}/sub/c.TXT") == [("c.TXT", f"{root}/sub/c.TXT")]
    assert found(f"{url}/sub/z.zip")[1] == ("in/2.txt", f"{url}/sub/z.zip/./in/2.txt")
    assert [name for name, _ in found(f"{url}/sub/*")] == ["c.TXT", *members("z.zip")]
    assert {file.size for file in find_files(url)} == {1, len(TEXT.encode())}


def test_a_linked_file_is_read_and_a_linked_folder_is_not(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "b.txt").symlink_to(tree / "b.txt")
    (tmp_path / "links" / "sub").symlink_to(tree / "sub")
    assert [name for name, _ in found(tmp_path / "links")] == ["b.txt"]


def outputs(*paths: str | Path) -> Any:
    written = {os.path.realpath(path) for path in paths}
    return lambda path: path in written


def test_what_the_run_writes_is_no_input(tree: Path) -> None:
    assert [name for name, _ in found(tree, is_output=outputs(tree / "b.txt"))] == [IN_TREE[0], *IN_TREE[2:]]
    assert found(tree / "*.txt", is_output=outputs(tree / "sub" / "c.TXT")) == found(tree / "*.txt")
    with pytest.raises(DumpError, match=r"b\.txt: this run writes it, so it cannot be an input"):
        found(tree / "b.txt", is_output=outputs(tree / "b.txt"))
    with pytest.raises(DumpError, match=r"b\.txt: this run writes it"):
        found(tree / "sub" / ".." / "b.txt", is_output=outputs(tree / "b.txt"))
    assert len(found(tree / "sub" / "z.zip", is_output=outputs("1.txt"))) == 3  # members of an archive are no outputs


def test_what_a_run_writes_to_a_remote_system_is_no_input(tmp_path: Path) -> None:
    system, root = fsspec.filesystem("memory"), f"/{tmp_path.name}"
    for name in ("a.txt", "out.jsonl"):
        system.pipe(f"{root}/{name}", b"x")
    files = found(f"memory:/{root}", is_output=lambda path: path == f"{root}/out.jsonl")
    assert [name for name, _ in files] == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.txt", r"none\.txt: no such file or folder"),
        ("none", "none: no such file or folder"),
        (
            "notes.md",
            r"notes\.md: unknown file format; the known suffixes are \.txt, \.jsonl",
        ),
        ("*.md", r"\*\.md: no file found with a known suffix \(\.txt"),
        ("sub/*.nothing", "no file found with a known suffix"),
        ("bad.zip", r"bad\.zip: cannot be read as an archive: File is not a zip file"),
    ],
)
def test_an_input_without_files_is_named(tree: Path, name: str, reason: str) -> None:
    write_file(tree, "bad.zip", b"x")
    with pytest.raises(DumpError, match=reason):
        found(tree / name)


def test_known_suffixes_are_listed_in_full(tree: Path) -> None:
    with pytest.raises(DumpError) as caught:
        found(tree / "notes.md")
    assert str(caught.value).endswith(
        ".txt, .jsonl, .csv, .tsv, .parquet; all but .parquet also with .gz, .xz, .zst; "
        ".zip, .tar, .tgz, .tar.gz, .tar.xz, .tar.bz2, .tar.zst of such files"
    )


def test_an_archive_without_files_of_a_known_suffix_is_named(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match=r"z\.zip: no file found with a known suffix"):
        found(zipped(tmp_path / "z.zip", "a.md", ".b.txt"))


def test_a_folder_that_cannot_be_listed_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: str) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DumpError, match=r"in: cannot be listed: Permission denied"):
        found(tree)


# ---- damage


@pytest.mark.parametrize(
    ("path", "archive", "isolated"),
    [
        ("a.txt", "", True),
        ("a.txt.gz", "", True),
        ("a.jsonl", "", False),
        ("a.parquet", "", False),
        ("a.txt", "dump.zip", True),
        ("a.jsonl", "dump.ZIP", True),
        ("a.jsonl", "dump.tar", True),
        ("a.txt", "dump.tar.gz", False),
        ("a.txt", "dump.tgz", False),
    ],
)
def test_damage_of_a_page_or_an_independent_member_is_its_own(path: str, archive: str, isolated: bool) -> None:
    file = InputFile(path, path, None, archive)
    assert file.is_isolated_damage(DamagedArchiveError("bad")) is isolated
    assert file.is_isolated_damage(EOFError()) is isolated
    assert not file.is_isolated_damage(OSError(5, "Input/output error"))


# ---- progress


def test_progress_ends_at_the_total_size(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl"):
        (tmp_path / name).write_text('{"text": "فاز المنتخب في المباراة"}\n' * 50, encoding="utf-8")
    progress = ReadProgress()
    records = read_records([str(tmp_path)], progress=progress)
    total = total_size([str(tmp_path)])
    assert total == sum(path.stat().st_size for path in tmp_path.iterdir())
    positions = [progress.position for _ in records]
    assert positions == sorted(positions)
    assert 0 < positions[0] <= positions[-1]
    assert progress.position == total
    assert total_size(["-"]) is None


def test_sizes_and_progress_are_of_the_files_as_stored(tmp_path: Path) -> None:
    path = write_file(tmp_path, "a.jsonl.gz", gzip.compress(json_lines({"id": "1", "text": TEXT * 50})))
    other = write_file(tmp_path, "b.txt", TEXT.encode())
    size, more = os.path.getsize(path), os.path.getsize(other)
    assert size < 1000
    assert total_size([path]) == size
    assert total_size([path, other, other]) == size + 2 * more
    assert total_size([path, "-"]) is None
    assert total_size([str(tmp_path)], outputs(other)) == size
    progress = ReadProgress()
    assert progress.position == 0
    (file,) = find_files(path)
    with file.open(progress) as stream:
        assert progress.position == 0
        assert stream.read()
        assert progress.position == size  # of the stream that is read
        assert progress.finished == 0
    assert (progress.position, progress.finished, progress.current) == (size, size, None)
    list(read_records([other], progress=progress))
    assert progress.position == size + more


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_members_have_the_sizes_of_their_contents(tmp_path: Path, suffix: str) -> None:
    path = write_file(tmp_path, "a.txt", TEXT.encode())
    archive = tmp_path / f"dump{suffix}"
    if suffix == ".zip":
        zipped(archive, "a.txt")
    else:
        with tarfile.open(archive, "w") as made:
            made.add(path, "a.txt")
    assert total_size([str(archive)]) == len(TEXT.encode())
    assert [article.id for article in read_articles(str(archive))] == ["a"]
