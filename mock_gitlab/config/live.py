"""LiveConfig: the last good configuration, the last failed attempt, the watch."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .diagnostics import ConfigurationError
from .globs import existing, touches
from .loader import Loaded, Settings, load, load_defaults
from .overrides import overridden

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Mapping

    from mock_gitlab.engine.model import Instant


logger = logging.getLogger("mock_gitlab.config")

QUIET_MS = 50
"""How long nothing must happen in the folders before a change counts as complete."""
LONGEST_WAIT_MS = 500
"""How long changes without a pause are waited for."""
POLL_SECONDS = 0.3
"""How long to wait between two looks where nobody tells of changes."""
RETRY_SECONDS = 1.0
"""How long to wait before watching again where the watch itself has failed."""
_LATER = ("database", "host", "port", "watch", "watch_polling", "log_level")
_KUBERNETES = "..data"

Batch = set[tuple[Any, str]]
"""Changes that were noticed together: what kind, and the path."""


def _ignore(_: Loaded) -> None:
    pass


class LiveConfig:
    """The configuration that is in force, kept current with its files.

    ``path`` of None means that there is no file, now or later. ``overrides`` beat environment and
    files (see ``overridden``). ``on_change`` is told of each configuration that comes into force
    after the first one; where it raises, the one before stays. Calls and watch belong on one
    event loop; only the reading of files happens in a thread.

    Raises:
        ConfigurationError: the first configuration has mistakes.
    """

    def __init__(
        self,
        path: Path | str | None,
        environ: Mapping[str, str],
        overrides: Mapping[str, Any] | None = None,
        on_change: Callable[[Loaded], None] = _ignore,
        *,
        now: Callable[[], Instant],
        must_exist: bool = True,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.on_change = on_change
        self.last_failure: ConfigurationError | None = None
        self._environ = environ
        self._overrides = dict(overrides or {})
        self._now = now
        self._must_exist = must_exist
        self._one_at_a_time = threading.Lock()
        self.current = self._load()
        self.loaded_at = now()

    # ------------------------------------------------------------------ reloading

    def reload(self) -> bool:
        """Read the files again and put them in force; False where they have mistakes."""
        return self._put_in_force(self._attempt())

    async def reload_now(self) -> bool:
        """Do the same without holding up the event loop; of several, one after the other."""
        return self._put_in_force(await asyncio.to_thread(self._attempt))

    def _attempt(self) -> Loaded | ConfigurationError:
        with self._one_at_a_time:
            try:
                return self._load()
            except ConfigurationError as error:
                return error

    def _load(self) -> Loaded:
        if self.path is None:
            loaded = load_defaults()
        else:
            loaded = load(
                self.path,
                self._environ,
                must_exist=self._must_exist,
            )
            # Once it has been there, a file that is missing is one that is just being replaced.
            self._must_exist = self._must_exist or self.path in loaded.files
        return overridden(loaded, self._environ, self._overrides)

    def _put_in_force(self, outcome: Loaded | ConfigurationError) -> bool:
        if isinstance(outcome, ConfigurationError):
            self.last_failure = outcome
            for mistake in outcome.mistakes:
                logger.error("%s", mistake)
            logger.error("The configuration before stays in force.")
            return False
        self.on_change(outcome)
        self._tell(self.current.settings, outcome)
        self.current, self.loaded_at, self.last_failure = outcome, self._now(), None
        return True

    def _tell(self, before: Settings, loaded: Loaded) -> None:
        logger.info(
            "Configuration loaded: %d scenarios, %d rules.",
            len(loaded.declarations.scenarios),
            len(loaded.declarations.rules),
        )
        for warning in loaded.warnings:
            logger.warning("%s", warning)
        for name in _LATER:
            if getattr(before, name) != getattr(loaded.settings, name):
                logger.warning("A change of %s takes effect at the next start.", name)

    # ------------------------------------------------------------------ watching

    async def watch(self, stop: asyncio.Event, changes: AsyncIterable[Batch] | None = None) -> None:
        """Reload whenever files change, until ``stop`` is set.

        ``changes`` stands in for what the file system tells: sets of (kind, path) in any number.
        """
        if changes is not None:
            async for batch in changes:
                await self._noticed(batch)
            return
        if self.path is None or not self.current.settings.watch:
            await stop.wait()
        while not stop.is_set():
            try:
                if self.current.settings.watch_polling:
                    await self._look_regularly(stop)
                else:
                    await self._watch_folders(stop)
            except Exception:
                logger.exception("Watching the files failed; trying again.")
                await _wait(stop, RETRY_SECONDS)

    async def _watch_folders(self, stop: asyncio.Event) -> None:
        """Watch the folders of now, until others have to be watched."""
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
        stopping = asyncio.ensure_future(_pass_on(stop, over))
        try:
            # The first step arms the watch; what changed before that would be lost.
            await asyncio.sleep(0)
            await self._catch_up()
            # The shield leaves it to the event to end the watch: watchfiles waits for its thread.
            while (
                armed == self._identities()
                and (batch := await asyncio.shield(upcoming)) is not None
            ):
                if not await self._noticed(batch):
                    await _wait(stop, RETRY_SECONDS)
                    break  # to catch up, as often as it takes
                upcoming = asyncio.ensure_future(anext(batches, None))
        finally:
            over.set()
            stopping.cancel()
            await asyncio.gather(upcoming, stopping, return_exceptions=True)

    async def _look_regularly(self, stop: asyncio.Event) -> None:
        """Look at the folders of now, until others have to be looked at.

        Whole seconds are all that watchfiles compares when it polls: the second of two edits
        within one would be lost.
        """
        looked_at, before = self._identities(), await asyncio.to_thread(self._traces)
        await self._catch_up()
        while not stop.is_set() and looked_at == self._identities():
            await _wait(stop, POLL_SECONDS)
            now = await asyncio.to_thread(self._traces)
            changed = {path for path, _ in before.items() ^ now.items()}
            before = now
            if changed and not await self._noticed({(None, path) for path in changed}):
                await _wait(stop, RETRY_SECONDS)
                break  # to catch up, as often as it takes

    def _traces(self) -> dict[str, tuple[int, int, int]]:
        """Note of everything that is watched what an edit changes."""
        found = {}
        for path in itertools.chain.from_iterable(map(_entries, self.watched())):
            with contextlib.suppress(OSError):  # gone again: the next look sees what is there
                status = path.stat()
                found[str(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def watched(self) -> tuple[Path, ...]:
        """List what to watch now: folders, and where one is missing the nearest above it.

        Each write to the database is a change in its folder. Where that folder matters for the
        configuration file alone, only this file is watched, so that calls cost no more for it.
        """
        if self.path is None:
            return ()
        failed = () if self.last_failure is None else self.last_failure.folders
        found = {existing(folder).absolute() for folder in (*self.current.folders, *failed)}
        home, file = existing(self.path.parent).absolute(), self.path.absolute()
        written = Path(self.current.settings.database).absolute().parent
        alone = home not in found and home == written and file.is_file()
        return tuple(sorted({*found, file if alone else home}))

    def _identities(self) -> dict[Path, tuple[int, int]]:
        """Tell what is watched apart from what may later stand in its place."""
        found = {}
        for path in self.watched():
            with contextlib.suppress(OSError):  # gone again: the next look sees what is there
                status = path.stat()
                found[path] = status.st_dev, status.st_ino
        return found

    async def _catch_up(self) -> None:
        outcome = await asyncio.to_thread(self._attempt)
        if outcome != self.current:
            self._put_in_force(outcome)

    async def _noticed(self, batch: Batch) -> bool:
        """Reload where a change matters; False where what was read could not be put in force."""
        if not any(self._concerns(Path(path)) for _, path in batch):
            return True
        try:
            await self.reload_now()
        except Exception:
            logger.exception("The new configuration could not be put in force.")
            return False
        return True

    def _concerns(self, changed: Path) -> bool:
        """Tell whether a change matters. Events may name a folder by its real path."""
        assert self.path is not None
        if changed.name == _KUBERNETES:
            return True
        folder = changed.parent.resolve()
        folders = {each.parent if each == self.path.absolute() else each for each in self.watched()}
        names = [each / changed.name for each in folders if each.resolve() == folder]
        base = self.path.parent.absolute()
        patterns = [self.path.name, *self.current.patterns]
        patterns += () if self.last_failure is None else self.last_failure.patterns
        return any(touches(base, pattern, name) for name in names for pattern in patterns)


def _entries(watched: Path) -> list[Path]:
    try:
        return list(watched.iterdir()) if watched.is_dir() else [watched]
    except OSError:
        return []


async def _pass_on(stop: asyncio.Event, over: asyncio.Event) -> None:
    await stop.wait()
    over.set()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond the stop."""
    waiting = asyncio.ensure_future(stop.wait())
    await asyncio.wait([waiting], timeout=seconds)
    waiting.cancel()
