# SPDX-License-Identifier: Apache-2.0
"""
The password in HJ 212 frames: in the payload of a closed dataset's record, and nowhere else.

Frames come by a real broker into a real database, good and broken, to closed and open
datasets and by feeds of other formats; then every column of every table is searched.
"""

import base64
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notary import cli
from notary.local.postgres import Postgres
from notary.usecases.masking import MASK, is_masked, mask, mask_text
from notary.usecases.quarantine import list_quarantine, show_quarantined
from notary.usecases.reading import Reading, Refusal
from tests.api.city import City
from tests.examples import examples
from tests.iot_ingest.support import Ingest, open_broker, publish, quarantined, records, wait_for
from tests.iot_ingest.test_codec_hj212 import framed
from tests.usecases.world import World

# Of letters that nothing else here has, so that a piece of it is found too.
PASSWORD = "%^$@~`%^"
FEEDS = """
[[feeds]]
name = "closed"
filter = "closed/+"
template = "closed/{source}"
dataset = "DATASET"
codec = "hj212"
sources = "open"

[[feeds]]
name = "open"
filter = "open/+/+"
template = "open/{dataset}/{source}"
codec = "hj212"
sources = "open"

[[feeds]]
name = "json"
filter = "json/+/+"
template = "json/{dataset}/{source}"
codec = "json"
sources = "open"

[[feeds]]
name = "misfit"
filter = "misfit/#"
template = "misfit/{dataset}/{source}/up"
codec = "hj212"
sources = "open"
"""


def frame(number: int = 1, password: str = PASSWORD) -> bytes:
    """A good frame of station M1."""
    return framed(
        f"QN=202603011000{number:05d};ST=22;CN=2011;PW={password};MN=M1;Flag=9;"
        f"CP=&&DataTime=20260301095900;a34004-Rtd={number}.0,a34004-Flag=N&&".encode()
    )


GOOD = frame()
SECRET = PASSWORD.encode()
BROKEN = {
    "no length": b"##" + GOOD[6:],
    "no start": GOOD[6:],
    "half": GOOD[: GOOD.index(SECRET) + 5],
    "half, the other": GOOD[GOOD.index(SECRET) + 2 :],
    "cut in the password": GOOD.replace(SECRET, SECRET[:4] + b"\r\n##" + SECRET[4:]),
    "split password": GOOD.replace(SECRET, SECRET[:4] + b";" + SECRET[4:]),
    "other name": framed(GOOD[6:-6].replace(b"PW=", b"Pass=")),
    "small name": framed(GOOD[6:-6].replace(b"PW=", b"pw = ")),
    "no name": framed(GOOD[6:-6].replace(b"PW=", b"")),
    "colon": framed(GOOD[6:-6].replace(b"PW=", b"PW:")),
    "twice": framed(b"PW=" + SECRET + b";" + GOOD[6:-6]),
    "in CP": framed(GOOD[6:-8] + b";NewPW=" + SECRET + b"&&&&"),
    "wrong crc": GOOD[:-6] + b"0000\r\n",
    "wide": GOOD.decode().encode("utf-16"),
    "bare": SECRET,
}


def dump(world: World, table: str, column: str) -> bytes:
    """A column of a table, as text and in binary."""
    found = BytesIO()
    with world.pool.transaction() as tx:
        for form in ("text", "binary"):
            sql = f'COPY (SELECT "{column}" FROM "{table}") TO STDOUT (FORMAT {form})'
            tx.cursor.copy_expert(sql, found)
    return found.getvalue()


def shapes(secret: bytes) -> list[bytes]:
    """A piece of the password in each form in which something may hold it."""
    pieces = [secret[:4], secret[-4:]]
    found = [
        *pieces,
        *(piece.hex().encode() for piece in pieces),
        secret.decode().encode("utf-16-le"),
    ]
    for before in range(3):
        coded = base64.b64encode(bytes(before) + secret)
        found.append(coded[4:-4])
    return found


def holds(data: bytes) -> bool:
    """Whether data betray the password."""
    return any(shape in data for shape in shapes(SECRET))


def holders(world: World) -> set[tuple[object, ...]]:
    """The columns of all tables that hold the password."""
    columns = world.rows(
        "SELECT table_name, column_name FROM information_schema.columns c "
        "JOIN information_schema.tables t USING (table_schema, table_name) "
        "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    assert len(columns) > 50
    return {pair for pair in columns if holds(dump(world, str(pair[0]), str(pair[1])))}


@pytest.mark.needs("mosquitto")
def test_the_password_is_in_the_payload_of_a_closed_datasets_record_and_nowhere_else(
    world: World,
    postgres: Postgres,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not in quarantine, logs, heartbeats, counters, statements or the database's own log."""
    closed = world.dataset(None)
    world.dataset("air")
    sent = [("closed/gw", GOOD), ("closed/gw", frame(2) + frame(3)), ("closed/gw", GOOD)]
    bad = [("open/air/gw", GOOD), ("open/nowhere/gw", GOOD), ("json/air/gw", GOOD)]
    another = framed(GOOD[6:-6].replace(b";CP=", b";Pass=" + SECRET + b";CP="))
    bad += [("open/air/gw", another), ("misfit/air", another)]
    bad += [("misfit/air", GOOD), ("json/air/gw", b'{"frame":"' + GOOD[:-2] + b'\\r\\n",}')]
    bad += [("closed/gw", message) for message in BROKEN.values()]
    feeds = FEEDS.replace("DATASET", closed)
    with (
        open_broker(tmp_path / "broker") as broker,
        Ingest(world, broker.url_of("notary"), tmp_path, feeds) as ingest,
    ):
        ingest.start()
        publish(broker, [*sent, *bad])
        wait_for(lambda: ingest.facts().get("messages") == len(sent) + len(bad))
        wait_for(lambda: ingest.facts().get("accepted") == 3)
        wait_for(lambda: len(quarantined(world)) >= len(bad))
        said = ingest.said()
    world.settle()

    found = records(world, closed)
    assert [(row[0], row[4]) for row in found] == [("M1", frame(n)) for n in (1, 2, 3)]
    assert holders(world) == {("records", "payload")}
    assert world.rows("SELECT count(*) FROM records")[0] == (3,)
    reasons = {row[1]: row[3] for row in quarantined(world)}
    assert reasons["open/air/gw"] == "needs-closed-dataset"
    assert reasons["misfit/air"] == "bad-topic"
    assert not holds(said.encode())
    assert not holds(postgres.log.read_bytes())

    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["quarantine", "list"]) == 0
    for row in list_quarantine(world.pool, limit=1000):
        assert cli.main(["quarantine", "show", str(row["id"])]) == 0
    shown = capsys.readouterr().out
    assert "needs-closed-dataset" in shown
    assert "MN=M1" in shown
    assert not holds(shown.encode())
    assert world.audit().findings == ()


def test_nobody_but_the_owner_gets_the_payload(world: World) -> None:
    """Not by record, list, payload, receipt or page; nor does a line in the log hold it."""
    city = City(world)
    closed = city.closed_dataset()
    reading = Reading(closed, "M1", GOOD, "text/plain", "acl", closed_only=True)
    world.accept([reading])
    world.settle()
    source = city.ask(f"/v1/datasets/{closed}/sources", key=city.key).get_json()["items"][0]
    records_path = f"/v1/datasets/{closed}/sources/{source['source']}/records"
    paths = [
        f"/v1/datasets/{closed}", f"/v1/datasets/{closed}/sources", records_path,
        f"{records_path}/0", f"{records_path}/0/payload", f"{records_path}/0/receipt",
    ]  # fmt: skip
    pages = [f"/datasets/{closed}", f"/datasets/{closed}/sources/{source['source']}/records/0"]
    for path in paths:
        for key in (None, city.other_key):
            answer = city.ask(path, key=key)
            assert answer.status_code == 404
            assert not holds(answer.data)
        assert city.ask(path, key=city.key).status_code == 200
    for path in pages:
        for key in (None, city.other_key, city.key):
            answer = city.ask(path, key=key)
            assert answer.status_code == 404
            assert not holds(answer.data)
    assert city.ask(f"{records_path}/0/payload", key=city.key).data == GOOD
    assert holds(city.ask(f"{records_path}/0/receipt", key=city.key).data)
    for path in ("/", "/statusz", "/metrics", "/v1/batches/0/leaves", "/v1/batches/0/runs"):
        assert not holds(city.ask(path).data)
    assert not holds(repr(city.lines).encode())


def test_an_open_dataset_refuses_it_and_takes_its_neighbours(world: World) -> None:
    """Nothing of it is written, not even the source; the sentence says what to do."""
    world.dataset("air")
    bad = Reading("air", "M1", GOOD, "text/plain", "acl", key="k", closed_only=True)
    good = Reading("air", "s1", b"21.5", "text/plain", "acl")
    refusal, acceptance = world.acceptor().accept([bad, good], world.now)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "needs-closed-dataset"
    assert "not open" in refusal.detail
    assert not isinstance(acceptance, Refusal)
    assert world.rows("SELECT label FROM sources") == [("s1",)]
    assert world.rows("SELECT count(*) FROM duplicates") == [(0,)]


def test_a_source_of_the_same_feed_may_be_shown_in_quarantine(world: World) -> None:
    """What a clerk needs stays in sight: which station, when, which values."""
    shown = mask(GOOD, secret=True)
    for part in (b"QN=20260301100000001", b"MN=M1", b"DataTime=20260301095900", b"a34004-Rtd=1.0"):
        assert part in shown
    assert is_masked(shown)


@pytest.mark.parametrize("secret", [False, True])
def test_the_crc_is_masked_too(secret: bool) -> None:
    """Else a thief tries all six digits and keeps those dozen whose CRC fits."""
    for number in range(50):
        sent = frame(number, "123456")
        crc = sent[-6:-2]
        shown = mask(sent + sent, secret)
        assert b"123456" not in shown
        assert crc + b"\r\n" not in shown
        assert not shown.endswith(crc)


@given(st.binary(max_size=300))
@examples(300)
def test_what_holds_no_frame_is_kept_as_it_came(data: bytes) -> None:
    """Quarantine of other formats is not touched, so that it can be read again."""
    if b"##" not in data and b"=" not in data:
        assert mask(data) == data
        assert not is_masked(data) or MASK in data


@pytest.mark.parametrize(
    "data", [b'{"pw":"x"}', b"##0101", b"MN=1;QN=2", b'{"MN=":1}', b"\xff##\0"]
)
def test_without_a_password_nothing_is_masked(data: bytes) -> None:
    """Both must be there: a frame's mark and a password's."""
    assert mask(data) == data


@given(
    st.integers(0, len(GOOD) - 1),
    st.one_of(st.none(), st.sampled_from([*(bytes([n]) for n in b";=&,#PW0 \r\n\0\xff")])),
    st.integers(0, len(GOOD)),
)
@examples(1000)
def test_no_piece_of_the_password_survives_a_broken_frame(
    at: int, byte: bytes | None, cut: int
) -> None:
    """A byte put in or left out anywhere, the frame cut anywhere."""
    broken = GOOD[:at] + (byte or b"") + GOOD[at + (byte is None) :]
    for piece in (broken, broken[:cut], broken[cut:], broken[cut:] + GOOD):
        assert not set(mask(piece, secret=True)) & set(SECRET)


def test_a_sentence_about_a_message_is_masked() -> None:
    """Whoever wrote it."""
    assert mask_text("Not read: PW=123456;MN=M1.") == "Not read: PW=****;MN=M1."
    assert mask_text("温度 is not JSON.") == "温度 is not JSON."


def test_a_message_of_a_flood_is_masked_before_it_is_cut(world: World) -> None:
    """Also where the cut goes through the password."""
    from notary.usecases.quarantine import MAX_KEPT_BYTES, Rejected, put_aside

    head = b"##0101" + b"x" * (MAX_KEPT_BYTES - 14) + b";PW=" + SECRET + b";MN=1;"
    for secret in (False, True):
        put_aside(
            world.pool, [Rejected("f", "t", None, "r", "PW=" + PASSWORD, head, secret)], world.now
        )
    for row in list_quarantine(world.pool):
        shown = show_quarantined(world.pool, row["id"])
        assert not set(bytes(shown["payload"])) & set(SECRET)
        assert not holds(shown["detail"].encode())
        assert shown["size_bytes"] == len(head)
