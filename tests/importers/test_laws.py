"""Whatever a configuration says: it is imported to what ``check`` accepts, or refused in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_gitlab.importers.gitlab_ci import CannotImport, Request, import_ci
from tests.importers.importing import proven

if TYPE_CHECKING:
    from pathlib import Path

WORDS = {
    "stage": ["build", "test", "deploy", ".pre", "later"],
    "when": ["manual", "always", "on_failure", "delayed", "never"],
    "start_in": ["5 minutes", "soon"],
    "rules": [
        "[{if: $A}, {when: manual}]",
        "[{when: delayed, start_in: 3m}]",
        "[{changes: [x]}]",
        "[{exists: [c.yml], needs: [a]}]",
        "[{when: manual, allow_failure: true}]",
        "[{if: '$P == \"1\"', variables: {Q: z}}, {when: on_success}]",
    ],
    "needs": ["[]", "[a]", "[{job: a, optional: true}]", "[b, a]", "[{project: x, job: y}]", "no"],
    "parallel": ["2", "{matrix: [{P: [1, 2], Q: x}]}", "{matrix: [{P: '1'}, {P: ['2']}]}", "0"],
    "environment": ["qa", "{name: q/$P, action: stop}", "{name: qa, on_stop: b}", "[]"],
    "retry": ["1", "{max: 2, when: script_failure}", "9"],
    "timeout": ["1h", "3 minutes", "{}"],
    "allow_failure": ["true", "{exit_codes: [1, 2]}", "maybe"],
    "tags": ["[x, $P]", "3"],
    "extends": ["[.h]", ".h", "a"],
    "variables": ["{P: 1, Q: $P}", "[]"],
    "only": ["[main]", "{refs: [branches], changes: [x]}", "{x: y}"],
    "except": ["[tags]", "[/^m/]"],
    "artifacts": ["{paths: [a.txt, b/], reports: {junit: x}}"],
    "dependencies": ["[a]", "[a, b]"],
    "inherit": ["{default: false}", "{variables: [P]}"],
    "interruptible": ["true"],
    "coverage": ["/x/"],
}
ACTIONS = ["script: x", "trigger: g/p", "trigger: {include: c.yml, strategy: depend}", "image: x"]
JOB = st.tuples(
    st.sampled_from(ACTIONS),
    st.lists(
        st.sampled_from(sorted(WORDS)).flatmap(
            lambda key: st.sampled_from(WORDS[key]).map(lambda value: f"{key}: {value}")
        ),
        max_size=4,
    ),
).map(lambda job: "{" + ", ".join([job[0], *job[1]]) + "}")
CONFIGURATION = st.dictionaries(st.sampled_from(["a", "b", "c", ".h"]), JOB, min_size=1).map(
    lambda jobs: "".join(f"{name}: {job}\n" for name, job in jobs.items())
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ci")
    (path / "c.yml").write_text("z: {script: x, needs: [], tags: [$P]}", encoding="utf-8")
    return path


@given(CONFIGURATION, st.sampled_from(["push", "merge_request_event", "schedule"]))
def test_it_is_imported_to_what_loads_and_plays_or_refused(folder: Path, text: str, source: str):
    path = folder / ".gitlab-ci.yml"
    path.write_text(text, encoding="utf-8")
    try:
        made = proven(import_ci(path, Request(source=source), folder))
    except CannotImport as refused:
        line = str(refused)
    else:
        line = made.text.partition("\n")[0]
    assert line.isprintable()


@given(st.text(alphabet="a: {}[]-&*!<\n'\"|>#%@,?$", max_size=40))
def test_any_text_is_imported_or_refused(folder: Path, text: str):
    path = folder / "any.yml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CannotImport):
        import_ci(path, Request(), folder)
