"""What the page on testing against an SMSC shows works as it is shown."""

import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from carriers.smsc.line import bound, short
from promises.tree import ROOT

from cleartosend.carriers.smpp.pdu import Command, Status
from cleartosend.testing import SMSC
from cleartosend.testing.smsc.orders import add_rule, obey, read_scenario

PAGE = (ROOT / "docs" / "how-to" / "testing-carriers.md").read_text("utf-8")


def shown(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", shown("python"))
def test_its_tests_pass(block: str) -> None:
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102 - the page is ours
    [test] = [found for name, found in names.items() if name.startswith("test_")]
    outcome = test()
    if inspect.iscoroutine(outcome):
        asyncio.run(outcome)


async def test_its_scenario_and_its_orders_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    [scenario_shown] = shown("toml")
    file.write_text(scenario_shown)
    scenario = read_scenario(file)
    [orders] = re.findall(r"answers each:\n\n(.*?)\n\n", PAGE, re.DOTALL)
    async with SMSC(**scenario.behaviour) as smsc:
        for rule in scenario.rules:
            add_rule(smsc, rule)
        for order in (*orders.split("\n"), *(step.order for step in scenario.steps)):
            if not order.strip().startswith(("reply", "restart")):
                assert await obey(smsc, order) == "done"


async def test_in_its_scenario_the_number_that_is_refused_is_refused_each_time(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    [scenario_shown] = shown("toml")
    file.write_text(scenario_shown)
    async with SMSC() as smsc, bound(smsc) as its:
        for rule in read_scenario(file).rules:
            add_rule(smsc, rule)
        for _ in range(2):
            assert (await its.ask(Command.SUBMIT_SM, short(to="8613700099001"))).status == Status.ESME_RINVDSTADR
