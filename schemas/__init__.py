# SPDX-License-Identifier: Apache-2.0
"""
The wire contract of the HTTP API: what may be sent, and what is answered.

Unknown members are errors. What is wrong with a member is a code (`missing`, `unknown`,
`id` …) whose sentence stands in the catalogues as `field.<code>`.
"""
