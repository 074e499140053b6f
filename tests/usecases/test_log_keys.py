# SPDX-License-Identifier: Apache-2.0
"""Keys of the log: a new one beside the old, the end of the old, its end after a theft."""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from notary.core.checkpoint import Checkpoint, format_checkpoint
from notary.core.errors import NotaryError, ReceiptRefused, UnknownSigner
from notary.core.hashing import RootHash
from notary.core.note import parse_note
from notary.core.receipt import verify_receipt
from notary.core.trust import parse_trust
from notary.keys import KeyRefused, KeyRing, load_key, make_key
from notary.usecases import log_keys
from notary.usecases.log_keys import KeyChangeRefused
from notary.usecases.marks import MarkFile, StateRefused
from notary.usecases.other_keys import read_list, rotate_key
from tests.usecases.world import ORIGIN, World


def ring(world: World) -> KeyRing:
    """The private keys of the notary."""
    return KeyRing(world.parts.settings.state)


def rotate(world: World) -> str:
    """Bring a new key in and return its verifier key."""
    key, _ = log_keys.rotate(world.pool, world.gate, world.marks, ring(world))
    return key.verifier.vkey


def give_up(world: World, good_size: int, key: str | None = None) -> None:
    """Close a key at its last good size."""
    log_keys.give_up(world.pool, world.gate, world.marks, ring(world), key, good_size)


def grow(world: World, *seeds: int) -> None:
    """A batch with a checkpoint and an anchor for each seed."""
    for seed in seeds:
        world.add("weather", 6, seed=seed)
        world.settle()


def lines(world: World) -> dict[int, set[str]]:
    """By size, the ids of the keys that signed its note."""
    return {
        int(str(size)): {line.key_id.hex() for line in parse_note(str(note)).unverified}
        for size, _, note in world.checkpoints()
    }


def id_of(vkey: str) -> str:
    """The id in a verifier key."""
    return vkey.split("+")[1]


def receipts(world: World, batches: int) -> list[str]:
    """One receipt of each batch."""
    found = world.rows(
        "SELECT DISTINCT ON (r.batch) s.name, r.first FROM runs r JOIN sources s ON s.id = r.source"
        " ORDER BY r.batch, r.position"
    )
    assert len(found) == batches
    prover = world.prover()
    return [
        prover.receipt("weather", str(source), int(str(n)), caller=None).text for source, n in found
    ]


@pytest.fixture
def grown(world: World) -> World:
    """A notary with three batches, each under a checkpoint of its own."""
    world.dataset("weather")
    grow(world, 1, 2, 3)
    return world


def test_a_new_key_is_prepared_for_its_owner_alone(grown: World) -> None:
    """A file of mode 0600, of the log's name, listed with the sizes from the newest on."""
    vkey = rotate(grown)
    path = grown.parts.settings.state / "log-2.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (load_key(path).name, load_key(path).vkey) == (ORIGIN, vkey)
    listed = parse_trust(grown.parts.trust()).logs
    assert [(key.first_size, key.last_size) for key in listed] == [(0, None), (3, None)]
    assert [key.verifier.vkey for key in listed] == [grown.signer.vkey, vkey]


def test_both_keys_sign_until_the_old_one_ends(grown: World) -> None:
    """The newest note gets the new line at once, though the log does not grow."""
    old, new = id_of(grown.signer.vkey), id_of(rotate(grown))
    text = parse_note(str(grown.checkpoints()[-1][2])).text
    assert grown.sign() is None
    assert parse_note(str(grown.checkpoints()[-1][2])).text == text
    grow(grown, 4)
    log_keys.end(grown.pool, grown.gate, grown.marks)
    grow(grown, 5)
    assert lines(grown) == {1: {old}, 2: {old}, 3: {old, new}, 4: {old, new}, 5: {new}}
    assert grown.audit().findings == ()


def test_receipts_hold_under_old_and_new_trust_files_as_they_should(grown: World) -> None:
    """An old trust file accepts what the old key signed, the overlap too, and no more."""
    before = grown.parts.trust()
    rotate(grown)
    grow(grown, 4)
    during = grown.parts.trust()
    log_keys.end(grown.pool, grown.gate, grown.marks)
    grow(grown, 5)
    after = grown.parts.trust()
    *old_ones, newest = receipts(grown, 5)
    for trust in (during, after):
        for receipt in (*old_ones, newest):
            verify_receipt(receipt, trust)
    for receipt in old_ones:
        verify_receipt(receipt, before)
    with pytest.raises(UnknownSigner):
        verify_receipt(newest, before)


def test_the_old_key_signs_nothing_beyond_its_end(grown: World) -> None:
    """What it signs there is refused under the trust file."""
    rotate(grown)
    grown.sign()
    log_keys.end(grown.pool, grown.gate, grown.marks)
    grow(grown, 4)
    size, root, note = grown.checkpoints()[-1]
    text = format_checkpoint(Checkpoint(ORIGIN, int(str(size)), RootHash(root)))  # type: ignore[arg-type]
    receipt = receipts(grown, 4)[-1].replace(
        _json_of(str(note)), _json_of(load_key(grown.parts.settings.log_key).sign(text))
    )
    with pytest.raises(ReceiptRefused) as refused:
        verify_receipt(receipt, grown.parts.trust())
    assert refused.value.facts["reason"] == "size-not-served"


def _json_of(note: str) -> str:
    return note.replace("\n", "\\n")


def test_a_rotation_that_is_under_way_is_not_begun_again(grown: World) -> None:
    """The same command says what is, and makes no third key."""
    first = rotate(grown)
    before = grown.marks.read()
    assert rotate(grown) == first
    assert grown.marks.read() == before
    assert not (grown.parts.settings.state / "log-3.key").exists()


def test_the_old_key_does_not_end_before_the_new_one_signed(grown: World) -> None:
    """Else a checkpoint might have no key at all."""
    rotate(grown)
    before = grown.marks.read()
    with pytest.raises(KeyChangeRefused) as refused:
        log_keys.end(grown.pool, grown.gate, grown.marks)
    assert refused.value.facts["reason"] == "not-signed"
    assert grown.marks.read() == before


def test_a_single_key_does_not_end(grown: World) -> None:
    """Nothing could be signed any more."""
    with pytest.raises(KeyChangeRefused) as refused:
        log_keys.end(grown.pool, grown.gate, grown.marks)
    assert refused.value.facts["reason"] == "one-key"


def test_an_end_again_ends_nothing_else(grown: World) -> None:
    """Run twice, it tells of the end that was."""
    rotate(grown)
    grown.sign()
    ended, is_new = log_keys.end(grown.pool, grown.gate, grown.marks)
    assert is_new
    assert log_keys.end(grown.pool, grown.gate, grown.marks) == (ended, False)


def test_keys_change_again_and_again(grown: World) -> None:
    """Three keys, one after the other; each receipt holds."""
    for turn in range(2):
        rotate(grown)
        grown.sign()
        log_keys.end(grown.pool, grown.gate, grown.marks)
        grow(grown, 10 + turn)
    listed = parse_trust(grown.parts.trust()).logs
    assert [(key.first_size, key.last_size) for key in listed] == [(0, 3), (3, 4), (4, None)]
    for receipt in receipts(grown, 5):
        verify_receipt(receipt, grown.parts.trust())
    assert grown.audit().findings == ()


def test_a_log_without_a_checkpoint_changes_its_key_too(world: World) -> None:
    """Both serve from 0 on."""
    world.dataset("weather")
    rotate(world)
    grow(world, 1)
    assert len(lines(world)[1]) == 2


# -- crashes


def test_a_crash_after_the_key_was_made_goes_on_with_that_key(
    grown: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that it left is taken, and nothing was signed with it."""

    def cut(marks: MarkFile, change: object) -> None:
        raise KeyboardInterrupt

    before = grown.marks.read()
    with monkeypatch.context() as patch:
        real = MarkFile.change
        calls: list[int] = []

        def second(marks: MarkFile, change: Callable[..., object]) -> object:
            calls.append(1)
            return real(marks, change) if len(calls) == 1 else cut(marks, change)  # type: ignore[arg-type]

        patch.setattr(MarkFile, "change", second)
        with pytest.raises(KeyboardInterrupt):
            rotate(grown)
    assert grown.marks.read() == before
    left = load_key(grown.parts.settings.state / "log-2.key").vkey
    assert rotate(grown) == left


@pytest.mark.parametrize("whose", ["another log's", "a used one"])
def test_a_file_that_is_no_new_key_of_the_log_is_not_taken(grown: World, whose: str) -> None:
    """Whatever lies there, no stranger's key comes into the trust file."""
    path = grown.parts.settings.state / "log-2.key"
    if whose == "a used one":
        path.write_bytes(grown.parts.settings.log_key.read_bytes())
        path.chmod(0o600)
    else:
        make_key("other.example/log", path)
    with pytest.raises(KeyChangeRefused):
        rotate(grown)
    assert len(grown.marks.log_keys()) == 1


def test_a_key_that_others_may_read_is_not_taken(grown: World) -> None:
    """Its mode says that it may be known."""
    make_key(ORIGIN, grown.parts.settings.state / "log-2.key").find("")
    (grown.parts.settings.state / "log-2.key").chmod(0o644)
    with pytest.raises(KeyRefused):
        rotate(grown)


def test_without_the_new_key_nothing_is_signed(grown: World) -> None:
    """A key that serves and is missing stops signing, with a sentence."""
    rotate(grown)
    (grown.parts.settings.state / "log-2.key").rename(grown.parts.settings.state / "away")
    grown.add("weather", 6, seed=4)
    grown.seal()
    with pytest.raises(StateRefused) as refused:
        grown.sign()
    assert refused.value.facts["reason"] == "other-key"
    assert len(grown.checkpoints()) == 3


def test_keys_are_not_changed_behind_a_closed_gate(grown: World) -> None:
    """On an older database the sizes would be wrong."""
    mark = grown.marks.read()
    assert mark is not None
    grown.marks.replace(replace(mark, size=9, root="ab" * 32))
    with pytest.raises(StateRefused):
        rotate(grown.again())


def test_a_mark_from_before_the_new_key_closes_the_gate(grown: World) -> None:
    """An old backup of the mark would sign with the old key alone, beyond its end."""
    before = grown.marks.path.read_bytes()
    rotate(grown)
    grown.sign()
    grown.marks.path.write_bytes(before)
    with pytest.raises(StateRefused) as refused:
        grown.again().gate.open()
    assert refused.value.facts["reason"] == "older-mark"


def test_adopt_forgets_no_key(grown: World) -> None:
    """After a move of the database both are listed as before."""
    from notary.usecases.registers import adopt

    rotate(grown)
    before = grown.marks.log_keys()
    adopt(grown.pool, grown.marks)
    assert grown.marks.log_keys() == before


# -- after a theft


@pytest.fixture
def stolen(grown: World) -> World:
    """The key was stolen when the log had two batches; it has three."""
    give_up(grown, 2)
    grown.sign()
    return grown


def test_every_batch_is_proved_after_a_theft(stolen: World) -> None:
    """Old ones lead to the good state; the one beyond it is under the new key's checkpoint."""
    first, second, third = receipts(stolen, 3)
    assert '"consistency":{"path":["' in first
    assert '"consistency"' not in second + third
    for receipt in (first, second, third):
        verify_receipt(receipt, stolen.parts.trust())
    assert stolen.audit().findings == ()


def test_a_receipt_from_before_the_theft_is_refused_and_made_anew(grown: World) -> None:
    """A process that had it in mind makes it anew, with the way to the good state."""
    prover = grown.prover()
    source, n = grown.rows("SELECT s.name, r.first FROM runs r JOIN sources s ON s.id = r.source")[
        0
    ]
    asked = ("weather", str(source), int(str(n)))
    old = prover.receipt(*asked, caller=None).text
    give_up(grown, 2)
    grown.sign()
    with pytest.raises(ReceiptRefused) as refused:
        verify_receipt(old, grown.parts.trust())
    assert refused.value.facts["reason"] == "no-consistency"
    verify_receipt(prover.receipt(*asked, caller=None).text, grown.parts.trust())


@pytest.mark.parametrize(
    ("size", "reason"), [(9, "size-not-served"), (3, "size-not-served"), (2, "not-good")]
)
def test_what_the_thief_signs_is_refused(stolen: World, size: int, reason: str) -> None:
    """Beyond the good size, and another state of it."""
    trust = stolen.parts.trust()
    thief = load_key(stolen.parts.settings.log_key)
    note = thief.sign(format_checkpoint(Checkpoint(ORIGIN, size, RootHash(b"x" * 32))))
    from notary.core.receipt_signers import check_checkpoint, check_good
    from notary.core.verdict import Findings

    with pytest.raises(ReceiptRefused) as refused:
        check_good(check_checkpoint(note, parse_trust(trust)), None, 0, Findings())
    assert refused.value.facts["reason"] == reason


def test_a_thiefs_smaller_state_is_refused(stolen: World) -> None:
    """It is not on the log: nothing leads from it to the good state."""
    from notary.core.receipt_parts import Consistency
    from notary.core.receipt_signers import check_checkpoint, check_good
    from notary.core.verdict import Findings

    thief = load_key(stolen.parts.settings.log_key)
    note = thief.sign(format_checkpoint(Checkpoint(ORIGIN, 1, RootHash(b"x" * 32))))
    signed = check_checkpoint(note, parse_trust(stolen.parts.trust()))
    leaf = stolen.rows("SELECT leaf FROM batches WHERE index = 1")[0][0]
    for way in (None, Consistency(2, (leaf,))):  # type: ignore[arg-type]
        with pytest.raises(NotaryError):
            check_good(signed, way, 0, Findings())


def test_the_stolen_key_signs_nothing_more_here(stolen: World) -> None:
    """Not even where its file is still there."""
    grow(stolen, 4)
    old = id_of(stolen.signer.vkey)
    assert [size for size, ids in lines(stolen).items() if old in ids] == [1, 2, 3]
    (stolen.parts.settings.log_key).unlink()
    grow(stolen, 5)
    for receipt in receipts(stolen, 5):
        verify_receipt(receipt, stolen.parts.trust())


def test_a_key_is_given_up_twice_at_one_size_alone(stolen: World) -> None:
    """Again it changes nothing; at another size it is refused."""
    before = stolen.marks.read()
    give_up(stolen, 2)
    assert stolen.marks.read() == before
    with pytest.raises(KeyChangeRefused):
        give_up(stolen, 1, id_of(stolen.signer.vkey))
    assert stolen.marks.read() == before


@pytest.mark.parametrize("size", [-1, 0, 4, 1 << 40])
def test_a_good_size_is_one_that_the_key_served(grown: World, size: int) -> None:
    """There is no root of any other."""
    before = grown.marks.read()
    with pytest.raises(KeyChangeRefused) as refused:
        give_up(grown, size)
    assert refused.value.facts["reason"] == "no-size"
    assert grown.marks.read() == before


def test_a_good_root_is_a_beginning_of_what_the_mark_knows(grown: World) -> None:
    """A database that was changed meanwhile doesn't say what is good."""
    grown.gate.open()
    grown.change("UPDATE log_hashes SET hash = %s WHERE level = 0 AND index = 0", b"x" * 32)
    with pytest.raises(NotaryError):
        give_up(grown, 2)
    assert len(grown.marks.log_keys()) == 1


def test_the_other_key_of_an_overlap_goes_on(grown: World) -> None:
    """No third one is made; which key is meant has to be said."""
    new = rotate(grown)
    grown.sign()
    with pytest.raises(KeyChangeRefused) as refused:
        give_up(grown, 2)
    assert refused.value.facts["reason"] == "several-keys"
    give_up(grown, 2, id_of(grown.signer.vkey))
    assert [key.verifier.vkey for key in grown.marks.log_keys()] == [grown.signer.vkey, new]
    for receipt in receipts(grown, 3):
        verify_receipt(receipt, grown.parts.trust())


def test_an_unknown_key_is_not_given_up(grown: World) -> None:
    """Nothing is closed by mistake."""
    with pytest.raises(KeyChangeRefused) as refused:
        give_up(grown, 2, "00000000")
    assert refused.value.facts["reason"] == "no-key"


# -- keys of other uses


def test_an_acceptance_key_stays_listed_when_it_is_changed(world: World) -> None:
    """What it signed stays good; a stolen one is worth nothing."""
    settings = world.parts.settings
    files = settings.acceptance_key, settings.acceptance_vkey
    first = load_key(settings.acceptance_key)
    second = rotate_key(*files, first.name, stolen=False)
    assert read_list(files[1]) == [second.vkey, first.vkey]
    assert stat.S_IMODE(settings.acceptance_key.stat().st_mode) == 0o600
    third = rotate_key(*files, first.name, stolen=True)
    assert read_list(files[1]) == [third.vkey, first.vkey]
    listed = [
        key.members["key"]
        for key in parse_trust(world.parts.trust()).keys
        if key.use == "acceptance"
    ]
    assert listed == [third.vkey, first.vkey]


def test_a_change_that_broke_off_goes_on_with_the_same_key(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it broke off, the key that signs is listed."""
    settings = world.parts.settings
    files = settings.acceptance_key, settings.acceptance_vkey
    first = load_key(settings.acceptance_key)
    with monkeypatch.context() as patch:
        patch.setattr("notary.usecases.other_keys._write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rotate_key(*files, first.name, stolen=False)
    assert load_key(settings.acceptance_key).vkey in read_list(files[1])
    left = load_key(Path(f"{settings.acceptance_key}.new"))
    assert rotate_key(*files, first.name, stolen=False).vkey == left.vkey
    assert load_key(settings.acceptance_key).vkey == left.vkey
