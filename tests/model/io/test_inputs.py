"""Progress through the inputs of a run."""

from __future__ import annotations

from pathlib import Path

from wusum.model.io.inputs import ReadProgress, total_size
from wusum.model.io.reader import read_records


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
