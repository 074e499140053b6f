# SPDX-License-Identifier: Apache-2.0
"""Life, readiness, status and metrics."""

import json
from datetime import timedelta

import psycopg2
import pytest

from notary.store.pool import Pool
from tests.api.city import City, problem_of


def test_life_needs_no_database(city: City) -> None:
    """The process lives even where the database is away; ready it isn't."""
    city.world.pool.close()
    city.world.pool._url = "postgresql://127.0.0.1:1/none?connect_timeout=1"
    assert city.ask("/livez").get_json() == {"live": True}
    answer = city.ask("/readyz")
    problem_of(answer, 503, "store-unavailable")
    assert answer.headers["Retry-After"]


def test_ready_means_that_the_database_has_the_newest_shape(city: City) -> None:
    """A database without all migrations is not read from."""
    assert city.ask("/readyz").get_json() == {"ready": True}
    city.world.change("DELETE FROM migrations")
    problem_of(city.ask("/readyz"), 503, "store-refused")


def test_a_closed_gate_leaves_reading_ready(city: City) -> None:
    """Where nothing is accepted, what is there is still read; /statusz tells why."""
    city.open_dataset()
    city.record("weather")
    city.world.settle()
    city.world.marks.path.unlink()
    city.world.gate._open = None
    item = {"source": "a", "payload_text": "x"}
    answer = city.post("/v1/datasets/weather/records", item, key=city.key)
    problem = problem_of(answer, 503, "state-refused")
    assert str(city.world.marks.path) not in problem["detail"]
    assert city.ask("/readyz").status_code == 200
    assert city.ask("/v1/datasets/weather/sources/desk/records/0/receipt").status_code == 200
    gate = city.ask("/statusz").get_json()["gate"]
    assert gate == {"open": False, "problem": "state-refused", "reason": "no-mark"}


def test_status_tells_what_waits(city: City) -> None:
    """Counts and ages of what waits to be sealed and anchored."""
    city.open_dataset()
    city.record("weather")
    city.world.pass_by(30)
    totals = city.ask("/statusz").get_json()["totals"]
    assert (totals["waiting_records"], totals["oldest_waiting_seconds"]) == (1, 30.0)
    city.world.seal()
    city.world.pass_by(10)
    totals = city.ask("/statusz").get_json()["totals"]
    assert (totals["sealed_records"], totals["waiting_records"]) == (1, 0)
    assert totals["oldest_unanchored_seconds"] == 10.0
    city.world.sign()
    city.world.anchor()
    totals = city.ask("/statusz").get_json()["totals"]
    assert totals["oldest_unanchored_seconds"] is None


def test_a_silent_process_is_called_stale(city: City) -> None:
    """A heartbeat of long ago is no sign of life, and a problem's sentence stays inside."""
    facts = {"second_root": "on", "problem": "fork", "detail": "/secret/place"}
    with city.world.pool.transaction() as tx:
        tx.do("beat", process="sealer", now=city.world.now, facts=json.dumps(facts))
    fresh = city.ask("/statusz").get_json()["processes"]["sealer"]
    assert (fresh["stale"], fresh["facts"]["problem"]) == (False, "fork")
    city.world.now += timedelta(minutes=1)
    answer = city.ask("/statusz")
    assert answer.get_json()["processes"]["sealer"]["stale"] is True
    assert b"/secret/place" not in answer.data


@pytest.mark.parametrize("second_root", ["on", "off"])
def test_a_missing_second_root_is_shown(city: City, second_root: str) -> None:
    """NOTARY_SECOND_ROOT=off can be seen from outside."""
    services = city.app.extensions["city-notary"]
    object.__setattr__(services, "second_root", second_root == "on")
    assert city.ask("/statusz").get_json()["second_root"] == second_root


def test_metrics_are_read_from_the_database(city: City) -> None:
    """Every scrape tells the truth of the moment, whichever worker answers."""
    city.open_dataset()
    city.world.add("weather", 5)
    city.world.settle()
    city.world.add("weather", 3, seed=1)
    city.world.pass_by(20)
    with city.world.pool.transaction() as tx:
        facts = {
            "accepted": 8,
            "duplicates": 2,
            "queue_depth": 4,
            "subscribed": True,
            "answers": {"answers": 7},
            "brokers": {"default": {"subscribed": True}, "plant": {"subscribed": False}},
            "feeds": {
                "own": {"silent": False, "last_message_at": "2031-01-01T00:00:00.000000Z"},
                "hj": {"silent": True, "last_message_at": None},
            },
        }
        tx.do("beat", process="ingest/a", now=city.world.now, facts=json.dumps(facts))
        tx.do("beat", process="ingest/b", now=city.world.now, facts="{}")
    answer = city.ask("/metrics")
    assert answer.mimetype == "text/plain"
    lines = answer.get_data(as_text=True).splitlines()
    for line in (
        "notary_sealed_records 5.0",
        "notary_waiting_records 3.0",
        "notary_log_size 1.0",
        "notary_signed_size 1.0",
        "notary_anchored_size 1.0",
        "notary_oldest_unsealed_seconds 20.0",
        "notary_oldest_unanchored_seconds 0.0",
        'notary_ledger_size{ledger="file"} 1.0',
        'notary_ledger_stopped{ledger="file"} 0.0',
        'notary_ledger_unanchored_seconds{ledger="file"} 0.0',
        'notary_ingest_readings_total{client_id="a",outcome="accepted"} 8.0',
        'notary_ingest_readings_total{client_id="a",outcome="duplicates"} 2.0',
        'notary_ingest_readings_total{client_id="b",outcome="accepted"} 0.0',
        'notary_ingest_answers_total{client_id="a",outcome="answers"} 7.0',
        'notary_queue_depth{client_id="a"} 4.0',
        'notary_ingest_subscribed{client_id="a"} 1.0',
        'notary_ingest_subscribed{client_id="b"} 0.0',
        'notary_broker_subscribed{broker="plant",client_id="a"} 0.0',
        'notary_broker_subscribed{broker="default",client_id="a"} 1.0',
        'notary_feed_silent{client_id="a",feed="hj"} 1.0',
        'notary_feed_silent{client_id="a",feed="own"} 0.0',
        'notary_feed_last_message_timestamp_seconds{client_id="a",feed="own"} 1.924992e+09',
    ):
        assert line in lines


def test_two_workers_tell_the_same_metrics(city: City) -> None:
    """Two apps on one database don't count each their own."""
    city.open_dataset()
    city.record("weather")
    other = City(city.world.again())
    assert city.ask("/metrics").data == other.ask("/metrics").data
    other.world.close()


def test_the_service_survives_a_restart_of_the_database(city: City) -> None:
    """Connections that the server cut are replaced without an error for the next caller."""
    city.open_dataset()
    assert city.ask("/v1/datasets/weather").status_code == 200
    pool: Pool = city.world.pool
    connection = psycopg2.connect(pool._url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()
    answers = [city.ask("/v1/datasets/weather", key=city.key).status_code for _ in range(3)]
    assert answers[-1] == 200
    assert set(answers) <= {200, 503}


@pytest.mark.parametrize("path", ["/statusz", "/metrics", "/v1/anchors", "/v1/anchors/file/1", "/"])
def test_what_a_ledger_said_is_for_the_operator_alone(city: City, path: str) -> None:
    """It may quote an address or an account; nobody who only reads gets to see it."""
    city.open_dataset()
    city.record("weather")
    city.world.settle()
    city.world.change("UPDATE anchors SET error = 's3cr3t'")
    city.world.change("UPDATE ledgers SET error = 's3cr3t', failures = 3, failed_at = now()")
    for _ in range(2):
        answer = city.ask(path)
        assert answer.status_code == 200
        assert "s3cr3t" not in answer.get_data(as_text=True)
        city.world.change("UPDATE anchors SET state = 'failed', refused = true, evidence = NULL")
