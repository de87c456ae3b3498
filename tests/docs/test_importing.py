"""API.md shows what the importer really writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main
from mock_gitlab.importers.gitlab_ci import Request, import_ci
from tests.docs.shown import blocks, read

if TYPE_CHECKING:
    from pathlib import Path

API_MD = read("API.md").partition("\n## Importing `.gitlab-ci.yml`\n")[2]


def test_api_md_shows_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    configuration, made = [each.text for each in blocks(API_MD)][:2]
    (tmp_path / ".gitlab-ci.yml").write_text(configuration, encoding="utf-8")

    assert main(["import", "--tag", "v7", "--durations", "40s"]) == 0
    assert capsys.readouterr().out == made

    request = Request(ref="v7", tag=True, durations={"": "40s"})
    text = import_ci(tmp_path / ".gitlab-ci.yml", request).text
    assert text.partition("\n")[2] == made.partition("\n")[2]


def test_api_md_lists_every_option(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["import", "--help"])

    options = {
        word.strip(",[]")
        for word in capsys.readouterr().out.split()
        if word.startswith(("--", "[--"))
    }
    listed = API_MD.partition("### What is decided")[0]
    assert {each for each in options - {"--help", "--output"} if f"`{each} " not in listed} == set()
