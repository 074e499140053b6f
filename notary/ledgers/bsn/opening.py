# SPDX-License-Identifier: Apache-2.0
"""
From a table of notary.toml to the ledger: keys, pins and roots are read here, nobody is asked.

    [[ledgers]]
    name = "bsn"
    kind = "bsn-fabric"
    url = "https://gateway.example:17502"
    user_code = "USER0001..."               # these four as BSN's portal gives them
    app_code = "app0001..."
    channel = "app0001..."
    chaincode = "cc_app0001..._01"
    key_file = "secrets/bsn-access.pem"     # the app's access key, PKCS#8, mode 0600
    gateway_key_file = "bsn-gateway.pem"    # the gateway's public key or certificate: a pin
    msps = ["OrgaNodeMSP=orga-ca.pem"]      # who endorses: id, certificates that issue its nodes'
    orderers = ["OrdererMSP=orderer-ca.pem"]
    endorsements = 1                        # so many organisations of msps must have endorsed
    user_name = "notary"                    # only where the app has users
    tls_ca_file = "gateway-tls.pem"         # only where the system doesn't know its authority
    algorithm = "r1"
    key_mode = 1                            # key trust
    timeout_seconds = 15.0
"""

import base64
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from notary.core.errors import MalformedTrust
from notary.evidence.fabric_trust import parse_members
from notary.ledgers.bsn.chaincode import Chaincode
from notary.ledgers.bsn.gateway import Gateway
from notary.ledgers.bsn.ledger import BsnLedger
from notary.ledgers.bsn.probe import KEY_TRUST
from notary.ledgers.bsn.signer import ALGORITHMS, NOT_BUILT, load_r1_signer, load_r1_verifier
from notary.ledgers.http import Endpoint
from notary.ledgers.port import Surroundings
from notary.ledgers.table import Table

MAX_ANSWER_BYTES: Final = 24 << 20
"""A block of 16 MiB in base64, and the words around it."""


def open_ledger(table: Table, around: Surroundings) -> BsnLedger | None:
    """
    The ledger of a table; None where the table has a fault.

    Raises:
        KeyRefused: a key can't be used.
        LedgerUnavailable: `tls_ca_file` can't be read.
    """
    url, timeout = table.url("url"), table.seconds("timeout_seconds", 15.0)
    user_code, app_code = table.text("user_code"), table.text("app_code")
    user_name = table.text("user_name", None) or ""
    key_file, gateway_key_file = table.path("key_file"), table.path("gateway_key_file")
    ca_file = table.path("tls_ca_file", None)
    _check_keys(table)
    trust = _trust(table)
    table.check_no_more()
    if not table.is_good or not _is_usable(table, trust):
        return None
    verifier = load_r1_verifier(gateway_key_file)
    endpoint = Endpoint(url, timeout_seconds=timeout, ca_file=ca_file, max_bytes=MAX_ANSWER_BYTES)
    chaincode = None
    if around.writes:
        gateway = Gateway(endpoint, user_code, app_code, load_r1_signer(key_file), verifier)
        chaincode = Chaincode(gateway, str(trust["chaincode"]), user_name)
    return BsnLedger(table.name, trust, chaincode, required=table.required, interval=table.interval)


def _check_keys(table: Table) -> None:
    algorithm = table.text("algorithm", "r1")
    if algorithm not in ALGORITHMS:
        table.fault(NOT_BUILT.get(algorithm, f"algorithm must be one of {', '.join(ALGORITHMS)}."))
    if table.number("key_mode", KEY_TRUST, 1, 2) != KEY_TRUST:
        table.fault(
            "key_mode 2, keys that are uploaded, is not built: Fabric wants our signature over "
            "the endorsed transaction, and BSN's interface takes one over the proposal alone."
        )


def _trust(table: Table) -> dict[str, object]:
    """What the trust file says of the channel."""
    trust: dict[str, object] = {
        "channel": table.text("channel"),
        "chaincode": table.text("chaincode"),
        "msps": _organisations(table, "msps"),
        "orderers": _organisations(table, "orderers"),
    }
    endorsements = table.number("endorsements", 1, 1, 100)
    return trust if endorsements == 1 else {**trust, "endorsements": endorsements}


def _is_usable(table: Table, trust: dict[str, object]) -> bool:
    """Whether evidence can hold under it at all."""
    try:
        if parse_members(trust).is_sm2:
            table.fault("a certificate in msps or orderers signs by SM2, which can't be checked.")
    except MalformedTrust as error:
        table.fault(error.detail)
    return table.is_good


def _organisations(table: Table, key: str) -> list[dict[str, object]]:
    """`ID=file` for each organisation: its id, and its certificates in base64 of DER."""
    found: dict[str, list[str]] = {}
    for text in table.texts(key):
        name, _, path = (part.strip() for part in text.partition("="))
        if not name or not path or name in found:
            table.fault(f'{key} must be texts like "OrgMSP=ca.pem", each organisation once.')
            continue
        file = table.folder / path
        try:
            certificates = load_pem_x509_certificates(file.read_bytes())
        except OSError as error:
            table.fault(f"{key}: {file} can't be read: {error.strerror}.")
        except ValueError:
            table.fault(f"{key}: {file} holds no certificates in PEM.")
        else:
            der = [certificate.public_bytes(Encoding.DER) for certificate in certificates]
            found[name] = [base64.b64encode(one).decode() for one in der]
    return [{"id": name, "roots": roots} for name, roots in found.items()]
