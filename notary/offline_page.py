# SPDX-License-Identifier: Apache-2.0
"""
`verify.html`: the page on which a citizen checks, as one file for a disk, without a network.

The scripts are those of the served page, put together in the order in which they import each
other, each in a scope of its own. The policy in the file lets in exactly its own script and style,
by their hashes, and nothing else: no address, no image, no form. Always the same bytes for the same
sources. Standard library only.
"""

import base64
import json
import re
from hashlib import sha256
from importlib.resources import files
from typing import Final

from notary import __version__
from notary.offline import page_texts
from notary.texts import LANGUAGES

ENTRY: Final = "verify_page.js"
_IMPORT: Final = re.compile(r'^import \{ ([\w, ]+) \} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(
    r"^export ((?:async )?function\*?|class|const) ([A-Za-z][A-Za-z0-9]*)", re.MULTILINE
)
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Verify</title>
<style>{style}</style>
</head>
<body>
<main id="main"><div id="verify"></div></main>
<script type="application/json" id="verify-data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""
_POLICY: Final = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
    "form-action 'none'"
)


def verify_html() -> bytes:
    """The whole page. Raises ValueError for a script that can't be put into it."""
    script, style = bundle(ENTRY), _static("style.css")
    for text in (script, style):
        if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
            raise ValueError("a script or style would end its own element")
    policy = _POLICY.format(script=_hash(script), style=_hash(style))
    texts = {language: page_texts(language) for language in LANGUAGES}
    data = json.dumps(
        {"lang": None, "texts": texts, "trust": None, "online": False, "version": __version__},
        ensure_ascii=False,
        sort_keys=True,
    ).replace("<", "\\u003c")
    return _PAGE.format(policy=policy, style=style, data=data, script=script).encode()


def bundle(entry: str) -> str:
    """
    One script of a module and all that it imports.

    Each module becomes a constant that holds what it exports, behind those that it imports.

    Raises:
        ValueError: modules import each other in a ring, or by another form of line.
    """
    done: dict[str, str] = {}
    _add(entry, done, ())
    return "\n" + "\n".join(done.values())


def _add(name: str, done: dict[str, str], waiting: tuple[str, ...]) -> None:
    if name in done:
        return
    if name in waiting:
        raise ValueError(f"{name} imports itself, by {', '.join(waiting)}")
    source = _static(name)
    for _, other in _IMPORT.findall(source):
        _add(other, done, (*waiting, name))
    body = _IMPORT.sub(lambda found: f"const {{ {found[1]} }} = {_constant(found[2])};\n", source)
    exported = [found[1] for found in _EXPORT.findall(body)]
    body = _EXPORT.sub(r"\1 \2", body)
    if re.search(r"^(import|export)\b", body, re.MULTILINE):
        raise ValueError(f"{name} imports or exports by a line that isn't known here")
    names = ", ".join(exported)
    done[name] = f"const {_constant(name)} = (() => {{\n{body}\nreturn {{ {names} }};\n}})();"


def _constant(name: str) -> str:
    """The name under which a module's exports stand."""
    return "module_" + name.removesuffix(".js")


def _static(name: str) -> str:
    return files("notary").joinpath("web", "static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """How a policy names the one script or style that it lets in (CSP Level 3)."""
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()
