"""The language of ``rules:if``: lexer, parser and evaluation, as in GitLab.

What surprises follows GitLab's source: ``&&`` and ``||`` give one of their operands, as in Ruby, so
``$EMPTY || $SET`` is false (empty text is no null); an absent variable is null, and is empty text
for ``=~``; values of variables are not expanded; ``/a/``, with one letter, is no regular
expression; there is no ``!``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from mock_gitlab.engine.texts import NoExpression, check_expression, matches_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TOKENS_LIMIT = 100
"""The most tokens of an expression, as in GitLab."""
_LONGEST = 10_000


class BadExpression(ValueError):
    """A text is no expression of GitLab's; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression, without its slashes and with its flags in front."""

    text: str

    def finds(self, text: str) -> bool:
        """Return whether it matches anywhere in a text."""
        return matches_text(f"/{self.text}/", text)


Value = str | bool | Pattern | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a regular expression, a boolean or null."""

    value: Value

    def evaluate(self, variables: Mapping[str, str]) -> Value:  # noqa: ARG002 - as the others
        """Give the value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Variable:
    """``$NAME``."""

    name: str

    def evaluate(self, variables: Mapping[str, str]) -> Value:
        """Give its value as it is written; null if there is none."""
        return variables.get(self.name)


@dataclass(frozen=True, slots=True)
class Operation:
    """Two expressions with an operator between them."""

    operator: str
    left: Expression
    right: Expression

    def evaluate(self, variables: Mapping[str, str]) -> Value:
        """Give one of the operands for ``&&`` and ``||``, else a boolean."""
        left = self.left.evaluate(variables)
        if self.operator == "||":
            return self.right.evaluate(variables) if _falsy(left) else left
        if self.operator == "&&":
            return left if _falsy(left) else self.right.evaluate(variables)
        return _COMPARE[self.operator](left, self.right.evaluate(variables))


Expression = Literal | Variable | Operation


def holds(text: str, variables: Mapping[str, str]) -> bool:
    """Return whether an expression is true.

    Raises:
        BadExpression: GitLab refuses it.
    """
    value = parse(text).evaluate(variables)
    return bool(value.strip()) if isinstance(value, str) else not _falsy(value)


def variables_of(expression: Expression) -> Iterator[str]:
    """Name the variables that an expression asks for."""
    if isinstance(expression, Variable):
        yield expression.name
    elif isinstance(expression, Operation):
        yield from variables_of(expression.left)
        yield from variables_of(expression.right)


def pattern(text: str) -> Pattern:
    """Read ``/expression/flags``.

    Raises:
        BadExpression: it is no regular expression.
    """
    found = _WHOLE_PATTERN.fullmatch(text)
    if found is None:
        raise BadExpression(f"{text[:40]} is no regular expression")
    flags = "".join(sorted(set(found[2])))
    made = f"(?{flags}){found[1]}" if flags else found[1]
    try:
        check_expression(f"/{made}/")
    except NoExpression as error:
        raise BadExpression(f"{text[:40]} is no regular expression: {error}") from None
    return Pattern(made)


_WHOLE_PATTERN = re.compile(r"/(.+)/([ismU]*)")

# ---------------------------------------------------------------------------- evaluation


def _falsy(value: Value) -> bool:
    return value is None or value is False


def _matches(text: Value, wanted: Value) -> bool:
    """Match, where the right side may also be a variable that holds a regular expression.

    GitLab looks for the text in a value that is no regular expression, the other way round.
    """
    if _falsy(wanted):
        return False
    shown = _as_text(text)
    if isinstance(wanted, str):
        with suppress(BadExpression):
            wanted = pattern(wanted)
    return wanted.finds(shown) if isinstance(wanted, Pattern) else shown in _as_text(wanted)


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else value.text if value is not None else ""


_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": lambda left, right: _same(left, right),
    "!=": lambda left, right: not _same(left, right),
    "=~": _matches,
    "!~": lambda left, right: not _matches(left, right),
}


def _same(left: Value, right: Value) -> bool:
    return type(left) is type(right) and left == right and not isinstance(left, Pattern)


# ---------------------------------------------------------------------------- parsing


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


_IS_PATTERN = re.compile(r"/(?:[^/]|\\/)+[^\\]/[ismU]*")
_LEXEMES = {
    "(": re.compile(r"\("),
    ")": re.compile(r"\)"),
    "variable": re.compile(r"\$(\w+)", re.ASCII),
    "text": re.compile(r"\"(.*?)\"|'(.*?)'"),
    "pattern": _IS_PATTERN,
    "word": re.compile(r"null|true|false"),
    "operator": re.compile(r"==|=~|!=|!~|&&|\|\|"),
}
_PRECEDENCE = {"==": 10, "=~": 10, "!=": 10, "!~": 10, "&&": 11, "||": 12}
_WORDS: dict[str, Value] = {"null": None, "true": True, "false": False}


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        BadExpression: GitLab refuses it.
    """
    if len(text) > _LONGEST:
        raise BadExpression(f"it has more than {_LONGEST} characters")
    values: list[Expression] = []
    operators: list[_Token] = []
    for token in _tokens(text):
        if token.kind == "operator":
            while operators and _binds_first(operators[-1], token):
                _apply(operators.pop(), values)
            operators.append(token)
        elif token.kind == "(":
            operators.append(token)
        elif token.kind == ")":
            _close(token, operators, values)
        else:
            values.append(_value(token))
    while operators:
        _apply(operators.pop(), values)
    if len(values) != 1:
        raise BadExpression("it is empty" if not values else "an operator is missing")
    return values[0]


def _tokens(text: str) -> Iterator[_Token]:
    at = count = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        count += 1
        if count > TOKENS_LIMIT:
            raise BadExpression(f"it has more than {TOKENS_LIMIT} tokens")
        token = _next(text, at)
        at += len(token.text)
        yield token


def _next(text: str, at: int) -> _Token:
    for kind, lexeme in _LEXEMES.items():
        found = lexeme.match(text, at)
        if found:
            return _Token(kind, found[0], at)
    hint = ""
    if text.startswith("${", at):
        hint = "; write $NAME, without braces"
    elif text[at] == "/":
        hint = "; a regular expression has two letters at least, and an end"
    elif text[at] == "!":
        hint = "; there is no ! in this language"
    raise BadExpression(f"{text[at : at + 20]} is not understood (character {at + 1}){hint}")


def _binds_first(before: _Token, token: _Token) -> bool:
    return before.kind == "operator" and _PRECEDENCE[before.text] <= _PRECEDENCE[token.text]


def _close(token: _Token, operators: list[_Token], values: list[Expression]) -> None:
    while operators and operators[-1].kind != "(":
        _apply(operators.pop(), values)
    if not operators:
        raise BadExpression(f"the ) at character {token.at + 1} closes nothing")
    operators.pop()


def _apply(operator: _Token, values: list[Expression]) -> None:
    if operator.kind == "(":
        raise BadExpression(f"the ( at character {operator.at + 1} is never closed")
    if len(values) < 2:
        raise BadExpression(f"{operator.text} at character {operator.at + 1} lacks an operand")
    right = values.pop()
    values.append(Operation(operator.text, values.pop(), right))


def _value(token: _Token) -> Expression:
    if token.kind == "variable":
        return Variable(token.text[1:])
    if token.kind == "text":
        return Literal(token.text[1:-1])
    if token.kind == "word":
        return Literal(_WORDS[token.text])
    return Literal(pattern(token.text.replace("\\/", "/")))
