# SPDX-License-Identifier: Apache-2.0
"""The certificates of time-stamping authorities, from a file of the operator."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509

from notary.core.errors import MalformedTrust
from notary.evidence.rfc3161_trust import Trusted, parse_trusted, trust_in

MAX_FILE_BYTES: Final = 1 << 20


def read_certificates(path: Path, policies: Sequence[str]) -> Trusted:
    """
    Trust those of the file's certificates (PEM, or one as DER) that sign themselves.

    Raises:
        MalformedTrust: no such file, no certificates, none that signs itself, a bad policy.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise MalformedTrust(f"{path} can't be read: {error.strerror}.") from None
    try:
        if b"-----BEGIN" in data:
            certificates = x509.load_pem_x509_certificates(data)
        else:
            certificates = [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise MalformedTrust(f"{path} holds no certificates as PEM or DER.") from None
    # What goes into the trust file must be what a verifier takes.
    return parse_trusted(trust_in(certificates, policies).members)
