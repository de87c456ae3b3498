"""The declaration of an endpoint: one operation of GitLab's API."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from .params import Params

if TYPE_CHECKING:
    from collections.abc import Callable

    from .params import Param

_NUMBERS = (
    "pipeline_id",
    "job_id",
    "trigger_id",
    "hook_id",
    "event_id",
    "environment_id",
    "deployment_id",
    "user_id",
)


class Login(Enum):
    """When an endpoint checks who sends the request."""

    FIRST = "before anything else"
    FIRST_UNLESS_GET = "before anything else, but for a GET when the project is looked up"
    AFTER_PARAMETERS = "after the parameters are checked"
    OWN_WAY = "the endpoint's function does it"


@dataclass(slots=True)
class Endpoint:
    """An operation as its page declares it.

    - ``function`` takes the Request, the segments of the path, and the parameters.
    - ``answers`` is the shape of the answer: a TypedDict, a list of one, bytes or str for a file,
      or None for an empty body.
    - ``job_token``: the token of a running job is a login here.
    - ``delivers``: the function awaits the receiver of a webhook.
    - ``forgives`` takes the Request, and says whether forgivable parameters may be missing.
    - ``page_doc`` is the page of GitLab's documentation.

    The other fields follow from these: ``segments`` are the names in the path, ``numbers`` those
    that must be numbers, and ``named`` those that are also parameters. A parameter in the path
    beats the query and the body.
    """

    method: str
    path: str
    function: Callable[..., Any]
    params: tuple[Param, ...]
    login: Login
    job_token: bool
    status: int
    answers: Any
    paged: bool
    delivers: bool
    forgives: Callable[..., bool] | None
    page_doc: str
    checked: Params = field(init=False)
    segments: tuple[str, ...] = field(init=False)
    numbers: tuple[str, ...] = field(init=False)
    named: tuple[str, ...] = field(init=False)
    logs_in_first: bool = field(init=False)

    def __post_init__(self) -> None:
        self.checked = Params(*self.params)
        self.segments = tuple(re.findall(r"{(\w+)", self.path))
        self.numbers = tuple(name for name in self.segments if name in _NUMBERS)
        params = {param.name for param in self.params}
        self.named = tuple(name for name in self.segments if name in params)
        self.logs_in_first = self.login is Login.FIRST or (
            self.login is Login.FIRST_UNLESS_GET and self.method != "GET"
        )

    @property
    def name(self) -> str:
        """The name of the operation, which faults and the journal use."""
        return self.function.__name__
