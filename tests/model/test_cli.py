"""The command line, run as a user runs it."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import PAGES, parquet_rows

BODY = "أعلن المنتخب الوطني فوزه في المباراة النهائية لكأس أفريقيا لكرة القدم أمام منتخب تونس"


def wusum(*args: object, stdin: str | bytes = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    command = [sys.executable, "-c", "from wusum.model.cli import main; main()", *map(str, args)]
    done = subprocess.run(command, input=data, capture_output=True, cwd=cwd, check=False)
    return subprocess.CompletedProcess(args, done.returncode, done.stdout.decode(), done.stderr.decode())


HELP_MODULES = 450
"""Most modules that the help may load: 370 at present, nearly all of them of typer, rich and the standard library."""


def test_help_loads_little_so_that_it_is_there_at_once() -> None:
    """`tests/test_imports.py` names the heavy packages that it may not load; `wusum bench` measures the seconds."""
    code = (
        "import sys\n"
        "from wusum.model.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 0
    for command in ("tag", "train", "eval", "bench"):
        assert command in done.stdout
    loaded = done.stderr.split()
    assert len(loaded) < HELP_MODULES
    ours = {name for name in loaded if name.count(".") > 1 and name.startswith("wusum.")}
    assert ours == {"wusum.model.cli", "wusum.model.options", "wusum.train.cli", "wusum.eval.cli"}


def test_the_light_core_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, pkgutil, importlib, wusum.model as m\n"
        "for i in pkgutil.walk_packages(m.__path__, 'wusum.model.'):\n"
        "    i.name == 'wusum.model.network.module' or importlib.import_module(i.name)\n"
        "print(sorted({'torch', 'transformers', 'sklearn', 'datasets', 'yaml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode().strip() == "[]"


def test_pages_come_out_as_json_lines_when_piped() -> None:
    done = wusum("tag", PAGES)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [row["id"] for row in rows] == sorted(path.stem for path in PAGES.glob("*.txt"))
    assert all(row["topics"] and row["tags"] for row in rows)
    assert "6 tagged, 0 rejected" in done.stderr


def test_a_table_keeps_arabic_apart_from_numbers() -> None:
    done = wusum("tag", PAGES / "sport.txt", "--format", "table")
    lines = done.stdout.splitlines()
    assert any(re.match(r" topics [01]\.\d\d  (\(unsure\) )?sport", line) for line in lines)
    for line in lines:
        if any("\u0600" <= char <= "\u06ff" for char in line):
            before, _, inside = line.partition("\u2067")
            assert inside.endswith("\u2069")
            assert not any("\u0600" <= char <= "\u06ff" for char in before)


def test_every_output_format_holds_the_same_rows(tmp_path: Path) -> None:
    for suffix in ("jsonl", "jsonl.gz", "csv", "tsv", "parquet"):
        assert wusum("tag", PAGES, "-o", tmp_path / f"out.{suffix}").returncode == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert parquet_rows(tmp_path / "out.parquet") == rows
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["id"] for line in table] == [row["id"] for row in rows]
    assert [line["confident"] == "true" for line in table] == [row["confident"] for row in rows]
    assert [line["tags"].split(" | ") for line in table] == [[tag["text"] for tag in row["tags"]] for row in rows]
    assert not list(tmp_path.glob("*.rejects.jsonl"))


def test_bad_records_are_kept_with_their_reason_and_the_run_goes_on(tmp_path: Path) -> None:
    good = json.dumps({"id": "good", "text": BODY}, ensure_ascii=False).encode()
    bad = [b"{no json", b'{"id": "e", "text": ""}', b'{"id": "n"}', b'{"id": "en", "text": "only English words here"}']
    bad += [b'{"id": "bytes", "text": "\xc7\xe1\xd3\xe1\xc7\xe3"}', b"[1, 2]"]
    (tmp_path / "dump.jsonl").write_bytes(b"\n".join([good, *bad, good]) + b"\n")
    out = tmp_path / "out.jsonl"
    done = wusum("tag", tmp_path / "dump.jsonl", "-o", out)
    assert done.returncode == 0
    assert [json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()] == ["good", "good"]
    rejects = [json.loads(s) for s in Path(f"{out}.rejects.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [reject["line"] for reject in rejects] == [2, 3, 4, 5, 6, 7]
    assert all(list(reject) == ["source", "line", "id", "error"] and reject["error"] for reject in rejects)
    assert "2 tagged, 6 rejected" in done.stderr
    assert wusum("tag", tmp_path / "dump.jsonl").stderr.count("wusum: rejected dump.jsonl:") == 6


def test_rejects_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    (tmp_path / "bad.jsonl").write_text("{\n", encoding="utf-8")
    wusum("tag", tmp_path / "bad.jsonl", "-o", out)
    assert Path(f"{out}.rejects.jsonl").exists()
    refused = wusum("tag", PAGES / "sport.txt", "-o", out)
    assert refused.returncode == 2
    assert "its run had other inputs" in refused.stderr
    assert wusum("tag", PAGES / "sport.txt", "-o", out, "--force").returncode == 0
    assert not Path(f"{out}.rejects.jsonl").exists()


def test_fields_and_limits_can_be_named(tmp_path: Path) -> None:
    row = {"key": 7, "head": "كأس أفريقيا", "story": BODY, "text": "another text"}
    options = (
        "--id-field",
        "key",
        "--title-field",
        "head",
        "--text-field",
        "story",
        "--max-topics",
        1,
        "--max-tags",
        1,
    )
    done = wusum("tag", "-", *options, "--min-score", 0, stdin=json.dumps(row, ensure_ascii=False))
    answer = json.loads(done.stdout)
    assert answer["id"] == "7"
    assert len(answer["topics"]) == len(answer["tags"]) == 1
    assert answer["topics"][0]["name_en"] == "sport"


def test_pages_and_plain_texts_are_told_apart(tmp_path: Path) -> None:
    page = (PAGES / "sport.txt").read_text(encoding="utf-8")
    (tmp_path / "a.txt").write_text(page, encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "a", "text": page}), encoding="utf-8")
    answers = [
        wusum("tag", tmp_path / name, *flag).stdout
        for name in ("a.txt", "a.jsonl")
        for flag in ([], ["--pages"], ["--plain"])
    ]
    taken_apart, whole = answers[0], answers[2]
    assert taken_apart != whole
    assert answers == [taken_apart, taken_apart, whole, whole, taken_apart, whole]


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["missing.jsonl"], "missing.jsonl"),
        (["nothing-*.txt"], "nothing-*.txt"),
        (["page.pdf"], "page.pdf"),
        (["a.txt", "--model", "no-such-folder"], "no-such-folder: no such model folder"),
        (["a.txt", "-o", "out.docx"], "out.docx"),
        (["a.txt", "-o", "no/such/folder/out.jsonl"], "no/such/folder"),
        (["a.txt", "-o", "out.jsonl", "--format", "table"], "a table is for the terminal"),
        (["a.txt", "--max-topics", "0"], "--max-topics"),
        ([], "INPUT"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_a_reason(tmp_path: Path, args: list[str], reason: str) -> None:
    (tmp_path / "a.txt").write_text(BODY, encoding="utf-8")
    (tmp_path / "page.pdf").write_text(BODY, encoding="utf-8")
    done = wusum("tag", *args, cwd=tmp_path)
    assert done.returncode == 2
    assert reason in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_an_output_is_never_read_as_input(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "bad"}\n' * 300 + json.dumps({"text": BODY}) + "\n", encoding="utf-8")
    for _ in range(2):
        done = wusum("tag", tmp_path, "-o", tmp_path / "z.jsonl", "--force")
        assert done.returncode == 0
        assert "1 tagged, 300 rejected" in done.stderr
    before = (tmp_path / "a.jsonl").read_bytes()
    done = wusum("tag", "a.jsonl", "-o", "./a.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert "this run writes it" in done.stderr
    assert (tmp_path / "a.jsonl").read_bytes() == before


def test_what_was_read_before_damage_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BODY, encoding="utf-8")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(os.urandom(9000))[:2000])
    done = wusum("tag", tmp_path)
    assert done.returncode == 2
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["a"]
    assert "b.jsonl.gz: cannot be read" in done.stderr
    assert "1 tagged" in done.stderr


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    command = f'{sys.executable} -c "from wusum.model.cli import main; main()" tag {PAGES} {PAGES} | head -1'
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_closed_streams_are_named() -> None:
    command = f'{sys.executable} -c "from wusum.model.cli import main; main()" tag'
    for closed, reason in (("- <&-", b"standard input is closed"), (f"{PAGES} >&-", b"standard output is closed")):
        done = subprocess.run(["bash", "-c", f"{command} {closed}"], capture_output=True, check=False)
        assert done.returncode == 2
        assert reason in done.stderr


def test_a_damaged_first_line_does_not_make_a_page_of_a_stream() -> None:
    done = wusum("tag", "-", stdin="oops\n" + json.dumps({"id": "good", "text": BODY}) + "\n")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["good"]
    assert "1 tagged, 1 rejected" in done.stderr


def test_an_endless_title_is_rejected() -> None:
    done = wusum("tag", "-", stdin=json.dumps({"title": "خبر " * 5000, "text": BODY}))
    assert "too long: the title has 20,000 characters" in done.stderr


def test_train_and_eval_name_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("colour: red\n", encoding="utf-8")
    for command in (["train", "finetune"], ["eval"]):
        done = wusum(*command, tmp_path / "run.yaml")
        assert done.returncode == 2
        assert "unknown setting 'colour'" in done.stderr
