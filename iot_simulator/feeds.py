# SPDX-License-Identifier: Apache-2.0
"""The feeds of notary.toml (docs/notary-toml.md) by which a notary reads what is simulated."""

import json

from iot_simulator.formats import Format, formats
from iot_simulator.plan import Plan

_DEFAULT_SOURCES = 10_000


def write_feeds(plan: Plan) -> str:
    """One `[[feeds]]` table for each format of a plan."""
    return "\n".join(_feed(plan, name, formats()[name]) for name in plan.formats)


def _feed(plan: Plan, name: str, format_: Format) -> str:
    # Where the message names its source, what the topic says is a name like any other.
    source = "{gateway}" if format_.names_source else "{source}"
    template = plan.fill(plan.topic, name, source)
    levels = ["+" if source in level else level for level in template.split("/")]
    lines = [
        "[[feeds]]",
        f"name = {json.dumps(f'simulated-{name}')}",
        f"filter = {json.dumps('/'.join(levels))}",
        f"template = {json.dumps(template)}",
        f"dataset = {json.dumps(plan.dataset)}",
        f"codec = {json.dumps(name)}",
        *format_.feed,
        'sources = "open"',
        f"acceptances = {json.dumps(plan.acceptances)}",
    ]
    if plan.acceptances == "fixed":
        topic = plan.fill(plan.answers or plan.own_answers(), name, source)
        lines.append(f"acceptance_topic = {json.dumps(topic)}")
    sources = plan.gateways * plan.pack_of(format_)
    if sources > _DEFAULT_SOURCES:
        lines.append(f"max_sources = {sources}")
    return "\n".join(lines) + "\n"
