"""Print the lowest version that pyproject.toml allows of each dependency, as pip's constraints."""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]

for requirement in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]:
    print(*re.findall(r"^([\w-]+)>=([\w.]+)", requirement)[0], sep="==")
