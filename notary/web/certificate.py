# SPDX-License-Identifier: Apache-2.0
"""What every certificate has: the log, the link with its QR code, and when it was made."""

from typing import Any

import segno
from flask import Response, request
from markupsafe import Markup

from notary.api.services import services
from notary.usecases import look
from notary.web.log_key import fingerprint
from notary.web.render import render


def certificate(address: str, **facts: Any) -> Response:
    """
    The page to print about what `address` (a path of ours, with its query) leads to.

    A link and its QR code are there only where the notary has a public address.
    """
    parts = services()
    log = look.log_facts(parts.pool)
    link = None if parts.public_url is None else parts.public_url + address
    return render(
        "certificate.html",
        log=log,
        fingerprint=fingerprint(log, None),
        link=link,
        code=None if link is None else qr_code(link),
        made=parts.clock(),
        back=request.path.removesuffix("/certificate"),
        **facts,
    )


def qr_code(link: str) -> Markup:
    """A QR code as SVG without any style: black on white, with its quiet zone, dark or light."""
    code = segno.make_qr(link, error="m")
    # What segno writes is paths alone; the link is in them as squares, never as text.
    return Markup(code.svg_inline(omitsize=True, light="#fff", svgclass="code", lineclass=None))
