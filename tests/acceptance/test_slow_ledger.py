# SPDX-License-Identifier: Apache-2.0
"""A ledger of others that answers nobody, and a sealer of its own that doesn't care."""

import signal
from pathlib import Path

from tests.acceptance.sealers import SealerProcess, now, settled, wait_for
from tests.iot_ingest.certificates import Authority
from tests.ledgers.faulty_proxy import FaultyProxy
from tests.usecases.servers import world
from tests.usecases.world import World

__all__ = ["world"]


def test_a_ledger_that_hangs_holds_up_nothing_else(world: World, tmp_path: Path) -> None:
    """Sealing, signing and the other ledger go on; one anchor is under way, after a kill too."""
    world.dataset("weather")
    with FaultyProxy("http://127.0.0.1:9") as proxy:
        proxy.fail("hang")
        (tmp_path / "notary.toml").write_text(
            f'[[ledgers]]\nname = "slow"\nkind = "rfc3161"\nurl = "{proxy.url}"\n'
            f'root_file = "{Authority("slow").file}"\ntimeout_seconds = 50\n'
        )
        env = {**world.env, "NOTARY_CONFIG": str(tmp_path / "notary.toml")}
        for life in range(2):
            with SealerProcess(env, tmp_path / f"{life}.log") as sealer:
                for turn in range(3):
                    size, world.now = world.size(), now()
                    world.add("weather", 5, seed=10 * life + turn)
                    wait_for("a batch", lambda size=size: world.size() > size)  # type: ignore[misc]
                    wait_for("its anchor on the file ledger", lambda: settled(world))
                wait_for("the slow ledger to be asked", lambda: proxy.exchanges > 0)
                sealer.send(signal.SIGKILL)
        slow = world.rows("SELECT size, state FROM anchors WHERE ledger = 'slow'")
        assert len(slow) == 1
        assert slow[0][1] == "built"
        assert len(world.rows("SELECT size FROM anchors WHERE ledger = 'file'")) > 3
