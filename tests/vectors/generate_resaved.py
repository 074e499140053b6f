# SPDX-License-Identifier: Apache-2.0
"""
Writes resaved.json: `python -m tests.vectors.generate_resaved`.

A case has what is `wanted` (hex: SHA-256 of salt and original), the `salt` (hex, empty for none),
a `copy` (base64) and the `changes` that docs/spec/resaved.md tells of it, or null where it tells
none. Originals and copies are written down here; nothing is led back.
"""

import hashlib
import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

Case = dict[str, Any]
BOM = "\ufeff"
TABLE = '站,name\r\n1,"a, b"\r\n2,温度\r\n'
MIXED = '"城\n市",name\r\n1,"a\n""b"""\r\n'
SALT = bytes(range(32))


def case(
    desc: str, original: bytes, copy: bytes, changes: list[str] | None, salt: bytes = b""
) -> Case:
    """One copy."""
    return {
        "desc": desc,
        "wanted": hashlib.sha256(salt + original).hexdigest(),
        "salt": salt.hex(),
        "copy": b64encode(copy).decode(),
        "changes": changes,
    }


def cases() -> Iterator[Case]:
    """By what was done; each also where the dataset isn't open."""
    for desc, original, copy, changes in _copies():
        yield case(desc, original, copy, changes)
        yield case(f"closed: {desc}", original, copy, changes, SALT)
    wrong = case("a salt that is another one", TABLE.encode(), TABLE[:-2].encode(), None, SALT)
    yield wrong | {"salt": bytes(32).hex()}


def _copies() -> Iterator[tuple[str, bytes, bytes, list[str] | None]]:
    yield from _one_change()
    yield from _several()
    yield from _small()
    yield from _others()


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _one_change() -> Iterator[tuple[str, bytes, bytes, list[str] | None]]:
    lf = _lf(TABLE)
    cr, crlf = lf.replace("\n", "\r"), TABLE
    was = {"LF": lf, "CRLF": crlf, "CR": cr}
    for one, original in was.items():
        for other, copy in was.items():
            if one != other:
                word = f"lines-were-{one.lower()}"
                yield f"{one} to {other}", original.encode(), copy.encode(), [word]
    for name, text in was.items():
        whole, cut = text.encode(), text.rstrip("\r\n").encode()
        yield f"the last {name} taken away", whole, cut, ["end-removed"]
        yield f"a last {name} added", cut, whole, ["end-added"]
        marked = (BOM + text).encode()
        yield f"a BOM added, {name}", whole, marked, ["bom-added"]
        yield f"a BOM taken away, {name}", marked, whole, ["bom-removed"]
        coded = text.encode("gb18030")
        yield f"UTF-8 to GB18030, {name}", whole, coded, ["gb18030"]
        yield f"GB18030 to UTF-8, {name}", coded, whole, ["utf-8"]
    mixed = MIXED.encode()
    yield "CRLF, and LF in quotes, to LF", mixed, _lf(MIXED).encode(), ["lines-were-crlf-lf"]
    all_crlf = _lf(MIXED).replace("\n", "\r\n").encode()
    yield "CRLF, and LF in quotes, to CRLF", mixed, all_crlf, ["lines-were-crlf-lf"]
    all_cr = _lf(MIXED).replace("\n", "\r").encode()
    yield "CRLF, and LF in quotes, to CR", mixed, all_cr, ["lines-were-crlf-lf"]
    odd = b"a\rb\r\nc\n"
    yield "line ends of all sorts, to LF", odd, b"a\nb\nc\n", None
    yield "line ends of all sorts, a BOM added", odd, BOM.encode() + odd, ["bom-added"]
    yield "line ends of all sorts, the last taken away", odd, odd[:-1], None
    yield "line ends of all sorts, one more added", odd[:-1], odd, ["end-added"]
    first = b"a\nb\r\nc"
    yield "the first line end is the one put back", first + b"\n", first, ["end-removed"]
    first = b"a\rb\r\nc"
    yield "the first line end is the one put back, CR", first + b"\r", first, ["end-removed"]


def _several() -> Iterator[tuple[str, bytes, bytes, list[str] | None]]:
    marked = BOM + TABLE
    lf = _lf(TABLE)
    yield (
        "as the page shows it",
        (BOM + "id,名\r\n1,一\r\n").encode(),
        "id,名\n1,一".encode("gb18030"),
        ["gb18030", "lines-were-crlf", "bom-removed", "end-removed"],
    )
    yield "no BOM, LF", marked.encode(), lf.encode(), ["lines-were-crlf", "bom-removed"]
    yield (
        "a BOM, LF, one line end more",
        TABLE.rstrip("\r\n").encode(),
        (BOM + lf).encode(),
        ["lines-were-crlf", "bom-added", "end-added"],
    )
    yield "GB18030, LF", TABLE.encode(), lf.encode("gb18030"), ["gb18030", "lines-were-crlf"]
    yield (
        "GB18030 of what had a BOM",
        marked.encode(),
        TABLE.encode("gb18030"),
        ["gb18030", "bom-removed"],
    )
    yield (
        "GB18030 with the BOM",
        marked.encode(),
        marked.encode("gb18030"),
        ["gb18030"],
    )
    yield (
        "UTF-8 with a BOM of what was GB18030",
        TABLE.encode("gb18030"),
        marked.encode(),
        ["utf-8", "bom-added"],
    )
    yield (
        "UTF-8, LF, no last line end, of what was GB18030 with a BOM",
        marked.encode("gb18030"),
        lf.rstrip("\n").encode(),
        ["utf-8", "lines-were-crlf", "bom-removed", "end-removed"],
    )
    yield (
        "a table with LF in quotes: GB18030, CR, one line end less",
        (BOM + MIXED).encode(),
        _lf(MIXED).replace("\n", "\r").rstrip("\r").encode("gb18030"),
        ["gb18030", "lines-were-crlf-lf", "bom-removed", "end-removed"],
    )
    far = "😀,𠮷\u2028\n"
    yield "characters beyond U+FFFF in GB18030", far.encode(), far.encode("gb18030"), ["gb18030"]


def _small() -> Iterator[tuple[str, bytes, bytes, list[str] | None]]:
    mark = BOM.encode()
    yield "nothing, of a line end", b"\n", b"", ["end-removed"]
    yield "nothing, of CRLF", b"\r\n", b"", ["lines-were-crlf", "end-removed"]
    yield "a line end, of nothing", b"", b"\r\n", ["end-added"]
    yield "nothing, of a BOM", mark, b"", ["bom-removed"]
    yield "a BOM, of nothing", b"", mark, ["bom-added"]
    yield "a part of a BOM", mark, mark[:2], None
    yield "two BOM, of one", mark + b"a", mark * 2 + b"a", ["bom-added"]
    yield "a line end, of two", b"\n\n", b"\n", None
    yield "two line ends, of one", b"a\n", b"a\n\n", ["end-added"]
    yield "three line ends, of one", b"a\n", b"a\n\n\n", None
    yield "JSON with a line end", b'{"t":1}', b'{"t":1}\n', ["end-added"]
    yield "JSON with a BOM and CRLF", b'{"t":1}', mark + b'{"t":1}\r\n', ["bom-added", "end-added"]
    yield "a quote that stays open", b'a"\r\n\n', b'a"\n\n', None
    yield "a quote that stays open at the end", b'"a\r\nb\n', b'"a\nb\n', None
    yield "LF within an open quote", b'a\r\n"b\n', b'a\n"b\n', ["lines-were-crlf-lf"]


def _others() -> Iterator[tuple[str, bytes, bytes, list[str] | None]]:
    """What was changed more than a program changes that saves."""
    original = TABLE.encode()
    for desc, copy in (
        ("another cell", TABLE.replace("a, b", "a, c")),
        ("a row less", TABLE[: TABLE.rindex("2")]),
        ("a row more", TABLE + "3,x\r\n"),
        ("rows exchanged", '站,name\r\n2,温度\r\n1,"a, b"\r\n'),
        ("a blank behind each comma", TABLE.replace(",", ", ")),
        ("quotes around all cells", '"站","name"\r\n"1","a, b"\r\n"2","温度"\r\n'),
        ("semicolons", TABLE.replace(",", ";")),
        ("another character of the same look", TABLE.replace("a", "\u0430")),
        ("decomposed characters", TABLE.replace("a", "a\u0301")),
        ("tabs", TABLE.replace(",", "\t")),
        ("nothing", ""),
    ):
        yield f"changed: {desc}", original, copy.encode(), None
        if desc not in ("nothing", "another character of the same look"):
            yield f"changed, in GB18030: {desc}", original, copy.encode("gb18030"), None
    yield "UTF-16", original, TABLE.encode("utf-16"), None
    yield "UTF-16 without a BOM", original, TABLE.encode("utf-16-le"), None
    yield "cut within a character of UTF-8", original, original[:2], None
    yield "cut within one of GB18030", original, TABLE.encode("gb18030")[:1], None
    yield "bytes that no text has", original, b"\xff\xfe\xfd", None
    yield "bytes that no text has, a line end more", b"\xff\x80", b"\xff\x80\n", ["end-added"]
    yield (
        "half a character of GB18030 at the end",
        original,
        TABLE.encode("gb18030") + b"\x81",
        None,
    )


def build() -> str:
    """The file."""
    return json.dumps({"cases": list(cases())}, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "resaved.json").write_text(build(), encoding="utf-8")
