"""Archives of pages and dumps, zip and tar: their members are read in place, and nothing is unpacked to the disk."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

SUFFIXES: Final = {".zip": "zip", ".tar": "tar", ".tgz": "tar", ".tar.gz": "tar", ".tar.xz": "tar", ".tar.bz2": "tar"}
DAMAGE: Final = (zipfile.BadZipFile, tarfile.TarError, zlib.error)
"""What a damaged archive raises as it is read."""
REFUSED: Final = (*DAMAGE, KeyError, NotImplementedError, RuntimeError)
"""What the opening of a member raises, also of one that is missing, compressed in an unknown way or encrypted."""


def kind(path: str) -> str:
    """The kind of archive that a name tells, "" for none."""
    return next((kind for suffix, kind in SUFFIXES.items() if path.lower().endswith(suffix)), "")


def open_archive(path: str) -> Any:
    """The fsspec file system in an archive, a local file or a URL; raises OSError or one of DAMAGE."""
    import fsspec  # slow to import, and seldom needed

    packed = {"compression": "gzip"} if path.lower().endswith(".tgz") else {}  # the other suffixes it knows by itself
    return fsspec.filesystem(kind(path), fo=path, skip_instance_cache=True, **packed)


def members(system: Any) -> Iterator[str]:
    """The paths in an archive of its files, sorted; links, which may lead anywhere, are passed over."""
    for path, info in sorted(system.find("", detail=True).items()):
        if not info.get("linkname") and not path.startswith("/"):
            yield path
