# SPDX-License-Identifier: Apache-2.0
"""What can stand in the way of starting a part on this machine, each told as a sentence."""


class LocalError(Exception):
    """A part could not be started on this machine."""


class PartMissing(LocalError):
    """A program that is needed is not installed."""


class PortTaken(LocalError):
    """Another program listens on the port."""


class FolderInUse(LocalError):
    """Another running process works in this folder."""


class WrongVersion(LocalError):
    """The folder was made by another version of the program."""


class StartFailed(LocalError):
    """The program ended, or did not get ready in time."""
