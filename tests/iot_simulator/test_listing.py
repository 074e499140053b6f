# SPDX-License-Identifier: Apache-2.0
"""The list says what was sent and answered, survives a crash, and is nobody else's."""

import json
import os
import resource
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iot_simulator.formats import formats
from iot_simulator.listing import Listing, Sent, read_list
from iot_simulator.plan import Plan
from iot_simulator.readings import measure
from notary.core.errors import MalformedText

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
PLAN = Plan("air", 7, count=9)
ANSWER = {"state": "accepted", "source": "sim-7-0", "chain": 0, "n": 4, "leaf": "ab" * 32}


def sent(name: str, number: int = 0, pack: int = 1) -> Sent:
    """A message as a gateway makes it."""
    station = PLAN.station(0)
    samples = [measure(station, number + place, PLAN.clock(0, BEGIN)) for place in range(pack)]
    return Sent(f"{station.name}/{number}", name, "a/b", formats()[name].encode(station, samples))


def begun(path: Path, plan: Plan = PLAN) -> Listing:
    """A list that is open."""
    return Listing(path, plan.repeatable(), BEGIN)


@pytest.mark.parametrize("name", formats())
def test_what_is_written_is_read(name: str, tmp_path: Path) -> None:
    """Bytes of every format, binary ones too, and what was answered, place by place."""
    listing = begun(tmp_path / "list")
    one = sent(name, pack=3 if formats()[name].packs else 1)
    listing.sent(one, BEGIN)
    last = len(one.message.readings) - 1
    listing.answered(one.id, last, ANSWER, BEGIN)
    listing.close()
    found = read_list(tmp_path / "list")
    assert found is not None
    assert (found.begin, dict(found.plan)) == (BEGIN, PLAN.repeatable())
    (again,) = found.sent.values()
    assert (again.id, again.format, again.topic) == (one.id, name, "a/b")
    assert again.message == one.message
    assert [answer["leaf"] for answer in again.answers[last]] == ["ab" * 32]
    assert again.unanswered == set(range(last))


def test_the_list_is_for_its_owner_alone_and_names_no_broker(tmp_path: Path) -> None:
    """Mode 0600; passwords are in addresses."""
    begun(tmp_path / "list").close()
    assert os.stat(tmp_path / "list").st_mode & 0o777 == 0o600
    assert "mqtt" not in (tmp_path / "list").read_text()


@pytest.mark.parametrize("cut", [1, 30, 1_000])
def test_a_last_line_that_was_cut_short_is_passed_over_and_taken_out(
    cut: int, tmp_path: Path
) -> None:
    """As a crash leaves it: what is written next is a line of its own."""
    path = tmp_path / "list"
    listing = begun(path)
    listing.sent(sent("json"), BEGIN)
    whole = path.read_bytes()
    listing.sent(sent("json", 1), BEGIN)
    listing.close()
    path.write_bytes(path.read_bytes()[: len(whole) + cut][:-1] if cut < 999 else whole[:-1])
    again = begun(path)
    known = len(again.take("sim-7-0"))
    assert known == (1 if cut < 999 else 0)
    again.sent(sent("json", 2), BEGIN)
    again.close()
    found = read_list(path)
    assert found is not None
    assert len(found.sent) == known + 1


def test_cut_short_in_its_first_line_it_is_a_new_list(tmp_path: Path) -> None:
    """Nothing had been sent then."""
    path = tmp_path / "list"
    begun(path).close()
    path.write_bytes(path.read_bytes()[:-1])
    assert read_list(path) is None
    begun(path).close()
    assert len(path.read_text().splitlines()) == 1
    assert read_list(path) is not None


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"seed": 8}, "seed"),
        ({"dataset": "water"}, "dataset"),
        ({"formats": ("raw",)}, "formats"),
        ({"gateways": 2}, "gateways"),
        ({"rate": 2.0}, "rate"),
        ({"skew": 1.0}, "skew"),
        ({"topic": "x/{source}"}, "topic"),
    ],
)
def test_a_list_is_gone_on_with_by_the_same_options_alone(
    change: dict[str, object], name: str, tmp_path: Path
) -> None:
    """Others would send other bytes under the same keys."""
    begun(tmp_path / "list").close()
    before = (tmp_path / "list").read_bytes()
    with pytest.raises(MalformedText, match=f"with another {name}"):
        begun(tmp_path / "list", Plan(**{"dataset": "air", "seed": 7, "count": 9} | change))  # type: ignore[arg-type]
    assert (tmp_path / "list").read_bytes() == before
    begun(tmp_path / "list", Plan("air", 7, count=10, window=3)).close()


def test_two_simulators_don_t_share_a_list(tmp_path: Path) -> None:
    """The second one is told so."""
    listing = begun(tmp_path / "list")
    with pytest.raises(MalformedText, match="Another simulator writes"):
        begun(tmp_path / "list")
    listing.close()
    begun(tmp_path / "list").close()


def test_a_full_disk_is_a_sentence_and_leaves_a_list_to_go_on_with(tmp_path: Path) -> None:
    """What can't be listed isn't sent; later it is."""
    path = tmp_path / "list"
    listing = begun(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, before[1]))
    try:
        with pytest.raises(MalformedText, match="can't be written: File too large"):
            listing.sent(sent("json"), BEGIN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    listing.close()
    assert not path.read_bytes().endswith(b"\n")
    again = begun(path)
    assert again.take("sim-7-0") == []
    again.sent(sent("json"), BEGIN)
    again.close()
    found = read_list(path)
    assert found is not None
    assert list(found.sent) == ["sim-7-0/0"]


HEAD = json.dumps({"list": "simulated/1", "begin": "2026-03-01T10:00:00.000000Z", "plan": {}})
SENT = {
    "sent": "g/0", "format": "json", "topic": "t", "message_text": "x",
    "readings": [{"source": "s", "key": None, "observed": None}],
}  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        ["no json"],
        ["[]"],
        ["{}"],
        ['{"list":"simulated/2"}'],
        [HEAD.replace("10:00", "25:00")],
        [HEAD, "{}"],
        [HEAD, json.dumps({**SENT, "sent": "g"})],
        [HEAD, json.dumps({**SENT, "sent": "g/x"})],
        [HEAD, json.dumps({**SENT, "sent": "g/-1"})],
        [HEAD, json.dumps({**SENT, "readings": []})],
        [HEAD, json.dumps({**SENT, "message_base64": "!", "message_text": None})[:-1]],
        [HEAD, json.dumps(SENT), '{"answered":"g/0","place":1,"state":"accepted"}'],
        [HEAD, json.dumps(SENT), '{"answered":"g/0","place":"0","state":"accepted"}'],
    ],
)
def test_what_is_no_list_is_refused_by_a_sentence_with_the_line(
    lines: list[str], tmp_path: Path
) -> None:
    """Never a traceback."""
    (tmp_path / "list").write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(MalformedText, match=f"line {len(lines)} is not of a list"):
        read_list(tmp_path / "list")


def test_the_same_said_twice_is_heard_once_and_another_thing_is_kept() -> None:
    """A duplicate's answer names the record of the first."""
    one = sent("json")
    assert one.hear(0, ANSWER)
    assert not one.hear(0, {**ANSWER, "state": "duplicate"})
    assert one.hear(0, {**ANSWER, "n": 5})
    assert one.hear(0, {"state": "refused", "reason": "r"})
    assert not one.hear(0, {"state": "refused", "reason": "q"})
    assert len(one.answers[0]) == 3
