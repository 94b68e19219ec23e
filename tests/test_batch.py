"""One run over a dump."""

from __future__ import annotations

from pathlib import Path

from wusum.model.article import Article
from wusum.model.batch import Report, tag_dump
from wusum.model.dumps import Reject, read
from wusum.model.files import Meter, total_size
from wusum.model.tagger import Prediction, Tagger


def test_every_record_ends_as_a_row_or_a_reject_in_order(tagger: Tagger) -> None:
    body = "فاز المنتخب في مباراة كرة القدم"
    records = [Reject("s", n, "", "bad") if n % 3 == 0 else Article(str(n), body) for n in range(900)]
    rows: list[tuple[Article, Prediction]] = []
    rejects: list[Reject] = []
    report = Report()
    tag_dump(
        report, tagger, records, lambda *row: rows.append(row), rejects.append, max_topics=1, max_tags=1, min_score=None
    )
    assert [a.id for a, _ in rows] == [p.id for _, p in rows] == [str(n) for n in range(900) if n % 3]
    assert [r.line for r in rejects] == list(range(0, 900, 3))
    assert (report.tagged, report.rejected) == (600, 300)
    assert "600 tagged, 300 rejected" in str(report)


def test_the_meter_ends_at_the_size_of_what_was_read(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl"):
        (tmp_path / name).write_text('{"text": "فاز المنتخب في المباراة"}\n' * 50, encoding="utf-8")
    meter = Meter()
    records = read([str(tmp_path)], meter=meter)
    total = total_size([str(tmp_path)])
    assert total == sum(path.stat().st_size for path in tmp_path.iterdir())
    positions = [meter.position for _ in records]
    assert positions == sorted(positions)
    assert 0 < positions[0] <= positions[-1]
    assert meter.position == total
    assert total_size(["-"]) is None
