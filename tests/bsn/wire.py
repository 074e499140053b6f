# SPDX-License-Identifier: Apache-2.0
"""
The gateway's side of the messages, written apart from notary.ledgers.bsn: each text that is signed
is spelt out by hand, so that a wrong order on one side is found by the other.
"""

import base64
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

N = 115792089210356248762697446949407573529996955224135760342422259061068512044369
"""Order of P-256."""

Json = dict[str, Any]


def question_words(name: str, header: Json, body: Json) -> str:
    """What a client signs."""
    words = header["userCode"] + header["appCode"]
    match name:
        case "reqChainCode":
            words += body["userName"] + body["nonce"] + body["chainCode"] + body["funcName"]
            words += "".join(body["args"] or [])
            words += "".join(key + value for key, value in (body["transientData"] or {}).items())
        case "getTransaction":
            words += body["txId"]
        case "getTransdata":
            words += body["txId"] + body.get("dataType", "")
        case "getBlockInfo":
            words += str(body["blockNumber"]) + body["blockHash"] + body["txId"]
        case "getBlockData":
            words += str(body["blockNumber"]) + body["blockHash"] + body["txId"]
            words += body.get("dataType", "")
        case "getLedgerInfo":
            pass
        case _:
            raise ValueError(name)
    return words


def answer_words(name: str, code: int, message: str | None, body: Json | None) -> str:
    """What the gateway signs."""
    words = f"{code}{message or ''}"
    if body is None:
        return words
    match name:
        case "reqChainCode":
            block, result = body["blockInfo"], body["ccRes"]
            words += f"{block['txId']}{block['blockHash']}{block['status']}"
            words += f"{result['ccCode']}{result['ccData']}"
        case "getTransaction":
            words += f"{body['blockHash']}{body['blockNumber']}{body['status']}"
            words += f"{body['createName']}{body['timeSpanSec']}{body['timeSpanNsec']}"
        case "getTransdata":
            words += body["txId"] + body["transData"]
        case "getBlockInfo":
            words += f"{body['blockHash']}{body['blockNumber']}{body['preBlockHash']}"
            words += f"{body['blockSize']}{body['blockTxCount']}"
            for one in body["transactions"]:
                words += f"{one['txId']}{one['status']}{one['createName']}"
                words += f"{one['timeSpanSec']}{one['timeSpanNsec']}"
        case "getBlockData":
            words += f"{body['blockHash']}{body['blockNumber']}{body['preBlockHash']}"
            words += body["blockData"]
        case "getLedgerInfo":
            words += f"{body['blockHash']}{body['height']}{body['preBlockHash']}"
        case _:
            raise ValueError(name)
    return words


class Key:
    """A key on P-256 that signs with the lower s, unless the upper one is asked for."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self.private = private

    @classmethod
    def make(cls) -> "Key":
        """A new one."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def kept(cls, path: Path) -> "Key":
        """The one in a file, which is made where there is none."""
        if path.exists():
            private = load_pem_private_key(path.read_bytes(), None)
            assert isinstance(private, ec.EllipticCurvePrivateKey)
            return cls(private)
        key = cls.make()
        path.touch(0o600)
        path.write_bytes(key.private_pem)
        return key

    @property
    def private_pem(self) -> bytes:
        """PKCS#8 in PEM."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_pem(self) -> bytes:
        """SPKI in PEM."""
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def mac(self, words: str, *, upper: bool = False) -> str:
        """A signature as messages carry it."""
        der = self.private.sign(words.encode(), ec.ECDSA(SHA256()))
        r, s = utils.decode_dss_signature(der)
        low = s if s * 2 < N else N - s
        return base64.b64encode(utils.encode_dss_signature(r, N - low if upper else low)).decode()

    def holds(self, words: str, mac: str) -> bool:
        """Whether this key made a mac, with the lower s."""
        try:
            der = base64.b64decode(mac, validate=True)
            _, s = utils.decode_dss_signature(der)
            self.private.public_key().verify(der, words.encode(), ec.ECDSA(SHA256()))
        except (ValueError, InvalidSignature):
            return False
        return s * 2 < N
