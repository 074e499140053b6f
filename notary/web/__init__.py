# SPDX-License-Identifier: Apache-2.0
"""The people's pages: rendered here, useful without JavaScript, nothing from outside."""
