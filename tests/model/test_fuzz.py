"""Damage of every kind: a record is tagged or rejected with a reason, and no other is touched."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.support import PAGES
from wusum.model.article import Article
from wusum.model.errors import DumpError
from wusum.model.io.reader import Reject, read_records
from wusum.model.io.validation import validate
from wusum.model.tagger import Tagger

PAGE_TEXTS = [path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("*.txt"))]
SPICE = [
    *(
        b"\xff\xfe",
        b"\x00",
        b'"',
        b"\\ud800",
        b"{",
        b"}",
        b"[",
        b"\\",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"null",
        b"1e999",
    ),
    *(b",", b"|", b"\t", b"\r", "\u202e".encode(), "\u0640".encode() * 50, b"\xc3\x98\xc2\xa7" * 9),
]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """One to four changes: bytes flipped, cut out, doubled, moved, or something nasty put in."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(start + chance.choice([1, 2, 5, 40]), len(data))
        data = chance.choice(
            [
                data[:start] + bytes(b ^ (1 << chance.randrange(8)) for b in data[start:end]) + data[end:],
                data[:start] + data[end:],
                data[:end] + data[start:],
                data[:start] + chance.choice(SPICE) + data[start:],
                data[start:end] + data[:start] + data[end:],
                data[:start],
            ]
        )
    return data


def judged(records: list[Article | Reject]) -> None:
    """Every record is fit to be tagged, or says why it is not."""
    for record in records:
        assert validate(record) is None if isinstance(record, Article) else record.error


def test_each_damaged_line_of_json_is_one_record(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = [
        json.dumps({"id": str(n), "title": "خبر", "text": t}, ensure_ascii=n % 2 > 0).encode()
        for n, t in enumerate(PAGE_TEXTS)
    ]
    lines = [damaged(chance.choice(rows), chance).replace(b"\n", b" ") for _ in range(6000)]
    lines[10::100] = [rows[0]] * len(lines[10::100])
    (tmp_path / "dump.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    for pages in (None, True):
        found = list(read_records([str(tmp_path / "dump.jsonl")], pages=pages))
        assert len(found) == sum(1 for line in lines if line.strip())
        assert sum(isinstance(r, Article) and r.id == "0" for r in found) >= 60
        judged(found)


def test_each_damaged_page_of_an_archive_is_one_record(tmp_path: Path) -> None:
    chance = random.Random(2)
    with zipfile.ZipFile(tmp_path / "dump.zip", "w") as archive:
        for number in range(3000):
            archive.writestr(f"{number}.txt", damaged(chance.choice(PAGE_TEXTS).encode(), chance))
    found = list(read_records([str(tmp_path / "dump.zip")]))
    assert len(found) == 3000
    judged(found)


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_a_damaged_table_gives_rows_and_rejects(tmp_path: Path, suffix: str) -> None:
    chance = random.Random(3)
    joint = "," if suffix == ".csv" else "\t"
    row = joint.join(["7", "خبر", "فاز المنتخب في المباراة"]).encode()
    lines = [damaged(row, chance).replace(b'"', b"'").replace(b"\n", b" ").replace(b"\r", b" ") for _ in range(1500)]
    (tmp_path / f"dump{suffix}").write_bytes(joint.join(["id", "title", "text"]).encode() + b"\n" + b"\n".join(lines))
    found = list(read_records([str(tmp_path / f"dump{suffix}")]))
    assert abs(len(found) - sum(1 for line in lines if line)) <= 5  # a blank line is no row
    judged(found)
    quoted = [damaged(row, chance) for _ in range(500)]  # with quotes a row may swallow others, but nothing breaks
    (tmp_path / f"dump{suffix}").write_bytes(joint.join(["id", "title", "text"]).encode() + b"\n" + b"\n".join(quoted))
    judged(list(read_records([str(tmp_path / f"dump{suffix}")])))


@pytest.mark.parametrize("kind", ["parquet", "jsonl.gz", "jsonl.xz", "jsonl.zst", "zip", "tar", "tar.xz"])
def test_a_damaged_file_is_read_as_far_as_it_goes_or_refused(tmp_path: Path, kind: str) -> None:
    chance = random.Random(4)
    row = json.dumps({"text": PAGE_TEXTS[0]}).encode() + b"\n"
    buffer = io.BytesIO()
    if kind == "parquet":
        pq.write_table(pa.table({"text": PAGE_TEXTS}), buffer)
    elif kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("dump.jsonl", row * 9)
    elif kind.startswith("tar"):
        with tarfile.open(fileobj=buffer, mode="w:xz" if kind == "tar.xz" else "w") as tar:
            member = tarfile.TarInfo("dump.jsonl")
            member.size = 9 * len(row)
            tar.addfile(member, io.BytesIO(row * 9))
    else:
        packers = {"jsonl.gz": gzip.compress, "jsonl.xz": lzma.compress, "jsonl.zst": zstandard.compress}
        buffer.write(packers[kind](row * 9))
    refused: list[bool] = []
    for number in range(120):
        path = tmp_path / f"{number}.{kind}"
        path.write_bytes(damaged(buffer.getvalue(), chance))
        try:
            judged(list(read_records([str(path)])))
        except DumpError as error:
            refused.append(str(path) in str(error))
    assert len(refused) > 40
    assert all(refused)


def test_whatever_the_text_there_is_an_answer(tagger: Tagger) -> None:
    chance = random.Random(5)
    texts = [damaged(chance.choice(PAGE_TEXTS).encode(), chance).decode(errors="ignore") for _ in range(400)]
    texts += [
        "",
        " ",
        "\n",
        "ـ" * 5000,
        "\u202e",
        "a",
        "٣",
        "و",
        "وال",
        "لل " * 300,
        "\ud800",
        "ﷺ" * 100,
        "😀" * 50,
        "\0" * 9,
    ]
    for number, prediction in enumerate(tagger.stream(texts, min_score=0.0, max_tags=30)):
        assert prediction.id == str(number)
        for tag in prediction.tags:
            assert tag.text.strip()
            assert all(0 <= start < end <= len(texts[number]) for start, end in tag.spans)
