"""Calibration: it fits settings and tags, the same ones each time."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import calibrate_config
from wusum.model.tagging.sources.linear import LinearTagModel
from wusum.model.tagging.trees import BoostedTrees
from wusum.model.tagging.vocabulary import Vocabulary
from wusum.train.stages import calibrate


def test_calibrating_again_changes_nothing(corpora: Path, trained: Path) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in trained.iterdir()}

    before = files()
    calibrate.run(calibrate_config(corpora, trained))
    assert files() == before


def test_settings_and_tags_are_fitted(trained: Path) -> None:
    trees = BoostedTrees.load(trained / "ranking.json")
    assert len(trees.roots) == calibrate.CalibrateConfig.trees  # all candidates are tags without the network
    assert trees.bias != BoostedTrees.unfitted().bias
    assert len(LinearTagModel.load(trained, len(Vocabulary.load(trained / "tags.tsv").entries)).weights) > 50
    settings = json.loads((trained / "config.json").read_text(encoding="utf-8"))["wusum"]
    assert 0 < settings["tags"]["threshold"] < settings["tags"]["absent_threshold"]
    assert settings["topics"][3]["given"] is False
