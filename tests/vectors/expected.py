# SPDX-License-Identifier: Apache-2.0
"""
The whole answer to a valid case, as docs/spec/verdict-v1.md says it: made of the statuses that the
case states and of what its file plainly says. Nothing is verified here, and no verifier is asked.
"""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

Facts = dict[str, Any]


def check(code: str, status: str, **facts: Any) -> Facts:
    """One check; a reason of None is left out."""
    if facts.get("reason", "") is None:
        del facts["reason"]
    return {"code": code, "status": status, "facts": facts}


class Note:
    """What stands in a checkpoint, and which keys of a trust file its lines name."""

    def __init__(self, note: str, trust: Facts) -> None:
        text, _, lines = note.rpartition("\n\n")
        self.origin, size, _ = text.split("\n")
        self.size = int(size)
        signers: set[str] = set()
        self.times: dict[str, int] = {}
        for line in lines.removesuffix("\n").split("\n"):
            _, name, blob = line.split(" ")
            key_id = b64decode(blob)[:4].hex()
            first = f"{name}+{key_id}" not in signers
            signers.add(f"{name}+{key_id}")
            if first and any(vkey.startswith(f"{name}+{key_id}+") for vkey in trust["witnesses"]):
                time = int.from_bytes(b64decode(blob)[4:12], "big")
                self.times[name] = min(time, self.times.get(name, time))
        served = [
            log
            for log in trust["logs"]
            if log["key"].rpartition("+" + _body(log["key"]))[0] in signers
            and log["from"] <= self.size <= (self.size if log["to"] is None else log["to"])
        ]
        self.log = min(served, key=lambda log: "good" in log)

    @property
    def fingerprint(self) -> str:
        """Of the log key that counts."""
        return fingerprint(self.log["key"])


def _body(vkey: str) -> str:
    return vkey.split("+", 2)[2]


def fingerprint(vkey: str) -> str:
    """SHA-256 over kind byte and public key, in hex."""
    return sha256(b64decode(_body(vkey))).hexdigest()


def receipt_verdict(
    receipt: Facts, trust: Facts, want: dict[str, str], given: bytes | None = None
) -> Facts:
    """The answer to a receipt; `want` says the status of each code."""
    note, descriptor = Note(receipt["checkpoint"], trust), json.loads(receipt["descriptor"])
    kind = receipt["kind"]
    if kind == "record":
        statement = json.loads(receipt["statement"])
        subject = {name: statement.get(name) for name in ("dataset", "source", "chain", "n")}
        received = statement["received"]
        subject |= {"received": received}
        subject |= {name: statement.get(name) for name in ("observed", "key", "by", "type")}
    else:
        received = descriptor["last"]
        subject = {name: descriptor.get(name) for name in ("dataset", "version", "corrects")}
        subject |= {"received": received}
        if kind == "row":
            subject["row"] = receipt["row"]["number"]
    checks = [
        *_subject_checks(receipt, descriptor, want, given),
        check("log", want["log"], index=receipt["log"]["index"], size=note.size),
        check("checkpoint", want["checkpoint"], origin=note.origin, fingerprint=note.fingerprint),
        *consistency_checks(receipt, note, want),
        *_witnesses(note, trust, received, want),
        *_anchors(receipt, trust, want),
    ]
    return {
        "holds": True,
        "kind": kind,
        "origin": note.origin,
        "fingerprint": note.fingerprint,
        "subject": subject,
        "checks": checks,
    }


def _subject_checks(
    receipt: Facts, descriptor: Facts, want: dict[str, str], given: bytes | None
) -> list[Facts]:
    kind, checks = receipt["kind"], []
    erased = receipt.get("erased")
    if kind == "record":
        statement = json.loads(receipt["statement"])
        said = {name: statement[name] for name in ("dataset", "source", "n")}
        checks.append(check("statement", want["statement"], **said))
    if erased is not None:
        checks.append(check("erased", want["erased"], **erased))
    inside = receipt.get("payload") if kind == "record" else receipt.get("row", {}).get("bytes")
    if want["payload"] == "held":
        size = len(b64decode(inside or "")) if given is None else len(given)
        reason = "inside" if given is None else "given"
        checks.append(check("payload", "held", bytes=size, reason=reason))
    else:
        reason = "none" if erased is None else "erased"
        checks.append(check("payload", want["payload"], reason=reason))
    if kind == "record":
        run = json.loads(receipt["run"]["entry"])
        last = run["first"] + run["count"] - 1
        checks.append(check("run", want["run"], first=run["first"], last=last, chain=run["chain"]))
        said = {name: descriptor[name] for name in ("number", "count")}
        checks.append(check("batch", want["batch"], **said))
    if kind == "row":
        number = receipt["row"]["number"]
        checks.append(check("row", want["row"], number=number, count=descriptor["count"]))
    return checks


def consistency_checks(receipt: Facts, note: Note, want: dict[str, str]) -> list[Facts]:
    if "consistency" not in want:
        return []
    shown, good = receipt.get("consistency"), note.log.get("good")
    if good is None:
        assert shown is not None
        return [check("consistency", want["consistency"], size=shown["size"], reason="no-root")]
    if note.size == good["size"]:
        reason = "same"
    else:
        reason = "path" if shown and shown["size"] == good["size"] else "quorum"
    status = want["consistency"]
    return [check("consistency", status, reason=reason, size=note.size, good=good["size"])]


def _witnesses(note: Note, trust: Facts, received: str, want: dict[str, str]) -> list[Facts]:
    if not note.times:
        return [
            check("witnesses", want["witnesses"], reason="none"),
            check("time", want["time"], received=received, reason="no-witness"),
        ]
    names = ", ".join(sorted(note.times))
    seconds = sorted(note.times.values())[max(trust["quorum"], 1) - 1]
    witnessed = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    reason = None if want["time"] == "held" else "gap"
    many, status = len(note.times), want["witnesses"]
    return [
        check("witnesses", status, count=many, want=trust["quorum"], names=names),
        check("time", want["time"], reason=reason, received=received, witnessed=witnessed),
    ]


def _anchors(receipt: Facts, trust: Facts, want: dict[str, str]) -> list[Facts]:
    if not receipt["anchors"]:
        return [check("anchor", want["anchor"], reason="none")]
    checks: list[Facts] = []
    read = 0
    for anchor in receipt["anchors"]:
        said = {name: anchor[name] for name in ("ledger", "kind", "size")}
        listed = [ledger for ledger in trust["ledgers"] if ledger["id"] == anchor["ledger"]]
        if not listed:
            checks.append(check("anchor", "not-checked", reason="not-in-trust-file", **said))
        elif anchor["kind"] != "file":
            checks.append(check("anchor", "not-checked", reason="needs-package", **said))
        elif read == 20:
            checks.append(check("anchor", "not-checked", reason="too-many", **said))
        else:
            read += 1
            time = anchor["evidence"]["note"].split("\n")[6]
            checks.append(check("anchor", "own-word", time=time, **said))
    assert want["anchor"] in {item["status"] for item in checks}
    return checks


def window_verdict(window: Facts, trust: Facts, case: Facts, records: int) -> Facts:
    """
    The answer to a window of so many records; `case` has `want`, `asked` and perhaps `payloads`.

    Its receipt is one whose payload is inside, which no witness signed, and whose ledger is the
    notary's.
    """
    want, head = case["want"], json.loads(window["head"])
    first, last, count = case["asked"]
    end = head["n"] + records - 1
    place = {name: head[name] for name in ("dataset", "source", "chain")}
    span = {"from": window["asked"]["from"], "to": window["asked"]["to"], "count": count}
    inside = {} if first is None else {"first": first, "last": last}
    by = window["asked"]["by"]
    by = "none" if first is None and by != "observed" else by
    given = [pair for pair in case.get("payloads", []) if pair is not None]
    checks = [
        check("window", want["window"], **place, first=head["n"], last=end, count=records),
        check("asked", want["asked"], reason=by, **span, **inside),
    ]
    if "window-end" in want:
        checks.append(check("window-end", want["window-end"], last=end))
    if given:
        checks.append(check("payloads", want["payloads"], count=len(given), of=records))
    else:
        checks.append(check("payloads", want["payloads"], reason="none"))
    checks += [check("erased", want["erased"], **item) for item in window.get("erased", [])]
    of_receipt = receipt_verdict(window["receipt"], trust, case["of_receipt"])
    subject = place | {
        "first": head["n"],
        "last": end,
        "asked_first": first,
        "asked_last": last,
        "asked_count": count,
        "open_end": "window-end" in want or window["asked"]["by"] == "observed",
        "payloads_checked": len(given),
    }
    checks += of_receipt["checks"]
    return of_receipt | {"kind": "window", "subject": subject, "checks": checks}


def acceptance_verdict(
    acceptance: Facts, vkey: str, want: dict[str, str], given: bytes | None
) -> Facts:
    """The answer to an acceptance that this key signed."""
    statement = json.loads(acceptance["statement"])
    _, origin, size, _, sealed_by = acceptance["note"].split("\n\n")[0].split("\n")
    place = {name: statement[name] for name in ("dataset", "source", "n")}
    payload = {"reason": "none"} if given is None else {"bytes": len(given), "reason": "given"}
    subject = {name: statement.get(name) for name in ("dataset", "source", "chain", "n")}
    subject |= {name: statement.get(name) for name in ("received", "observed", "key", "by", "type")}
    promise = {"sealed_by": sealed_by, "origin": origin, "count": int(size)}
    return {
        "holds": True,
        "kind": "acceptance",
        "origin": origin,
        "fingerprint": fingerprint(vkey),
        "subject": subject | {"sealed_by": sealed_by},
        "checks": [
            check("statement", want["statement"], **place),
            check("payload", want["payload"], **payload),
            check("promise", want["promise"], **promise),
            check("time", want["time"], received=statement["received"], reason="no-witness"),
            check("log", want["log"], reason="promise", sealed_by=sealed_by),
        ],
    }


def base64(data: bytes) -> str:
    """As the vectors write bytes."""
    return b64encode(data).decode()
