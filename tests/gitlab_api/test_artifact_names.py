"""Artifacts may have names in any language, and come out of the archive as ordinary files."""

from __future__ import annotations

import io
import stat
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.conftest import Mock

JOB = "/projects/1/jobs/100001"
REFUSED = "must be the path of a file inside the archive, such as reports/junit.xml"


def leave_behind(mock: Mock, *paths: str) -> None:
    """Run a job that leaves these files behind."""
    mock.declare(900, jobs=[{"name": "a", "artifacts": [{"path": path} for path in paths]}])
    mock.trigger(scenario_id=900)


@pytest.mark.parametrize(
    ("path", "disposition"),
    [
        ("dist/app.txt", 'attachment; filename="app.txt"'),
        ('a "b" c.txt', r'attachment; filename="a \"b\" c.txt"'),
        ("dist/é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ("報 1.xml", "attachment; filename=\"_ 1.xml\"; filename*=UTF-8''%E5%A0%B1%201.xml"),
        ("😀;a'b", "attachment; filename=\"_;a'b\"; filename*=UTF-8''%F0%9F%98%80%3Ba%27b"),
    ],
)  # fmt: skip
def test_a_downloaded_file_keeps_its_name(mock: Mock, path: str, disposition: str):
    leave_behind(mock, path)

    answer = mock.get(f"{JOB}/artifacts/{quote(path)}")

    assert (answer.status_code, answer.headers["content-disposition"]) == (200, disposition)


def test_the_files_of_an_archive_are_ordinary_files_that_others_may_read(mock: Mock):
    paths = ["dist/app.txt", "報告.xml"]
    leave_behind(mock, *paths)

    archive = zipfile.ZipFile(io.BytesIO(mock.get(f"{JOB}/artifacts").content))

    assert archive.namelist() == paths
    for file in archive.infolist():
        assert file.create_system == 3
        assert stat.filemode(file.external_attr >> 16) == "-rw-r--r--"


@pytest.mark.parametrize("character", ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x85", "\\"])
@pytest.mark.parametrize("form", ["list", "mapping"])
def test_a_name_with_a_control_character_is_refused(mock: Mock, character: str, form: str):
    path = f"dist/a{character}b"
    artifacts = {path: ""} if form == "mapping" else [{"path": path}]
    jobs = [{"name": "a", "artifacts": artifacts}]

    refused = mock.post("/_mock/scenarios", json={"scenario_id": 900, "jobs": jobs})

    assert (refused.status_code, refused.json()["detail"][0]["msg"]) == (422, REFUSED)


def test_a_name_that_no_archive_can_hold_is_refused(mock: Mock):
    jobs = [{"name": "a", "artifacts": {"a" * 1025: ""}}]

    refused = mock.post("/_mock/scenarios", json={"scenario_id": 900, "jobs": jobs})

    told = refused.json()["detail"][0]["msg"]
    assert (refused.status_code, told) == (422, "must have 1024 characters at most")
    leave_behind(mock, "é" * 1024)
    assert mock.get(f"{JOB}/artifacts").status_code == 200
    assert mock.get(f"{JOB}/artifacts/{quote('é' * 1024)}").status_code == 200
