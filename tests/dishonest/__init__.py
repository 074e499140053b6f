# SPDX-License-Identifier: Apache-2.0
"""
A notary whose own code lies, over HTTP and on a real database: for tests of those who must catch
it. Whatever it doesn't lie about is the honest notary's code.
"""
