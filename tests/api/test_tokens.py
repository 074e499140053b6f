# SPDX-License-Identifier: Apache-2.0
"""Access tokens of an OIDC issuer beside API keys, and what is forged in their place."""

import base64
import json
import re
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from notary.config import Settings, SettingsRefused
from notary.local.postgres import Postgres
from notary.usecases.departments import close_department
from tests.api.city import City, problem_of
from tests.api.conftest import standing_city
from tests.iot_ingest.certificates import Authority
from tests.usecases.issuers import (
    AUDIENCE,
    KINDS,
    WELL_KNOWN,
    Issuer,
    by_hand,
    private_key,
    public_jwk,
    running_issuer,
)
from tests.usecases.world import World, new_department

SUBJECT = "mrs.smith@city.example"
Forge = Callable[[Issuer, Mapping[str, Any]], str]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """The department's own issuer, and one request later everybody knows its keys."""
    with running_issuer() as running:
        yield running


def city_of(world: World, url: str) -> City:
    """A city that takes that issuer's tokens; known keys are its own process's."""
    settings = replace(world.parts.settings, oidc_issuer=url, oidc_audience=AUDIENCE)
    world.parts = replace(world.parts, settings=settings)
    return City(world)


@pytest.fixture
def city(world: World, issuer: Issuer) -> City:
    """A city that takes tokens, with a closed dataset."""
    return city_of(world, issuer.url)


@pytest.fixture(scope="module")
def standing(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[City, Issuer]]:
    """The same for attacks, which change nothing."""
    with running_issuer() as running, standing_city(postgres, tmp_path_factory) as found:
        yield city_of(found.world, running.url), running


def claims(city: City, issuer: Issuer, **more: Any) -> dict[str, Any]:
    """What a good token says; None leaves a claim out."""
    now = int(city.world.now.timestamp())
    said = {
        "iss": issuer.url,
        "aud": AUDIENCE,
        "sub": SUBJECT,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "department": "water-works",
        "scope": "openid read write manage",
        **more,
    }
    return {name: value for name, value in said.items() if value is not None}


# -- what is believed


@pytest.mark.parametrize("algorithm", sorted(KINDS))
def test_a_token_does_what_a_key_does(city: City, issuer: Issuer, algorithm: str) -> None:
    """It creates, writes and reads what is its department's, by each algorithm of the list."""
    token = issuer.sign(claims(city, issuer), algorithm)
    made = city.post("/v1/datasets", {"label": "Wages"}, key=token)
    assert made.status_code == 201, made.data
    assert made.get_json()["owner"] == "water-works"
    path = f"/v1/datasets/{made.get_json()['id']}"
    item = {"source": "desk", "payload_text": "x"}
    headers = {"Idempotency-Key": "1"}
    for _ in range(2):
        assert city.post(f"{path}/records", item, key=token, headers=headers).status_code == 202
    record = city.ask(f"{path}/sources/desk/records/0", key=token).get_json()
    assert re.fullmatch(r"api:oidc\.[0-9a-f]{24}", record["by"])
    assert issuer.asked == [WELL_KNOWN, "/jwks"]


def test_a_person_stands_neither_in_records_nor_in_logs(city: City, issuer: Issuer) -> None:
    """The word for the sender is one for each person, and without our secret tells nothing."""
    closed = city.closed_dataset()
    for scope in ("write", "write read"):
        token = issuer.sign(claims(city, issuer, scope=scope))
        item = {"source": "desk", "payload_text": scope}
        answer = city.post(f"/v1/datasets/{closed}/records", item, key=token)
        assert answer.status_code == 202
    words = city.world.rows("SELECT by_word FROM forms")
    assert len(words) == 1
    assert SUBJECT not in str(words) + json.dumps(city.lines)
    assert words[0][0] in [f"api:{line.get('api_key')}" for line in city.lines]


@pytest.mark.parametrize(
    ("more", "allowed"),
    [
        ({"scope": "read"}, True),
        ({"scope": ["read", "profile"]}, True),
        ({"aud": ["other", AUDIENCE]}, True),
        ({"iat": None, "nbf": None}, True),
        ({"scope": "write"}, False),
    ],
)
def test_a_token_may_what_its_scopes_say(
    city: City, issuer: Issuer, more: Mapping[str, Any], allowed: bool
) -> None:
    """Scopes as a text or a list; for what is its own the missing one is told."""
    closed = city.closed_dataset()
    answer = city.ask(f"/v1/datasets/{closed}", key=issuer.sign(claims(city, issuer, **more)))
    if allowed:
        assert answer.status_code == 200
    else:
        problem_of(answer, 403, "scope-missing")


def test_a_token_sees_nothing_of_other_departments(city: City, issuer: Issuer) -> None:
    """Whoever its issuer is, another's dataset isn't there."""
    closed = city.closed_dataset()
    token = issuer.sign(claims(city, issuer, department="tax-office"))
    problem_of(city.ask(f"/v1/datasets/{closed}", key=token), 404, "not-found")
    assert city.ask("/v1/datasets", key=token).get_json()["items"] == []


def test_a_token_is_never_the_operators(city: City, issuer: Issuer) -> None:
    """An issuer's word `admin` means something of its own."""
    token = issuer.sign(claims(city, issuer, scope="read admin"))
    problem_of(city.ask("/v1/departments", key=token), 403, "scope-missing")


def test_without_an_issuer_no_token_is_taken(world: World, issuer: Issuer) -> None:
    """And nobody is asked for keys."""
    city = City(world)
    token = issuer.sign(claims(city, issuer))
    problem_of(city.ask("/v1/datasets", key=token), 401, "api-key-unknown")
    assert issuer.asked == []


# -- what is forged

MINE = private_key("ES256")
CLAIMS: Mapping[str, Mapping[str, Any]] = {
    "other issuer": {"iss": "https://login.example"},
    "issuer with a slash more": {"iss": "{url}/"},
    "no issuer": {"iss": None},
    "list of issuers": {"iss": ["{url}"]},
    "other audience": {"aud": "another-service"},
    "no audience": {"aud": None},
    "audience of a part": {"aud": AUDIENCE[:-1]},
    "expired": {"exp": -31},
    "not yet": {"nbf": 31},
    "made tomorrow": {"iat": 86_400},
    "without an end": {"exp": None},
    "end as a text": {"exp": "9999999999"},
    "end without end": {"exp": float("inf")},
    "end that is no number": {"exp": float("nan")},
    "end that is true": {"exp": True},
    "without a subject": {"sub": None},
    "unknown department": {"department": "nobody"},
    "no department": {"department": None},
    "departments": {"department": ["water-works"]},
    "department by a trick": {"department": "water-works' OR '1'='1"},
    "no scope": {"scope": None},
    "scopes of others": {"scope": "openid profile"},
    "admin alone": {"scope": "admin"},
    "scope as an object": {"scope": {"read": True}},
}
FORGED: Mapping[str, Forge] = {
    "alg none": lambda i, c: by_hand({"alg": "none", "kid": "ES256"}, c, None),
    "alg None in capitals": lambda i, c: by_hand({"alg": "NONE", "kid": "ES256"}, c, None),
    "no alg": lambda i, c: by_hand({"kid": "ES256"}, c, None),
    "HS256 with the public key": lambda i, c: by_hand(
        {"alg": "HS256", "kid": "RS256"}, c, i.public_pem("RS256")
    ),
    "HS256 with the public key said to be RS256": lambda i, c: by_hand(
        {"alg": "RS256", "kid": "RS256"}, c, i.public_pem("RS256")
    ),
    "HS256 with nothing": lambda i, c: by_hand({"alg": "HS256", "kid": "ES256"}, c, b""),
    "RS512": lambda i, c: by_hand({"alg": "RS512", "kid": "RS256"}, c, b"x"),
    "another's key": lambda i, c: i.sign(c, key=MINE),
    "key of another algorithm": lambda i, c: i.sign(c, headers={"kid": "RS256"}),
    "no key id": lambda i, c: by_hand({"alg": "ES256"}, c, b"x"),
    "key id that is a number": lambda i, c: by_hand({"alg": "ES256", "kid": 1}, c, b"x"),
    "unknown key id": lambda i, c: i.sign(c, headers={"kid": "other"}),
    "key id that is a path": lambda i, c: i.sign(c, headers={"kid": "../../dev/null"}),
    "critical extension": lambda i, c: i.sign(c, headers={"crit": ["b64"], "b64": True}),
    "own key in the header": lambda i, c: i.sign(
        c, headers={"jwk": public_jwk("ES256", MINE, "ES256")}, key=MINE
    ),
    "nothing signed": lambda i, c: i.sign(c).rsplit(".", 1)[0] + ".",
    "one bit flipped": lambda i, c: flipped(i.sign(c)),
    "claims exchanged": lambda i, c: exchanged(i.sign(c), i.sign({**c, "scope": "erase"})),
    "four parts": lambda i, c: i.sign(c) + ".x",
    "deep header": lambda i, c: deep(),
    "too long": lambda i, c: i.sign({**c, "more": "x" * 8_192}),
    "no JSON": lambda i, c: "e30.bm8.",
    "a key without its beginning": lambda i, c: "0" * 12 + "_" + "0" * 64,
}


def flipped(token: str) -> str:
    """Another signature."""
    at = len(token) - 20
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


def exchanged(one: str, other: str) -> str:
    """The claims of one token under the signature of another."""
    return ".".join([other.split(".")[0], one.split(".")[1], other.split(".")[2]])


def deep() -> str:
    """A header of brackets only."""
    return base64.urlsafe_b64encode(b"[" * 5_000).decode().rstrip("=") + ".e30.x"


def filled(value: Any, city: City, issuer: Issuer, name: str) -> Any:
    """A claim of the table: times count from now, `{url}` is the issuer."""
    if name in ("exp", "nbf", "iat") and type(value) is int:
        return int(city.world.now.timestamp()) + value
    return json.loads(json.dumps(value).replace("{url}", issuer.url))


def assert_refused(city: City, token: str) -> None:
    """401, in the words in which any wrong key is refused."""
    answer = city.ask("/v1/datasets", key=token)
    problem = problem_of(answer, 401, "api-key-unknown")
    assert problem["detail"] == city.ask("/v1/datasets", key="ntr_x").get_json()["detail"]


@pytest.mark.parametrize("which", sorted(CLAIMS))
def test_a_token_that_says_something_else_is_refused(
    standing: tuple[City, Issuer], which: str
) -> None:
    """Though the issuer signed it."""
    city, issuer = standing
    more = {name: filled(value, city, issuer, name) for name, value in CLAIMS[which].items()}
    assert_refused(city, issuer.sign(claims(city, issuer, **more)))
    assert city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer))).status_code == 200


@pytest.mark.parametrize("which", sorted(FORGED))
def test_a_forged_token_is_refused(standing: tuple[City, Issuer], which: str) -> None:
    """Whatever stands in its header."""
    city, issuer = standing
    assert_refused(city, FORGED[which](issuer, claims(city, issuer)))
    assert city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer))).status_code == 200


@pytest.mark.parametrize("header", ["jku", "x5u", "iss", "kid"])
def test_an_address_in_a_token_is_never_asked(city: City, issuer: Issuer, header: str) -> None:
    """The attacker's server, with the attacker's key, hears nothing."""
    with running_issuer() as other:
        said = claims(city, issuer)
        token = other.sign(said, headers={header: f"{other.url}/jwks"})
        assert_refused(city, token)
        assert other.asked == []


def test_a_closed_departments_tokens_end(city: City, issuer: Issuer) -> None:
    """At once, though the issuer knows nothing of it."""
    token = issuer.sign(claims(city, issuer))
    assert city.ask("/v1/datasets", key=token).status_code == 200
    close_department(city.world.pool, "water-works", city.world.now)
    assert_refused(city, token)


def test_a_token_ends_in_its_time(city: City, issuer: Issuer) -> None:
    """Half a minute is allowed for clocks, and no more."""
    token = issuer.sign(claims(city, issuer))
    city.world.pass_by(329)
    assert city.ask("/v1/datasets", key=token).status_code == 200
    city.world.pass_by(1)
    assert_refused(city, token)


# -- the issuer's keys


def test_a_flood_of_unknown_key_ids_costs_the_issuer_nothing(city: City, issuer: Issuer) -> None:
    """It is asked once a minute at most, and good tokens go on being read."""
    good = issuer.sign(claims(city, issuer))
    for number in range(300):
        head = {"alg": "ES256", "kid": f"made-up-{number}"}
        assert city.ask("/v1/datasets", key=by_hand(head, {}, b"x")).status_code == 401
    assert issuer.asked_for("/jwks") == 1
    city.world.pass_by(61)
    for number in range(20):
        city.ask("/v1/datasets", key=by_hand({"alg": "ES256", "kid": f"{number}"}, {}, b"x"))
    assert issuer.asked_for("/jwks") == 2
    assert city.ask("/v1/datasets", key=good).status_code == 200


def test_a_new_key_of_the_issuer_is_found_and_an_old_one_forgotten(
    city: City, issuer: Issuer
) -> None:
    """After the pause the new one; the one that is gone within the hour."""

    def token(algorithm: str, kid: str, key: Any = None) -> str:
        headers = {"kid": kid}
        return issuer.sign(claims(city, issuer), algorithm, headers, key)

    assert city.ask("/v1/datasets", key=token("ES256", "ES256")).status_code == 200
    new = private_key("ES256")
    issuer.serve_keys({"new": public_jwk("ES256", new, "new")})
    assert_refused(city, token("ES256", "new", new))
    assert city.ask("/v1/datasets", key=token("EdDSA", "EdDSA")).status_code == 200
    city.world.pass_by(61)
    assert city.ask("/v1/datasets", key=token("ES256", "new", new)).status_code == 200
    assert_refused(city, token("EdDSA", "EdDSA"))


def test_a_key_that_was_withdrawn_is_not_believed_for_more_than_an_hour(
    city: City, issuer: Issuer
) -> None:
    """Without any unknown id the list is asked for anew."""
    assert city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer))).status_code == 200
    issuer.serve_keys({})
    city.world.pass_by(3_599)
    assert city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer))).status_code == 200
    city.world.pass_by(1)
    assert_refused(city, issuer.sign(claims(city, issuer)))


def test_an_issuer_that_is_away_stops_nobody_for_a_day(city: City, issuer: Issuer) -> None:
    """Its known keys are believed so long; then it is told, and API keys go on."""
    assert city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer))).status_code == 200
    issuer.served.clear()
    city.world.pass_by(86_399)
    assert city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer))).status_code == 200
    city.world.pass_by(1)
    answer = city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer)))
    problem_of(answer, 503, "issuer-unavailable")
    assert answer.headers["Retry-After"]
    assert city.ask("/v1/datasets", key=city.key).status_code == 200


WRONG: Mapping[str, Callable[[Issuer], None]] = {
    "not there": lambda i: i.served.clear(),
    "another issuer's discovery": lambda i: i.served[WELL_KNOWN][1].update(issuer="https://x"),
    "no address of keys": lambda i: i.served[WELL_KNOWN][1].pop("jwks_uri"),
    "keys over plain HTTP": lambda i: i.served[WELL_KNOWN][1].update(jwks_uri="http://192.0.2.1/"),
    "keys in a file": lambda i: i.served[WELL_KNOWN][1].update(jwks_uri="file:///etc/hostname"),
    "keys by a redirect": lambda i: i.served.update(
        {"/jwks": (302, f"{i.url}/keys"), "/keys": i.served["/jwks"]}
    ),
    "discovery by a redirect": lambda i: i.served.update(
        {WELL_KNOWN: (302, f"{i.url}/found"), "/found": i.served[WELL_KNOWN]}
    ),
    "keys that are no list": lambda i: i.served.update({"/jwks": (200, {"keys": {}})}),
    "keys without end": lambda i: i.served.update({"/jwks": (200, b"[" * 300_000)}),
    "deep keys": lambda i: i.served.update({"/jwks": (200, b"[" * 100_000)}),
    "no JSON": lambda i: i.served.update({"/jwks": (200, b"<html>")}),
}


@pytest.mark.parametrize("which", sorted(WRONG))
def test_an_issuer_that_answers_wrongly_is_not_believed(
    city: City, issuer: Issuer, which: str
) -> None:
    """It is told as one that can't be reached, and asked again a little later."""
    token, right = issuer.sign(claims(city, issuer)), json.loads(json.dumps(issuer.served))
    WRONG[which](issuer)
    problem_of(city.ask("/v1/datasets", key=token), 503, "issuer-unavailable")
    issuer.served = right
    problem_of(city.ask("/v1/datasets", key=token), 503, "issuer-unavailable")
    city.world.pass_by(5)
    assert city.ask("/v1/datasets", key=token).status_code == 200


def bad_keys(issuer: Issuer) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Keys that an issuer shouldn't have, each with a token's algorithm and its private half."""
    weak = private_key("RS256", 1024)
    yield "RS256", weak, public_jwk("RS256", weak, "x")
    for change in ({"use": "enc"}, {"alg": "ES512"}, {"crv": "P-384"}, {"kid": 5}, {"kty": "oct"}):
        key = private_key("ES256")
        yield "ES256", key, {**public_jwk("ES256", key, "x"), **change}
    key = private_key("RS256")
    yield "RS256", key, {**public_jwk("RS256", key, "x"), "alg": "HS256"}


@pytest.mark.filterwarnings("ignore:.*below the minimum")
def test_an_issuers_unfit_key_is_left_out(city: City, issuer: Issuer) -> None:
    """Weak, for another use or of another kind; its other keys are believed."""
    bad = list(bad_keys(issuer))
    good = public_jwk("EdDSA", issuer.keys["EdDSA"], "EdDSA")
    for number, (_, _, jwk) in enumerate(bad):
        if jwk["kid"] == "x":
            jwk["kid"] = str(number)
    issuer.serve_keys({"good": good, **{str(n): one[2] for n, one in enumerate(bad)}})
    for number, (algorithm, key, _) in enumerate(bad):
        assert_refused(
            city, issuer.sign(claims(city, issuer), algorithm, {"kid": str(number)}, key)
        )
    assert (
        city.ask("/v1/datasets", key=issuer.sign(claims(city, issuer), "EdDSA")).status_code == 200
    )


def test_a_certificate_that_nobody_vouches_for_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is verified: an issuer is believed once its authority is the system's, not before."""
    authority = Authority("issuers")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    with running_issuer(context) as issuer:
        city = city_of(world, issuer.url)
        token = issuer.sign(claims(city, issuer))
        problem_of(city.ask("/v1/datasets", key=token), 503, "issuer-unavailable")
        assert issuer.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        city.world.pass_by(5)
        assert city.ask("/v1/datasets", key=token).status_code == 200


# -- settings

DATABASE = {"NOTARY_DATABASE_URL": "postgresql://x", "NOTARY_OIDC_AUDIENCE": AUDIENCE}


@pytest.mark.parametrize(
    "url",
    [
        *("http://login.example", "http://192.0.2.1", "http://localhost.example", "ftp://x"),
        *("login.example", "https://", "https://u:p@login.example", "https://x#y", "https://x?y"),
        *("file:///etc/passwd", "https://[::1", "https://x:99999", "http://[::ffff:192.0.2.1]"),
    ],
)
def test_an_issuer_is_named_by_an_address_that_can_be_trusted(url: str) -> None:
    """https, or plain HTTP on this very machine."""
    with pytest.raises(SettingsRefused):
        Settings.from_env({**DATABASE, "NOTARY_OIDC_ISSUER": url})


@pytest.mark.parametrize(
    "url", ["https://login.example/realms/city", "http://127.0.0.1:8080", "http://localhost", ""]
)
def test_an_issuer_may_be_named(url: str) -> None:
    """Or none."""
    assert Settings.from_env({**DATABASE, "NOTARY_OIDC_ISSUER": url}).oidc_issuer == (url or None)


def test_an_issuer_needs_an_audience() -> None:
    """Else a token for any other service would open this one."""
    env = {"NOTARY_DATABASE_URL": "postgresql://x", "NOTARY_OIDC_ISSUER": "https://login.example"}
    with pytest.raises(SettingsRefused, match="NOTARY_OIDC_AUDIENCE"):
        Settings.from_env(env)


def test_without_the_package_it_is_said_what_to_install(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, and by name."""
    for name in ("notary.usecases.issuer", "notary.usecases.tokens"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(SettingsRefused, match=r"city-notary\[oidc\]"):
        city_of(world, "https://login.example")


def test_claims_are_named_by_the_settings(world: World, issuer: Issuer) -> None:
    """An issuer that already has other words keeps them."""
    settings = replace(
        world.parts.settings, oidc_department_claim="org", oidc_scope_claim="notary_scopes"
    )
    world.parts = replace(world.parts, settings=settings)
    city = city_of(world, issuer.url)
    new_department(world.pool, "parks", world.now)
    closed = city.closed_dataset()
    said = claims(city, issuer, department="water-works", org="parks", scope="read")
    assert_refused(city, issuer.sign(said))
    token = issuer.sign({**said, "notary_scopes": ["read"]})
    problem_of(city.ask(f"/v1/datasets/{closed}", key=token), 404, "not-found")
    assert city.ask("/v1/datasets", key=token).status_code == 200
