# SPDX-License-Identifier: Apache-2.0
"""
Looking again at what was seen: whether it is still handed out, and as it was.

Each time one batch by chance, and all on which an alarm stands. Whoever withholds or rewrites an
old batch is found out the sooner the more monitors look.
"""

from random import Random

from notary.core.tiles import TILE_WIDTH
from notary.monitor.alarms import standing_matters
from notary.monitor.batches import Rewritten, Sight, is_lost, look_at_batch, read_entry, sound
from notary.outside.errors import BadAnswer


def look_again(sight: Sight, dice: Random) -> None:
    """Look at some batches that were looked at before. Inside `with state:`. Raises Unreachable."""
    looked = sight.state.number("looked")
    if not looked:
        return
    chosen = {dice.randrange(looked)}
    for kind in ("withheld", "rewritten"):
        for matter in standing_matters(sight.state, kind):
            what, _, number = matter.partition(" ")
            if what == "batch" and int(number) < looked:
                chosen.add(int(number))
    for index in sorted(chosen):
        try:
            _look(sight, index)
        except (BadAnswer, Rewritten) as error:
            sound(sight.alarms, index, error)
        else:
            sight.alarms.whole("withheld", f"batch {index}")
            sight.alarms.whole("rewritten", f"batch {index}")


def _look(sight: Sight, index: int) -> None:
    entry = sight.state.entry(index)
    bundle, place = divmod(index, TILE_WIDTH)
    width = min(TILE_WIDTH, sight.state.number("size") - bundle * TILE_WIDTH)
    if sight.notary.bundle(bundle, width)[place] != entry:
        raise Rewritten("entry")
    _, descriptor = read_entry(entry)
    if descriptor is None:
        return
    try:
        look_at_batch(sight.notary, sight.alarms, index, descriptor, None)
    except BadAnswer as error:
        if not is_lost(sight, index, error):
            raise
