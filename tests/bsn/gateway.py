# SPDX-License-Identifier: Apache-2.0
"""
A mock of a PCN gateway in key trust mode, over HTTP: `python -m tests.bsn.gateway FOLDER`.

It speaks the protocol as BSN's kits and manual have it; blocks, transactions and signatures are
real ones of keys of its own. It proves nothing about a live network of BSN: none was asked.
"""

import base64
import json
import signal
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.bsn.chain import Chain, Placed, Refused
from tests.bsn.files import (
    APP_CODE,
    CHAINCODE,
    CHANNEL,
    USER_CODE,
    make_network,
    make_table,
    write_files,
)
from tests.bsn.wire import Json, Key, answer_words, question_words

KEPT = 1000
Twist = Callable[[Json, Json], Any]
"""Takes a question's body and the honest answer; gives what goes out: JSON, bytes, or None."""


class Declined(Exception):
    """A no, which is signed too."""


class MockGateway:
    """
    One app on one channel. `twists` by a question's name spoil its answers; `asked` has each
    question that came, `sent` each honest answer. Of `timed_out` it says that no block came in
    time; while it `is_down` it hears nothing; `status` is that of HTTP.
    """

    def __init__(
        self,
        chain: Chain,
        *,
        access: Key | None = None,
        key: Key | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.access, self.key = access or Key.make(), key or Key.make()
        self.begin(chain)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def begin(self, chain: Chain) -> None:
        """Stand before a chain, honest, and remember nothing."""
        self.chain = chain
        self.twists: dict[str, Twist] = {}
        self.asked: deque[tuple[str, Json]] = deque(maxlen=KEPT)
        self.sent: deque[tuple[str, Json]] = deque(maxlen=KEPT)
        self.timed_out: set[str] = set()
        self.is_down = False
        self.status = 200

    def close(self) -> None:
        """Answer nobody any more."""
        self.chain.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def signed(self, name: str, code: int, message: str | None, body: Json | None) -> Json:
        """An answer with the mac of the gateway's key."""
        mac = self.key.mac(answer_words(name, code, message, body))
        return {"header": {"code": code, "msg": message}, "mac": mac, "body": body}

    def count(self, name: str, function: str | None = None) -> int:
        """How often a question came (for that function of the chaincode)."""
        return sum(
            one == name and function in (None, body.get("funcName")) for one, body in self.asked
        )

    def answer(self, path: str, question: Json) -> Any:
        """What goes out for a question."""
        name, body = path.rpartition("/")[2], question["body"]
        self.asked.append((name, body))
        if name == "getAppInfo":
            answer = {"header": {"code": 0, "msg": "success"}, "mac": "", "body": self._app_info()}
        else:
            try:
                self._admit(name, question)
                answer = self.signed(name, 0, "success", getattr(self, f"_{name}")(body))
            except Declined as error:
                answer = self.signed(name, -1, str(error), None)
            self.sent.append((name, answer))
        twist = self.twists.get(name)
        return answer if twist is None else twist(body, answer)

    def _admit(self, name: str, question: Json) -> None:
        header = question["header"]
        if (header["userCode"], header["appCode"]) != (USER_CODE, APP_CODE):
            raise Declined("用户或应用不存在")
        words = question_words(name, header, question["body"])
        if not self.access.holds(words, question["mac"]):
            raise Declined("签名校验失败")

    def _app_info(self) -> Json:
        return {
            "appName": "notary",
            "appType": "fabric",
            "caType": 1,
            "algorithmType": 2,
            "mspId": "OrgaNodeMSP",
            "channelId": CHANNEL,
            "version": "1.4.3",
        }

    def _reqChainCode(self, body: Json) -> Json:  # noqa: N802
        if len(base64.b64decode(body["nonce"])) != 24 or body["chainCode"] != CHAINCODE:
            raise Declined("chaincode or nonce")
        try:
            tx, data = self.chain.call(body["funcName"], body["args"])
            code = 200
        except Refused as error:
            tx, data, code = "", str(error), 500
        return {
            "blockInfo": {"txId": tx, "blockHash": "", "status": 0},
            "ccRes": {"ccCode": code, "ccData": data},
        }

    def _getTransaction(self, body: Json) -> Json:  # noqa: N802
        if body["txId"] in self.timed_out:
            return _transaction("", 0, -1)
        placed = self._placed(body["txId"])
        block = self.chain.blocks[placed.block]
        return _transaction(block.hash.hex(), block.number, placed.code)

    def _getTransdata(self, body: Json) -> Json:  # noqa: N802
        self._placed(body["txId"])
        data = self.chain.processed(body["txId"])
        return {"txId": body["txId"], "transData": base64.b64encode(data).decode()}

    def _getBlockData(self, body: Json) -> Json:  # noqa: N802
        found = self._block(body)
        data = base64.b64encode(self.chain.blocks[found["blockNumber"]].octets).decode()
        return {**found, "blockData": data}

    def _getBlockInfo(self, body: Json) -> Json:  # noqa: N802
        found = self._block(body)
        inside = [p for p in self.chain.placed.values() if p.block == found["blockNumber"]]
        transactions = [
            {"txId": one.transaction.tx_id, **_transaction("", 0, one.code)} for one in inside
        ]
        for one in transactions:
            del one["blockHash"], one["blockNumber"]
        size = len(self.chain.blocks[found["blockNumber"]].octets)
        return {
            **found,
            "blockSize": size,
            "blockTxCount": len(inside),
            "transactions": transactions,
        }

    def _getLedgerInfo(self, body: Json) -> Json:  # noqa: N802
        last = self._named(self.chain.blocks[-1].number)
        return {
            "blockHash": last["blockHash"],
            "preBlockHash": last["preBlockHash"],
            "height": len(self.chain.blocks),
        }

    def _placed(self, tx: str) -> Placed:
        placed = self.chain.placed.get(tx)
        if placed is None:
            raise Declined(f"Entry not found in index [{tx}]")
        return placed

    def _block(self, body: Json) -> Json:
        """By transaction, by hash, else by number, of which 0 is one."""
        if body["txId"]:
            return self._named(self._placed(body["txId"]).block)
        for block in self.chain.blocks:
            wanted = body["blockHash"]
            if block.hash.hex() == wanted or (not wanted and block.number == body["blockNumber"]):
                return self._named(block.number)
        raise Declined("no such block")

    def _named(self, number: int) -> Json:
        blocks = self.chain.blocks
        return {
            "blockHash": blocks[number].hash.hex(),
            "blockNumber": number,
            "preBlockHash": blocks[number - 1].hash.hex() if number else "",
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = None if gateway.is_down else gateway.answer(self.path, json.loads(body))
                if answer is None:
                    self.close_connection = True
                    return
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(gateway.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler


def _transaction(block_hash: str, number: int, status: int) -> Json:
    return {
        "blockHash": block_hash,
        "blockNumber": number,
        "status": status,
        "createName": f"notary@{APP_CODE}",
        "timeSpanSec": 1_795_770_000,
        "timeSpanNsec": 249_139_700,
    }


def main(arguments: list[str]) -> int:
    """
    Serve until SIGTERM. Keys, blocks and certificates lie in a folder and are taken up again;
    `ledger.json` in it, the table of notary.toml, is there once it serves.
    """
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    chain = Chain(make_network(), delay_seconds=0.5, file=folder / "chain.ndjson")
    access, key = Key.kept(folder / "access.pem"), Key.kept(folder / "gateway.key")
    gateway = MockGateway(chain, access=access, key=key)
    write_files(folder, chain.network, access, key)
    table = make_table(chain.network, gateway.url, folder.resolve())
    draft = folder / "ledger.json.new"
    draft.write_text(json.dumps({**table, "required": True}), encoding="utf-8")
    draft.rename(folder / "ledger.json")
    print(f"A mock of a PCN gateway, at {gateway.url}: no live network of BSN.", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    gateway.close()
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    sys.exit(main(sys.argv[1:]))
