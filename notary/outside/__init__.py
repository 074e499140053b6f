# SPDX-License-Identifier: Apache-2.0
"""
A notary as an outsider sees it: over HTTP, without keys, whoever keeps it.

What is read is only read: bounded, in time, and of the form that it must have. Whether it is
true is for the core to say, by a trust file that is never taken from here.
"""
