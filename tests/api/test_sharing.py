# SPDX-License-Identifier: Apache-2.0
"""
A grants B: B reads with its own key, C sees nothing, both hold receipts of it that verify
without us; withdrawn, B is refused like C, and old receipts verify as before.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from notary.store import pool as store
from notary.store.errors import StoreUnavailable
from notary.usecases import api_keys, datasets
from notary.usecases.accept import Acceptor
from notary.usecases.api_keys import NewKey
from notary.verifier import command as verifier
from tests.api.city import City, problem_of
from tests.api.test_isolation import EVERYTHING, state
from tests.usecases.world import new_department

TEXT = "PM2.5 12.5"
ASKED = {"to": "fire-brigade", "purpose": "Smoke warnings", "approval": "2031-17"}
READS = ["", "/sources", "/sources/desk", "/sources/desk/keys", "/sources/desk/gaps"]
READS += ["/sources/desk/records", "/sources/desk/records/0", "/sources/desk/records/0/payload"]
READS += ["/sources/desk/records/0/receipt"]
NOTED = READS[1:]
"""What is noted as handed over: all but what the dataset says of itself."""


class Story:
    """A owns a closed dataset of two records; B is to read it, C has no business with it."""

    def __init__(self, city: City) -> None:
        self.city, world = city, city.world
        self.a = city.key
        self.b = new_department(world.pool, "fire-brigade", world.now, scopes=EVERYTHING)
        self.c = new_department(world.pool, "tax-office", world.now, scopes=EVERYTHING)
        # Their first use is written, which would be a query more for whoever comes first.
        for key in (self.a, self.b, self.c):
            api_keys.find_caller(world.pool, key, world.now)
        self.closed = city.closed_dataset(sharing="conditional")
        self.path = f"/v1/datasets/{self.closed}"
        for n in range(2):
            city.record(self.closed, text=f"{TEXT} {n}")
        world.settle()

    def grant(self, **more: Any) -> str:
        """Have A grant B; the grant's id."""
        answer = self.city.post(f"{self.path}/grants", {**ASKED, **more}, key=self.a)
        assert answer.status_code == 201, answer.data
        found = answer.get_json()
        assert found["to"] == "fire-brigade"
        return str(found["id"])

    def withdraw(self, grant: str) -> int:
        """Have A withdraw a grant."""
        answer = self.city.ask(f"{self.path}/grants/{grant}", method="DELETE", key=self.a)
        return answer.status_code

    def records(self, grant: str, key: str) -> list[Mapping[str, Any]]:
        """The records about a grant, as the holder of a key sees them."""
        answer = self.city.ask(f"/v1/grants/{grant}/records", key=key)
        assert answer.status_code == 200, answer.data
        items: list[Mapping[str, Any]] = answer.get_json()["items"]
        return items

    def is_refused(self, key: str) -> bool:
        """Whether every address of the dataset is answered as that of a name that isn't there."""
        missing = "d." + "0" * 32
        for read in READS:
            there = self.city.ask(self.path + read, key=key)
            nowhere = self.city.ask(f"/v1/datasets/{missing}{read}", key=key)
            told = [
                re.sub(rb'"request_id": "\w+"', b"", one.data.replace(name.encode(), b"NAME"))
                for one, name in ((there, self.closed), (nowhere, missing))
            ]
            if (there.status_code, told[0]) != (404, told[1]):
                return False
        return True


@pytest.fixture
def story(city: City) -> Story:
    """The three departments, nothing granted yet."""
    return Story(city)


def verdict(receipt: bytes, story: Story, folder: Path, capsys: Any) -> str:
    """What the offline verifier says of a receipt; it must hold."""
    (folder / "receipt.json").write_bytes(receipt)
    (folder / "trust.json").write_bytes(story.city.ask("/trust.json").data)
    files = [str(folder / "receipt.json"), "--trust", str(folder / "trust.json")]
    assert verifier.main(files, "en") == 0
    said: str = capsys.readouterr().out
    return said


def test_the_story_of_a_grant(story: Story, tmp_path: Path, capsys: Any) -> None:
    """Granted, fetched, noted, proved to both, withdrawn, refused; and still proved."""
    city, world = story.city, story.city.world
    assert story.is_refused(story.b)
    grant = story.grant()
    assert story.is_refused(story.c)
    answer = city.ask(f"{story.path}/sources/desk/records/0/payload", key=story.b)
    assert answer.data == f"{TEXT} 0".encode()
    receipt = city.ask(f"{story.path}/sources/desk/records/0/receipt", key=story.b)
    assert "HOLDS" in verdict(receipt.data, story, tmp_path, capsys)

    world.settle()
    mine, theirs = story.records(grant, story.a), story.records(grant, story.b)
    assert mine == theirs
    assert [item["kind"] for item in mine] == ["grant", "hand-over", "hand-over"]
    assert mine[0]["says"]["purpose"] == "Smoke warnings"
    assert mine[0]["says"]["approval"] == "2031-17"
    assert mine[1]["says"]["what"]["kind"] == "payload"
    assert mine[1]["says"]["by"] == f"api:{story.b.split('_')[1]}"
    old = []
    for item in mine:
        path = item["links"]["receipt"]
        given = [city.ask(path, key=key).data for key in (story.a, story.b)]
        assert given[0] == given[1]
        problem_of(city.ask(path, key=story.c), 404, "not-found")
        assert "HOLDS" in verdict(given[0], story, tmp_path, capsys)
        old.append(given[0])
        for form in ("tlog-proof", "cose"):
            problem_of(city.ask(f"{path}?format={form}", key=story.c), 404, "not-found")
            found = city.ask(f"{path}?format={form}", key=story.b)
            assert "private" in found.headers["Cache-Control"]
            assert "HOLDS" in verdict(found.data, story, tmp_path, capsys)

    assert story.withdraw(grant) == 204
    assert story.is_refused(story.b)
    assert story.is_refused(story.c)
    for one in (*old, receipt.data):
        assert "HOLDS" in verdict(one, story, tmp_path, capsys)
    world.settle()
    for key in (story.a, story.b):
        last = story.records(grant, key)[-1]
        assert last["kind"] == "withdrawal"
        given = city.ask(last["links"]["receipt"], key=key)
        assert "HOLDS" in verdict(given.data, story, tmp_path, capsys)
    (shown,) = city.ask(f"{story.path}/grants", key=story.a).get_json()["items"]
    assert shown["withdrawn"]
    assert not world.audit().findings


def test_a_hand_over_is_durable_before_it_is_answered(story: Story) -> None:
    """Each read is one record, with ranges and leaves; which route doesn't matter."""
    grant = story.grant()
    for count, read in enumerate(NOTED, start=1):
        answer = story.city.ask(story.path + read, key=story.b)
        assert answer.status_code == 200, read
        noted = story.records(grant, story.a)[1:]
        assert len(noted) == count, read
        assert noted[-1]["says"]["what"]["asked"] == f"GET {story.path}{read}"
    taken = story.city.ask(f"{story.path}/handovers", key=story.a).get_json()["items"]
    assert [item["number"] for item in taken] == list(range(1, len(NOTED) + 1))
    assert {item["to"] for item in taken} == {"fire-brigade"}
    page = next(
        one["says"]["what"] for one in taken if one["says"]["what"].get("kind") == "records"
    )
    leaf = story.city.ask(f"{story.path}/sources/desk/records/1", key=story.a).get_json()["leaf"]
    assert (page["first"], page["last"], page["last_leaf"]) == (0, 1, leaf)


@pytest.mark.parametrize("how", ["HEAD", "304"])
def test_also_what_has_no_body_is_noted(story: Story, how: str) -> None:
    """A tag of the payload tells of it too."""
    grant = story.grant()
    path = f"{story.path}/sources/desk/records/0/payload"
    if how == "HEAD":
        story.city.ask(path, method="HEAD", key=story.b)
    else:
        tag = story.city.ask(path, key=story.a).headers["ETag"]
        answer = story.city.ask(path, key=story.b, headers={"If-None-Match": tag})
        assert answer.status_code == 304
    assert story.records(grant, story.a)[-1]["kind"] == "hand-over"


@pytest.mark.parametrize("fault", ["closed gate", "lost database"])
def test_what_can_not_be_noted_is_not_handed_over(
    story: Story, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing is accepted the grantee gets nothing; the owner reads on."""
    grant, world = story.grant(), story.city.world
    if fault == "closed gate":
        world.marks.path.unlink()
        city = City(world.again())
    else:
        city = story.city

        def lost(*values: object) -> None:
            raise StoreUnavailable("gone")

        monkeypatch.setattr(Acceptor, "_write", lost)
    path = f"{story.path}/sources/desk/records/0/payload"
    answer = city.ask(path, key=story.b)
    assert answer.status_code == 503
    assert TEXT.encode() not in answer.data
    assert city.ask(path, key=story.a).status_code == 200
    assert [item["kind"] for item in story.records(grant, story.a)] == ["grant"]


def test_a_withdrawal_in_the_middle_of_a_request_wins(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was let in a moment before the withdrawal is refused when it is to be noted."""
    grant = story.grant()
    real = datasets.DatasetFacts.grant_for

    def late(facts: datasets.DatasetFacts, version: int | None) -> object:
        found = real(facts, version)
        assert story.withdraw(grant) == 204
        return found

    path = f"{story.path}/sources/desk/records/0/payload"
    # The owner's withdrawal goes through another app: a request within a request.
    story.city.client = story.city.app.test_client()
    monkeypatch.setattr(datasets.DatasetFacts, "grant_for", late)
    problem_of(story.city.app.test_client().get(path, headers=bearer(story.b)), 404, "not-found")
    monkeypatch.undo()
    kinds = [item["kind"] for item in story.records(grant, story.a)]
    assert kinds == ["grant", "withdrawal"]


def bearer(key: str) -> dict[str, str]:
    """The header of a key."""
    return {"Authorization": f"Bearer {key}"}


def test_a_grant_ends_by_itself(story: Story) -> None:
    """At its end, to the moment, B is refused like C; and what was noted stays."""
    grant = story.grant(until="2031-03-05T07:07:08.123456Z")
    assert story.city.ask(story.path + READS[1], key=story.b).status_code == 200
    story.city.world.pass_by(3_600)
    assert story.is_refused(story.b)
    assert len(story.records(grant, story.b)) == 2


def test_what_is_no_longer_shared_is_refused_at_once(story: Story) -> None:
    """The sharing attribute shuts every grant of the dataset, and opens it again."""
    story.grant()
    for sharing, refused in (("not-shared", True), ("conditional", False)):
        change = {"Content-Type": "application/json"}
        answer = story.city.ask(
            story.path,
            method="PATCH",
            key=story.a,
            headers=change,
            data=json.dumps({"sharing": sharing}),
        )
        assert answer.status_code == 200
        assert story.is_refused(story.b) == refused
        listed = story.city.ask("/v1/datasets", key=story.b).get_json()["items"]
        assert bool(listed) != refused


def test_a_grantee_only_reads(story: Story) -> None:
    """Writing, describing, granting on and listing who took what is the owner's: 404 as for C."""
    grant = story.grant()
    before = state(story)  # type: ignore[arg-type]
    item = {"source": "desk", "payload_text": "forged"}
    path = story.path
    for method, where, body in (
        ("POST", f"{path}/records", item),
        ("POST", f"{path}/sources", {"id": "x"}),
        ("PATCH", path, {"label": "x"}),
        ("POST", f"{path}/grants", {**ASKED, "to": "tax-office"}),
        ("DELETE", f"{path}/grants/{grant}", None),
        ("GET", f"{path}/handovers", None),
    ):
        headers = {"Content-Type": "application/json"}
        for key in (story.b, story.c):
            answer = story.city.ask(
                where, method=method, key=key, headers=headers, data=json.dumps(body)
            )
            problem_of(answer, 404, "not-found")
    assert state(story) == before  # type: ignore[arg-type]


def test_a_grantees_key_needs_read(story: Story) -> None:
    """B's key that may only write is told so; a restricted one must be for the dataset."""
    story.grant()
    world = story.city.world

    def key(*scopes: str, **more: Any) -> str:
        new = NewKey("fire-brigade", scopes, days=1_096, **more)
        return api_keys.add_key(world.pool, new, world.now)

    problem_of(story.city.ask(story.path, key=key("write")), 403, "scope-missing")
    assert story.city.ask(story.path, key=key("read")).status_code == 200
    assert story.city.ask(story.path, key=key("read", datasets=[story.closed])).status_code == 200
    own = story.city.post("/v1/datasets", {"label": "B's"}, key=story.b).get_json()["id"]
    assert story.is_refused(key("read", datasets=[own]))


def test_random_sources_are_not_guessed_by_a_grantee(story: Story) -> None:
    """Whether mrs-smith is a source is told to the owner only; her random name leads there."""
    closed = story.city.closed_dataset(random_sources=True, sharing="conditional")
    name = story.city.record(closed, source="mrs-smith")["source"]
    path = f"/v1/datasets/{closed}"
    assert story.city.post(f"{path}/grants", ASKED, key=story.a).status_code == 201
    for tail in ("", "/records", "/records/0", "/records/0/payload", "/gaps", "/keys"):
        there = story.city.ask(f"{path}/sources/mrs-smith{tail}", key=story.b)
        nobody = story.city.ask(f"{path}/sources/mr-nobody{tail}", key=story.b)
        assert there.status_code == nobody.status_code == 404
        assert story.city.ask(f"{path}/sources/{name}{tail}", key=story.b).status_code == 200
    listed = story.city.ask(f"{path}/sources", key=story.b)
    assert b"mrs-smith" not in listed.data


def test_each_department_sees_its_own_grants(story: Story) -> None:
    """A sees all, B its own, C nothing; nor the records of another's grant."""
    to_b = story.grant()
    to_c = story.city.post(
        f"{story.path}/grants", {**ASKED, "to": "tax-office"}, key=story.a
    ).get_json()["id"]

    def seen(key: str) -> set[str]:
        answer = story.city.ask(f"{story.path}/grants", key=key)
        return {item["id"] for item in answer.get_json()["items"]}

    assert seen(story.a) == {to_b, to_c}
    assert seen(story.b) == {to_b}
    assert seen(story.c) == {to_c}
    for tail in ("", "/0/receipt"):
        there = story.city.ask(f"/v1/grants/{to_b}/records{tail}", key=story.c)
        nowhere = story.city.ask(f"/v1/grants/g.{'0' * 24}/records{tail}", key=story.c)
        assert there.status_code == nowhere.status_code == 404
        assert there.get_json()["detail"] == nowhere.get_json()["detail"]


def test_the_records_of_two_grantees_have_nothing_in_common(story: Story) -> None:
    """Each grantee is a source of random name; no statement or receipt names a department."""
    story.grant()
    story.city.post(f"{story.path}/grants", {**ASKED, "to": "tax-office"}, key=story.a)
    for key in (story.b, story.c):
        story.city.ask(f"{story.path}/sources", key=key)
    world = story.city.world
    world.settle()
    kept = world.rows(
        "SELECT s.name FROM sources s JOIN datasets d ON d.id = s.dataset "
        "WHERE d.kept_for = 'sharing'"
    )
    assert len(kept) == 2
    assert all(re.fullmatch(r"s\.[0-9a-f]{32}", str(name)) for (name,) in kept)
    public = story.city.ask("/log/tile/entries/000.p/2").data
    public += b"".join(story.city.ask(f"/v1/batches/{n}/runs").data for n in range(2))
    for secret in (b"fire-brigade", b"tax-office", b"water-works", b"g."):
        assert secret not in public


def test_no_record_of_sharing_tells_a_payloads_digest(story: Story) -> None:
    """What outlives an erasure must not let the payload be guessed."""
    from hashlib import sha256

    grant = story.grant()
    for read in NOTED:
        story.city.ask(story.path + read, key=story.b)
    said = json.dumps(story.records(grant, story.a))
    for n in range(2):
        assert sha256(f"{TEXT} {n}".encode()).hexdigest() not in said
    assert TEXT not in said


def test_the_notary_alone_writes_the_records_of_sharing(story: Story) -> None:
    """Their owner reads them, and can neither add, describe, register nor grant."""
    story.grant()
    listed = story.city.ask("/v1/datasets", key=story.a).get_json()["items"]
    (kept,) = [item["id"] for item in listed if item.get("kept_for") == "sharing"]
    path = f"/v1/datasets/{kept}"
    headers = {"Content-Type": "application/json"}
    for method, where, body, code in (
        ("POST", f"{path}/records", {"source": "x", "payload_text": "y"}, "kept-by-notary"),
        ("POST", f"{path}/sources", {"id": "x"}, "kept-by-notary"),
        ("PATCH", path, {"sharing": "conditional"}, "kept-by-notary"),
        ("POST", f"{path}/grants", ASKED, "grant-refused"),
    ):
        answer = story.city.ask(
            where, method=method, key=story.a, headers=headers, data=json.dumps(body)
        )
        problem_of(answer, 409, code)
    sources = story.city.ask(f"{path}/sources", key=story.a).get_json()["items"]
    assert [item["label"] for item in sources] == ["fire-brigade"]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"to": "nobody"}, 404, "not-found"),
        ({"version": 7}, 404, "not-found"),
        ({"to": "water-works"}, 409, "grant-refused"),
        ({"to": "a b"}, 422, "malformed-request"),
        ({"purpose": ""}, 422, "malformed-request"),
        ({"purpose": "x" * 501}, 422, "malformed-request"),
        ({"approval": "x" * 129}, 422, "malformed-request"),
        ({"approval": None}, 422, "malformed-request"),
        ({"version": 0}, 422, "malformed-request"),
        ({"version": "1"}, 422, "malformed-request"),
        ({"until": "2031-03-05"}, 422, "malformed-request"),
        ({"until": "2031-03-05T06:07:08.123456Z"}, 422, "malformed-text"),
        ({"by": "tax-office"}, 422, "malformed-request"),
    ],
)
def test_an_unusable_grant_is_refused(
    story: Story, more: Mapping[str, object], status: int, code: str
) -> None:
    """And neither a grant nor a record of one is left."""
    answer = story.city.post(f"{story.path}/grants", {**ASKED, **more}, key=story.a)
    problem_of(answer, status, code)
    world = story.city.world
    assert world.rows("SELECT count(*) FROM grants") == [(0,)]
    assert world.rows("SELECT count(*) FROM records") == [(2,)]


@pytest.mark.parametrize("kind", ["open", "not-shared"])
def test_only_what_is_closed_and_shared_is_granted(story: Story, kind: str) -> None:
    """Anybody reads an open dataset; one that isn't shared must be made so first."""
    name = story.city.open_dataset() if kind == "open" else story.city.closed_dataset()
    answer = story.city.post(f"/v1/datasets/{name}/grants", ASKED, key=story.a)
    problem_of(answer, 409, "grant-refused")


def test_a_closed_department_is_granted_nothing(story: Story) -> None:
    """As one that doesn't exist."""
    from notary.usecases.departments import close_department

    close_department(story.city.world.pool, "fire-brigade", story.city.world.now)
    problem_of(story.city.post(f"{story.path}/grants", ASKED, key=story.a), 404, "not-found")


def test_a_grant_is_withdrawn_once_and_by_its_owner(story: Story) -> None:
    """A second time, through another dataset or by another department it isn't there."""
    grant = story.grant()
    other = story.city.closed_dataset(sharing="conditional")
    where = f"/v1/datasets/{other}/grants/{grant}"
    problem_of(story.city.ask(where, method="DELETE", key=story.a), 404, "not-found")
    assert not story.is_refused(story.b)
    assert story.withdraw(grant) == 204
    assert story.withdraw(grant) == 404
    assert [item["kind"] for item in story.records(grant, story.a)] == ["grant", "withdrawal"]


def test_a_grant_costs_no_further_question(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """What B may read comes with the dataset: who has a grant and who hasn't ask the same."""
    asked: list[str] = []
    real = store.query
    monkeypatch.setattr(store, "query", lambda name: asked.append(name) or real(name))

    def work(key: str) -> list[str]:
        asked.clear()
        story.city.ask(story.path, key=key)
        return list(asked)

    before = {key: work(key) for key in (story.a, story.b, story.c)}
    assert before[story.b] == before[story.c] == ["get_api_key", "get_dataset"]
    story.grant()
    assert work(story.b) == work(story.a) == before[story.a]
    assert work(story.c) == before[story.c]


@pytest.mark.parametrize("step", ["add_grant", "add_grant_record", "withdraw_grant"])
def test_a_grant_and_its_record_are_one(
    story: Story, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one can't be written, neither is: no grant without a record, no record without it."""
    grant = story.grant() if step == "withdraw_grant" else None
    world = story.city.world
    before = world.rows("SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM grants)")
    real = store.Transaction.do

    def fails(tx: store.Transaction, name: str, /, **values: object) -> int:
        if name == step:
            raise StoreUnavailable("gone")
        return real(tx, name, **values)

    monkeypatch.setattr(store.Transaction, "do", fails)
    if grant is None:
        answer = story.city.post(f"{story.path}/grants", ASKED, key=story.a)
        problem_of(answer, 503, "store-unavailable")
    else:
        assert story.withdraw(grant) == 503
    monkeypatch.undo()
    after = world.rows("SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM grants)")
    assert before == after
    assert story.is_refused(story.b) == (grant is None)


# -- versions


@pytest.fixture
def tables(story: Story) -> Story:
    """The dataset has two versions of a table too."""
    for rows in (b"a,b\n1,2\n", b"a,b\n1,3\n"):
        answer = story.city.post(f"{story.path}/versions", rows, type="text/csv", key=story.a)
        assert answer.status_code == 202
    story.city.world.settle()
    return story


def test_a_grant_of_a_version_is_of_that_version_alone(tables: Story) -> None:
    """Its file, rows and proofs; neither the other version, nor records, nor sources."""
    grant = tables.grant(version=2)
    ask = tables.city.ask
    assert ask(tables.path, key=tables.b).status_code == 200
    assert ask(f"{tables.path}/grants", key=tables.b).get_json()["items"][0]["version"] == 2
    for tail in ("", "/file", "/receipt", "/rows/1", "/rows/1/receipt"):
        assert ask(f"{tables.path}/versions/2{tail}", key=tables.b).status_code == 200, tail
        for key, version in ((tables.b, 1), (tables.b, 3), (tables.c, 2)):
            answer = ask(f"{tables.path}/versions/{version}{tail}", key=key)
            problem_of(answer, 404, "not-found")
    for to in (1, 3):
        problem_of(ask(f"{tables.path}/versions/2/changes?to={to}", key=tables.b), 404, "not-found")
    for read in [*NOTED, "/versions"]:
        problem_of(ask(tables.path + read, key=tables.b), 404, "not-found")
    assert len(tables.records(grant, tables.a)) == 1 + 5
    assert tables.withdraw(grant) == 204
    assert ask(f"{tables.path}/versions/2", key=tables.b).status_code == 404


def test_a_file_is_handed_over_under_its_record(tables: Story, tmp_path: Path, capsys: Any) -> None:
    """Whole or a part of it: the bytes that went are told, and the file is verified with it."""
    grant = tables.grant()
    path = f"{tables.path}/versions/1/file"
    whole = tables.city.ask(path, key=tables.b)
    assert whole.data == b"a,b\n1,2\n"
    part = tables.city.ask(path, key=tables.b, headers={"Range": "bytes=2-3"})
    assert (part.status_code, part.data) == (206, b"b\n")
    receipt = tables.city.ask(f"{tables.path}/versions/1/receipt", key=tables.b)
    assert "HOLDS" in verdict(receipt.data, tables, tmp_path, capsys)
    noted = [item["says"]["what"] for item in tables.records(grant, tables.a)[1:]]
    spans = [(one.get("version"), one.get("first_byte"), one.get("last_byte")) for one in noted]
    assert spans == [(1, 0, 7), (1, 2, 3), (1, None, None)]
    assert noted[1]["range"] == "bytes=2-3"


def test_a_grant_of_the_whole_goes_before_one_of_a_version(tables: Story) -> None:
    """While both hold the whole is read; once that is withdrawn, the version alone."""
    version, whole = tables.grant(version=1), tables.grant()
    for read in (f"{tables.path}/versions/1/file", f"{tables.path}/sources"):
        assert tables.city.ask(read, key=tables.b).status_code == 200
    assert len(tables.records(whole, tables.a)) == 3
    assert tables.withdraw(whole) == 204
    assert tables.city.ask(f"{tables.path}/versions/1/file", key=tables.b).status_code == 200
    assert tables.city.ask(f"{tables.path}/sources", key=tables.b).status_code == 404
    assert len(tables.records(version, tables.a)) == 2
