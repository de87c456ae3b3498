"""Keep the configuration current while its files are edited."""

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
from .loader import FIXED_SETTINGS, Loaded, Settings, load
from .overrides import overridden

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from mock_gitlab.engine.model import Instant

logger = logging.getLogger("mock_gitlab.config")

QUIET_MS = 50
"""A change counts as complete after this long without another."""
LONGEST_WAIT_MS = 500
"""Changes without a pause are handled after this long."""
POLL_SECONDS = 0.3
"""How long polling waits between two looks."""
RETRY_SECONDS = 1.0
"""How long to wait before watching again after the watch has failed."""
_KUBERNETES = "..data"  # the link that a ConfigMap volume replaces, in place of its files


def _ignore(_: Loaded) -> None:
    pass


class LiveConfig:
    """The current configuration: the last one without mistakes.

    ``overrides`` beat the environment, which beats the files. ``on_change`` is called with every
    new configuration before it becomes current; if it raises, the previous one remains. Call all
    methods on one event loop. Only the files are read in a thread.

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
        self.on_change = on_change
        self.last_failure: ConfigurationError | None = None
        self._environ = environ
        self._overrides = dict(overrides or {})
        self._now = now
        self._must_exist = must_exist
        self._loading = threading.Lock()
        self.current = self._load()
        self.loaded_at = now()

    # ------------------------------------------------------------------ reloading

    async def reload_now(self) -> bool:
        """Read the files again and apply them; return False if they have mistakes.

        The files are read in a thread. Reloads that overlap run one after the other.
        """
        return self._apply(await asyncio.to_thread(self._try_to_load))

    def _try_to_load(self) -> Loaded | ConfigurationError:
        with self._loading:
            try:
                return self._load()
            except ConfigurationError as error:
                return error

    def _load(self) -> Loaded:
        loaded = load(self.path, self._environ, must_exist=self._must_exist)
        # A file that was there before and is missing now is just being replaced.
        self._must_exist = self._must_exist or self.path in loaded.files
        return overridden(loaded, self._environ, self._overrides)

    def _apply(self, outcome: Loaded | ConfigurationError) -> bool:
        if isinstance(outcome, ConfigurationError):
            self.last_failure = outcome
            for mistake in outcome.mistakes:
                logger.error("%s", mistake)
            logger.error("The previous configuration remains in use.")
            return False
        self.on_change(outcome)
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
        while not stop.is_set():
            try:
                if self.current.settings.watch_polling:
                    await self._poll_folders(stop)
                else:
                    await self._watch_folders(stop)
            except Exception:
                logger.exception("Watching the files failed; trying again.")
                await _wait(stop, RETRY_SECONDS)

    async def _watch_folders(self, stop: asyncio.Event) -> None:
        """Watch the folders until other ones have to be watched."""
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
        try:
            # The first step of the task starts the watch. Changes before that would go unnoticed.
            await asyncio.sleep(0)
            await self._catch_up()
            # watchfiles waits for its thread: only the event may end it, hence the shield.
            while (
                armed == self._identities()
                and (batch := await asyncio.shield(upcoming)) is not None
            ):
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
        polled, before = self._identities(), await asyncio.to_thread(self._fingerprints)
        await self._catch_up()
        while not stop.is_set() and polled == self._identities():
            await _wait(stop, POLL_SECONDS)
            now = await asyncio.to_thread(self._fingerprints)
            changed = {path for path, _ in before.items() ^ now.items()}
            before = now
            if changed and not await self.notice(changed):
                await _wait(stop, RETRY_SECONDS)
                break  # the next round catches up

    def _fingerprints(self) -> dict[str, tuple[int, int, int]]:
        """Return what an edit changes, for every file in the watched folders."""
        found = {}
        for path in itertools.chain.from_iterable(map(_entries, self.watched())):
            with contextlib.suppress(OSError):  # deleted meanwhile
                status = path.stat()
                found[str(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def watched(self) -> tuple[Path, ...]:
        """List what to watch now: folders, or the nearest existing folder above a missing one.

        Every write to the database changes its folder. If only the configuration file matters in
        that folder, this file alone is watched, so that requests do not wake the watch.
        """
        failed = () if self.last_failure is None else self.last_failure.folders
        found = {existing(folder).absolute() for folder in (*self.current.folders, *failed)}
        home, file = existing(self.path.parent).absolute(), self.path.absolute()
        written = Path(self.current.settings.database).absolute().parent
        alone = home not in found and home == written and file.is_file()
        return tuple(sorted({*found, file if alone else home}))

    def _identities(self) -> dict[Path, tuple[int, int]]:
        """Identify what is watched, so that a replacement under the same name is noticed."""
        found = {}
        for path in self.watched():
            with contextlib.suppress(OSError):  # deleted meanwhile
                status = path.stat()
                found[path] = status.st_dev, status.st_ino
        return found

    async def _catch_up(self) -> None:
        outcome = await asyncio.to_thread(self._try_to_load)
        if outcome != self.current:
            self._apply(outcome)

    async def notice(self, changed: Collection[str]) -> bool:
        """Reload if one of the changed paths matters; return False if ``on_change`` raised."""
        if not any(self._matters(Path(path)) for path in changed):
            return True
        try:
            await self.reload_now()
        except Exception:
            logger.exception("The new configuration could not be applied.")
            return False
        return True

    def _matters(self, changed: Path) -> bool:
        """Tell whether a changed path matters. Events may contain the real path of a folder."""
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
