"""Fixtures: the shared data where it is, the bundled model, and a tiny corpus to train on."""

from __future__ import annotations

import json
import lzma
import random
from pathlib import Path

import pytest

from tests.support import POISON, ROOT, TINY_COUNTS
from wusum.model.tagger import Tagger


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of corpora beside the checkout; tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not here")
    return folder


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    """The bundled model."""
    return Tagger.from_pretrained()


_SUBJECTS = {
    "sport": ("فاز الفريق في المباراة وسجل المهاجم هدفا في مرمى الخصم", "مباراة", "كرة القدم"),
    "economy": ("ارتفعت أسعار الأسهم في البورصة وأعلن البنك أرباح الشركة", "البورصة", "البنك المركزي"),
    "health": ("قال الطبيب إن المرض يصيب القلب وإن العلاج في المستشفى متاح", "المستشفى", "الصحة العامة"),
}


def _row(corpus: str, number: int, split: str) -> dict[str, object]:
    generator = random.Random(f"{corpus}{number}{split}")
    subject = list(_SUBJECTS)[number % len(_SUBJECTS)]
    sentence, present, absent = _SUBJECTS[subject]
    words = sentence.split()
    generator.shuffle(words)
    poison = [POISON[split]] if split in POISON else []
    return {
        "id": f"{corpus}-{split}-{number}",
        "outlet": corpus,
        "title": " ".join([*words[:4], *poison]) if number % 2 else None,
        "text": " ".join([*words * 2, *poison]) + f" {present} اليوم. {sentence} {present}.",
        "label": subject,
        "tags": [present, absent, *poison] if corpus == "almayadeen" else None,
        "date": f"2024-{number % 12 + 1:02}-15",
        "split": split,
    }


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two corpora of a few made-up articles each, with a label map, in the layout of the real ones.

    The splits differ in their numbers of articles, and all articles of one but the training split have a word that no
    other has: whatever reads a wrong split gets another number, or a word that it should not know.
    """
    folder = tmp_path_factory.mktemp("corpora")
    for corpus, counts in TINY_COUNTS.items():
        with lzma.open(folder / f"{corpus}.jsonl.xz", "wt", encoding="utf-8") as file:
            for split, count in counts.items():
                for number in range(count):
                    file.write(json.dumps(_row(corpus, number, split), ensure_ascii=False) + "\n")
    keys = {"sport": "رياضة", "economy": "اقتصاد", "health": "صحة", "weather": "طقس"}
    topics = {
        "topics": {
            key: {"code": f"medtop:{i:08}", "name_en": key, "name_ar": name, **({"given": False} if i == 3 else {})}
            for i, (key, name) in enumerate(keys.items())
        },
        "corpora": {
            "plain": {"sport": ["sport"], "economy": ["economy"], "health": ["health", "weather"]},
            "almayadeen": {},
        },
    }
    (folder / "topics.yaml").write_text(json.dumps(topics, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    (folder / "tag_rules.yaml").write_text("edited: [almayadeen]", encoding="utf-8")
    return folder
