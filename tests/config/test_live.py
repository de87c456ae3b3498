"""Most tests report changes themselves, so that nothing waits; a few use the file system."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

import pytest

from mock_gitlab.config.diagnostics import ConfigurationError
from mock_gitlab.config.live import LiveConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mock_gitlab.config.loader import Loaded

    from .conftest import Folder

GENEROUS = 30
SCENARIO = "scenarios: [{scenario_id: %d}]"


class Watched:
    """A live configuration, what it passed to ``on_change``, and a clock that counts its reads."""

    def __init__(
        self, folder: Folder, environ: dict[str, str] | None = None, **options: Any
    ) -> None:
        self.seen: list[Loaded] = []
        self.told = asyncio.Event()
        self.clock = 1000
        self.live = LiveConfig(
            folder.mock, environ or {}, on_change=self.tell, now=self.now, **options
        )

    def tell(self, loaded: Loaded) -> None:
        self.seen.append(loaded)
        self.told.set()

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def has(self, number: int) -> bool:
        return self.live.current.declarations.declared(number) is not None

    def reload(self) -> bool:
        return asyncio.run(self.live.reload_now())

    async def notice(self, *paths: Path) -> None:
        """Report changes, all at once, as the file system would."""
        await self.live.notice({str(path) for path in paths})


# ---------------------------------------------------------------------------- loading


def test_the_first_configuration_is_there_at_once(folder: Folder):
    watched = Watched(folder.write(mock="scenarios: [{scenario_id: 900}]"))
    assert watched.has(900)
    assert watched.live.loaded_at == 1001
    assert watched.live.last_failure is None
    assert watched.seen == []


def test_the_first_configuration_must_be_without_mistakes(folder: Folder):
    folder.write(mock="tokn: x")
    with pytest.raises(ConfigurationError):
        Watched(folder)


def test_nobody_needs_to_listen_to_changes(folder: Folder):
    live = LiveConfig(folder.write(mock="port: 1").mock, {}, now=lambda: 0)
    folder.write(mock="token: b")
    assert asyncio.run(live.reload_now())
    assert live.current.settings.token == "b"


def test_a_reload_applies_the_new_configuration(folder: Folder):
    watched = Watched(folder.write(mock="scenarios: [{scenario_id: 900}]"))
    folder.write(mock="scenarios: [{scenario_id: 901}]")
    assert watched.reload()
    assert (watched.has(900), watched.has(901)) == (False, True)
    assert watched.seen == [watched.live.current]
    assert watched.live.loaded_at == 1002


def test_a_mistake_keeps_the_last_good_configuration_whole(
    folder: Folder, caplog: pytest.LogCaptureFixture
):
    watched = Watched(folder.write(mock="scenarios: [{scenario_id: 900}]"))
    before = watched.live.current
    folder.write(mock="default_scenario: 7\nscenarios: [{scenario_id: 901, x: 1}]")
    assert not watched.reload()
    assert watched.live.current is before
    assert watched.live.loaded_at == 1001
    assert watched.seen == []
    failure = watched.live.last_failure
    assert failure is not None
    assert [record.getMessage() for record in caplog.records] == [
        str(failure.mistakes[0]),
        "The previous configuration remains in use.",
    ]
    assert {record.name for record in caplog.records} == {"mock_gitlab.config"}


def test_the_failure_is_forgotten_once_the_mistake_is_gone(folder: Folder):
    watched = Watched(folder.write(mock="port: 1"))
    folder.write(mock="port: x")
    watched.reload()
    folder.write(mock="port: 1")
    assert watched.reload()
    assert watched.live.last_failure is None


def test_a_reload_of_the_same_files_is_reported_too(folder: Folder):
    watched = Watched(folder.write(mock="port: 1"))
    assert watched.reload()
    assert len(watched.seen) == 1


def test_the_environment_and_options_beat_the_files_at_each_reload(folder: Folder):
    watched = Watched(
        folder.write(mock="token: a"), {"MOCK_TOKEN": "b"}, overrides={"allow_reset": True}
    )
    folder.write(mock="token: c\nallow_reset: false")
    watched.reload()
    assert watched.live.current.declarations.token == "b"
    assert watched.live.current.declarations.allow_reset


def test_a_change_that_takes_effect_at_the_next_start_is_logged(
    folder: Folder, caplog: pytest.LogCaptureFixture
):
    watched = Watched(folder.write(mock="port: 1\ntoken: a"))
    folder.write(mock="port: 2\ntoken: b\ndatabase: x.db\nwatch_polling: true\nrules: [{}, {}]")
    caplog.set_level(logging.WARNING)
    watched.reload()
    assert [record.getMessage() for record in caplog.records] == [
        str(watched.live.current.warnings[0]),
        "A change of database takes effect at the next start.",
        "A change of port takes effect at the next start.",
        "A change of watch_polling takes effect at the next start.",
    ]
    assert watched.live.current.declarations.token == "b"


def test_a_configuration_that_cannot_be_put_in_force_leaves_the_one_before(folder: Folder):
    def refuse(_: Loaded) -> None:
        raise RuntimeError("the disk is full")

    watched = Watched(folder.write(mock="port: 1"))
    watched.live.on_change = refuse
    before = watched.live.current
    folder.write(mock="port: 2")
    with pytest.raises(RuntimeError, match="disk"):
        watched.reload()
    assert watched.live.current is before


def test_a_configuration_is_prepared_in_a_thread_before_it_is_put_in_force(folder: Folder):
    watched = Watched(folder.write(mock="port: 1"))
    prepared: list[tuple[Loaded, bool]] = []

    def prepare(loaded: Loaded) -> None:
        prepared.append((loaded, current_thread() is main_thread()))
        assert watched.seen == []

    watched.live.prepare = prepare
    folder.write(mock="port: 2")
    assert watched.reload()
    assert prepared == [(watched.live.current, False)]
    assert watched.seen == [watched.live.current]


def test_a_file_that_has_been_there_may_not_vanish(folder: Folder):
    watched = Watched(folder, must_exist=False)
    folder.write(mock="scenarios: [{scenario_id: 900}]")
    assert watched.reload()
    folder.mock.unlink()
    assert not watched.reload()
    assert watched.has(900)


async def together(live: LiveConfig, times: int) -> list[bool]:
    return await asyncio.gather(*(live.reload_now() for _ in range(times)))


def test_many_reloads_at_once_all_succeed_and_the_last_one_counts(folder: Folder):
    watched = Watched(folder.write(mock="scenarios: [{scenario_id: 900}]"))
    folder.write(mock="scenarios: [{scenario_id: 901}]")
    assert asyncio.run(together(watched.live, 20)) == [True] * 20
    assert watched.has(901)
    assert len(watched.seen) == 20


# ---------------------------------------------------------------------------- noticing


def noticed(watched: Watched, *paths: Path) -> int:
    """Return how many new configurations a change of these paths leads to."""
    before = len(watched.seen)
    asyncio.run(watched.notice(*paths))
    return len(watched.seen) - before


def test_changes_of_the_files_that_were_read_are_noticed(folder: Folder):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)
    watched = Watched(folder)
    folder.write(scenarios__a=SCENARIO % 901)
    assert noticed(watched, folder.path / "scenarios/a.yaml") == 1
    assert watched.has(901)
    assert noticed(watched, folder.mock) == 1


NAMING = {
    "ci.yml": "scenarios: [{from: ci.yml}]",
    "more/part.yml": "scenarios: [{from: ci.yml}]",
    "more/body": "faults: [{respond: {status: 200, body_file: more/body}}]",
    "log": "scenarios: [{scenario_id: 900, jobs: [{name: a, trace_file: log}]}]",
    "more/bin": "scenarios: [{scenario_id: 900, jobs: [{name: a, artifacts: "
    "[{path: a, file: more/bin}]}]}]",
}


@pytest.fixture
def naming(folder: Folder) -> Folder:
    """A folder with the files that configurations name."""
    (folder.path / "more").mkdir()
    for name in ("more/body", "log", "more/bin"):
        (folder.path / name).write_text("before")
    (folder.path / "ci.yml").write_text("include: more/part.yml\nbuild: {script: x}\n")
    (folder.path / "more" / "part.yml").write_text("unit: {script: x}\n")
    return folder


@pytest.mark.parametrize("name", NAMING)
def test_changes_of_files_that_are_named_are_noticed(naming: Folder, name: str):
    watched = Watched(naming.write(mock=NAMING[name]))

    assert noticed(watched, naming.path / name) == 1
    assert noticed(watched, naming.path / "other", naming.path / "more" / "log") == 0


@pytest.mark.parametrize("name", NAMING)
def test_a_file_that_is_named_may_vanish_and_come_again(naming: Folder, name: str):
    watched = Watched(naming.write(mock=NAMING[name]))
    content = (naming.path / name).read_text()
    (naming.path / name).unlink()
    assert noticed(watched, naming.path / name) == 0
    assert watched.live.last_failure is not None
    (naming.path / name).write_text(content)

    assert noticed(watched, naming.path / name) == 1


def test_the_folder_of_a_file_that_is_named_may_come_later(naming: Folder):
    watched = Watched(naming.write(mock="version: 1"))
    (naming.path / "more").rename(naming.path / "away")
    naming.write(mock=NAMING["more/part.yml"])
    assert noticed(watched, naming.mock) == 0
    (naming.path / "away").rename(naming.path / "more")

    assert noticed(watched, naming.path / "more") == 1


def test_an_edit_of_an_included_ci_file_is_really_noticed(naming: Folder):
    naming.write(mock=NAMING["ci.yml"])
    child = "next: {trigger: {include: more/next.yml}}\n"
    (naming.path / "more" / "next.yml").write_text("ship: {script: x}\n")

    watch_really(naming, lambda _: (naming.path / "more" / "part.yml").write_text(child), 951)


def test_several_changes_at_once_are_one_reload(folder: Folder):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)
    assert noticed(Watched(folder), folder.mock, folder.path / "scenarios/a.yaml") == 1


def test_a_new_file_and_a_removed_one_are_noticed(folder: Folder):
    watched = Watched(folder.write(mock="version: 1", scenarios__a=SCENARIO % 900))
    folder.write(scenarios__b=SCENARIO % 901)
    assert noticed(watched, folder.path / "scenarios/b.yaml") == 1
    assert watched.has(901)
    (folder.path / "scenarios/b.yaml").unlink()
    assert noticed(watched, folder.path / "scenarios/b.yaml") == 1
    assert not watched.has(901)


def test_the_folder_of_scenarios_may_appear_later(folder: Folder):
    watched = Watched(folder.write(mock="version: 1"))
    assert watched.live.watched() == (folder.path,)
    folder.write(scenarios__a=SCENARIO % 900)
    assert noticed(watched, folder.path / "scenarios") == 1
    assert watched.has(900)
    assert watched.live.watched() == (folder.mock, folder.path / "scenarios")


def test_a_folder_that_a_failed_attempt_missed_is_watched_for(folder: Folder):
    (folder.path / "deep").mkdir()
    watched = Watched(folder.write(mock="version: 1"))
    folder.write(mock="scenarios: [deep/more/*.yaml]")
    assert noticed(watched, folder.mock) == 0
    assert watched.live.watched() == (folder.path, folder.path / "deep")
    folder.write(deep__more__a=SCENARIO % 900)
    assert noticed(watched, folder.path / "deep/more") == 1
    assert watched.has(900)


def test_the_configuration_itself_may_appear_later(folder: Folder):
    watched = Watched(folder, must_exist=False)
    folder.write(mock="scenarios: [{scenario_id: 900}]")
    assert noticed(watched, folder.mock) == 1
    assert watched.has(900)


@pytest.mark.parametrize(
    "name", ["mock.db", "mock.db-wal", "mock.db-shm", "README.md", ".mock.yaml.swp", "other.yaml"]
)
def test_what_else_changes_in_the_folder_is_left_alone(folder: Folder, name: str):
    watched = Watched(folder.write(mock="version: 1"))
    assert noticed(watched, folder.path / name) == 0


def test_the_link_that_kubernetes_moves_is_noticed(folder: Folder):
    watched = Watched(folder.write(mock="version: 1"))
    assert noticed(watched, folder.path / "..data") == 1


def test_a_folder_behind_a_link_is_known_by_both_names(folder: Folder, tmp_path: Path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "scenarios").symlink_to(real)
    watched = Watched(folder.write(mock="version: 1", scenarios__a=SCENARIO % 900))
    assert noticed(watched, real / "a.yaml") == 1
    assert noticed(watched, tmp_path / "scenarios/a.yaml") == 1


def test_the_watch_outlives_a_configuration_that_cannot_be_applied(
    folder: Folder, caplog: pytest.LogCaptureFixture
):
    def refuse(_: Loaded) -> None:
        raise RuntimeError("the disk is full")

    watched = Watched(folder.write(mock="version: 1"))
    watched.live.on_change = refuse
    assert noticed(watched, folder.mock) == 0
    assert "could not be applied" in caplog.text


# ---------------------------------------------------------------------------- the file system


def replace_atomically(folder: Folder, name: str, text: str) -> None:
    fresh = folder.path / "fresh.tmp"
    fresh.write_text(text)
    os.replace(fresh, folder.path / name)


def watch_really(
    folder: Folder,
    change: Callable[[Watched], object],
    number: int,
    after: float = 0,
    **options: Any,
) -> Watched:
    """Watch, run ``change``, and wait until the scenario with that number exists.

    ``after`` is when to run it, in seconds: a watch that starts notices everything before.
    """

    async def run() -> Watched:
        watched = Watched(folder, **options)
        stop = asyncio.Event()
        watching = asyncio.create_task(watched.live.watch(stop))
        asyncio.get_running_loop().call_later(after, change, watched)
        while not watched.has(number):
            await asyncio.wait_for(watched.told.wait(), GENEROUS)
            watched.told.clear()
        stop.set()
        await asyncio.wait_for(watching, GENEROUS)
        return watched

    return asyncio.run(run())


def test_a_file_that_is_saved_in_place_is_really_noticed(folder: Folder):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)
    watch_really(folder, lambda _: folder.write(scenarios__a=SCENARIO % 901), 901)


def test_a_file_that_is_replaced_by_a_rename_is_really_noticed_each_time(folder: Folder):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)

    def change(watched: Watched) -> None:
        tell = watched.live.on_change

        def again(loaded: Loaded) -> None:
            tell(loaded)
            if loaded.declarations.declared(901):
                replace_atomically(folder, "scenarios/a.yaml", SCENARIO % 902)

        watched.live.on_change = again
        replace_atomically(folder, "scenarios/a.yaml", SCENARIO % 901)

    watch_really(folder, change, 902)


def test_a_configuration_that_is_replaced_by_a_rename_is_really_noticed_each_time(folder: Folder):
    folder.write(mock=SCENARIO % 900, scenarios__a="")

    def change(watched: Watched) -> None:
        tell = watched.live.on_change

        def again(loaded: Loaded) -> None:
            tell(loaded)
            if loaded.declarations.declared(901):
                replace_atomically(folder, "mock.yaml", SCENARIO % 902)

        watched.live.on_change = again
        replace_atomically(folder, "mock.yaml", SCENARIO % 901)

    watch_really(folder, change, 902)


def test_a_folder_that_is_replaced_is_really_watched_from_then_on(folder: Folder):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900, other__a=SCENARIO % 901)

    def change(watched: Watched) -> None:
        tell = watched.live.on_change

        def again(loaded: Loaded) -> None:
            tell(loaded)
            if loaded.declarations.declared(901):
                folder.write(scenarios__b=SCENARIO % 902)

        watched.live.on_change = again
        (folder.path / "scenarios").rename(folder.path / "before")
        (folder.path / "other").rename(folder.path / "scenarios")

    watch_really(folder, change, 902)


def test_the_folder_of_the_database_is_not_watched_where_only_the_configuration_is_in_it(
    folder: Folder, tmp_path: Path
):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)
    scenarios = folder.path / "scenarios"
    assert Watched(folder).live.watched() == (folder.mock, scenarios)

    folder.write(mock="database: elsewhere/mock.db")
    assert Watched(folder).live.watched() == (folder.path, scenarios)

    folder.write(mock="scenarios: ['*.yaml']", x="scenarios: [{scenario_id: 900}]")
    assert Watched(folder).live.watched() == (folder.path,)


def test_a_folder_that_appears_is_really_watched_from_then_on(folder: Folder):
    folder.write(mock="version: 1")

    def change(watched: Watched) -> None:
        tell = watched.live.on_change

        def again(loaded: Loaded) -> None:
            tell(loaded)
            if loaded.declarations.declared(900):
                folder.write(scenarios__b=SCENARIO % 901)

        watched.live.on_change = again
        folder.write(scenarios__a=SCENARIO % 900)

    watch_really(folder, change, 901)


def test_polling_notices_too(folder: Folder):
    folder.write(mock="watch_polling: true", scenarios__a=SCENARIO % 900)
    watch_really(folder, lambda _: folder.write(scenarios__a=SCENARIO % 901), 901)


def test_polling_notices_that_a_folder_has_gone(folder: Folder):
    folder.write(mock="watch_polling: true\ndatabase: mock.db", scenarios__a=SCENARIO % 900)

    async def run() -> None:
        watched = Watched(folder)
        stop = asyncio.Event()
        watching = asyncio.create_task(watched.live.watch(stop))
        await asyncio.sleep(0)
        (folder.path / "scenarios").rename(folder.path / "elsewhere")
        while watched.has(900):
            await asyncio.wait_for(watched.told.wait(), GENEROUS)
            watched.told.clear()
        stop.set()
        await asyncio.wait_for(watching, GENEROUS)

    asyncio.run(run())


def test_polling_notices_the_second_of_two_edits_within_a_second(folder: Folder):
    folder.write(mock="watch_polling: true", scenarios__a=SCENARIO % 900)

    def change(watched: Watched) -> None:
        tell = watched.live.on_change

        def again(loaded: Loaded) -> None:
            tell(loaded)
            number = next((n for n in range(901, 904) if loaded.declarations.declared(n)), 903)
            if number < 903:
                replace_atomically(folder, "scenarios/a.yaml", SCENARIO % (number + 1))

        watched.live.on_change = again
        folder.write(scenarios__a=SCENARIO % 901)

    watch_really(folder, change, 903)


# ---------------------------------------------------------------------------- links


def point(link: Path, target: str) -> None:
    """Make a link lead to another target, in one step."""
    fresh = link.with_name("fresh.tmp")
    fresh.symlink_to(target)
    os.replace(fresh, link)


RELEASES = {
    "above the configuration": ("current", "releases/{}", "current/mock.yaml"),
    "at the folder of scenarios": ("home/scenarios", "../releases/{}/scenarios", "home/mock.yaml"),
    "at the configuration": ("home/mock.yaml", "../releases/{}/mock.yaml", "home/mock.yaml"),
    "behind the configuration": ("current", "releases/{}", "home/linked.yaml"),
    "behind a file of scenarios": ("current", "releases/{}", "home/named.yaml"),
}


@pytest.mark.parametrize("polling", ["0", "1"])
@pytest.mark.parametrize("case", RELEASES)
def test_a_link_that_leads_elsewhere_is_really_noticed(folder: Folder, case: str, polling: str):
    for number in (900, 901):
        files = {"mock": "version: 1" if "folder" in case or "scen" in case else SCENARIO % number}
        files["scenarios__a"] = SCENARIO % (number if "version" in files["mock"] else 1000)
        folder.write(**{f"releases__{number}__{name}": text for name, text in files.items()})
    folder.write(home__mock="version: 1", home__named="scenarios: [named/*.yaml]")
    if case == "at the configuration":
        folder.mock.parent.joinpath("home/mock.yaml").unlink()
    link, target, named = RELEASES[case]
    (folder.path / link).symlink_to(target.format(900))
    (folder.path / "home/linked.yaml").symlink_to("../current/mock.yaml")
    (folder.path / "home/named").mkdir()
    (folder.path / "home/named/a.yaml").symlink_to("../../current/scenarios/a.yaml")
    folder.mock = folder.path / named
    watch_really(
        folder,
        lambda _: point(folder.path / link, target.format(901)),
        901,
        after=0.3,
        environ={"MOCK_WATCH_POLLING": polling},
    )


def test_a_link_that_leads_elsewhere_is_noticed_each_time(folder: Folder):
    for number in (900, 901, 902):
        folder.write(**{f"releases__{number}__mock": SCENARIO % number})
    link = folder.path / "current"
    link.symlink_to("releases/900")
    folder.mock = link / "mock.yaml"

    def change(watched: Watched) -> None:
        tell = watched.live.on_change

        def again(loaded: Loaded) -> None:
            tell(loaded)
            if loaded.declarations.declared(901):
                point(link, "releases/902")

        watched.live.on_change = again
        point(link, "releases/901")

    watch_really(folder, change, 902)


def test_an_edit_of_a_file_behind_a_link_is_really_noticed(folder: Folder):
    folder.write(real__a=SCENARIO % 900, mock="version: 1")
    (folder.path / "scenarios").mkdir()
    (folder.path / "scenarios/a.yaml").symlink_to("../real/a.yaml")
    watch_really(folder, lambda _: folder.write(real__a=SCENARIO % 901), 901, after=0.3)


# ---------------------------------------------------------------------------- no watch


def break_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    async def awatch(*_: object, **__: object) -> AsyncIterator[object]:
        raise OSError("Too many open files (os error 24)")
        yield

    monkeypatch.setattr("watchfiles.awatch", awatch)


def test_files_that_cannot_be_watched_are_polled_and_that_is_said_once(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    break_watch(monkeypatch)
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)
    watch_really(folder, lambda _: folder.write(scenarios__a=SCENARIO % 901), 901)
    warnings = [each.getMessage() for each in caplog.records if each.levelname != "INFO"]
    assert warnings == [
        "The system cannot watch the files (Too many open files (os error 24)), so they are polled "
        "from now on. With watch_polling: true (MOCK_WATCH_POLLING=1) they are polled from the "
        "start."
    ]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("polling", ["0", "1"])
def test_the_watch_outlives_the_working_directory(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, polling: str
):
    work = folder.path / "work"
    folder.write(work__mock=SCENARIO % 900)
    monkeypatch.chdir(work)
    folder.mock = Path("mock.yaml")

    def change(_: Watched) -> None:
        work.rename(folder.path / "gone")
        folder.write(work__mock=SCENARIO % 901)
        (folder.path / "gone/mock.yaml").write_text(SCENARIO % 901)

    watch_really(folder, change, 901, after=0.3, environ={"MOCK_WATCH_POLLING": polling})
    assert "Traceback" not in caplog.text


def test_a_server_that_starts_in_a_deleted_folder_watches_what_is_named(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
):
    folder.write(mock=SCENARIO % 900)
    (folder.path / "work").mkdir()
    monkeypatch.chdir(folder.path / "work")
    (folder.path / "work").rmdir()
    assert Watched(folder).live.watched() == (folder.mock,)
    monkeypatch.chdir(folder.path)


def test_the_same_failure_is_logged_once(folder: Folder, caplog: pytest.LogCaptureFixture):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)

    def fail(watched: Watched) -> None:
        tell, failures = watched.live.on_change, iter([RuntimeError("broken")] * 2)

        def refuse_twice(loaded: Loaded) -> None:
            for failure in failures:
                raise failure
            tell(loaded)

        watched.live.on_change = refuse_twice
        folder.write(scenarios__a=SCENARIO % 901)

    watch_really(folder, fail, 901)
    assert caplog.text.count("trying again") == 1


def test_a_mistake_is_logged_once_however_often_the_watch_starts_anew(
    folder: Folder, caplog: pytest.LogCaptureFixture
):
    watched = Watched(folder.write(mock="version: 1"))
    folder.write(mock="port: x")
    asyncio.run(watched.live._catch_up())
    asyncio.run(watched.live._catch_up())
    assert caplog.text.count("remains in use") == 1
    folder.write(mock="version: 1")
    asyncio.run(watched.live._catch_up())
    assert watched.live.last_failure is None


# ---------------------------------------------------------------------------- starting and ending


def test_a_configuration_that_appears_is_really_noticed(folder: Folder):
    watch_really(
        folder,
        lambda _: folder.write(mock="scenarios: [{scenario_id: 900}]"),
        900,
        must_exist=False,
    )


def test_with_watch_false_nothing_is_watched_until_the_end(folder: Folder):
    folder.write(mock="watch: false")

    async def run() -> None:
        live = LiveConfig(folder.mock, {}, now=lambda: 0)
        stop = asyncio.Event()
        watching = asyncio.create_task(live.watch(stop))
        await asyncio.sleep(0)
        assert not watching.done()
        stop.set()
        await asyncio.wait_for(watching, GENEROUS)

    asyncio.run(run())


def test_a_watch_that_begins_tells_of_nothing_where_nothing_has_changed(folder: Folder):
    folder.write(mock="version: 1")

    async def run() -> int:
        watched = Watched(folder)
        stop = asyncio.Event()
        watching = asyncio.create_task(watched.live.watch(stop))
        await watched.live.reload_now()
        stop.set()
        await asyncio.wait_for(watching, GENEROUS)
        return len(watched.seen)

    assert asyncio.run(run()) == 1


def test_a_watch_that_fails_says_so_and_goes_on(folder: Folder, caplog: pytest.LogCaptureFixture):
    folder.write(mock="version: 1", scenarios__a=SCENARIO % 900)

    def fail(watched: Watched) -> None:
        tell, failures = watched.live.on_change, iter([RuntimeError("broken")])

        def refuse_once(loaded: Loaded) -> None:
            for failure in failures:
                raise failure
            tell(loaded)

        watched.live.on_change = refuse_once
        folder.write(scenarios__a=SCENARIO % 901)

    watch_really(folder, fail, 901)
    assert "trying again" in caplog.text


@pytest.mark.parametrize("polling", ["false", "true"])
def test_what_could_not_be_put_in_force_is_tried_again(folder: Folder, polling: str):
    folder.write(mock=f"watch_polling: {polling}", scenarios__a=SCENARIO % 900)

    def change(watched: Watched) -> None:
        tell, failures = watched.live.on_change, iter([RuntimeError("broken")])

        def refuse_once(loaded: Loaded) -> None:
            if loaded.declarations.declared(902):
                for failure in failures:
                    raise failure
            tell(loaded)
            if loaded.declarations.declared(901):
                folder.write(scenarios__a=SCENARIO % 902)

        watched.live.on_change = refuse_once
        folder.write(scenarios__a=SCENARIO % 901)

    watch_really(folder, change, 902)
