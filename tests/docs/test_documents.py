"""The documents lead to each other, and list every setting and column."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.app import create_app
from mock_gitlab.cli.main import main
from mock_gitlab.config.overrides import VARIABLES
from tests.docs.shown import ROOT, anchor, headings, links, read

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = ["README.md", "API.md", "CHANGELOG.md", ".github/CONTRIBUTING.md"]
SETTINGS = read("API.md").partition("\n## Commands and settings\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str):
    for file, place in links(read(name)):
        target = (ROOT / name).parent / file if file else ROOT / name
        assert target.exists(), file
        assert not place or place in map(anchor, headings(target.read_text())), (file, place)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_two_headings_have_one_anchor(name: str):
    anchors = [anchor(heading) for heading in headings(read(name)) if name != "CHANGELOG.md"]

    assert len(set(anchors)) == len(anchors)


@pytest.mark.parametrize("name", ["README.md", "API.md"])
def test_the_contents_name_every_chapter(name: str):
    document = read(name)
    contents = document.partition("\n## Contents\n")[2].partition("\n## ")[0]
    below = document.partition("\n## Contents\n")[2].partition("\n## ")[2]
    chapters = [each for each in headings(f"## {below}") if not re.match(r"`[A-Z]+ /", each)]

    assert re.findall(r"^ *- \[(.+)\]\(#(.+)\)$", contents, re.MULTILINE) == [
        (chapter, anchor(chapter)) for chapter in chapters
    ]


@pytest.mark.parametrize("command", ["serve", "check", "preview", "schema", "init"])
def test_every_command_and_every_option_of_the_server_is_listed(
    command: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        main([command, "--help"])

    assert f"`mock-gitlab {command}" in SETTINGS
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    listed = {option for option in options if option in SETTINGS}
    assert options == listed or command != "serve"


def test_every_variable_is_listed():
    assert {name for name in VARIABLES if name not in SETTINGS} == set()


@pytest.mark.parametrize("table", ["scenarios", "pipelines"])
def test_every_listed_column_is_in_the_database(table: str, tmp_path: Path):
    listed = read("API.md").partition(f"\n`{table}`:\n")[2].partition("\n\n`")[0]
    (tmp_path / "mock.yaml").write_text("version: 1\n")
    create_app(tmp_path / "mock.yaml", environ={}, watch=False).close()

    with closing(sqlite3.connect(tmp_path / "mock.db")) as opened:
        query = "SELECT sql FROM sqlite_master WHERE name = ?"
        [sql] = opened.execute(query, (table,)).fetchone()

    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", listed, re.MULTILINE)
    assert len(rows) > 4
    for name, kind in rows:
        assert re.search(rf"^ +{name} +{re.escape(kind)}(,|$)", sql, re.MULTILINE), name
