"""What numbers depend on is written beside them, and the files of the repository have numbers of known origin."""

from __future__ import annotations

import json
import platform
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import ROOT, eval_config, read_corpus, write_corpus
from wusum.eval import provenance
from wusum.eval.provenance import describe, processor, record_training, revision, training_record
from wusum.model.network.artifact import BUNDLED
from wusum.model.network.runtime import available_cpus
from wusum.model.run.manifest import model_fingerprint
from wusum.train.cache import file_digest


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a package, committed."""
    root = tmp_path / "repository"
    (root / "eval").mkdir(parents=True)
    (root / "eval" / "module.py").write_text("A = 1\n", encoding="utf-8")
    (root / "pyproject.toml").write_text("", encoding="utf-8")
    (root / ".gitignore").write_text("runs/\n", encoding="utf-8")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "first")
    return root


def test_the_revision_is_the_commit_of_the_code(repository: Path) -> None:
    found = revision(repository / "eval")
    assert found == git(repository, "rev-parse", "HEAD")[:12]
    (repository / "runs").mkdir()
    (repository / "runs" / "report").write_text("ignored", encoding="utf-8")
    assert revision(repository / "eval") == found
    git(repository, "tag", "-a", "v1", "-m", "a name for the commit")
    assert revision(repository / "eval") == found


def test_a_changed_and_a_new_file_make_a_revision_dirty(repository: Path) -> None:
    commit = revision(repository / "eval")
    new = repository / "eval" / "new.py"
    new.write_text("B = 1\n", encoding="utf-8")
    assert revision(repository / "eval") == f"{commit}-dirty"
    new.unlink()
    assert revision(repository / "eval") == commit
    (repository / "eval" / "module.py").write_text("A = 2\n", encoding="utf-8")
    assert revision(repository / "eval") == f"{commit}-dirty"


def test_a_repository_around_the_code_is_not_taken_for_its_own(repository: Path, tmp_path: Path) -> None:
    inside = repository / "site-packages" / "wusum" / "eval"
    inside.mkdir(parents=True)
    (inside.parent / "pyproject.toml").write_text("", encoding="utf-8")
    assert revision(inside) is None
    git(repository, "rm", "--quiet", "pyproject.toml")
    assert revision(repository / "eval") is None
    assert revision(tmp_path) is None
    assert revision(tmp_path / "nowhere" / "eval") is None


def test_without_git_there_is_no_revision(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(repository / "eval") is None


def test_the_revision_is_that_of_this_checkout() -> None:
    try:
        commit = git(ROOT, "rev-parse", "HEAD")[:12]
    except AssertionError as error:
        pytest.skip(f"not a clone: {error}")
    assert revision() in (commit, f"{commit}-dirty")


def test_the_processor_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert processor()
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Some Processor 9000\nmodel name\t: Other\n", encoding="utf-8")
    monkeypatch.setattr(provenance, "CPU_INFO", info)
    assert processor() == "Some Processor 9000"
    monkeypatch.setattr(platform, "processor", lambda: "by platform")
    for content in ("processor\t: 0\n", None):
        info.write_text(content, encoding="utf-8") if content else info.unlink()
        assert processor() == "by platform"
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert processor() == platform.machine()


def test_everything_that_numbers_depend_on_is_described(corpora: Path) -> None:
    config = eval_config(corpora, plain=["sport"])
    found = describe(BUNDLED, config, turns=3)
    assert json.loads(json.dumps(found)) == found
    assert found["model"] == BUNDLED.name
    assert found["model_fingerprint"] == model_fingerprint(BUNDLED)
    assert found["data"] == {
        f"{name}.jsonl.xz": file_digest(corpora / f"{name}.jsonl.xz") for name in ("almayadeen", "plain")
    }
    assert found["settings"]["data"] == str(corpora)
    assert found["settings"]["topic_labels"] == {"plain": ["sport"]}
    assert found["versions"]["python"] == platform.python_version()
    assert found["versions"].keys() == {"python", *provenance.PACKAGES}
    assert found["revision"] == revision()
    assert found["processor"] == processor()
    assert found["threads"] == available_cpus() <= found["processors"]
    assert found["turns"] == 3
    assert describe(BUNDLED, config)["turns"] == 1


def test_a_package_that_is_not_installed_has_no_version(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package"))
    found = describe(BUNDLED, eval_config(corpora))["versions"]
    assert found["numpy"]
    assert found["no-such-package"] is None


def test_data_are_described_by_their_contents(corpora: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.jsonl.xz"
    rows = read_corpus(corpora / path.name)
    config = replace(eval_config(corpora), data=tmp_path, labelled=str(tmp_path / "own.jsonl"))
    found = []
    for changed in (rows, rows[::-1], rows):
        write_corpus(path, changed)
        found.append(describe(BUNDLED, config)["data"])
    assert found[0] == found[2] != found[1]
    (tmp_path / "own.jsonl").write_text("mine", encoding="utf-8")
    assert describe(BUNDLED, config)["data"] == found[0] | {"own.jsonl": file_digest(tmp_path / "own.jsonl")}


def test_the_code_is_that_of_all_parts_and_of_their_data_files(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    config = eval_config(corpora)
    monkeypatch.setattr(provenance, "code_digest", lambda *packages: asked.append(packages) or "digest")
    before = describe(BUNDLED, config)["code"]
    assert [package.__name__ for package in asked[0]] == ["wusum.model", "wusum.train", "wusum.eval"]
    for number, path in enumerate(provenance.PACKAGE_DATA):
        changed = tmp_path / path.name
        changed.write_bytes(path.read_bytes() + b" ")
        files = [*provenance.PACKAGE_DATA]
        files[number] = changed
        monkeypatch.setattr(provenance, "PACKAGE_DATA", tuple(files))
        assert describe(BUNDLED, config)["code"] != before
        files[number] = path
        monkeypatch.setattr(provenance, "PACKAGE_DATA", tuple(files))
    assert describe(BUNDLED, config)["code"] == before
    monkeypatch.setattr(provenance, "code_digest", lambda *packages: "other")
    assert describe(BUNDLED, config)["code"] != before


def test_every_data_file_of_the_packages_counts_but_those_of_the_model_and_of_the_report() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    shipped = {
        path
        for package, patterns in settings["package-data"].items()
        for pattern in patterns
        for path in (ROOT / settings["package-dir"].get(package, package.replace("wusum.", "").replace(".", "/"))).glob(
            pattern
        )
    }
    apart = {".typed", ".md", ".j2"}
    counted = {path for path in shipped if path.suffix not in apart and BUNDLED not in path.parents}
    assert {path.resolve() for path in counted} == {path.resolve() for path in provenance.PACKAGE_DATA}


def test_a_training_is_recorded_beside_its_model(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    assert training_record(tmp_path) is None
    (model / "config.json").write_text("{}", encoding="utf-8")
    record_training(tmp_path, model)
    assert training_record(tmp_path) == {"revision": revision(), "model_fingerprint": model_fingerprint(model)}
    (tmp_path / "trained.json").write_text("{", encoding="utf-8")
    assert training_record(tmp_path) is None
