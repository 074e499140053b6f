# SPDX-License-Identifier: Apache-2.0
"""
The permanent line.

Code in this package decides what is hashed and what verifies: a change here could
make a receipt issued yesterday verify differently. So a change of behaviour needs a
new format version beside the old one, test vectors and a decision record (docs/adr).

Pure, and the standard library only: bytes, ints and frozen dataclasses go in and come
out. No file, socket, clock, environment, database row or logger is ever touched;
whoever needs the time passes it in.
"""
