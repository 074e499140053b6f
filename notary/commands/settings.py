# SPDX-License-Identifier: Apache-2.0
"""`notary config`: the settings without secrets, or every fault of them at once."""

import os
import sys
from argparse import Namespace
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Never

from iot_ingest.connections import broker_faults, brokers_of, default_broker
from iot_ingest.feeds_advice import advise
from iot_ingest.feeds_file import FeedsRefused, load_feeds
from notary.config import Settings, SettingsRefused
from notary.core.errors import MalformedPolicy, NotaryError
from notary.ledgers.port import LedgerUnavailable, Surroundings
from notary.ledgers.registry import load_ledgers
from notary.usecases.witness_rule import load_rule


def run(arguments: Namespace) -> int:
    """Show the settings, or check them, the feeds and the ledgers."""
    if arguments.what == "check":
        return _check(arguments.file)
    settings = Settings.from_env(os.environ)
    for field in fields(settings):
        shown = getattr(settings, field.name) if field.repr else "(secret)"
        print(f"{field.name} = {shown}")
    return 0


def mqtt_settings() -> Settings:
    """Those of the broker alone."""
    mqtt = {name: text for name, text in os.environ.items() if name.startswith("NOTARY_MQTT_")}
    return Settings.from_env({**mqtt, "NOTARY_DATABASE_URL": "-"})


def _check(file: Path | None) -> int:
    faults: list[object] = []
    settings = None
    if file is None:
        file = Path(os.environ["NOTARY_CONFIG"]) if os.environ.get("NOTARY_CONFIG") else None
        try:
            settings = Settings.from_env(os.environ)
        except SettingsRefused as error:
            faults += _faults(error)
            with suppress(SettingsRefused):
                settings = mqtt_settings()
    if settings is not None and settings.witness_policy is not None:
        try:
            load_rule(settings.witness_policy, fails_open=settings.witness_fails_open)
        except MalformedPolicy as error:
            faults.append(error.detail)
    try:
        feeds = load_feeds(file)
    except FeedsRefused as error:
        faults += _faults(error)
    else:
        brokers = dict(feeds.brokers)
        if settings is not None:
            brokers = brokers_of(feeds, default_broker(settings))
        client_id = "" if settings is None else settings.mqtt_client_id
        faults += broker_faults(brokers, client_id)
        others = [one for name, one in brokers.items() if name not in feeds.brokers]
        for sentence in advise(feeds, others):
            print(f"look: {sentence}")
        for feed in feeds.all:
            print(f"feed {feed.name}: {feed.filter} -> {feed.template.text}")
    # The same sentence where the whole file can't be read.
    faults += [one for one in _ledger_faults(file) if one not in faults]
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    if not faults:
        print("Nothing is wrong.")
    return 2 if faults else 0


def _ledger_faults(file: Path | None) -> list[object]:
    """Keys for writing are looked at only where the sealer runs: where the file ledger's key is."""
    kept = {name: text for name, text in os.environ.items() if name == "NOTARY_LEDGER_DIR"}
    key = Settings.from_env({**kept, "NOTARY_DATABASE_URL": "-"}).ledger_key
    writes = os.access(key, os.R_OK)
    try:
        found = load_ledgers(file, Surroundings(_nothing, _nothing, _nothing, writes))
    except SettingsRefused as error:
        return _faults(error)
    for ledger in found:
        print(f"ledger {ledger.name}: {ledger.kind}")
    if found and not writes:
        print(
            f"look: {key} can't be read here: private keys of ledgers were not looked at. Check "
            "again where the sealer runs, with its NOTARY_LEDGER_DIR."
        )
    return []


def _nothing(*_: object) -> Never:
    raise LedgerUnavailable("No ledger is asked while settings are checked.")


def _faults(error: NotaryError) -> list[object]:
    faults = error.facts["faults"]
    return list(faults) if isinstance(faults, list) else [faults]
