# SPDX-License-Identifier: Apache-2.0
"""What can be set, called or watched stands in docs/operations.md, and nothing else does."""

import argparse
import re
from pathlib import Path

from notary.api import metrics
from notary.cli import _parser

PAGE = Path("docs/operations.md").read_text(encoding="utf-8")
CONFIG = Path("notary/config.py").read_text(encoding="utf-8")


def test_every_setting_is_documented() -> None:
    """The table of settings is that of config.py, in the order of the alphabet."""
    read = set(re.findall(r'"(NOTARY_[A-Z_]+)"', CONFIG))
    listed = re.findall(r"^\| `(NOTARY_[A-Z_]+)` \|", PAGE, re.MULTILINE)
    assert read == set(listed)
    assert listed == sorted(listed)


def test_the_documented_defaults_are_the_real_ones() -> None:
    """What stands under "unless set" is what config.py takes then."""
    defaults = dict(re.findall(r'"(NOTARY_[A-Z_]+)", "?([^",)]+)"?[,)]', CONFIG))
    listed = dict(re.findall(r"^\| `(NOTARY_[A-Z_]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
    special = {"NOTARY_MAX_BODY_BYTES": str(8 << 20)}
    for name, value in listed.items():
        assert special.get(name, defaults[name].replace("_", "")) == value.replace("_", ""), name


def test_every_command_and_option_is_documented() -> None:
    """Each command of the parser and each of its options stands in the page's table."""
    parser = _parser()
    (commands,) = (
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    )
    listed = set(re.findall(r"^\| `notary ([\w-]+)", PAGE, re.MULTILINE))
    assert listed == set(commands.choices)
    for name, command in commands.choices.items():
        if name == "verify":
            continue
        for action in command._actions:
            for option in set(action.option_strings) - {"-h", "--help"}:
                assert re.search(rf"^\| `notary {name}[^|]*{option}", PAGE, re.MULTILINE), option


def test_every_metric_is_documented() -> None:
    """Prometheus' names stand in the page."""
    source = Path(metrics.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r'"(notary_[a-z_]+)"', source))
    counters = {"notary_quarantined", "notary_ingest_readings", "notary_ingest_answers"}
    listed = set(re.findall(r"^\| `(notary_[a-z_]+)`", PAGE, re.MULTILINE))
    assert listed == {f"{name}_total" if name in counters else name for name in names}
