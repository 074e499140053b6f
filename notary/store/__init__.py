# SPDX-License-Identifier: Apache-2.0
"""
PostgreSQL: the only place that knows psycopg2.

`pool` hands out transactions, `queries` loads the named SQL of `sql/`, `migrations`
brings a database to the newest shape. The other modules name what a use case wants.
"""
