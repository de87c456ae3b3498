from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mock_gitlab.config.loader import Settings, load
from mock_gitlab.engine.matching import (
    Fault,
    Limit,
    RequestPattern,
    Response,
    Rule,
    TriggerPattern,
)
from mock_gitlab.engine.model import ClockSetting, DeclaredToken, Project, User

from .conftest import Folder

ROOT = Path(__file__).parents[2]


def numbers(folder: Folder, **options: Any) -> set[int]:
    declared = folder.load(**options).declarations.scenarios
    return {each.scenario.scenario_id for each in declared if each.source == "file"}


# ---------------------------------------------------------------------------- files


def test_scenarios_beside_the_file_are_found_without_being_named(folder: Folder):
    folder.write(
        mock="version: 1",
        scenarios__a="scenarios: [{scenario_id: 900}]",
        scenarios__b="scenarios: [{scenario_id: 901}]",
        other__c="scenarios: [{scenario_id: 902}]",
    )
    assert numbers(folder) == {900, 901}


def test_only_what_is_named_is_read(folder: Folder):
    folder.write(
        mock="scenarios: [other/*.yaml, x.yaml, {scenario_id: 904}]",
        x="scenarios: [{scenario_id: 903}]",
        scenarios__a="scenarios: [{scenario_id: 900}]",
        other__c="scenarios: [{scenario_id: 902}]",
    )
    assert numbers(folder) == {902, 903, 904}


def test_a_file_named_twice_is_read_once(folder: Folder):
    folder.write(
        mock="scenarios: [s/*.yaml, s/a.yaml]",
        s__a="scenarios: [{scenario_id: 900}]",
    )
    assert numbers(folder) == {900}


def test_a_pattern_that_catches_the_configuration_itself_leaves_it_out(folder: Folder):
    folder.write(mock="scenarios: ['*.yaml']", x="scenarios: [{scenario_id: 900}]")
    assert numbers(folder) == {900}


def test_no_scenarios_at_all_are_fine(folder: Folder):
    folder.write(mock="rules:\nprojects:\nfaults:\nscenarios:\n")
    assert numbers(folder) == set()


def test_without_a_file_the_defaults_hold_and_scenarios_are_found_all_the_same(folder: Folder):
    folder.write(scenarios__a="scenarios: [{scenario_id: 900}]")
    assert numbers(folder, must_exist=False) == {900}
    assert folder.load(must_exist=False).folders == (folder.path / "scenarios",)


def test_a_file_that_must_exist_is_missed(folder: Folder):
    assert folder.mistakes() == ["mock.yaml:1:1: cannot be read: No such file or directory"]


def test_a_folder_in_place_of_a_file_cannot_be_read(folder: Folder):
    folder.mock.mkdir()
    assert folder.mistakes() == ["mock.yaml:1:1: cannot be read: Is a directory"]


def test_scenarios_are_counted_by_file(folder: Folder):
    folder.write(mock="scenarios: [{scenario_id: 1}, s.yaml]", s="scenarios: [{scenario_id: 901}]")
    assert folder.load().scenario_counts == {"built in": 102, "mock.yaml": 1, "s.yaml": 1}


def test_the_defaults_need_no_file(folder: Folder):
    loaded = folder.load(must_exist=False)
    assert len(loaded.declarations.scenarios) == 103
    assert loaded.files == ()


def test_files_and_folders_are_listed_for_the_watch(folder: Folder):
    folder.write(
        mock="scenarios: [s/*/*.yaml, later/*.yaml]",
        s__t__a="scenarios: [{scenario_id: 900}]",
        later__b="scenarios: [{scenario_id: 901}]",
    )
    loaded = folder.load()
    at = folder.path
    assert loaded.files == (folder.mock, at / "s/t/a.yaml", at / "later/b.yaml")
    assert loaded.folders == (at / "s", at / "s/t", at / "later")
    assert loaded.patterns == ("s/*/*.yaml", "later/*.yaml")


def test_too_many_folders_are_a_mistake(folder: Folder):
    for number in range(2001):
        (folder.path / f"f{number}").mkdir()
    folder.write(mock="scenarios: ['**/x.yaml', a.yaml]", a="scenarios: []")
    assert folder.mistakes() == [
        'mock.yaml:1:13: scenarios[0]: "**/x.yaml" goes through more than 2000 folders'
    ]


def test_a_name_that_no_file_can_have_is_a_mistake(folder: Folder):
    folder.write(mock=f"scenarios: ['{'é' * 200}/*.yaml', {'é' * 200}.yaml]")
    first, second = folder.mistakes()
    assert "cannot be looked up" in first
    assert "too long" in first
    assert "there is no file" in second


def test_mistakes_of_all_files_come_at_once_sorted_by_place(folder: Folder):
    folder.write(
        mock="tokn: x\nport: y\nscenarios: [b.yaml, a.yaml]",
        a="scenarios:\n  - {scenario_id: x}\n",
        b="scenario: []\n",
    )
    assert folder.mistakes() == [
        'a.yaml:2:19: scenarios[0].scenario_id: must be a whole number, not the text "x"',
        "b.yaml:1:1: scenario: is not a known key; did you mean scenarios?",
        "b.yaml:1:1: scenarios: is missing",
        "mock.yaml:1:1: tokn: is not a known key; did you mean token?",
        'mock.yaml:2:7: port: must be a whole number, not the text "y"',
    ]


def test_a_number_taken_in_another_file_names_both_places(folder: Folder):
    folder.write(
        mock="scenarios: [{scenario_id: 900}, a.yaml, b.yaml]",
        a="scenarios:\n  - scenario_id: 900\n",
        b="scenarios:\n  - name: x\n    scenario_id: 900.0\n",
    )
    assert folder.mistakes() == [
        "a.yaml:2:18: scenarios[0].scenario_id: scenario 900 is already declared in mock.yaml:1",
        "b.yaml:3:18: scenarios[0].scenario_id: scenario 900 is already declared in mock.yaml:1",
    ]


def test_a_file_that_cannot_be_read_makes_no_scenario_unknown(folder: Folder):
    folder.write(mock="rules: [{scenario: 900}]", scenarios__a="scenarios: [\n")
    assert [mistake.split(":")[0] for mistake in folder.mistakes()] == ["scenarios/a.yaml"]


def test_a_scenario_with_a_mistake_is_still_known_by_its_number(folder: Folder):
    folder.write(mock="rules: [{scenario: 900}]\nscenarios: [{scenario_id: 900, x: 1}]")
    assert folder.mistakes() == ["mock.yaml:2:32: scenarios[0].x: is not a known key"]


@pytest.mark.parametrize("key", ["~", "~list", "[key]"])
def test_no_key_is_taken_for_something_else(folder: Folder, key: str):
    folder.write(mock=f"'{key}': 1\nfaults: [{{drop: true, '{key}': 1}}]")
    found = [mistake.split(": ")[-1].partition(";")[0] for mistake in folder.mistakes()]
    assert found == ["is not a known key"] * 2


# ---------------------------------------------------------------------------- what is declared


def test_a_scenario_knows_its_file_and_line(folder: Folder):
    folder.write(
        mock="scenarios:\n  - s/a.yaml\n  - {scenario_id: 901}\n",
        s__a="# comment\nscenarios:\n  - name: x\n    scenario_id: 900\n",
    )
    declared = folder.load().declarations
    found = {n: declared.declared(n) for n in (900, 901, 500)}
    assert [(d.source, d.file, d.line) for d in found.values() if d] == [
        ("file", "s/a.yaml", 3),
        ("file", "mock.yaml", 3),
        ("builtin", None, None),
    ]


def test_a_scenario_outside_of_the_folder_is_named_by_its_whole_path(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
):
    other = Folder(tmp_path_factory.mktemp("other")).write(a="scenarios: [{scenario_id: 900}]")
    folder.write(mock=f"scenarios: ['{other.path}/*.yaml']")
    found = folder.load().declarations.declared(900)
    assert found is not None
    assert found.file == f"{other.path}/a.yaml"


def test_a_file_claims_the_number_of_a_built_in(folder: Folder):
    folder.write(mock="scenarios: [{scenario_id: 7, name: mine}]")
    declared = folder.load().declarations
    named = [d.scenario.name for d in declared.scenarios if d.scenario.scenario_id == 7]
    assert named == ["mine"]
    assert len(declared.scenarios) == 103


@pytest.mark.parametrize(
    ("written", "limit", "on_first_use"),
    [
        ("{create: explicit}", 200, False),
        ("{limit: 3}", 3, True),
        ("{limit: 3, create: first_use}", 3, True),
    ],
)
def test_how_sandboxes_are_made_is_declared(
    folder: Folder, written: str, limit: int, on_first_use: bool
):
    folder.write(mock=f"sandboxes: {written}")

    declared = folder.load().declarations

    assert (declared.sandbox_limit, declared.sandboxes_on_first_use) == (limit, on_first_use)


def test_projects_and_the_rest_are_taken_as_written(folder: Folder):
    folder.write(
        mock="""
        default_scenario: 7
        clock: {start: "2026-01-01T01:00:00.250+01:00", frozen: true}
        seed: 7
        strict: true
        allow_reset: true
        journal: 5
        sandboxes: 6
        max_body_bytes: 7
        token: abc
        user: {id: 3, username: u, name: N, email: e@x}
        projects:
          - {id: 1, path: a/b}
          - id: 42
            path: group/sub/app
            default_branch: trunk
            refs: [main, release/*]
            tags: [v*]
            trigger_tokens: [{description: ci, token: t}, {token: u}]
        """
    )
    declared = folder.load().declarations
    assert declared.default_scenario == 7
    assert declared.clock == ClockSetting(1_767_225_600_250, frozen=True)
    assert (declared.seed, declared.strict, declared.allow_reset) == ("7", True, True)
    assert (declared.journal_limit, declared.sandbox_limit, declared.body_limit) == (5, 6, 7)
    assert declared.sandboxes_on_first_use
    assert declared.token == "abc"
    assert declared.user == User(3, "u", "N", "e@x")
    assert declared.projects == (
        Project(1, "a/b"),
        Project(
            42,
            "group/sub/app",
            "trunk",
            ("main", "release/*"),
            ("v*",),
            (DeclaredToken("t", "ci"), DeclaredToken("u")),
        ),
    )


def test_rules_keep_their_order_and_place(folder: Folder):
    folder.write(
        mock="""
        rules:
          - when:
              project: 42
              ref: /^v/
              variables: {A: x*, B: true, C: false, D: 5}
              source: trigger
              username: r*
              inputs: {n: 3, l: [a]}
            scenario: 3
            variables: {V: 1, W: x}
            name: called
          - {scenario: [1, 2], cycle: true}
          - {when: {source: [api, web]}, respond: {status: 400, body: {message: no}}}
        """
    )
    rules = folder.load().declarations.rules
    assert tuple(replace(rule, key="") for rule in rules) == (
        Rule(
            key="",
            when=TriggerPattern(
                project="42",
                ref="/^v/",
                variables=(("A", "x*"), ("B", True), ("C", False), ("D", "5")),
                source=("trigger",),
                username="r*",
                inputs=(("n", 3), ("l", ["a"])),
            ),
            scenarios=(3,),
            variables=(("V", "1"), ("W", "x")),
            name="called",
            place="mock.yaml:3",
        ),
        Rule("", TriggerPattern(), (1, 2), cycle=True, place="mock.yaml:13"),
        Rule(
            "",
            TriggerPattern(source=("api", "web")),
            respond=Response(400, body={"message": "no"}),
            place="mock.yaml:14",
        ),
    )


def test_the_key_of_a_rule_is_what_it_says_wherever_it_stands(folder: Folder):
    folder.write(mock="rules: [{when: {ref: a}, scenario: 1}, {when: {ref: b}, scenario: 1}]\n")
    a, b = folder.load().declarations.rules
    folder.write(mock="rules: [{when: {ref: b}, scenario: 1}]\n")
    [moved] = folder.load().declarations.rules

    assert moved.key == b.key != a.key


def test_faults_keep_their_order_and_place(folder: Folder):
    folder.write(
        mock="""
        faults:
          - when: {method: GET, path: "/projects/*", operation: get_pipeline, project: g/*}
            times: 2
            skip: 1
            every: 3
            respond: {status: 503, headers: {Retry-After: 1, X-A: b}, body: [1]}
          - {delay: 1.5s}
          - {drop: true}
          - {truncate: true}
          - {slow: 10}
          - {malformed: true}
          - {limit: {requests: 10, per: 60s}}
        """
    )
    first, *others = folder.load().declarations.faults
    assert first == Fault(
        key=first.key,
        when=RequestPattern("GET", "/projects/*", "get_pipeline", "g/*"),
        times=2,
        skip=1,
        every=3,
        respond=Response(503, (("Retry-After", "1"), ("X-A", "b")), [1]),
        place="mock.yaml:3",
    )
    assert [(f.delay, f.body, f.slow, f.limit) for f in others] == [
        (1500, None, 0, None),
        (0, "drop", 0, None),
        (0, "truncate", 0, None),
        (0, "slow", 10_000, None),
        (0, "malformed", 0, None),
        (0, None, 0, Limit(10, 60_000)),
    ]


def test_templates_for_aliases_may_stand_at_the_top(folder: Folder):
    folder.write(
        mock="x-job: &job {duration: 5s}\nscenarios:\n"
        "  - {scenario_id: 900, jobs: [{<<: *job, name: a}, {<<: *job, name: b, duration: 1}]}",
        scenarios__a="x-anything: [1]\nscenarios: []",
    )
    found = folder.load().declarations.declared(900)
    assert found is not None
    assert [job.duration for job in found.scenario.jobs] == [5000, 1000]


# ---------------------------------------------------------------------------- settings


def test_settings_have_defaults_beside_the_file(folder: Folder):
    folder.write(mock="version: 1")
    assert folder.load().settings == Settings(
        token="MOCK_SUPER_SECRET",
        token_source="default",
        database=folder.path / "mock.db",
        host="127.0.0.1",
        port=8000,
        watch=True,
        watch_polling=False,
        log_level="info",
        log_format="text",
        log_requests=False,
        dashboard=True,
        metrics=False,
    )


def test_settings_are_taken_from_the_file(folder: Folder):
    folder.write(
        mock="""
        token: ${T:-abc}
        database: data/x.db
        host: 0.0.0.0
        port: ${PORT}
        watch: false
        watch_polling: true
        log_level: debug
        log_format: json
        log_requests: true
        dashboard: false
        metrics: true
        """
    )
    assert folder.load({"PORT": "0", "T": "12345"}).settings == Settings(
        token="12345",
        token_source="file",
        database=folder.path / "data/x.db",
        host="0.0.0.0",
        port=0,
        watch=False,
        watch_polling=True,
        log_level="debug",
        log_format="json",
        log_requests=True,
        dashboard=False,
        metrics=True,
    )


def test_a_database_in_memory_is_no_path(folder: Folder):
    folder.write(mock='database: ":memory:"')
    assert folder.load().settings.database == ":memory:"


def test_an_absolute_database_stays_where_it_is(folder: Folder):
    folder.write(mock="database: /var/lib/x.db")
    assert folder.load().settings.database == Path("/var/lib/x.db")


def test_the_token_is_never_in_what_settings_and_declarations_print(folder: Folder):
    folder.write(mock="token: hidden-word")
    loaded = folder.load()
    assert "hidden-word" not in repr(loaded.settings)
    assert "hidden-word" not in repr(loaded.declarations)


# ---------------------------------------------------------------------------- warnings


def warnings(folder: Folder) -> list[str]:
    return [str(each).replace(f"{folder.path}/", "") for each in folder.load().warnings]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("{}", "{ref: main}"),
        ("{ref: main}", "{ref: main}"),
        ("{ref: release/*}", "{ref: release/1, project: g/a}"),
        ("{ref: /^v/}", "{ref: v1}"),
        ("{ref: '*'}", "{ref: release/*}"),
        ("{ref: release/*}", "{ref: release/1*}"),
        ("{project: g/**}", "{project: g/*}"),
        ("{project: g/*}", "{project: g/a}"),
        ("{variables: {A: b}}", "{variables: {A: b, C: d}}"),
        ("{inputs: {A: 1}}", "{inputs: {A: 1}, username: x}"),
        ("{source: [api, web]}", "{source: api}"),
        ("{username: r*}", "{username: root}"),
    ],
)
def test_a_rule_behind_a_looser_one_is_out_of_reach(folder: Folder, earlier: str, later: str):
    folder.write(mock=f"rules:\n  - {{when: {earlier}}}\n  - {{when: {later}}}\n")
    assert warnings(folder) == [
        "mock.yaml:3:5: rules[1]: is never reached: mock.yaml:2 matches everything that it matches"
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("{ref: main}", "{}"),
        ("{ref: release/1*}", "{ref: release/*}"),
        ("{ref: release/*}", "{ref: '*/1'}"),
        ("{ref: main}", "{ref: /main/}"),
        ("{ref: /^v.$/}", "{ref: v*}"),
        ("{project: g/*}", "{project: g/**}"),
        ("{project: '*'}", "{project: 42}"),
        ("{project: g/*}", "{project: h/a}"),
        ("{project: g/*}", "{}"),
        ("{variables: {A: b, C: d}}", "{variables: {A: b}}"),
        ("{inputs: {A: 1}}", "{inputs: {A: 2}}"),
        ("{inputs: {A: 1}}", "{inputs: {A: true}}"),
        ("{inputs: {A: [1]}}", "{inputs: {A: [true]}}"),
        ("{source: api}", "{source: [api, web]}"),
        ("{source: api}", "{}"),
        ("{username: r*}", "{username: x}"),
    ],
)
def test_a_rule_behind_one_that_asks_for_more_is_within_reach(
    folder: Folder, earlier: str, later: str
):
    folder.write(mock=f"rules:\n  - {{when: {earlier}}}\n  - {{when: {later}}}\n")
    assert warnings(folder) == []


def test_a_scenario_that_nothing_names_is_out_of_use_where_there_are_rules(folder: Folder):
    folder.write(
        mock="""
        default_scenario: 900
        scenarios:
          - {scenario_id: 900}
          - {scenario_id: 901, jobs: [{name: a, downstream: {project: 1, scenario: 902}}]}
          - {scenario_id: 902}
          - {scenario_id: 903}
          - {scenario_id: 904}
        rules: [{when: {ref: x}, scenario: [901]}]
        pipelines: [{project: 1, scenario: 904}, {project: 1}]
        warn_unused: true
        """
    )
    assert warnings(folder) == [
        "mock.yaml:7:19: scenarios[3].scenario_id: "
        "no rule uses scenario 903; only a request can choose it"
    ]


def test_a_scenario_that_only_requests_use_is_no_warning_by_default(folder: Folder):
    folder.write(mock="scenarios: [{scenario_id: 900}]\nrules: [{when: {ref: x}}]")
    assert warnings(folder) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: [{when: {source: push}}]", "1:25: rules[0].when.source: no pipeline here has this "
         "source; there are trigger, api, pipeline"),
        ("projects: [{id: 1, path: group/app}]\nrules: [{when: {project: group/ap}}]",
         "2:26: rules[0].when.project: matches no declared project; did you mean group/app?"),
        ("strict: true\nprojects: [{id: 1, path: group/app}]\nrules: [{when: {project: 2}}]",
         "3:26: rules[0].when.project: matches no declared project"),
        ("token: $TOKEN", "1:8: token: is the text $TOKEN; did you mean ${TOKEN}?"),
        ("scenarios: [{scenario_id: 500}]", "1:27: scenarios[0].scenario_id: takes the place of "
         'the built-in scenario "succeeds after 300 seconds"'),
        ("faults: [{delay: 500}]", "1:18: faults[0].delay: delays each request by 8.33 minutes of "
         "real time; 500ms is half a second"),
    ],
)  # fmt: skip
def test_what_cannot_work_as_it_is_meant_is_a_warning(folder: Folder, text: str, expected: str):
    folder.write(mock=text)
    assert warnings(folder) == [f"mock.yaml:{expected}"]


@pytest.mark.parametrize(
    "text",
    [
        "rules: [{when: {source: [push, api]}}]",
        "projects: [{id: 1, path: group/app}]\nrules: [{when: {project: 1}}, {when: {ref: x}}]",
        "projects: [{id: 1, path: group/app}]\nrules: [{when: {project: group/*}}]",
        "projects: [{id: 1, path: group/app}]\nrules: [{when: {project: other/thing}}]",
        "token: $$TOKEN\nseed: 7",
        "faults: [{delay: 2}]",
    ],
)
def test_what_works_is_no_warning(folder: Folder, text: str):
    folder.write(mock=text)
    assert warnings(folder) == []


def test_files_whose_names_are_not_read_are_told(folder: Folder):
    folder.write(mock="version: 1")
    (folder.path / "scenarios").mkdir()
    (folder.path / "scenarios/a.yml").touch()
    (folder.path / "mock.yml").touch()
    assert warnings(folder) == [
        "mock.yml:1:1: is not read; the configuration is mock.yaml",
        "scenarios/a.yml:1:1: is not read; scenarios/*.yaml is",
    ]


def test_the_path_of_a_fault_has_no_query(folder: Folder):
    folder.write(mock="faults: [{when: {path: '/user?x=1'}, drop: true}]")
    assert folder.mistakes() == [
        "mock.yaml:1:24: faults[0].when.path: must be a path without a query, which no fault can "
        "tell apart"
    ]


def test_without_rules_no_scenario_is_out_of_use(folder: Folder):
    folder.write(mock="scenarios: [{scenario_id: 900}]")
    assert warnings(folder) == []


# ---------------------------------------------------------------------------- what is shipped


def test_the_shipped_configuration_has_neither_mistakes_nor_warnings():
    loaded = load(ROOT / "mock.yaml", {})
    assert loaded.warnings == ()
    assert loaded.settings.token == "MOCK_SUPER_SECRET"
    assert loaded.declarations.default_scenario == 500
    assert len(loaded.files) == 5


def test_the_shipped_token_comes_from_the_environment():
    assert load(ROOT / "mock.yaml", {"MOCK_TOKEN": "abc"}).declarations.token == "abc"


# ---------------------------------------------------------------------------- the environment

SECRET = "s3cr3t-value"
QUOTED = {
    "port: ${X}": "1:7: port: must be a whole number, not this text",
    "log_level: ${X}": "1:12: log_level: must be one of critical, error, warning, info, debug, "
    "not this text",
    "clock: ${X}": "1:8: clock: must be a mapping, not this text",
    "clock: {start: '${X}'}": "1:16: clock.start: must be a time such as 2026-01-01T00:00:00Z",
    "scenarios: ['${X}/*.yaml']": '1:13: scenarios[0]: "${X}/*.yaml" matches no file',
    "scenarios: ['a-${X}.yaml']": '1:13: scenarios[0]: there is no file "a-${X}.yaml"',
    "faults: [{when: {operation: '${X}'}, drop: true}]": "1:29: faults[0].when.operation: "
    'there is no operation "${X}"',
    "scenarios: [{scenario_id: 1, stages: ['${X}', '${X}']}]": "1:47: scenarios[0].stages[1]: "
    '"${X}" is in the list already',
    "scenarios: [{scenario_id: 1, jobs: [{name: a, needs: ['${X}']}]}]": "1:55: "
    'scenarios[0].jobs[0].needs[0]: there is no job "${X}"',
    "scenarios: [{scenario_id: 1, stages: ['${X}'], jobs: [{name: a, stage: b}]}]": "1:72: "
    'scenarios[0].jobs[0].stage: "b" is not one of the stages: ${X}',
    "default_scenario: ${N}": "1:19: default_scenario: there is no scenario ${N}",
    "projects: [{id: 1, path: a/b}, {id: 2, path: '${P}'}]": "1:46: projects[1].path: "
    'the path "${P}" is taken by the project in mock.yaml:1',
    "watch: ${N}": "1:8: watch: must be true or false, not this number",
    "host: ['${N}', 3]\nport: ${B}": "1:7: host: must be text, not a list",
}


@pytest.mark.parametrize("text", QUOTED)
def test_what_came_from_the_environment_is_not_quoted(folder: Folder, text: str):
    environ = {"X": SECRET, "N": "5000", "P": "a/b", "B": "true", "ONE": "1"}
    found = folder.write(mock=text).mistakes(environ=environ)
    assert found[0] == f"mock.yaml:{QUOTED[text]}"
    assert SECRET not in "".join(found)


def test_a_boolean_from_the_environment_is_not_quoted_either(folder: Folder):
    found = folder.write(mock="port: ${B}").mistakes(environ={"B": "true"})
    assert found == ["mock.yaml:1:7: port: must be a whole number, not this value"]


def test_bounds_stay_as_they_are_beside_a_variable_of_the_same_value(folder: Folder):
    folder.write(mock="scenarios: [{scenario_id: 1, name: '${ONE}', terminal_after_polls: 0}]")
    assert folder.mistakes(environ={"ONE": "1"}) == [
        "mock.yaml:1:68: scenarios[0].terminal_after_polls: must be 1 or more"
    ]


def test_a_default_from_the_file_is_quoted(folder: Folder):
    found = folder.write(mock="port: ${X:-many}").mistakes()
    assert found == ['mock.yaml:1:7: port: must be a whole number, not the text "many"']


def test_a_short_value_is_no_part_of_a_word(folder: Folder):
    folder.write(mock="default_scenario: ${D}\nscenarios: ['${Y}', 'not', 'x5000.yaml']")
    assert folder.mistakes(environ={"D": "5000", "Y": "no"}) == [
        "mock.yaml:1:19: default_scenario: there is no scenario ${D}",
        'mock.yaml:2:13: scenarios[0]: there is no file "${Y}"',
        'mock.yaml:2:21: scenarios[1]: there is no file "not"',
        'mock.yaml:2:28: scenarios[2]: there is no file "x5000.yaml"',
    ]


# ---------------------------------------------------------------------------- bounds


def test_merge_keys_are_counted_while_they_are_merged(folder: Folder):
    template = "x-a: &a\n" + "".join(f"  k{n}: 1\n" for n in range(1000))
    folder.write(mock=template + "x-b:\n" + "  - <<: *a\n" * 15_000)
    (found,) = folder.mistakes()
    assert found == 'mock.yaml:1:6: x-b[100]: "<<" merges more than 100,000 values'


def test_a_thousand_repeated_keys_are_enough(folder: Folder):
    folder.write(mock="{" + "a: 1, " * 5000 + "}")
    found = folder.mistakes()
    assert len(found) == 1001
    assert "1,000 mistakes found; the rest was not read" in found[-1]


def test_a_thousand_wrong_jobs_are_enough(folder: Folder):
    stages = ", ".join(f"s{n}" for n in range(500))
    jobs = "".join(f"    - {{name: job {n}, stage: b, needs: [x]}}\n" for n in range(999))
    folder.write(mock=f"scenarios:\n- scenario_id: 1\n  stages: [{stages}]\n  jobs:\n{jobs}")
    found = folder.mistakes()
    assert 1000 <= len(found) < 1100  # of 1,998
    assert len("".join(found)) < 300_000


def test_many_files_are_told_while_they_are_read(folder: Folder, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    files = {f"scenarios__{n}": f"scenarios: [{{scenario_id: {2000 + n}}}]" for n in range(501)}
    folder.write(mock="version: 1", **files).load()
    assert [each.getMessage() for each in caplog.records] == ["Read 500 of 501 files of scenarios."]


# ---------------------------------------------------------------------------- words from elsewhere


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{name: a, script: [x]}", "script: is not a known key; the mock runs nothing; duration "
         "and status say how the job goes, trace is its log"),
        ("{name: a, environment: {name: x, deployment_tier: other}}",
         "environment.deployment_tier: is not a known key; it is called tier"),
        ("{name: a, duration: 5 minutes}", "duration: must be a number of seconds, or a duration "
         "such as 90s, 1.5s, 3m or 1h30m; did you mean 5m?"),
        ("{name: a, duration: 90sec}", "duration: must be a number of seconds, or a duration such "
         "as 90s, 1.5s, 3m or 1h30m; did you mean 90s?"),
        ("{name: a, \xa0stage: x}",
         '["\xa0stage"]: contains a non-breaking space (U+00A0); use plain spaces'),
    ],
)  # fmt: skip
def test_a_word_from_gitlab_gets_its_mend(folder: Folder, text: str, expected: str):
    folder.write(mock=f"scenarios: [{{scenario_id: 900, jobs: [{text}]}}]")
    (found,) = folder.mistakes()
    assert found.partition(": scenarios[0].jobs[0]")[2].lstrip(".") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: [{ref: main}]", "1:10: rules[0].ref: is not a known key here; it belongs under "
         "when: {ref: ...}"),
        ("rules: [{branch: main}]",
         "1:10: rules[0].branch: is not a known key; a branch or tag is called ref"),
        ("templates: &a {x: 1}", "1:1: templates: is not a known key; "
         '"x-templates" would be a template, which is ignored'),
        ("rules: [{when: {ref: *}}]",
         '1:23: text that begins with "*" must be quoted, such as "*"'),
        ("rules: [{when: {ref: *-x}}]", "1:22: rules[0].when.ref: there is no anchor &-x above; "
         "text that begins with * must be quoted"),
        ("seed: ${NO}", "1:7: seed: the environment variable NO is not set; ${NO:-default} gives "
         "it a default, and $${NO} is the text itself"),
        (f"host: {'x' * 300}", "1:7: host: must have 255 characters at most"),
        ("port:\xa080\nwatch: true", '2:6: unexpected ":"; check the indentation, or quote the '
         "text; a non-breaking space (U+00A0) stands here, use plain spaces"),
    ],
)  # fmt: skip
def test_what_is_often_written_wrong_is_explained(folder: Folder, text: str, expected: str):
    assert folder.write(mock=text).mistakes() == [f"mock.yaml:{expected}"]


def test_a_hint_says_nothing_of_what_came_from_the_environment(folder: Folder):
    folder.write(mock="faults: [{delay: '${X}'}]")
    (found,) = folder.mistakes(environ={"X": "5 minutes"})
    assert "5" not in found.partition("duration such")[0].partition("delay")[2]
    assert "did you mean" not in found
