"""Digests of the contents of all that a run reads, so that nothing made of other data is taken for made of this."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wusum import model, train
from wusum.model.errors import ConfigError, CorpusError
from wusum.train.cache import code_digest, digest_of, file_digest
from wusum.train.data.annotations import FILE
from wusum.train.data.corpora import ANNOTATED, annotated_sources, corpus_path

Inputs = dict[str, str]
"""A digest of the contents of each input, by its name: that of a corpus's file, or of the setting that names it."""


def corpus_inputs(folder: Path, corpora: Iterable[str]) -> Inputs:
    """Return the digests of the files of corpora, of the annotated rows and of the annotations.

    No corpus may train on some of these. `annotated` stands for all corpora whose articles it has. Raises CorpusError
    for another corpus without file.
    """
    names = dict.fromkeys(corpora)
    if ANNOTATED in names:
        names |= dict.fromkeys(annotated_sources(folder))
    paths = [corpus_path(folder, name) for name in names if name != ANNOTATED]
    annotated = corpus_path(folder, ANNOTATED)
    try:
        return {path.name: file_digest(path) for path in [*paths, FILE, *[annotated] * annotated.is_file()]}
    except OSError as error:
        raise CorpusError(str(error)) from error


def file_inputs(paths: Mapping[str, str | Path]) -> Inputs:
    """Return the digests of files, given the path of each; without those whose path is empty.

    Raises ConfigError for a file that is not there.
    """
    try:
        return {name: file_digest(Path(path)) for name, path in paths.items() if path}
    except OSError as error:
        raise ConfigError(str(error)) from error


def run_digest(settings: Any, inputs: Inputs, free: Sequence[str]) -> str:
    """Return a digest of a run: its settings but the `free` ones, the contents of its inputs, and the code.

    A finished run with the same digest need not be made again.
    """
    kept = {name: value for name, value in dataclasses.asdict(settings).items() if name not in free}
    return digest_of(kept, inputs, code_digest(model, train))
