# SPDX-License-Identifier: Apache-2.0
"""
A real time-stamping authority: `openssl ts -reply` behind a small HTTP server.

It stamps for whoever asks, at this machine's time, and keeps a journal of what it stamped.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from notary.evidence.rfc3161_token import parse_token
from notary.ledgers.rfc3161.exchange import token_in
from tests.tsa.certificates import Holder, Key, Wanted, between, certify, root
from tests.tsa.forger import POLICY

CONFIG = """\
[ tsa ]
default_tsa = here
[ here ]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
certs = {folder}/issuing.pem
signer_digest = sha256
ess_cert_id_alg = sha256
default_policy = {policy}
other_policies = {policy}.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ordering = no
tsa_name = yes
ess_cert_id_chain = {whole_chain}
"""


@dataclass
class Authority:
    """An authority with its files in a folder; its certificate is two steps below its root."""

    folder: Path
    root: Holder
    issuing: Holder
    signer: Holder
    stamped: list[bytes] = field(default_factory=list)
    _one: Lock = field(default_factory=Lock)

    @classmethod
    def make(
        cls, folder: Path, name: str = "City TSA", *, key: Key | None = None, chain: bool = True
    ) -> "Authority":
        """A new authority, its key on P-256 unless one is given; `chain`: ids of the whole way."""
        folder.mkdir(parents=True, exist_ok=True)
        top = root(f"{name} Root")
        issuing = between(top, f"{name} Issuing CA")
        wanted = Wanted(name) if key is None else Wanted(name, key=key)
        made = cls(folder, top, issuing, certify(issuing, wanted))
        (folder / "root.pem").write_bytes(top.pem)
        (folder / "issuing.pem").write_bytes(issuing.pem)
        (folder / "signer.pem").write_bytes(made.signer.pem)
        (folder / "signer.key").write_bytes(made.signer.key_pem)
        (folder / "serial").write_text("01\n")
        whole_chain = "yes" if chain else "no"
        config = CONFIG.format(folder=folder, policy=POLICY, whole_chain=whole_chain)
        (folder / "tsa.cnf").write_text(config)
        return made

    @property
    def root_file(self) -> Path:
        """Its root, as an operator gets it."""
        return self.folder / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """The octets of its answer; what was stamped goes into the journal."""
        with self._one:
            (self.folder / "query").write_bytes(query)
            command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query"]
            done = subprocess.run(
                [*command, "-out", "answer"], cwd=self.folder, capture_output=True, check=False
            )
            if done.returncode:
                raise RuntimeError(done.stderr.decode())
            answer = (self.folder / "answer").read_bytes()
            if answer[:9].find(b"\x02\x01\x00") > 0:
                self.stamped.append(parse_token(token_in(answer, "openssl")).stated.imprint)
        return answer

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Its address, while it is asked over HTTP."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                is_query = self.headers["Content-Type"] == "application/timestamp-query"
                answer = authority.reply(query) if is_query else b""
                self.send_response(200 if is_query else 415)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsa"
        finally:
            server.shutdown()
            server.server_close()


def openssl_says(token: bytes, message: bytes, top: Holder, folder: Path, at: int) -> bool:
    """Whether `openssl ts -verify` finds that the token holds for the message at that time."""
    (folder / "token.der").write_bytes(token)
    (folder / "message").write_bytes(message)
    (folder / "top.pem").write_bytes(top.pem)
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "token.der", "-data", "message"]
    done = subprocess.run(
        [*command, "-CAfile", "top.pem", "-attime", str(at)],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0
