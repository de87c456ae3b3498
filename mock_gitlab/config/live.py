"""Keep the configuration current while its files are edited."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .diagnostics import ConfigurationError
from .globs import existing, touches
from .loader import FIXED_SETTINGS, Loaded, Settings, load, read_stream
from .overrides import overridden

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from watchfiles.main import FileChange

    from mock_gitlab.engine.model import Instant

    Changes = set[FileChange]

logger = logging.getLogger("mock_gitlab.config")

QUIET_MS = 50
"""A change counts as complete after this long without another."""
LONGEST_WAIT_MS = 500
"""Changes without a pause are handled after this long."""
POLL_SECONDS = 0.3
"""How long polling waits between two looks."""
RETRY_SECONDS = 1.0
"""How long to wait before watching again after the watch has failed."""
LOOK_SECONDS = 1.0
"""How often to look whether links lead elsewhere, of which the system reports nothing."""
_POLLING = (
    "The system cannot watch the files (%s), so they are polled from now on. "
    "With watch_polling: true (MOCK_WATCH_POLLING=1) they are polled from the start."
)
Fingerprint = tuple[int, int, int]
"""What an edit of a file changes: the time, the size and the inode."""
_KUBERNETES = "..data"  # the link that a ConfigMap volume replaces, in place of its files


def _ignore(_: Loaded) -> None:
    pass


def _do_nothing() -> None:
    pass


class _NoWatch(Exception):
    """The system cannot watch the folders; the message is the system's."""


class LiveConfig:
    """The current configuration: the last one without mistakes.

    ``overrides`` beat the environment, which beats the files. ``on_change`` is called with every
    new configuration before it becomes current; if it raises, the previous one remains; ``reloads``
    and ``failed_reloads`` count what came after the first. Before
    that, ``prepare`` is called in the thread that has read the files, so that the event loop is
    free meanwhile. Call all methods on one event loop.

    Raises:
        ConfigurationError: the first configuration has mistakes.
    """

    def __init__(
        self,
        path: Path | str,
        environ: Mapping[str, str],
        overrides: Mapping[str, Any] | None = None,
        on_change: Callable[[Loaded], None] = _ignore,
        *,
        now: Callable[[], Instant],
        must_exist: bool = True,
    ) -> None:
        self.path = Path(path)
        self._start = _working_directory()
        self._content = read_stream(self.path)
        self._file = self._start / (self.path if self._content is None else self.path.name)
        self.on_change = on_change
        self.prepare: Callable[[Loaded], None] = _ignore
        self.after_reload: Callable[[], None] = _do_nothing
        self.last_failure: ConfigurationError | None = None
        self._environ = environ
        self._overrides = dict(overrides or {})
        self._now = now
        self._must_exist = must_exist
        self._loading = threading.Lock()
        self._trouble: str | None = None
        self.polling = False
        self.reloads = self.failed_reloads = 0
        self.current = self._load()
        self.loaded_at = now()

    # ------------------------------------------------------------------ reloading

    async def reload_now(self) -> bool:
        """Read the files again and apply them; return False if they have mistakes.

        The files are read in a thread. Reloads that overlap run one after the other. At the end
        ``after_reload`` is called, whether they had mistakes or not.
        """
        done = self._apply(await asyncio.to_thread(self._try_to_load))
        self.after_reload()
        return done

    def _try_to_load(self) -> Loaded | ConfigurationError:
        with self._loading:
            try:
                loaded = self._load()
            except ConfigurationError as error:
                return error
            self.prepare(loaded)
            return loaded

    def _load(self) -> Loaded:
        loaded = load(self.path, self._environ, must_exist=self._must_exist, content=self._content)
        # A file that was there before and is missing now is just being replaced.
        self._must_exist = self._must_exist or self.path in loaded.files
        return overridden(loaded, self._environ, self._overrides)

    def _apply(self, outcome: Loaded | ConfigurationError) -> bool:
        if isinstance(outcome, ConfigurationError):
            self.failed_reloads += 1
            self.last_failure = outcome
            for mistake in outcome.mistakes:
                logger.error("%s", mistake)
            logger.error("The previous configuration remains in use.")
            return False
        self.on_change(outcome)
        self.reloads += 1
        self._log(self.current.settings, outcome)
        self.current, self.loaded_at, self.last_failure = outcome, self._now(), None
        return True

    def _log(self, before: Settings, loaded: Loaded) -> None:
        logger.info(
            "Configuration loaded: %d scenarios, %d rules.",
            len(loaded.declarations.scenarios),
            len(loaded.declarations.rules),
        )
        for warning in loaded.warnings:
            logger.warning("%s", warning)
        for name in FIXED_SETTINGS:
            if getattr(before, name) != getattr(loaded.settings, name):
                logger.warning("A change of %s takes effect at the next start.", name)

    # ------------------------------------------------------------------ watching

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload whenever files change, until ``stop`` is set."""
        if not self.current.settings.watch:
            await stop.wait()
        self.polling = self.current.settings.watch_polling
        while not stop.is_set():
            try:
                await (self._poll_folders(stop) if self.polling else self._watch_folders(stop))
                self._trouble = None
            except _NoWatch as error:
                self.polling = True
                logger.warning(_POLLING, error)
            except Exception as error:
                if self._is_new(error):
                    logger.exception("Watching the files failed; trying again.")
                await _wait(stop, RETRY_SECONDS)

    def _is_new(self, error: Exception) -> bool:
        """Return whether an error differs from the one before."""
        before, self._trouble = self._trouble, repr(error)
        return before != self._trouble

    async def _watch_folders(self, stop: asyncio.Event) -> None:
        """Watch the folders until other ones have to be watched.

        Raises:
            _NoWatch: the system cannot watch them.
        """
        from watchfiles import awatch

        armed, over = self._identities(), asyncio.Event()
        batches = awatch(
            *armed,
            watch_filter=None,
            stop_event=over,
            step=QUIET_MS,
            debounce=LONGEST_WAIT_MS,
            recursive=False,
            ignore_permission_denied=True,
        )
        upcoming = asyncio.ensure_future(anext(batches, None))
        stopping = asyncio.ensure_future(_forward(stop, over))
        linked = await asyncio.to_thread(self._links)
        try:
            # The first step of the task starts the watch. Changes before that would go unnoticed.
            await asyncio.sleep(0)
            await self._catch_up()
            while (armed, linked) == await asyncio.to_thread(self._meaning):
                # watchfiles waits for its thread: only the event may end it.
                await asyncio.wait([upcoming], timeout=LOOK_SECONDS)
                if not upcoming.done():
                    continue
                batch = _result(upcoming)
                if batch is None:
                    break
                if not await self.notice({path for _, path in batch}):
                    await _wait(stop, RETRY_SECONDS)
                    break  # the next round catches up
                upcoming = asyncio.ensure_future(anext(batches, None))
        finally:
            over.set()
            stopping.cancel()
            await asyncio.gather(upcoming, stopping, return_exceptions=True)

    async def _poll_folders(self, stop: asyncio.Event) -> None:
        """Poll the folders until other ones have to be polled.

        The polling of watchfiles compares whole seconds: it misses the second of two edits within
        one second.
        """
        meaning = await asyncio.to_thread(self._meaning)
        before = await asyncio.to_thread(self._fingerprints)
        await self._catch_up()
        while not stop.is_set() and meaning == await asyncio.to_thread(self._meaning):
            await _wait(stop, POLL_SECONDS)
            now = await asyncio.to_thread(self._fingerprints)
            changed = {path for path, _ in before.items() ^ now.items()}
            before = now
            if changed and not await self.notice(changed):
                await _wait(stop, RETRY_SECONDS)
                break  # the next round catches up

    def _fingerprints(self) -> dict[str, Fingerprint]:
        """Return what an edit changes, for every file in the watched folders."""
        return _fingerprints(itertools.chain.from_iterable(map(_entries, self.watched())))

    def watched(self) -> tuple[Path, ...]:
        """List what to watch now: folders, or the nearest existing folder above a missing one.

        Every write to the database changes its folder. If only the configuration file matters in
        that folder, this file alone is watched, so that requests do not wake the watch.
        """
        failed = () if self.last_failure is None else self.last_failure.folders
        base = self._file.parent
        found = {existing(self._start / folder) for folder in (*self.current.folders, *failed)}
        home = existing(base)
        written = (self._start / self.current.settings.database).parent
        alone = home not in found and home == written and self._file.is_file()
        return tuple(sorted({*found, self._file if alone else home}))

    def _identities(self) -> dict[Path, tuple[int, int]]:
        """Identify what is watched, so that a replacement under the same name is noticed."""
        found = {}
        for path in self.watched():
            with contextlib.suppress(OSError):  # deleted meanwhile
                status = path.stat()
                found[path] = status.st_dev, status.st_ino
        return found

    def _links(self) -> dict[str, Fingerprint]:
        """Return the state of the files behind links, whose own folders are not watched."""
        files = (self._start / file for file in (self.path, *self.current.files))
        return _fingerprints(file for file in files if file.is_symlink())

    def _meaning(self) -> tuple[dict[Path, tuple[int, int]], dict[str, Fingerprint]]:
        """Return what the paths mean now: a link at or above them may lead elsewhere."""
        return self._identities(), self._links()

    async def _catch_up(self) -> None:
        outcome = await asyncio.to_thread(self._try_to_load)
        failure = self.last_failure
        if isinstance(outcome, ConfigurationError):
            known = failure is not None and failure.mistakes == outcome.mistakes
        else:
            known = failure is None and outcome == self.current
        if not known:
            self._apply(outcome)
            self.after_reload()

    async def notice(self, changed: Collection[str]) -> bool:
        """Reload if one of the changed paths matters; return False if ``on_change`` raised."""
        if not any(self._matters(Path(path)) for path in changed):
            return True
        return await self.try_to_reload()

    async def try_to_reload(self) -> bool:
        """Reload, and log what went wrong; return False if ``on_change`` raised."""
        try:
            await self.reload_now()
        except Exception:
            logger.exception("The new configuration could not be applied.")
            return False
        return True

    def _matters(self, changed: Path) -> bool:
        """Return whether a changed path matters. Events may contain the real path of a folder."""
        if changed.name == _KUBERNETES:
            return True
        folder = os.path.realpath(changed.parent)
        folders = {each.parent if each == self._file else each for each in self.watched()}
        names = [each / changed.name for each in folders if os.path.realpath(each) == folder]
        patterns, files = [self.path.name, *self.current.patterns], [*self.current.files]
        if self.last_failure is not None:
            patterns += self.last_failure.patterns
            files += self.last_failure.files
        base = self._file.parent
        if any(touches(base, pattern, name) for name in names for pattern in patterns):
            return True
        named = (self._start / file for file in files if changed.name in file.parts)
        return any(
            each.name == changed.name and os.path.realpath(each.parent) == folder
            for file in named
            for each in (file, *file.parents)
        )


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it has been deleted: only absolute paths lead anywhere
        return Path(os.sep)


def _result(upcoming: asyncio.Future[Changes | None]) -> Changes | None:
    """Return what a watch has reported.

    Raises:
        _NoWatch: the watch has failed.
    """
    try:
        return upcoming.result()
    except Exception as error:
        raise _NoWatch(error) from error


def _fingerprints(files: Iterable[Path]) -> dict[str, Fingerprint]:
    found = {}
    for path in files:
        with contextlib.suppress(OSError):  # deleted meanwhile
            status = path.stat()
            found[str(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _entries(watched: Path) -> list[Path]:
    try:
        return list(watched.iterdir()) if watched.is_dir() else [watched]
    except OSError:  # pragma: no cover - the folder vanished between the two calls
        return []


async def _forward(stop: asyncio.Event, over: asyncio.Event) -> None:
    await stop.wait()
    over.set()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    """Wait for some seconds, or until ``stop`` is set."""
    waiting = asyncio.ensure_future(stop.wait())
    await asyncio.wait([waiting], timeout=seconds)
    waiting.cancel()
