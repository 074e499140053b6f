# SPDX-License-Identifier: Apache-2.0
"""
The whole notary on one machine: an embedded PostgreSQL, a broker, all processes.

For trying it out, for tests and for measuring. A city's own installation brings its
database and its broker (`NOTARY_DATABASE_URL`, `NOTARY_MQTT_URL`) and needs nothing
from here. Everything listens on 127.0.0.1 only.
"""
