# SPDX-License-Identifier: Apache-2.0
"""What changed from one version to another, told over HTTP and held against a slow count."""

import json
import random
from collections import Counter
from typing import Any

import pytest

from tests.api.city import JSON, NDJSON, City, problem_of
from tests.api.test_packages import packed, told
from tests.usecases.world import fresh_seed, new_department

PATH = "/v1/datasets/weather/versions"
HEAD = b"id,name,value\n"


def changes(
    city: City, first: bytes, second: bytes, query: str = "", type: str = "text/csv"
) -> Any:
    """Publish two versions and ask what changed."""
    city.open_dataset()
    city.publish("weather", first, type=type)
    city.publish("weather", second, type=type)
    return city.ask(f"{PATH}/1/changes{query}").get_json()


def counts(found: Any) -> tuple[int, int, int, int]:
    """Same, added, removed, changed."""
    return found["same"], found["added"], found["removed"], found["changed"]


def test_rows_are_added_removed_and_changed_by_their_key(city: City) -> None:
    """With what they said before and after, in the order of the file."""
    first = HEAD + b"1,a,10\n2,b,20\n3,c,30\n"
    second = HEAD + b"4,d,40\n3,c,31\n1,a,10\n"
    found = changes(city, first, second, "?to=2&key=id")
    assert counts(found) == (2, 1, 1, 1)
    assert found["items"] == [
        {"change": "added", "after_row": 1, "after": ["4", "d", "40"]},
        {"change": "removed", "before_row": 2, "before": ["2", "b", "20"]},
        {
            "change": "changed",
            "before_row": 3,
            "before": ["3", "c", "30"],
            "after_row": 2,
            "after": ["3", "c", "31"],
        },
    ]
    assert (found["before"], found["after"], found["key"]) == (1, 2, ["id"])
    assert found["next"] is None


def test_without_a_key_a_changed_row_is_one_removed_and_one_added(city: City) -> None:
    """Equal rows are counted, and order is no change."""
    first = HEAD + b"1,a,10\n1,a,10\n2,b,20\n"
    second = HEAD + b"2,b,20\n1,a,10\n3,c,30\n1,a,10\n1,a,10\n"
    found = changes(city, first, second)
    assert counts(found) == (4, 2, 0, 0)
    assert [item["after_row"] for item in found["items"]] == [3, 5]


def test_a_file_saved_otherwise_has_no_changes(city: City) -> None:
    """BOM, line ends, quotes: the rows say the same."""
    first = HEAD + b"1,a,10\n"
    second = b"\xef\xbb\xbf" + b'"id","name","value"\r\n1,"a",10'
    assert counts(changes(city, first, second)) == (2, 0, 0, 0)


def test_a_column_may_be_moved_and_the_key_goes_along(city: City) -> None:
    """Each version's header says where its key is; the header's change is told too."""
    found = changes(city, b"id,v\n1,x\n2,y\n", b"v,id\nx,1\nz,2\n", "?key=id")
    assert counts(found) == (0, 0, 0, 3)


@pytest.mark.parametrize("type_", [NDJSON, JSON])
def test_json_rows_are_compared_by_members(city: City, type_: str) -> None:
    """Numbers as they are spelled: 1.0 and 1.00 are a change."""
    rows = [[b'{"id":1,"v":1.0}', b'{"id":2,"v":2}'], [b'{"id":2,"v":2}', b'{"id":1,"v":1.00}']]
    files = [b"[" + b",".join(r) + b"]" if type_ == JSON else b"\n".join(r) for r in rows]
    found = changes(city, *files, "?key=id", type=type_)
    assert counts(found) == (1, 0, 0, 1)
    assert found["items"][0]["after"] == '{"id":1,"v":1.00}'


def test_the_key_of_a_data_package_is_taken(city: City) -> None:
    """Unless another one, or none, is asked for."""
    city.open_dataset()
    resource = {"name": "air", "path": "t.csv", "schema": {"primaryKey": ["id", "name"]}}
    for value in (b"10", b"11"):
        told(city, packed([resource], {"t.csv": HEAD + b"1,a," + value + b"\n"}))
    path = "/v1/datasets/weather.air/versions/1/changes"
    found = city.ask(path).get_json()
    assert (found["key"], counts(found)) == (["id", "name"], (1, 0, 0, 1))
    other = city.ask(f"{path}?key=value").get_json()
    assert (other["key"], counts(other)) == (["value"], (1, 1, 1, 0))


REFUSED = {
    "a key that is not unique": (HEAD + b"1,a,1\n1,b,2\n", "?key=id", "rows 1 and 2"),
    "a column that is missing": (HEAD, "?key=colour", "Row 0 of version 1"),
    "a column that stands twice": (b"id,id\n1,1\n", "?key=id", "Row 0"),
    "a row that is too short": (HEAD + b"1\n", "?key=value", "Row 1"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_key_that_names_no_row_is_refused(city: City, what: str) -> None:
    """With the rows that it doesn't name."""
    city.open_dataset()
    file, query, words = REFUSED[what]
    city.publish("weather", file)
    problem = problem_of(city.ask(f"{PATH}/1/changes{query}"), 409, "compare-refused")
    assert words in problem["detail"]


def test_json_rows_that_are_no_objects_have_no_key(city: City) -> None:
    """Nor those that lack the member."""
    city.open_dataset()
    city.publish("weather", b'{"id":1}\n7\n', type=NDJSON)
    city.publish("weather", b'{"id":1}\n{"x":1}\n', type=NDJSON)
    for version in (1, 2):
        answer = city.ask(f"{PATH}/{version}/changes?to={version}&key=id")
        assert "Row 1" in problem_of(answer, 409, "compare-refused")["detail"]
    assert city.ask(f"{PATH}/1/changes").status_code == 200


def test_only_tables_of_one_kind_are_compared(city: City) -> None:
    """Neither a PDF with itself nor CSV with JSON."""
    city.open_dataset()
    city.publish("weather", b"%PDF", type="application/pdf")
    city.publish("weather", b"1\n")
    city.publish("weather", b"1\n", type=NDJSON)
    for before, after in ((1, 1), (1, 2), (2, 3)):
        answer = city.ask(f"{PATH}/{before}/changes?to={after}")
        problem_of(answer, 409, "compare-refused")
    for path in ("9/changes", "2/changes?to=9"):
        problem_of(city.ask(f"{PATH}/{path}"), 404, "not-found")
    for query in ("?to=x", "?to=0", "?key=", "?limit=0", "?cursor=!"):
        problem_of(city.ask(f"{PATH}/2/changes{query}"), 400, "malformed-request")


def test_random_tables_are_compared_as_a_slow_count_does(city: City) -> None:
    """Page by page every change comes once, and the counts add up."""
    seed = fresh_seed()
    print(f"NOTARY_TEST_SEED={seed}")
    dice = random.Random(seed)
    rows = [[b"%d,%d" % (dice.randrange(60), dice.randrange(3)) for _ in range(150)] for _ in "ab"]
    first, second = (b"id,v\n" + b"\n".join(side) + b"\n" for side in rows)
    found = changes(city, first, second, "?limit=7")
    before, after = map(Counter, rows)
    assert found["added"] == (after - before).total()
    assert found["removed"] == (before - after).total()
    assert found["same"] == (before & after).total() + 1
    items = list(found["items"])
    while found["next"]:
        found = city.ask(f"{PATH}/1/changes?limit=7&cursor={found['next']}").get_json()
        items += found["items"]
    seen = Counter(json.dumps(item) for item in items)
    assert max(seen.values(), default=1) == 1
    added = Counter(",".join(i["after"]).encode() for i in items if i["change"] == "added")
    removed = Counter(",".join(i["before"]).encode() for i in items if i["change"] == "removed")
    assert (added, removed) == (after - before, before - after)


def test_a_grant_of_one_version_shows_no_changes_to_another(city: City) -> None:
    """What is compared must both be granted."""
    closed = city.closed_dataset(sharing="conditional")
    for file in (HEAD + b"1,a,1\n", HEAD + b"1,a,secret\n"):
        city.publish(closed, file)
    new_department(city.world.pool, "harbour", city.world.now)
    asked = {"to": "tax-office", "purpose": "x", "approval": "1", "version": 1}
    answer = city.post(f"/v1/datasets/{closed}/grants", asked, key=city.key)
    assert answer.status_code == 201, answer.data
    path = f"/v1/datasets/{closed}/versions"
    assert city.ask(f"{path}/1/changes?to=1", key=city.other_key).status_code == 200
    for place in ("1/changes?to=2", "1/changes", "2/changes?to=1"):
        answer = city.ask(f"{path}/{place}", key=city.other_key)
        problem_of(answer, 404, "not-found")
        assert b"secret" not in answer.data
