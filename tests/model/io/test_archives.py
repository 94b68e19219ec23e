"""Archives are read in place: every member once, nothing unpacked, no link followed."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import random
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
import zstandard

from tests.support import Crash, crash_at, tag_options
from wusum.model import stream
from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io import archives
from wusum.model.io.archives import open_archive
from wusum.model.io.inputs import ReadProgress
from wusum.model.io.reader import Reject, Selection, read_records
from wusum.model.run.command import run_tag

PAGE = "فاز المنتخب في مباراة كرة القدم أمس على ضيفه بهدفين لهدف {}"


def pages(count: int, first: int = 0) -> dict[str, bytes]:
    """Members of an archive: pages, each with its number, and a dump of two more."""
    made = {f"sub/{n:02}.txt": PAGE.format(n).encode() for n in range(first, first + count)}
    rows = [json.dumps({"id": f"row-{n}", "text": PAGE.format(n)}, ensure_ascii=False) for n in range(2)]
    return made | {"rows.jsonl": "\n".join(rows).encode(), "notes.md": b"no page", ".hidden/1.txt": b"hidden"}


def page_tar(files: dict[str, bytes]) -> bytes:
    """A tar as bytes."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    packers = {".gz": gzip.compress, ".tgz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress, ".tar": bytes}
    path.write_bytes((packers | {".zst": zstandard.ZstdCompressor().compress})[path.suffix](page_tar(files)))
    return path


SUFFIXES = [".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_member_is_read_once_in_order(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"dump{suffix}", pages(3))
    found = [record for record in read_records([str(path)]) if isinstance(record, Article)]
    assert [a.id for a in found] == ["sub/00", "sub/01", "sub/02", "row-0", "row-1"]
    assert found[1].body == PAGE.format(1)
    assert os.listdir(tmp_path) == [path.name]


def test_archives_in_a_folder_and_at_a_url_are_read(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.txt").write_text(PAGE, encoding="utf-8")
    pack(tmp_path / "day" / "b.zip", {"x.txt": PAGE.encode()})
    assert [a.id for a in read_records([str(tmp_path)])] == ["day/a", "day/b.zip/x"]
    fsspec.filesystem("memory").pipe("/dumps/b.zip", (tmp_path / "day" / "b.zip").read_bytes())
    for name in ("c.tgz", "d.tar.zst"):
        pack(tmp_path / name, {"y.txt": PAGE.encode()})
        fsspec.filesystem("memory").pipe(f"/dumps/{name}", (tmp_path / name).read_bytes())
    assert [a.id for a in read_records(["memory://dumps/b.zip"])] == ["x"]
    assert [a.id for a in read_records(["memory://dumps"])] == ["b.zip/x", "c.tgz/y", "d.tar.zst/y"]


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
def test_members_are_called_alike_however_their_paths_begin(tmp_path: Path, suffix: str) -> None:
    names = ("./1.txt", "./sub/2.txt", "/3.txt", "./.hidden/4.txt")
    path = pack(tmp_path / f"dump{suffix}", {name: PAGE.format(name).encode() for name in names})
    assert [a.id for a in read_records([str(path)])] == ["1", "sub/2", "3"]
    assert [a.id for a in read_records([str(tmp_path)])] == [f"dump{suffix}/{name}" for name in ("1", "sub/2", "3")]


@pytest.mark.parametrize("packer", [bytes, gzip.compress])
def test_tars_that_were_joined_are_read_to_the_end(tmp_path: Path, packer: Callable[[bytes], bytes]) -> None:
    path = tmp_path / ("dump.tar" if packer is bytes else "dump.tar.gz")
    path.write_bytes(b"".join(packer(page_tar({f"{n}.txt": PAGE.format(n).encode()})) for n in range(3)))
    assert [a.id for a in read_records([str(path)])] == ["0", "1", "2"]
    path.write_bytes(path.read_bytes() + packer(b"no tar".ljust(1024)))
    with pytest.raises(DumpError, match=r"cannot be read as an archive: damaged header at byte 30,720"):
        list(read_records([str(path)]))


def test_no_link_and_no_path_out_of_the_archive_is_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(PAGE.format("سر"), encoding="utf-8")
    path = tmp_path / "inner" / "dump.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w") as archive:
        for name, kind in (("link.txt", tarfile.SYMTYPE), ("hard.txt", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(secret)
            archive.addfile(member)
        for name in ("../secret.txt", str(secret)):
            member = tarfile.TarInfo(name)
            member.size = len(PAGE.encode())
            archive.addfile(member, io.BytesIO(PAGE.encode()))
    found = [record for record in read_records([str(path)]) if isinstance(record, Article)]
    assert [a.body for a in found] == [PAGE, PAGE]  # the members called so, out of the archive itself
    assert secret.read_text(encoding="utf-8") == PAGE.format("سر")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.xz"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.97])
def test_a_cut_archive_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    noise = random.Random(7).randbytes(40_000).hex()
    path = pack(tmp_path / f"dump{suffix}", {f"{n}.txt": f"{PAGE} {noise}".encode() for n in range(3)})
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DumpError, match=r"dump\.(zip|tar)"):
        list(read_records([str(path)]))


class Watched(io.BytesIO):
    """Bytes that know how far back a reader has gone."""

    back = 0

    def seek(self, place: int, whence: int = 0) -> int:
        before = self.tell()
        found = super().seek(place, whence)
        self.back += max(before - found, 0)
        return found


def test_a_tar_is_read_in_its_own_order_without_going_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(3)
    names = [f"{n:03}.txt" for n in range(60)]
    noise.shuffle(names)
    path = pack(tmp_path / "dump.tar.gz", {name: f"{PAGE} {noise.randbytes(4000).hex()}".encode() for name in names})
    source = Watched(path.read_bytes())
    monkeypatch.setattr(fsspec, "open", lambda *_: Opened(source))
    archive = open_archive("memory://dump.tar.gz")
    source.back = 0
    found = [archive.open(name).read() for name in archive.paths()]
    assert list(archive.paths()) == names
    assert [len(data) for data in found] == [len(f"{PAGE} ".encode()) + 8000] * 60
    assert source.back <= 2 * path.stat().st_size  # from its end to its beginning, and no further


class Opened:
    """What `fsspec.open` gives."""

    def __init__(self, file: io.BytesIO) -> None:
        self._file = file

    def open(self) -> io.BytesIO:
        return self._file


def test_of_members_of_one_name_the_last_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dump.tar"
    with tarfile.open(path, "w") as archive:
        for name, text in (("a.txt", PAGE), ("b.txt", PAGE), ("a.txt", PAGE.format("!"))):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    found = [record for record in read_records([str(path)]) if isinstance(record, Article)]
    assert [(a.id, a.body) for a in found] == [("b", PAGE), ("a", PAGE.format("!"))]


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_damaged_header_is_not_the_end_of_a_tar(tmp_path: Path, suffix: str) -> None:
    data = bytearray(pack(tmp_path / "whole.tar", {f"{n}.txt": PAGE.encode() for n in range(3)}).read_bytes())
    data[data.index(b"1.txt")] ^= 0xFF
    path = tmp_path / f"dump{suffix}"
    path.write_bytes(gzip.compress(data) if suffix == ".tar.gz" else data)
    with pytest.raises(DumpError, match=r"cannot be read as an archive: damaged header at byte 1,024"):
        list(read_records([str(path)]))


def spoilt(path: Path, name: bytes, offset: int, bits: int = 0xFF) -> Path:
    """A zip in which a byte is changed, so far after the name that stands before a member's data."""
    data = bytearray(path.read_bytes())
    data[data.rindex(name, 0, data.index(b"PK\x01\x02")) + offset] ^= bits
    path.write_bytes(bytes(data))
    return path


def test_a_damaged_page_is_rejected_and_the_reading_goes_on(tmp_path: Path) -> None:
    files = {name: PAGE.format(name).encode() for name in ("a.txt", "b.txt", "c.txt")}
    path = spoilt(pack(tmp_path / "dump.zip", files), b"b.txt", 12)
    progress = ReadProgress()
    first, bad, last = read_records([str(path)], progress=progress)
    assert [first.id, bad.id, last.id] == ["a", "b", "c"]
    assert isinstance(bad, Reject)
    assert (bad.source, bad.line) == ("b.txt", 1)
    assert bad.error.startswith("cannot be read: ")
    assert progress.position == sum(map(len, files.values()))


def test_a_damaged_dump_is_rejected_from_where_it_cannot_be_read(tmp_path: Path) -> None:
    rows = [{"id": str(n), "text": PAGE.format(random.Random(n).randbytes(500).hex())} for n in range(100)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path = pack(tmp_path / "dump.zip", {"a.jsonl": lines.encode(), "b.txt": PAGE.encode()})
    spoilt(path, b"a.jsonl", 40_000)
    *found, bad, last = read_records([str(path)])
    good = [record.id for record in found]
    assert good == [str(n) for n in range(len(good))]
    assert 10 < len(good) < 100
    assert isinstance(bad, Reject)
    assert (bad.source, bad.line, bad.id) == ("a.jsonl", len(good) + 1, "")
    assert bad.error.startswith("cannot be read any further: ")
    assert last.id == "b"
    for number in (0, 1):  # of two parts, one has the reject
        rest = read_records([str(path)], selection=Selection(len(good), number, 2))
        assert [record.id for record in rest] == ([] if number else ["", "b"])


def test_a_member_packed_in_an_unknown_way_or_locked_is_rejected(tmp_path: Path) -> None:
    for what, place, value in (("compression method is not supported", 10, 99), ("encrypted", 8, 1)):
        path = pack(tmp_path / "dump.zip", {"a.txt": PAGE.encode(), "b.txt": PAGE.encode()})
        data = bytearray(path.read_bytes())
        for signature, shift in ((b"PK\x03\x04", -2), (b"PK\x01\x02", 0)):  # in the member's header, in the directory
            data[data.index(signature) + place + shift] = value
        path.write_bytes(bytes(data))
        bad, good = read_records([str(path)])
        assert isinstance(bad, Reject)
        assert bad.source == "a.txt"
        assert what in bad.error
        assert isinstance(good, Article)


@pytest.mark.parametrize(("suffix", "goes_on"), [(".zip", True), (".tar", True), (".tar.gz", False)])
def test_damage_within_a_packed_page_leaves_the_others(tmp_path: Path, suffix: str, goes_on: bool) -> None:
    packed = bytearray(gzip.compress(PAGE.encode()))
    packed[-6] ^= 0xFF
    path = pack(tmp_path / f"dump{suffix}", {"a.txt.gz": bytes(packed), "b.txt": PAGE.encode()})
    if goes_on:
        bad, good = read_records([str(path)])
        assert "CRC check failed" in getattr(bad, "error", "")
        assert isinstance(good, Article)
    else:  # the members share one stream: whose damage it is, nobody can tell
        with pytest.raises(DumpError, match=r"dump\.tar\.gz/a\.txt\.gz: cannot be read: CRC check failed"):
            list(read_records([str(path)]))


def test_a_disk_that_fails_is_not_taken_for_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "dump.zip", {"a.txt": PAGE.encode(), "b.txt": PAGE.encode()})
    for failure in (OSError(errno.EIO, "Input/output error"), TimeoutError("the network is gone")):

        def fail(*_: object, failure: OSError = failure) -> bytes:
            raise failure

        records = read_records([str(path)])
        with monkeypatch.context() as patch:
            patch.setattr(zipfile.ZipExtFile, "read1", fail)
            patch.setattr(zipfile.ZipExtFile, "readinto", fail)
            with pytest.raises(DumpError, match=r"dump\.zip/a\.txt: cannot be read: .*(Input/output|gone)"):
                list(records)


def test_a_run_that_is_cut_at_a_damaged_member_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK_ARTICLES", 2)
    path = spoilt(pack(tmp_path / "dump.zip", {f"{n}.txt": PAGE.format(n).encode() for n in range(9)}), b"3.txt", 12)
    run_tag(tag_options(path, tmp_path / "whole.jsonl"))
    reject = json.loads((tmp_path / "whole.jsonl.rejects.jsonl").read_bytes())
    assert (reject["source"], reject["id"]) == ("3.txt", "3")
    for cut in range(2, 6):
        with monkeypatch.context() as patch:
            crash_at(patch, 3 * cut)
            with pytest.raises(Crash):
                run_tag(tag_options(path, tmp_path / "out.jsonl"))
        run_tag(tag_options(path, tmp_path / "out.jsonl"))
        for name in ("", ".rejects.jsonl"):
            whole, found = (tmp_path / f"{stem}.jsonl{name}" for stem in ("whole", "out"))
            assert found.read_bytes() == whole.read_bytes()
        (tmp_path / "out.jsonl").unlink()


def test_a_member_called_like_the_output_is_read(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    row = json.dumps({"id": "in", "text": PAGE}, ensure_ascii=False)
    path = pack(tmp_path / "dump.tar", {str(out).lstrip("/"): row.encode()})
    run_tag(tag_options(path, out))
    assert json.loads(out.read_bytes())["id"] == "in"


def test_a_member_that_unfolds_without_end_is_cut_off(tmp_path: Path) -> None:
    path = pack(tmp_path / "bomb.zip", {"big.txt": b"\xd8\xa7" * 70_000_000, "good.txt": PAGE.encode()})
    assert path.stat().st_size < 1_000_000
    big, good = read_records([str(path)])
    assert "too long" in getattr(big, "error", "")
    assert isinstance(good, Article)


@pytest.mark.parametrize(
    "kind",
    [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE],
)
def test_a_tar_whose_header_unfolds_without_end_is_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for size in (100, 50_000_000):
            member = tarfile.TarInfo("x")
            member.type, member.size = kind, size
            archive.addfile(member, io.BytesIO(b"19 path=sub/a.txt\n".ljust(size, b"0")))
    tracemalloc.start()
    with pytest.raises(DumpError, match=r"bomb\.tar\.gz: .* a header of 50,000,000 bytes"):
        list(read_records([str(path)]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def numbered(header: bytes, size: int) -> bytes:
    """A tar header with another size."""
    made = bytearray(header)
    made[124:136] = b"\xff" + (256**11 + size).to_bytes(11, "big") if size < 0 else f"{size:011o}\0".encode()
    made[148:156] = b" " * 8
    made[148:156] = f"{sum(made[:512]):06o}\0 ".encode()
    return bytes(made)


def test_a_tar_whose_sizes_lead_backwards_is_refused(tmp_path: Path) -> None:
    good, header = page_tar({"a.txt": PAGE.encode()})[:1024], tarfile.TarInfo("b.txt").tobuf()
    path = tmp_path / "dump.tar"
    path.write_bytes(good + numbered(header, -512) + bytes(1024))
    with pytest.raises(DumpError, match=r"dump\.tar: cannot be read as an archive: a size of -512 bytes"):
        list(read_records([str(path)]))
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a.txt")
        member.pax_headers = {"size": "-1536"}
        archive.addfile(member)
    with pytest.raises(DumpError, match=r"dump\.tar: cannot be read as an archive: a member of -1,536 bytes"):
        list(read_records([str(path)]))


def test_a_sparse_file_is_rejected_not_unfolded(tmp_path: Path) -> None:
    header = bytearray(tarfile.TarInfo("holes.jsonl").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"\x80" + (1 << 50).to_bytes(11, "big")  # its size, unpacked
    path = tmp_path / "dump.tar"
    path.write_bytes(numbered(bytes(header), 0) + page_tar({"a.txt": PAGE.encode()}))
    bad, good = read_records([str(path)])
    assert (bad.source, bad.error) == ("holes.jsonl", "cannot be read: sparse files are not supported")
    assert isinstance(good, Article)


def test_a_tar_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "dump.tar", pages(3))
    monkeypatch.setattr(archives, "MAX_MEMBERS", 6)
    assert len(list(read_records([str(path)]))) == 5  # of its six files one is no page, and one hidden
    monkeypatch.setattr(archives, "MAX_MEMBERS", 5)
    with pytest.raises(DumpError, match=r"dump\.tar: cannot be read as an archive: more than 5 files"):
        list(read_records([str(path)]))


def test_a_run_over_an_archive_that_changed_is_refused(tmp_path: Path) -> None:
    path, out = pack(tmp_path / "dump.zip", pages(2)), tmp_path / "out.jsonl"
    run_tag(tag_options(path, out))
    assert len(out.read_bytes().splitlines()) == 4
    pack(path, pages(2, first=5))
    with pytest.raises(DumpError, match="changed"):
        run_tag(tag_options(path, out))
