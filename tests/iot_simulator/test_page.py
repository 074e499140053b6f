# SPDX-License-Identifier: Apache-2.0
"""docs/for-gateways/simulator.md: every option with its default, and a list as it is written."""

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest

from iot_simulator.command import add_arguments
from iot_simulator.gateway import Gateway
from iot_simulator.listing import Listing, read_list
from iot_simulator.plan import TOPIC, Plan
from notary.core.words import parse_time

PAGE = Path("docs/for-gateways/simulator.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`--[^|]+) \| ?([^|]*) \|", PAGE, re.MULTILINE)


@pytest.fixture
def options() -> dict[str, Any]:
    """Each option's default."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    return {action.option_strings[0]: action.default for action in parser._actions}


def test_every_option_stands_in_the_table(options: dict[str, Any]) -> None:
    """And nothing else does."""
    told = [name for cell, _ in ROWS for name in re.findall(r"`(--[a-z]+)", cell)]
    assert sorted(told) == sorted(options)


def test_the_defaults_are_those_that_are_told(options: dict[str, Any]) -> None:
    """Numbers and words; what is told in prose is no number."""
    told = {
        name: default
        for cell, defaults in ROWS
        for name, default in zip(
            re.findall(r"`(--[a-z]+)", cell), defaults.split(", "), strict=False
        )
    }
    for name, default in options.items():
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert float(told[name]) == default, name
    assert told["--acceptances"] == f"`{options['--acceptances']}`"
    assert TOPIC.startswith(told["--topic"].strip("`").removesuffix("…"))


def test_the_list_that_is_shown_is_one_that_is_written(tmp_path: Path) -> None:
    """By the plan that its first line names, byte for byte; and it can be read."""
    shown = next(
        body for body in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        if '"list"' in body
    )  # fmt: skip
    head, sent, answered = (json.loads(line) for line in shown.splitlines())
    asked = head["plan"]
    plan = Plan(
        asked["dataset"], asked["seed"], gateways=asked["gateways"], rate=asked["rate"], count=20
    )
    listing = Listing(tmp_path / "list", plan.repeatable(), parse_time(head["begin"]))
    listing.sent(Gateway(plan, 0, listing)._make(12), parse_time(sent["at"]))
    about = {name: answered.pop(name) for name in ("answered", "place", "at")}
    listing.answered(about["answered"], about["place"], answered, parse_time(about["at"]))
    listing.close()
    assert (tmp_path / "list").read_text(encoding="utf-8") == shown
    found = read_list(tmp_path / "list")
    assert found is not None
    assert found.sent["sim-7-0/12"].unanswered == set()
