"""Every error that wusum raises on purpose. Each message names the file, record or setting and the reason."""

from __future__ import annotations


class WusumError(Exception):
    """Base class: catch it to handle all of them. The command line prints it and exits with status 2."""


class ModelError(WusumError):
    """A model folder or Hub id cannot be used, or the machine lacks something that the model needs."""


class DumpError(WusumError):
    """An input cannot be read, an output cannot be written, or the options of a run contradict one another."""


class VocabularyError(WusumError, ValueError):
    """A controlled vocabulary cannot be read."""


class CorpusError(WusumError, ValueError):
    """A training corpus, its label map or its annotations cannot be read."""


class ConfigError(WusumError, ValueError):
    """A configuration file or one of its settings cannot be used."""
