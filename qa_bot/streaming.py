"""How the pieces of a streamed answer make its text, and what of that is settled.

A model's sentence is shown while it is written and checked when it ends. One that fails is
withdrawn: the next piece then begins with a line break.
"""

from __future__ import annotations


def continued(text: str, piece: str) -> str:
    """The text with one more piece; one that starts a line withdraws the unfinished sentence."""
    if not piece.startswith("\n"):
        return text + piece
    return " ".join(filter(None, [settled(text), piece[1:]]))


def settled(text: str) -> str:
    """What of an unfinished text passed its checks: all up to the last marker."""
    return text[: text.rfind("]") + 1]
