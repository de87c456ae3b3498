"""A socket is bound and named; a server that cannot start says so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mock_gitlab.app import create_app
from mock_gitlab.server import PortInUse, address, listen, serve
from mock_gitlab.testing.host import ServerThread

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("::1", "[::1]"),
        ("::", "[::1]"),
    ],
)
def test_the_address_is_one_that_this_machine_reaches(host: str, reachable: str):
    with listen(host, 0) as bound:
        assert address(bound) == f"http://{reachable}:{bound.getsockname()[1]}"


def test_a_host_that_is_not_of_this_machine_is_one_clear_line():
    with pytest.raises(PortInUse, match=r"^cannot listen on 192\.0\.2\.1:0: "):
        listen("192.0.2.1", 0)


def test_an_application_that_fails_after_its_start_is_an_error(tmp_path: Path):
    path = tmp_path / "mock.db"
    app = create_app("/without", environ={}, must_exist=False, database=str(path))
    app.close()  # the server opens it again
    path.write_bytes(b"this is no database at all, whatever its name says" * 50)

    with pytest.raises(RuntimeError, match="did not start"):
        ServerThread(app, "127.0.0.1", 0)


def test_a_server_whose_parent_is_gone_ends_by_itself(caplog: pytest.LogCaptureFixture):
    bound = listen("127.0.0.1", 0)
    ended: list[bool] = []
    app = create_app(database=":memory:", must_exist=False, watch=False)

    serve(app, bound, lambda: None, lambda: ended.append(True), parent=os.getpid())

    assert ended == [True]
    assert "the process that has started this one ended" in caplog.text
    bound.close()
    app.close()
