"""``/_mock/rules``: the rules in force, and those declared at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from mock_gitlab.config.rules import RuleModel, rule_from
from mock_gitlab.config.scalars import all_as_written

from .access import CurrentWorld, control_router
from .definitions import Switch, pattern_definition, response_definition

if TYPE_CHECKING:
    from mock_gitlab.engine.matching import Rule
    from mock_gitlab.world.world import World

router = control_router("rules")


class RuleRow(TypedDict):
    """A rule; ``matches`` counts the pipelines that it matched in this world."""

    key: str
    source: Literal["file", "runtime"]
    place: str
    enabled: bool
    when: dict[str, Any]
    scenarios: list[int]
    cycle: bool
    variables: dict[str, str]
    name: str | None
    respond: dict[str, Any] | None
    matches: int


def rule_row(world: World, rule: Rule) -> RuleRow:
    """Present a rule, without values from the environment."""
    hidden = world.declared.variables
    return {
        "key": rule.key,
        "source": "runtime" if rule in world.runtime_rules else "file",
        "place": rule.place,
        "enabled": world.runtime_rules.is_on(rule.key),
        "when": all_as_written(pattern_definition(rule.when), hidden),
        "scenarios": list(rule.scenarios),
        "cycle": rule.cycle,
        "variables": all_as_written(dict(rule.variables), hidden),
        "name": all_as_written(rule.name, hidden),
        "respond": all_as_written(response_definition(rule.respond), hidden),
        "matches": world.rule_matches(rule),
    }


@router.get("/rules")
async def list_rules(world: CurrentWorld) -> list[RuleRow]:
    """List the rules in the order in which they are tried, also those that are switched off."""
    return [rule_row(world, rule) for rule in world.all_rules()]


@router.post("/rules", status_code=201)
async def create_rule(world: CurrentWorld, rule: RuleModel) -> RuleRow:
    """Declare a rule at run time; it is tried before those of the files."""
    return rule_row(world, world.add_rule(rule_from(rule, place="")))


@router.patch("/rules")
async def switch_rule(world: CurrentWorld, key: str, switch: Switch) -> RuleRow:
    """Switch a rule on or off in this world, wherever it is declared."""
    return rule_row(world, world.switch_rule(key, on=switch.enabled))


@router.delete("/rules", status_code=204)
async def delete_rules(world: CurrentWorld, key: str | None = None) -> None:
    """Delete the rules declared at run time, all or one."""
    world.runtime_rules.remove(key)
