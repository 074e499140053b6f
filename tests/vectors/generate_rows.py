# SPDX-License-Identifier: Apache-2.0
"""
Writes rows.json: `python tests/vectors/generate_rows.py`.

A case has a file (base64), its profile, and either its rows (hex), their leaves and root,
or the `reason`, row and byte offset of its refusal. What must follow is stated from how the
case was made: cells and values are written down here, and encoded by a few lines of our own.
"""

import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.core import reference

Case = dict[str, Any]
BOM = b"\xef\xbb\xbf"
SECRET = bytes(range(32))


def csv_row(*cells: str) -> bytes:
    """A row of csv-v1."""
    return b"".join(len(c.encode()).to_bytes(4, "big") + c.encode() for c in cells)


def valid(desc: str, profile: str, file: bytes, rows: list[bytes], *, closed: bool = False) -> Case:
    """A file that is cut into these rows; `closed`: with salts."""
    head = b"\x00row/1 " + profile.encode() + b"\n"
    leaves = []
    for number, row in enumerate(rows):
        salt = hmac.new(SECRET, number.to_bytes(8, "big"), hashlib.sha256).digest()
        leaves.append(hashlib.sha256(head + (salt if closed else b"") + row).digest())
    return {
        "desc": desc,
        "profile": profile,
        "file": base64.b64encode(file).decode(),
        "secret": SECRET.hex() if closed else None,
        "rows": [row.hex() for row in rows],
        "leaves": [leaf.hex() for leaf in leaves],
        "root": reference.mth(leaves).hex(),
        "wantErr": None,
    }


def refused(desc: str, profile: str, file: bytes, reason: str, row: int, offset: int) -> Case:
    """A file that is refused at a row and a byte."""
    return {
        "desc": desc,
        "profile": profile,
        "file": base64.b64encode(file).decode(),
        "wantErr": "malformed-rows",
        "reason": reason,
        "row": row,
        "offset": offset,
    }


def csv() -> list[Case]:
    """Tables as departments have them, and files that are none."""
    name = "csv-v1"
    two = [csv_row("id", "name"), csv_row("1", "a")]
    cases = [
        valid("line feeds", name, b"id,name\n1,a\n", two),
        valid("in a dataset that isn't open", name, b"id,name\n1,a\n", two, closed=True),
        valid("CRLF", name, b"id,name\r\n1,a\r\n", two),
        valid("CRLF and line feeds mixed", name, b"id,name\r\n1,a\n", two),
        valid("no line feed at the end", name, b"id,name\n1,a", two),
        valid("a BOM", name, BOM + b"id,name\n1,a\n", two),
        valid("cells in quotes", name, b'"id","name"\n"1","a"', two),
        valid("the header alone", name, b"id,name\n", two[:1]),
        valid("nothing", name, b"", []),
        valid("a BOM alone", name, BOM, []),
        valid("a second BOM is text", name, BOM * 2 + b"id\n", [csv_row("\ufeffid")]),
        valid("two same rows are two", name, b"1,a\n1,a\n", [two[1]] * 2),
        valid("an empty line is one empty cell", name, b"x\n\ny\n",
              [csv_row("x"), csv_row(""), csv_row("y")]),
        valid("two quotes are one empty cell", name, b'x\n""\n', [csv_row("x"), csv_row("")]),
        valid("a line feed alone", name, b"\n", [csv_row("")]),
        valid("commas alone", name, b",,\n", [csv_row("", "", "")]),
        valid("a comma at the end", name, b"a,\n", [csv_row("a", "")]),
        valid("rows of unequal length", name, b"a,b\nc\n", [csv_row("a", "b"), csv_row("c")]),
        valid("comma, quote and line ends in quotes", name, b'"a,""b""\r\nc\nd\re",f\n',
              [csv_row('a,"b"\r\nc\nd\re', "f")]),
        valid("spaces stay", name, b" a , b\n", [csv_row(" a ", " b")]),
        valid("Chinese", name, "名称,值\n温度,21.5\n".encode(),
              [csv_row("名称", "值"), csv_row("温度", "21.5")]),
        valid("beyond the first plane", name, "😀,é\n".encode(), [csv_row("😀", "é")]),
        valid("numbers are text", name, b"1.0,1e2,007\n", [csv_row("1.0", "1e2", "007")]),
        valid("a semicolon parts nothing", name, b"a;b\n", [csv_row("a;b")]),
    ]  # fmt: skip
    # The second row of each begins at byte 4.
    for desc, bad, reason, at in (
        ("a quote in the middle", b'a,b"c"\n', "quote-inside", 7),
        ("a quote at the end of a cell", b'ab",c\n', "quote-inside", 6),
        ("an inch sign", b'5" pipe,x\n', "quote-inside", 5),
        ("a space before the quote", b'a, "b"\n', "quote-inside", 7),
        ("text behind the closing quote", b'"a"b,c\n', "text-after-quote", 7),
        ("a space behind the closing quote", b'"a" ,c\n', "text-after-quote", 7),
        ("a quote that isn't doubled", b'"a"b"\n', "text-after-quote", 7),
        ("a quote that stays open", b'a,"b\nc\n', "open-quote", 6),
        ("a quote that opens at the end", b'a,"', "open-quote", 6),
        ("an odd run of quotes", b'"""', "open-quote", 4),
        ("CR behind the closing quote", b'"a"\r,b\n', "text-after-quote", 7),
        ("a lone CR", b"a\rb\n", "lone-cr", 5),
        ("a lone CR beside quotes", b'a\rb,"c"\n', "lone-cr", 5),
        ("a lone CR before an open quote", b'a\r,"c\nd"\n', "lone-cr", 5),
        ("two CR before the line feed", b"a\r\r\n", "lone-cr", 5),
        ("a CR at the end of the file", b"a,b\r", "lone-cr", 7),
        ("U+0000", b"a,\x00\n", "nul", 6),
        ("U+0000 in quotes", b'"\x00"\n', "nul", 5),
        ("GB18030", "温".encode("gb18030") + b",b\n", "not-utf-8", 4),
        ("Latin-1", b"a,\xe9\n", "not-utf-8", 6),
        ("an overlong slash", b"\xc0\xaf\n", "not-utf-8", 4),
        ("half of a surrogate pair", b"\xed\xa0\xbd\n", "not-utf-8", 4),
        ("a character cut by the line's end", b"\xe6\xb8\n", "not-utf-8", 4),
        ("a character cut by the file's end", b"a\xf0\x9f\x98", "not-utf-8", 5),
        ("UTF-16", "a\n".encode("utf-16"), "not-utf-8", 4),
        ("UTF-16 without a mark", "b\n".encode("utf-16-le"), "nul", 5),
    ):
        cases.append(refused(desc, name, b"a,b\n" + bad, reason, 1, at))
    cases.append(refused("a part of a BOM", name, BOM[:2], "not-utf-8", 0, 0))
    cases.append(refused("line ends of an old Macintosh", name, b"a,b\rc,d\r", "lone-cr", 0, 3))
    return cases


def ndjson() -> list[Case]:
    """Values in lines and in an array, and files that hold none."""
    name = "ndjson-v1"
    two = [b'{"a":1.0}', b'{"a":1.00}']
    cases = [
        valid("lines", name, b'{"a":1.0}\n{"a":1.00}\n', two),
        valid("an array", name, b'[{"a":1.0},{"a":1.00}]', two),
        valid("an array in a dataset that isn't open", name, b'[{"a":1.0},{"a":1.00}]', two,
              closed=True),
        valid("an array over lines", name, b'[\n  {"a":1.0},\r\n\t{"a":1.00}\n]\n', two),
        valid("a BOM and lines", name, BOM + b'{"a":1.0}\n{"a":1.00}', two),
        valid("a BOM and an array", name, BOM + b' [{"a":1.0} ,{"a":1.00}]', two),
        valid("CRLF", name, b'{"a":1.0}\r\n{"a":1.00}\r\n', two),
        valid("lines with blanks around", name, b' {"a":1.0}\t\n\t{"a":1.00} ', two),
        valid("empty lines are no rows", name, b'\n{"a":1.0}\n \n\r\n{"a":1.00}\n\n', two),
        valid("nothing", name, b"", []),
        valid("a BOM alone", name, BOM, []),
        valid("blanks alone", name, b" \r\n\t\n", []),
        valid("an empty array", name, b"[]", []),
        valid("an empty array with blanks", name, b" [ \n ] \n", []),
        valid("inner blanks stay", name, b'[ { "a" : [ 1 , 2 ] } , 3 ]',
              [b'{ "a" : [ 1 , 2 ] }', b"3"]),
        valid("brackets and commas in strings", name, b'["],[",{"}{":"\\"],"}]',
              [b'"],["', b'{"}{":"\\"],"}']),
        valid("backslashes before the closing quote", name, b'["\\\\","\\\\\\""]',
              [b'"\\\\"', b'"\\\\\\""']),
        valid("arrays in an array", name, b"[[1,[2]],[]]", [b"[1,[2]]", b"[]"]),
        valid("one line that is an array is an array", name, b"[1,2]\n", [b"1", b"2"]),
        valid("words and numbers", name, b'true\nnull\n-0.0\n1e2\n"x"\n',
              [b"true", b"null", b"-0.0", b"1e2", b'"x"']),
        valid("Chinese", name, '{"名":"温度"}\n'.encode(), ['{"名":"温度"}'.encode()]),
        valid("two same rows are two", name, b"1\n1\n", [b"1", b"1"]),
    ]  # fmt: skip
    for desc, bad, reason in (
        ("two values in a line", b"2 3", "not-json"),
        ("a comma behind the value", b"2,", "not-json"),
        ("a value over two lines", b'{"a":\n2}', "not-json"),
        ("single quotes", b"{'a':1}", "not-json"),
        ("no closing brace", b'{"a":1', "not-json"),
        ("a comma before the brace", b'{"a":1,}', "not-json"),
        ("a leading zero", b"01", "not-json"),
        ("a plus sign", b"+1", "not-json"),
        ("a comment", b"1 // one", "not-json"),
        ("a line feed in a string", b'"a\nb"', "not-json"),
        ("a tab in a string", b'"a\tb"', "not-json"),
        ("U+0000", b'"\x00"', "not-json"),
        ("a BOM in the middle", BOM + b"2", "not-json"),
        ("NaN", b"NaN", "bad-value"),
        ("Infinity", b"[-Infinity]", "bad-value"),
        ("a member twice", b'{"a":1,"a":2}', "bad-value"),
        ("half of a surrogate pair", b'"\\ud83d"', "bad-value"),
        ("an escaped U+0000", b'"\\u0000"', "bad-value"),
        ("a number that overflows", b"1e400", "bad-value"),
        ("GB18030", '"温"'.encode("gb18030"), "not-utf-8"),
        ("an overlong slash", b'"\xc0\xaf"', "not-utf-8"),
    ):
        cases.append(refused(f"line: {desc}", name, b"1\n" + bad + b"\n", reason, 1, 2))
        if desc not in ("a comma behind the value", "a value over two lines"):
            cases.append(refused(f"element: {desc}", name, b"[1," + bad + b"]", "open-array"
                                 if desc == "no closing brace" else reason, 1, 3))  # fmt: skip
    for desc, file, reason, row, at in (
        ("no end of the array", b"[1,2", "open-array", 1, 3),
        ("no end behind a comma", b"[1,", "open-array", 1, 3),
        ("a bracket alone", b"[", "open-array", 0, 1),
        ("a comma before the end", b"[1,]", "not-json", 1, 3),
        ("a comma at the beginning", b"[,1]", "not-json", 0, 1),
        ("a comma alone", b"[,]", "not-json", 0, 1),
        ("two commas", b"[1,,2]", "not-json", 1, 3),
        ("a brace for a bracket", b"[1}", "not-json", 0, 1),
        ("brackets that don't match", b"[[1}]", "not-json", 0, 1),
        ("text behind the end", b"[1] x", "after-array", 1, 4),
        ("a second array", b"[1][2]", "after-array", 1, 3),
        ("lines that are arrays", b"[1,2]\n[3,4]\n", "after-array", 2, 6),
        ("a second bracket", b"[1]]", "after-array", 1, 3),
        ("a string that stays open", b'["a,]', "open-array", 0, 1),
        ("a part of a BOM", BOM[:1], "not-utf-8", 0, 0),
    ):
        cases.append(refused(desc, name, file, reason, row, at))
    return cases


def build() -> str:
    """The file, one case a line."""
    cases = [case | {"desc": f"{case['profile']}: {case['desc']}"} for case in csv() + ndjson()]
    return "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"


if __name__ == "__main__":
    (Path(__file__).parent / "rows.json").write_text(build())
