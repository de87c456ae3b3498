"""API.md shows what the importer really writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main
from mock_gitlab.config.loader import load
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


def test_the_mock_follows_a_configuration_as_api_md_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    shown = blocks(API_MD)
    written = next(each.text for each in shown if each.text.startswith("# mock.yaml\n"))
    (tmp_path / ".gitlab-ci.yml").write_text(shown[0].text, encoding="utf-8")
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.yaml").write_text("scenarios: [{scenario_id: 900}]\n")
    (tmp_path / "mock.yaml").write_text(written, encoding="utf-8")

    declared = load(tmp_path / "mock.yaml", {}).declarations
    found = declared.declared(950)

    assert found is not None
    durations = {job.name: job.duration for job in found.scenario.jobs}
    assert (durations["build"], durations["unit: [3.11]"]) == (40_000, 120_000)
    assert declared.declared(900) is not None
    assert declared.rules[0].scenarios == (950,)


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
