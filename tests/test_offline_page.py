# SPDX-License-Identifier: Apache-2.0
"""verify.html is whole: one file that lets in itself alone. In tests/web it runs."""

import base64
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from notary import offline_page
from notary.offline import page_texts
from notary.offline_page import ENTRY, bundle, verify_html
from notary.texts import LANGUAGES

STATIC = Path(offline_page.__file__).parent / "web" / "static"
HTML = verify_html().decode()


def element(name: str) -> str:
    """The content of the only element of that sort without a type of data."""
    found = re.findall(rf'<{name}(?: type="module")?>(.*?)</{name}>', HTML, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_its_policy_lets_in_its_own_script_and_style_alone() -> None:
    """By their hashes; no address, no image, no form, nothing from anywhere."""
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', HTML)
    hashes = {
        name: base64.b64encode(sha256(element(name).encode()).digest()).decode()
        for name in ("script", "style")
    }
    assert policy == [
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; "
        f"style-src 'sha256-{hashes['style']}'; base-uri 'none'; form-action 'none'"
    ]


def test_it_holds_every_script_of_the_page_and_all_texts() -> None:
    """Each once, behind those that it imports."""
    script = element("script")
    names = [path.stem for path in STATIC.glob("verify*.js")]
    places = {name: script.index(f"const module_{name} = ") for name in names}
    assert all(script.count(f"const module_{name} = ") == 1 for name in names)
    assert max(places, key=lambda name: places[name]) == ENTRY.removesuffix(".js")
    for name in names:
        for other in re.findall(r'from "\./(\w+)\.js"', (STATIC / f"{name}.js").read_text()):
            assert places[other] < places[name]
    data = json.loads(re.findall(r'id="verify-data">(.*?)</script>', HTML)[0])
    assert data["texts"] == {language: page_texts(language) for language in LANGUAGES}
    assert (data["trust"], data["online"]) == (None, False)


def test_it_names_no_address() -> None:
    """But those by which documents of XML are told apart, which nobody fetches."""
    assert set(re.findall(r"https?://[\w./-]+", element("script"))) <= {
        "http://www.w3.org/2000/svg"
    }
    assert not re.search(r"<(?:link|img|iframe|object|embed)\b|\bsrc=", HTML)


def test_it_is_always_the_same() -> None:
    """Whoever builds it from the same sources can compare it byte by byte."""
    assert verify_html() == HTML.encode()


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (
            {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'},
            "ring",
        ),
        ({"a.js": 'import * as b from "./b.js";\n'}, "isn't known"),
        ({"a.js": 'import "./b.js";\n'}, "isn't known"),
        ({"a.js": 'import { b } from "https://example.org/b.js";\n'}, "isn't known"),
        ({"a.js": "export default 1;\n"}, "isn't known"),
        ({"a.js": "export { b };\n"}, "isn't known"),
    ],
)
def test_what_cannot_be_put_together_is_refused(
    sources: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than a page that lacks a part."""
    monkeypatch.setattr(offline_page, "_static", sources.__getitem__)
    with pytest.raises(ValueError, match="imports itself" if why == "ring" else why):
        bundle("a.js")


@pytest.mark.parametrize("text", ["</script>", "</STYLE >", "<!-- "])
def test_a_source_that_would_end_its_element_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be taken for HTML from there on."""
    monkeypatch.setattr(offline_page, "_static", lambda _: f"/* {text} */\n")
    with pytest.raises(ValueError, match="end its own element"):
        verify_html()
