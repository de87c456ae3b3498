"""``init`` writes a starter, and nothing over what exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def test_init_writes_a_starter_that_checks(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init"]) == 0
    assert main(["check"]) == 0

    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"mock.yaml", "scenarios/endings.yaml", "schemas/mock.schema.json"} <= names


def test_the_starter_names_the_schemas_beside_it(folder: Path):
    main(["init", "deep/inside"])

    for file, schema in (("mock.yaml", "mock"), ("scenarios/endings.yaml", "scenario")):
        path = folder / "deep/inside" / file
        named = re.search(r"\$schema=(\S+)", path.read_text(encoding="utf-8"))
        assert named is not None
        assert (path.parent / named[1]).resolve().name == f"{schema}.schema.json"
        assert (path.parent / named[1]).exists()


def test_init_never_writes_over_a_file(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "mock.yaml").write_text("version: 1\n", encoding="utf-8")

    assert main(["init"]) == 0

    assert (folder / "mock.yaml").read_text(encoding="utf-8") == "version: 1\n"
    assert "kept mock.yaml" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mock.yaml", "scenarios/mine.yaml"])
def test_init_adds_no_example_to_a_configuration_that_is_there(folder: Path, name: str):
    (folder / "scenarios").mkdir()
    (folder / name).write_text("scenarios: [{scenario_id: 900}]\n", encoding="utf-8")

    assert main(["init"]) == 0

    files = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    assert files == {name, "schemas/mock.schema.json", "schemas/scenario.schema.json"}
    assert main(["check"]) == 0


@pytest.mark.parametrize("command", [["init", "taken"], ["schema", "--output", "taken"]])
def test_a_folder_that_cannot_be_written_is_one_clear_line(
    folder: Path, command: list[str], capsys: pytest.CaptureFixture[str]
):
    (folder / "taken").write_text("a file\n", encoding="utf-8")

    assert main(command) == 2

    said = capsys.readouterr().err
    assert said.startswith("mock-gitlab: cannot write taken/mock")
    assert len(said.splitlines()) == 1


def test_init_keeps_the_schemas_that_exist(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["schema", "--output", "schemas"]) == 0

    assert main(["init"]) == 0

    assert "kept schemas/mock.schema.json, which exists" in capsys.readouterr().out


@pytest.mark.parametrize("existing", [{}, {"mock.yaml": "scenarios: [scenarios/*.yaml]\n"}])
def test_init_writes_the_gallery_on_demand(folder: Path, existing: dict[str, str]):
    for name, text in existing.items():
        (folder / name).write_text(text, encoding="utf-8")

    assert main(["init", "--gallery"]) == 0

    text = (folder / "scenarios/gallery.yaml").read_text(encoding="utf-8")
    assert "$schema=../schemas/scenario.schema.json" in text
    assert "stuck pending" in text
    assert main(["check"]) == 0


def test_init_keeps_a_gallery_that_somebody_has_edited(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "scenarios").mkdir()
    mine = folder / "scenarios/gallery.yaml"
    mine.write_text("scenarios: [{scenario_id: 9001}]\n", encoding="utf-8")

    assert main(["init", "--gallery"]) == 0

    assert mine.read_text(encoding="utf-8") == "scenarios: [{scenario_id: 9001}]\n"
    assert capsys.readouterr().out.count("kept scenarios/gallery.yaml") == 1
