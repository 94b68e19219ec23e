"""Fixtures: a tokenizer and a model that were trained on the tiny corpora."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import TINY_CORPORA, finetune_config, finish_model
from wusum.train.stages import finetune, tokenizer, vectors


@pytest.fixture(scope="session")
def tokenizer_folder(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tokenizer of the tiny corpora."""
    folder = tmp_path_factory.mktemp("trained") / "tokenizer"
    tokenizer.run(tokenizer.TokenizerConfig(corpora, folder, TINY_CORPORA, vocab_size=300, min_frequency=1))
    return folder


@pytest.fixture(scope="session")
def finetuned(corpora: Path, tokenizer_folder: Path) -> Path:
    """The folder of a model as fine-tuning leaves it, from embeddings that start from word vectors."""
    folder = tokenizer_folder.parent
    made = folder / "vectors.npy"
    vectors.run(vectors.VectorsConfig(corpora, tokenizer_folder, made, TINY_CORPORA, dimensions=32))
    finetune.run(finetune_config(corpora, folder, vectors=str(made)))
    return folder / "finetune" / "model"


@pytest.fixture(scope="session")
def trained(corpora: Path, finetuned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished model: every stage has run."""
    folder = tmp_path_factory.mktemp("finished") / "model"
    shutil.copytree(finetuned, folder)
    finish_model(corpora, folder)
    return folder
