"""A folder with a configuration."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.config.diagnostics import ConfigurationError
from mock_gitlab.config.loader import Loaded, load

if TYPE_CHECKING:
    from pathlib import Path


class Folder:
    """A user's folder with mock.yaml and other files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mock = path / "mock.yaml"

    def write(self, **files: str) -> Folder:
        """Write files: ``mock`` is mock.yaml, ``a__b`` is a/b.yaml."""
        for name, text in files.items():
            file = self.path / f"{name.replace('__', '/')}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text))
        return self

    def load(self, environ: dict[str, str] | None = None, **options: Any) -> Loaded:
        """Load mock.yaml."""
        return load(self.mock, environ or {}, **options)

    def mistakes(self, **options: Any) -> list[str]:
        """List the mistakes, without the path of the folder."""
        with pytest.raises(ConfigurationError) as refused:
            self.load(**options)
        return [str(each).replace(f"{self.path}/", "") for each in refused.value.mistakes]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
