# SPDX-License-Identifier: Apache-2.0
"""
`notary simulate`: gateways that send made-up readings and keep each until it is answered.

A stranger to iot_ingest on purpose: what is encoded here is decoded there, by other code. Of
the notary it knows the core's words alone. docs/for-gateways/simulator.md tells people.

The list (`--list FILE`) is NDJSON, mode 0600, written line by line, so a killed simulator
leaves all but its last word; `listing.read_list` reads it:

    {"list":"simulated/1","begin":"…Z","plan":{…}}             the first line
    {"sent":"sim-7-0/12","at":"…Z","format":"json","topic":"…",
     "message_text":"…","readings":[{"source":"sim-7-0","key":"12","observed":"…Z"}]}
    {"answered":"sim-7-0/12","place":0,"at":"…Z","state":"accepted","source":"sim-7-0",
     "chain":0,"n":12,"leaf":"…","received":"…Z","key":"12"}

* `sent` is a message's id, GATEWAY/NUMBER; the line is written before the message is sent for
  the first time, and never again. Its correlation data ends with it, behind the begin.
* Its bytes are `message_text` (UTF-8) or `message_base64`. `readings` are in the message's
  order, with what a record of each must say: source, key, observed (null: none) and its
  payload, as `payload_text` or `payload_base64`, or without either the whole message.
* `"bad":true`: the bytes were spoilt on purpose, and are one part that must be refused.
* `answered` is one line for a reading, by message and `place` (from 0), as the notary
  answered: `state` is accepted, duplicate or refused (`reason`, `detail`), or acknowledged
  where acceptances are off. An answer that comes again is written only where it says
  something else, as for a reading without key and time that was recorded twice.
"""
