"""What the process of the tests and the process of the servers write to each other."""

from __future__ import annotations

import pickle
import struct
from typing import IO, Any, NamedTuple

_LENGTH = struct.Struct("!Q")


class Started(NamedTuple):
    """What the process of the tests needs to know of a server."""

    key: int
    url: str
    token: str


def write(stream: IO[bytes], message: Any) -> None:
    """Write a message, all of it or nothing."""
    data = pickle.dumps(message)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read(stream: IO[bytes]) -> Any:
    """Read a message.

    Raises:
        EOFError: the other process has ended.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    return pickle.loads(stream.read(*_LENGTH.unpack(head)))  # noqa: S301 - our own process wrote it
