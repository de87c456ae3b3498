"""What GitLab refuses is refused with one line: file, line, column, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.importers.gitlab_ci import CannotImport, Request, import_ci
from tests.importers.importing import imported_text

if TYPE_CHECKING:
    from pathlib import Path

JOB = "job: {script: [make]}\n"


def refusal(folder: Path, text: str, **request: Any) -> str:
    with pytest.raises(CannotImport) as refused:
        imported_text(folder, text, **request)
    line = str(refused.value)
    assert "\n" not in line
    return line.removeprefix(".gitlab-ci.yml:")


YAML = [
    ("job: [", "2:1: this is not YAML: did not find expected node content"),
    ("a: \x01", "1:1: this is not YAML: "),
    ("- job", "1:1: the file must be a mapping of keys and jobs"),
    ("a: 1\n---\nb: 2", "3:1: .gitlab-ci.yml has a second document, but the first has no spec"),
    ("spec: {}\n---\nb: {}\n---\nc: {}", "5:1: a third document begins here; a file holds two"),
    ("a: 2024-01-01", '1:4: GitLab refuses a date; quote it: "2024-01-01"'),
    ("a: !secret x", "1:4: GitLab does not know the tag !secret"),
    ("a: !!set {x, y}", "1:4: GitLab does not know the tag !!set"),
    ("a: " + "1" * 200, f"1:4: the number {'1' * 60}... is too long; quote it if it is text"),
    ("a: !reference x", "1:4: GitLab does not know the tag !reference"),
    ("a: !reference []", "1:4: !reference needs a list of names, such as [.job, script]"),
    ("? [a]\n: b", "1:3: a key must be text"),
    ("a: &a [*a]", "1:4: this contains itself"),
    ("a: {<<: b}", '1:9: "<<" needs a mapping or a list of mappings'),
    ("a: " + "[" * 61 + "]" * 61, "1:63: more than 60 levels of nesting"),
    (
        "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
            for a, b in zip("abcdef", "bcdefg", strict=True)
        ),
        "6:4: this has more than 200,000 values, with all that aliases stand for",
    ),
]

JOBS = [
    ("", "1:1: no pipeline: no job is left, with all rules decided"),
    ("a:", "1:1: a is neither a known key nor a job"),
    ("spec: {inputs: {}}", "1:1: no pipeline: no job is left, with all rules decided"),
    ("script: x", "1:1: script is neither a known key nor a job"),
    ("job: {stage: x}", "1:1: the job job has no script, run or trigger"),
    ("' ': {script: x}", "1:1: a job needs a name"),
    ("job: {script: x, stage: later}", "1:18: the job job is in the stage later; the stages are"),
    (
        "stages: [build]\n" + JOB,
        "2:6: the job job is in the stage test; the stages are .pre, build, .post",
    ),
    ("stages: {a: b}\n" + JOB, "1:1: stages must be text or a list of texts"),
    ("job: {script: x, stage: .pre}", "1:1: no pipeline: its jobs are all in .pre and .post"),
    ("default: x\n" + JOB, "1:1: default must be a mapping"),
    ("default: {}\njob: {script: x, inherit: no}", "2:18: inherit must be a mapping"),
    ("variables: [a]\n" + JOB, "1:12: variables must be a mapping"),
    ("variables: {A: [a]}\n" + JOB, "1:16: the variable A must be text or a number"),
    ("job: {script: x, when: never}", "1:18: when: never is none of on_success, on_failure"),
    ("job: {script: x, when: delayed}", "1:18: the job job is delayed, but has no start_in"),
    (
        "job: {script: x, when: delayed, start_in: soon}",
        "1:33: start_in: soon is no duration such as 1h 30m",
    ),
    ("job: {script: x, timeout: true}", "1:18: timeout: True is no duration such as 1h 30m"),
    ("job: {script: x, timeout: 99999 years}", "1:18: timeout: 99999 years is no duration"),
    ("job: {script: x, allow_failure: maybe}", "1:18: allow_failure must be true, false or"),
    (
        "job: {script: x, allow_failure: {exit_codes: [300]}}",
        "1:18: exit_codes must be numbers between 0 and 255",
    ),
    ("job: {script: x, retry: 3}", "1:18: retry must be a number up to 2"),
    ("job: {script: x, parallel: yes}", "1:18: parallel must be a number or a mapping with"),
    ("job: {script: x, parallel: 201}", "1:18: parallel must be between 1 and 200"),
    ("job: {script: x, parallel: {matrix: 3}}", "1:29: matrix must be a list of mappings"),
    (
        "job: {script: x, parallel: {matrix: [3]}}",
        "1:38: an entry of a matrix must be a mapping of variables",
    ),
    (
        "job: {script: x, parallel: {matrix: [{A: [3.10]}]}}",
        "1:39: a matrix takes texts and whole numbers; quote other values",
    ),
    (
        f"job: {{script: x, parallel: {{matrix: [{{A: {[*range(15)]}, B: {[*range(15)]}}}]}}}}",
        "1:29: the matrix makes more than 200 jobs",
    ),
    (f"{'j' * 256}: {{script: x}}", f"1:1: {'j' * 60}... has more than 255 characters"),
    (
        "a: {script: x, environment: {action: stop}}",
        "1:16: environment:name:  has not between 1 and 255 characters",
    ),
    (
        "a: {script: x, environment: {name: a, action: go}}",
        "1:39: action: go is none of start, prepare, stop, verify, access",
    ),
    ("job: {script: x, tags: {a: b}}", "1:18: tags must be text or a list of texts"),
    (
        "".join(f"j{n}: {{script: x, parallel: 200}}\n" for n in range(5)),
        "5:1: the pipeline has 1000 jobs; a scenario has at most 999",
    ),
    ("".join(f"j{n}: {{script: x, parallel: 200}}\n" for n in range(20)), "20:1: more than 3996"),
]

RULES = [
    ("rules: []", "1:18: the rules of job are empty"),
    ("rules: yes", "1:18: rules must be a list"),
    ("rules: [yes]", "1:26: a rule must be a mapping with if, changes, exists or when"),
    ("rules: [{when: sometimes}]", "1:27: when: sometimes is none of on_success, on_failure"),
    ("rules: [{if: 1}]", "1:27: if must be text"),
    ("rules: [{if: $A = 1}]", "1:27: $A = 1: = 1 is not understood (character 4)"),
    ("rules: [{when: manual}], only: [main]", "1:43: the job job has rules, so it may not have"),
    ("rules: [{changes: {compare_to: a}}]", "1:27: changes:paths must be text or a list of texts"),
    ("rules: [{exists: 3}]", "1:27: exists must be text or a list of texts"),
    ("rules: [{when: manual, allow_failure: {exit_codes: 1}}]", "1:41: allow_failure must be"),
    (f"rules: {'[' * 13}{{when: manual}}{']' * 13}", "1:36: rules are nested more than 10 times"),
    ("only: {branches: [a]}", "1:25: branches is no condition"),
    ("only: [/(/]", "1:18: /(/ is no regular expression: "),
    ("only: {variables: [$]}", "1:18: $: $ is not understood (character 1)"),
    ("only: 3", "1:18: refs must be text or a list of texts"),
    ("needs: [other]", "1:26: the job job needs other, which is no job"),
    ("needs: [3]", "1:26: needs must be a list of names and mappings"),
    ("needs: [{optional: true}]", "1:26: a need must have the name of a job"),
    ("needs: [{job: x, parallel: 3}]", "1:26: parallel of a need must be a mapping with matrix"),
    ("extends: 3", "1:18: extends must be a name or a list of names"),
    ("extends: .no", "1:18: job extends .no, which is no job"),
    ("extends: job", "1:18: job: extends form a circle"),
    ("rules: !reference [.no, rules]", "1:25: !reference [.no, rules] leads to nothing"),
    ("rules: !reference [job, rules]", "1:25: !reference [job, rules] leads back to itself"),
    ("trigger: [a]", "1:18: trigger must be a project, or a mapping"),
    ("trigger: {branch: a}", "1:27: trigger needs a project or an include"),
    ("trigger: /", "1:18: trigger:project must be the path of a project"),
    ("trigger: {project: a, strategy: wait}", "1:40: strategy must be depend or mirror"),
    ("trigger: {project: a, forward: no}", "1:40: forward must be a mapping"),
    ("trigger: {include: a.yml, inputs: 3}", "1:44: inputs must be a mapping"),
    ("trigger: {include: a.yml}", "1:28: there is no file a.yml in "),
]

REST = [
    (
        "a: {script: x, needs: [b]}\nb: {script: x, only: [other]}",
        "1:24: the job a needs b, which this pipeline does not have; say optional: true, or",
    ),
    (
        "a: {script: x, needs: [b]}\nb: {script: x, stage: deploy}",
        "1:24: the job a needs b, which is in a later stage",
    ),
    ("a: {script: x, needs: [a]}", "1:1: needs form a circle: a -> a"),
    (
        "a: {script: x}\nb: {script: x, needs: [c]}\nc: {script: x, needs: [a, b]}",
        "2:1: needs form a circle: b -> c -> b",
    ),
    ("workflow: x\n" + JOB, "1:1: workflow must be a mapping"),
    ("workflow: {rules: [{when: manual}]}\n" + JOB, "1:21: when of the workflow must be always"),
    ("include: [[a]]\n" + JOB, "1:11: an include must be text or a mapping"),
    ("include: [{}]\n" + JOB, "1:11: an include needs one of: local, remote, template, component"),
    ("include: {local: [a]}\n" + JOB, "1:11: local must be text"),
    ("include: {local: a, inputs: [a]}\n" + JOB, "1:21: inputs must be a mapping"),
    ("include: no.yml\n" + JOB, "1:1: there is no file no.yml in "),
    ("include: no.txt\n" + JOB, "1:1: no.txt: an include ends with .yml or .yaml"),
    (
        "job: {script: x, parallel: {matrix: [{A: b}]}, needs: ['$[[ matrix.B ]]']}",
        "1:56: the matrix of this job has no B",
    ),
    ("include: ../a.yml\n" + JOB, "1:1: ../a.yml leads out of the repository"),
    ("include: .gitlab-ci.yml", "1:1: includes form a circle: .gitlab-ci.yml -> .gitlab-ci.yml"),
    (
        "".join(f".j{n}: {{extends: .j{n + 1}}}\n" for n in range(12)) + ".j12: {}\n",
        "11:8: .j10: more than 10 extends",
    ),
    (
        "".join(f".j{n}: {{a: !reference [.j{n + 1}, a]}}\n" for n in range(12)) + ".j12: {a: 1}\n",
        "11:11: !reference [.j11, a]: more than 10 references one after the other",
    ),
    (
        ".a: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
        + "".join(
            f".{b}: [{', '.join([f'!reference [.{a}]'] * 9)}]\n"
            for a, b in zip("abcdef", "bcdefg", strict=True)
        ),
        "6:5: inputs and references make more than 200,000 values, or too deep ones",
    ),
]


@pytest.mark.parametrize(("text", "what"), [*YAML, *JOBS, *REST])
def test_a_mistake_is_one_line(text: str, what: str, tmp_path: Path):
    assert refusal(tmp_path, text).startswith(what)


@pytest.mark.parametrize(("rules", "what"), RULES)
def test_a_mistake_in_a_job_is_one_line(rules: str, what: str, tmp_path: Path):
    kind = "script: x" if "trigger" not in rules else "needs: []"

    assert refusal(tmp_path, f"job: {{{kind}, {rules}}}").startswith(what)


INPUTS = [
    ("3", {}, "1:1: spec must be a mapping"),
    ("{inputs: 3}", {}, "1:8: spec:inputs must be a mapping"),
    ("{inputs: {a: 3}}", {}, "1:17: the input a takes default, description, options, regex"),
    ("{inputs: {a: {typ: x}}}", {}, "1:17: the input a takes default, description, options"),
    ("{inputs: {a: {type: x}}}", {"a": "1"}, "1:17: the input a: type must be string, number"),
    ("{inputs: {a: {default: 3}}}", {}, "1:17: the input a must be of type string"),
    ("{inputs: {a: {type: number, default: yes}}}", {}, "1:17: the input a must be of type number"),
    ("{inputs: {a: {default: x, regex: /(/}}}", {}, "1:33: /(/ is no regular expression"),
]


@pytest.mark.parametrize(("spec", "given", "what"), INPUTS)
def test_a_mistake_in_a_header_is_one_line(
    spec: str, given: dict[str, str], what: str, tmp_path: Path
):
    assert refusal(tmp_path, f"spec: {spec}\n---\n{JOB}", inputs=given).startswith(what)


GIVEN = [
    ("{}", {}, "the input a has no value (--input a=...); .gitlab-ci.yml:1:17 declares it without"),
    ("", {"b": "1"}, "b: spec:inputs declares no such input"),
    ("{type: number}", {"a": "x"}, "the input a must be of type number"),
    ("{type: boolean}", {"a": "x"}, "the input a must be of type boolean"),
    ("{type: array}", {"a": "x"}, "the input a must be of type array"),
    ("{type: array}", {"a": "[" * 100_000}, "the input a must be of type array"),
    ("{type: array}", {"a": "{}"}, "the input a must be of type array"),
    ("{options: [x, y]}", {"a": "z"}, "the input a must be one of: x, y"),
    ("{regex: ^v}", {"a": "z"}, "the input a does not match ^v"),
]


@pytest.mark.parametrize(("rules", "given", "what"), GIVEN)
def test_an_input_that_is_given_wrongly_is_refused(
    rules: str, given: dict[str, str], what: str, tmp_path: Path
):
    line = refusal(tmp_path, f"spec: {{inputs: {{a: {rules}}}}}\n---\n{JOB}", inputs=given)

    assert f"gitlab-ci.yml:1:1: {what}" in f".gitlab-ci.yml:{line}"


def test_inputs_without_a_header_are_refused(tmp_path: Path):
    assert "a: the file has no spec:inputs" in refusal(tmp_path, JOB, inputs={"a": "1"})


BLOCKS = [
    ("$[[ inputs.b ]]", "$[[ inputs.b ]] names no input of spec:inputs"),
    ("$[[ a ]]", "$[[ a ]] names no input of spec:inputs"),
    ("$[[ inputs.a | upper ]]", "$[[ ]] knows no function upper"),
    ("$[[ inputs.n | expand_vars ]]", "expand_vars takes text only"),
    (f"$[[ inputs.a {'| expand_vars ' * 4}]]", "more than 3 functions in $[[ ]]"),
]


@pytest.mark.parametrize(("block", "what"), BLOCKS)
def test_a_block_that_names_nothing_is_refused(block: str, what: str, tmp_path: Path):
    head = "spec: {inputs: {a: {default: x}, n: {type: number, default: 1}}}\n---\n"

    line = refusal(tmp_path, f"{head}job:\n  script: '{block}'\n")

    assert line == f"4:3: {what}"


def test_inputs_may_not_make_a_file_too_large(tmp_path: Path):
    head = f"spec: {{inputs: {{a: {{default: {'x' * 100_000}}}}}}}\n---\n"
    text = head + "".join(f"{n}: ['a$[[ inputs.a ]]']\n" for n in range(100))

    assert "the inputs make this file too large" in refusal(tmp_path, text)


def test_a_file_of_another_encoding_is_refused(tmp_path: Path):
    path = tmp_path / ".gitlab-ci.yml"
    path.write_bytes(b"a: b\nname: caf\xe9\n")

    with pytest.raises(CannotImport) as refused:
        import_ci(path)

    assert str(refused.value) == ".gitlab-ci.yml:2:10: the byte 0xe9 is not UTF-8"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path):
    path = tmp_path / ".gitlab-ci.yml"
    path.write_bytes(b"#" * (8 * 1024 * 1024 + 1))

    with pytest.raises(CannotImport, match=r":1:1: all files together are too large"):
        import_ci(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(CannotImport, match=r"there is no file nothing\.yml in"):
        import_ci(tmp_path / "nothing.yml")


def test_extends_that_merge_too_much_are_refused(tmp_path: Path):
    base = ".base: {" + ", ".join(f"k{n}: 1" for n in range(1000)) + "}\n"
    text = base + "".join(f".j{n}: {{extends: .base}}\n" for n in range(200))

    assert "extends merge more than 200,000 values" in refusal(tmp_path, text)


def test_a_folder_or_a_locked_file_is_no_include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.yml").mkdir()
    assert "there is no file a.yml in" in refusal(tmp_path, "include: a.yml")
    assert "there is no file a" in refusal(tmp_path, 'include: "a\\0b.yml"')

    def locked(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", locked)
    with pytest.raises(CannotImport, match=r"cannot read \.gitlab-ci\.yml: Permission denied"):
        import_ci(tmp_path / ".gitlab-ci.yml")


def test_many_includes_are_refused(tmp_path: Path):
    for number in range(151):
        (tmp_path / f"{number}.yml").write_text("x: {script: x}", encoding="utf-8")

    line = refusal(tmp_path, "include: '*.yml'")

    assert line == "1:1: more than 150 files are included"


def test_references_that_go_too_deep_are_refused(tmp_path: Path):
    opened, closed = "[" * 50, "]" * 50
    text = "".join(f".j{n}: {opened}!reference [.j{n + 1}]{closed}\n" for n in range(9))

    assert "too deep" in refusal(tmp_path, text + ".j9: 1\n")


def test_many_children_are_refused(tmp_path: Path):
    (tmp_path / "a.yml").write_text("a: {trigger: group/$N}", encoding="utf-8")
    text = "".join(
        f"j{n}: {{trigger: {{include: a.yml}}, variables: {{N: '{n}'}}}}\n" for n in range(101)
    )

    assert refusal(tmp_path, text).endswith("1:1: more than 100 child pipelines")


def test_a_duration_on_the_command_line_is_checked(tmp_path: Path):
    (tmp_path / ".gitlab-ci.yml").write_text(JOB, encoding="utf-8")

    with pytest.raises(CannotImport, match="--durations: soon is no duration"):
        import_ci(tmp_path / ".gitlab-ci.yml", Request(durations={"": "soon"}))
