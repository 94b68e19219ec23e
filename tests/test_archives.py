"""Archives are read in place: every member once, nothing unpacked, no link followed."""

from __future__ import annotations

import io
import json
import os
import random
import tarfile
import zipfile
from pathlib import Path

import fsspec
import pytest

from tests.test_resume import options
from wusum.model.article import Article
from wusum.model.command import run_tag
from wusum.model.dumps import DumpError, read

PAGE = "فاز المنتخب في مباراة كرة القدم أمس على ضيفه بهدفين لهدف {}"


def pages(count: int, first: int = 0) -> dict[str, bytes]:
    """Members of an archive: pages, each with its number, and a dump of two more."""
    made = {f"sub/{n:02}.txt": PAGE.format(n).encode() for n in range(first, first + count)}
    rows = [json.dumps({"id": f"row-{n}", "text": PAGE.format(n)}, ensure_ascii=False) for n in range(2)]
    return made | {"rows.jsonl": "\n".join(rows).encode(), "notes.md": b"no page", ".hidden/1.txt": b"hidden"}


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    modes = {".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2", ".tar": "w"}
    with tarfile.open(path, modes[path.suffix]) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2"])
def test_every_member_is_read_once_in_order(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"dump{suffix}", pages(3))
    found = [record for record in read([str(path)]) if isinstance(record, Article)]
    assert [a.id for a in found] == ["row-0", "row-1", "sub/00", "sub/01", "sub/02"]
    assert found[3].body == PAGE.format(1)
    assert os.listdir(tmp_path) == [path.name]


def test_archives_in_a_folder_and_at_a_url_are_read(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.txt").write_text(PAGE, encoding="utf-8")
    pack(tmp_path / "day" / "b.zip", {"x.txt": PAGE.encode()})
    assert [a.id for a in read([str(tmp_path)])] == ["day/a", "day/b.zip/x"]
    fsspec.filesystem("memory").pipe("/dumps/b.zip", (tmp_path / "day" / "b.zip").read_bytes())
    assert [a.id for a in read(["memory://dumps/b.zip"])] == ["x"]


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
    found = [record for record in read([str(path)]) if isinstance(record, Article)]
    assert [a.body for a in found] == [PAGE]  # the member called ../secret.txt, out of the archive itself
    assert secret.read_text(encoding="utf-8") == PAGE.format("سر")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.xz"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.97])
def test_a_cut_archive_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    noise = random.Random(7).randbytes(40_000).hex()
    path = pack(tmp_path / f"dump{suffix}", {f"{n}.txt": f"{PAGE} {noise}".encode() for n in range(3)})
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DumpError, match=r"dump\.(zip|tar)"):
        list(read([str(path)]))


def test_a_damaged_member_names_itself(tmp_path: Path) -> None:
    path = pack(tmp_path / "dump.zip", {"a.txt": PAGE.encode(), "b.txt": PAGE.encode()})
    data = bytearray(path.read_bytes())
    place = data.rindex(b"b.txt", 0, data.index(b"PK\x01\x02")) + 12
    data[place] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DumpError, match=r"dump\.zip/b\.txt: cannot be read"):
        list(read([str(path)]))


def test_a_member_that_unfolds_without_end_is_cut_off(tmp_path: Path) -> None:
    path = pack(tmp_path / "bomb.zip", {"big.txt": b"\xd8\xa7" * 70_000_000, "good.txt": PAGE.encode()})
    assert path.stat().st_size < 1_000_000
    big, good = read([str(path)])
    assert "absurdly long" in getattr(big, "error", "")
    assert isinstance(good, Article)


def test_a_run_over_an_archive_that_changed_is_refused(tmp_path: Path) -> None:
    path, out = pack(tmp_path / "dump.zip", pages(2)), tmp_path / "out.jsonl"
    run_tag(options(path, out))
    assert len(out.read_bytes().splitlines()) == 4
    pack(path, pages(2, first=5))
    with pytest.raises(DumpError, match="changed"):
        run_tag(options(path, out))
