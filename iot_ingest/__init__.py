# SPDX-License-Identifier: Apache-2.0
"""
From the broker to accepted records.

`feeds` says which messages mean what, `codecs` turn bytes into readings, `pipeline` knows
back-pressure, quarantine and acknowledgements, `mqtt` is the only file that knows paho.
"""
