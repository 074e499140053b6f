# SPDX-License-Identifier: Apache-2.0
"""A policy says whose cosignatures a checkpoint needs, and reads in one way only."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import combinations

import pytest

from notary.core.errors import MalformedPolicy
from notary.core.note import KIND_COSIGNATURE, Verifier
from notary.core.tlog_policy import MAX_DEFINED, MAX_POLICY_BYTES, TlogPolicy, parse_policy
from tests.core.signing import Signer

NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
W = {
    name: Signer(f"{name.lower()}.example", KIND_COSIGNATURE, seed=10 + i).verifier
    for i, name in enumerate(NAMES)
}
LOG = Signer("city.example/log", seed=1).verifier.vkey
OTHER_LOG = Signer("city.example/log", seed=2).verifier.vkey
STRANGER = Signer("stranger.example", KIND_COSIGNATURE, seed=99).verifier
LINES = "".join(f"witness {name} {W[name].vkey}\n" for name in NAMES)
TWO_LEVELS = f"""\
log {LOG}

{LINES}group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2 Y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def read(text: str | bytes) -> TlogPolicy:
    return parse_policy(text.encode() if isinstance(text, str) else text)


def cosigners(names: Iterable[str]) -> list[Verifier]:
    return [W[name] for name in names]


def subsets() -> list[tuple[str, ...]]:
    return [names for count in range(len(NAMES) + 1) for names in combinations(NAMES, count)]


# -- what it says


@pytest.mark.parametrize("names", subsets(), ids=",".join)
def test_groups_in_groups(names: tuple[str, ...]) -> None:
    """Two of three here and any of three there, for each of the 64 sets of cosigners."""
    here, there = set(names) & {"X1", "X2", "X3"}, set(names) & {"Y1", "Y2", "Y3"}
    assert read(TWO_LEVELS).is_met(cosigners(names)) == (len(here) >= 2 and len(there) >= 1)


@pytest.mark.parametrize(
    ("rule", "least"),
    [
        ("quorum none\n", 0),
        ("quorum X1\n", 1),
        ("group g any X1 X2 X3\nquorum g\n", 1),
        ("group g 1 X1 X2 X3\nquorum g\n", 1),
        ("group g 2 X1 X2 X3\nquorum g\n", 2),
        ("group g 3 X1 X2 X3\nquorum g\n", 3),
        ("group g all X1 X2 X3\nquorum g\n", 3),
        ("group g all X1\nquorum g\n", 1),
    ],
)
def test_the_threshold_is_the_least_number(rule: str, least: int) -> None:
    """One fewer doesn't do, in whatever order, and the same one twice counts once."""
    policy = read(LINES + rule)
    wanted = ["X1", "X2", "X3"]
    for count in range(4):
        signed = cosigners(wanted[:count])
        assert policy.is_met(signed) == policy.is_met([*signed, *signed]) == (count >= least)


def test_strangers_and_other_members_dont_count() -> None:
    """Keys that the policy doesn't know, and known ones outside of the quorum."""
    policy = read(LINES + "group g 2 X1 X2\nquorum g\n")
    assert not policy.is_met([W["X1"], STRANGER, W["Y1"], W["Y2"]])


def test_a_key_under_another_name_doesnt_count() -> None:
    """The same public key with another name is another cosigner (its key id differs)."""
    renamed = Signer("x1.example.evil", KIND_COSIGNATURE, seed=10).verifier
    assert renamed.public_key == W["X1"].public_key
    assert not read(LINES + "quorum X1\n").is_met([renamed])


def test_what_stands_in_it() -> None:
    """Logs, witnesses and groups in the order of their lines, with their addresses."""
    policy = read(
        f"log {LOG} https://log.example/\nlog {OTHER_LOG}\n"
        f"witness a {W['X1'].vkey} https://a.example/w\nwitness b {W['X2'].vkey}\nquorum a\n"
    )
    assert [(log.verifier.vkey, log.url) for log in policy.logs] == [
        (LOG, "https://log.example/"),
        (OTHER_LOG, None),
    ]
    assert [(one.name, one.url) for one in policy.witnesses] == [
        ("a", "https://a.example/w"),
        ("b", None),
    ]
    assert policy.groups == ()
    assert policy.quorum == "a"


def test_blanks_comments_and_order_are_free() -> None:
    """Tabs and blanks anywhere, comments, empty lines; what follows the quorum counts too."""
    text = (
        f"# about\n\t # more\n \t\n  witness\tX1  {W['X1'].vkey}\t\n"
        f"quorum X1  \n\tlog {LOG}\nwitness X2 {W['X2'].vkey}\ngroup g any X1 X2\n"
    )
    policy = read(text)
    assert (policy.quorum, len(policy.logs), len(policy.witnesses)) == ("X1", 1, 2)


def test_the_fingerprint_is_that_of_the_file() -> None:
    """Any other byte is another policy."""
    assert read(TWO_LEVELS).fingerprint == sha256(TWO_LEVELS.encode()).digest()


def test_names_are_octets() -> None:
    """K and the Kelvin sign are two; what isn't UTF-8 is a name as good as any."""
    vkeys = [W[name].vkey.encode() for name in NAMES[:3]]
    text = b"witness K %s\nwitness \xe2\x84\xaa %s\nwitness \xff\xfe %s\nquorum \xff\xfe\n"
    policy = read(text % tuple(vkeys))
    assert policy.is_met(cosigners(["X3"]))
    assert not policy.is_met(cosigners(["X1", "X2"]))


def test_words_of_the_format_may_be_names() -> None:
    """All but `none`."""
    text = f"witness all {W['X1'].vkey}\nwitness 2 {W['X2'].vkey}\ngroup any 2 all 2\nquorum any\n"
    assert read(text).is_met(cosigners(["X1", "X2"]))


@pytest.mark.parametrize("kind", ["log", "witness", "group"])
def test_as_many_as_a_note_has_room_for(kind: str) -> None:
    """64 of each, twice as many as the specification asks for; one more is refused."""
    many = [Signer("w", KIND_COSIGNATURE, seed=i).verifier.vkey for i in range(MAX_DEFINED + 1)]
    logs = [Signer("l", seed=i).verifier.vkey for i in range(MAX_DEFINED + 1)]
    witnesses = [f"witness w{i} {vkey}\n" for i, vkey in enumerate(many)]
    lines = {
        "log": [f"log {vkey}\n" for vkey in logs],
        "witness": witnesses,
        "group": [f"group g{i} any {'w0' if i == 0 else f'g{i - 1}'}\n" for i in range(65)],
    }[kind]
    first = witnesses[0] if kind == "group" else ""
    read(first + "".join(lines[:MAX_DEFINED]) + "quorum none\n")
    with pytest.raises(MalformedPolicy, match="more than 64"):
        read(first + "".join(lines) + "quorum none\n")


# -- as a trust file says it


@pytest.mark.parametrize(
    ("rule", "names", "quorum"),
    [
        ("quorum none\n", NAMES, 0),
        ("quorum Y2\n", ("Y2",), 1),
        ("group g 2 X1 X2 Y3\nquorum g\n", ("X1", "X2", "Y3"), 2),
        ("group g all X1 X2\nquorum g\n", ("X1", "X2"), 2),
        ("group h any Y1\ngroup g any X1 X2\nquorum g\n", ("X1", "X2"), 1),
    ],
)
def test_a_flat_policy_is_witnesses_and_a_quorum(
    rule: str, names: tuple[str, ...], quorum: int
) -> None:
    """Only those that count for it."""
    assert read(LINES + rule).as_quorum() == (tuple(cosigners(names)), quorum)


def test_groups_in_groups_cant_be_said_in_a_trust_file() -> None:
    """None, rather than something that means less."""
    assert read(TWO_LEVELS).as_quorum() is None


def test_two_keys_of_one_name_cant_be_said_in_a_trust_file() -> None:
    """It counts witnesses by the names of their keys: two of one would be one."""
    twin = Signer("x1.example", KIND_COSIGNATURE, seed=50).verifier.vkey
    assert read(f"{LINES}witness twin {twin}\ngroup g 2 X1 twin\nquorum g\n").as_quorum() is None


# -- attacks

X1, X2 = W["X1"].vkey, W["X2"].vkey
BROKEN_ID = X1.replace(f"+{W['X1'].key_id.hex()}+", "+00000000+")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no quorum"),
        ("\n", "no quorum"),
        ("# quorum none\n", "no quorum"),
        (LINES, "no quorum"),
        ("quorum none", "newline"),
        (f"{LINES}quorum X1\nquorum X1\n", "Line 8 .* second quorum"),
        ("quorum none\nquorum none\n", "second quorum"),
        (f"quorum X1\n{LINES}", "Line 1 .* no line before"),
        (f"{LINES}quorum X4\n", "no line before"),
        (f"{LINES}quorum x1\n", "no line before"),
        (f"{LINES}quorum X1 X2\n", "none of"),
        (f"{LINES}quorum\n", "none of"),
        (f"{LINES}Quorum X1\n", "none of"),
        ("quorum none\nwitness\n", "none of"),
        (f"witness {X1}\nquorum none\n", "none of"),
        (f"witness X1 {X1} https://a b\nquorum none\n", "none of"),
        (f"log {LOG} https://a b\nquorum none\n", "none of"),
        ("log\nquorum none\n", "none of"),
        ("mirror X1\nquorum none\n", "none of"),
        ("<html>\nquorum none\n", "none of"),
        # names
        (f"witness none {X1}\nquorum none\n", "taken"),
        (f"witness X1 {X1}\nwitness X1 {X2}\nquorum X1\n", "taken"),
        (f"{LINES}group X1 any X2\nquorum X1\n", "taken"),
        (f"{LINES}group none any X2\nquorum none\n", "taken"),
        (f"{LINES}group g any X1\ngroup g any X2\nquorum g\n", "taken"),
        # keys
        (f"witness X1 {X1}\nwitness X2 {X1}\nquorum X1\n", "same public key"),
        (f"log {LOG}\nlog {LOG}\nquorum none\n", "same public key"),
        (f"witness X1 {LOG}\nquorum X1\n", "wrong kind"),
        (f"log {X1}\nquorum none\n", "wrong kind"),
        (f"witness X1 {BROKEN_ID}\nquorum X1\n", "key id"),
        (f"witness X1 {X1[:-4]}\nquorum X1\n", "Line 1"),
        (f"witness X1 {X1}=\nquorum X1\n", "base64"),
        ("witness X1 PRIVATE+KEY\nquorum X1\n", "Line 1"),
        # groups
        (f"{LINES}group g any\nquorum g\n", "none of"),
        (f"{LINES}group g\nquorum g\n", "none of"),
        (f"{LINES}group g any g\nquorum g\n", "no line before"),
        (f"{LINES}group g any h\ngroup h any g\nquorum g\n", "no line before"),
        (f"{LINES}group g any none\nquorum g\n", "no line before"),
        (f"{LINES}group g any X1 none\nquorum g\n", "no line before"),
        (f"group g any X1\n{LINES}quorum g\n", "no line before"),
        (f"{LINES}group g any X1 X1\nquorum g\n", "member of a group already"),
        (f"{LINES}group g any X1\ngroup h any X1 X2\nquorum h\n", "member of a group already"),
        (
            f"{LINES}group g any X1\ngroup h any g\ngroup i any g\nquorum i\n",
            "member of a group already",
        ),
        # thresholds
        (f"{LINES}group g 0 X1\nquorum g\n", "threshold"),
        (f"{LINES}group g 2 X1\nquorum g\n", "threshold"),
        (f"{LINES}group g -1 X1\nquorum g\n", "threshold"),
        (f"{LINES}group g +1 X1\nquorum g\n", "threshold"),
        (f"{LINES}group g 01 X1\nquorum g\n", "threshold"),
        (f"{LINES}group g 1.0 X1\nquorum g\n", "threshold"),
        (f"{LINES}group g ALL X1\nquorum g\n", "threshold"),
        (f"{LINES}group g \u0661 X1\nquorum g\n", "threshold"),
        (f"{LINES}group g {'9' * 5000} X1\nquorum g\n", "threshold"),
        (f"{LINES}group g X1 X2\nquorum g\n", "threshold"),
        # octets
        ("quorum none\r\n", "control character"),
        ("quorum\x0bnone\n", "control character"),
        ("quorum none\x00\n", "control character"),
        ("quorum none\x7f\n", "control character"),
        ("# \x1b[2J\nquorum none\n", "control character"),
        ("quorum\u00a0none\n", "none of"),
        ("\ufeffquorum none\n", "none of"),
    ],
)
def test_what_is_no_policy_is_refused(text: str, says: str) -> None:
    """With a sentence that names the line."""
    with pytest.raises(MalformedPolicy, match=says):
        read(text)


def test_a_huge_policy_is_refused_unread() -> None:
    """By its size."""
    with pytest.raises(MalformedPolicy, match="at most"):
        parse_policy(b"#" * MAX_POLICY_BYTES + b"\n")


def test_what_isnt_bytes_is_refused() -> None:
    """Text has been decoded by somebody already, who knows how."""
    with pytest.raises(MalformedPolicy):
        parse_policy("quorum none\n")  # type: ignore[arg-type]


def test_a_vkey_that_isnt_utf_8_is_refused() -> None:
    """Octets are opaque in names, but a key has a name of the signed note's kind."""
    with pytest.raises(MalformedPolicy, match="Line 1"):
        read(b"witness X1 \xff" + X1.encode() + b"\nquorum X1\n")
