"""Letters: the subject and the body; attachments are not read."""

from __future__ import annotations

import re
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser

from qa_bot.index.readers.markup import text_of_html
from qa_bot.index.readers.parts import Unreadable, decoded, one_line, tidy
from qa_bot.types import Extracted

_QUOTED = re.compile(r"^(?:> ?)+", re.MULTILINE)
"""What marks the lines of the letter that is answered."""


def read(data: bytes) -> Extracted:
    """The text of an .eml file: its subject, who wrote to whom, and its body.

    Of a body in both forms the plain text, unless it says much less, as "see the HTML".
    """
    message = BytesParser(policy=policy.default).parsebytes(data)
    if not message.keys():
        raise Unreadable("is no letter: it has no header")
    plain, page = (_body(message.get_body((kind,))) for kind in ("plain", "html"))
    text = plain if 2 * _letters(plain) >= _letters(page) else page
    subject = one_line(str(message.get("subject", "")))
    sent = getattr(message.get("date"), "datetime", None)
    attached = sum(1 for _ in message.iter_attachments()) if message.is_multipart() else 0
    return Extracted(
        "\n\n".join(filter(None, (subject, _heads(message), text))),
        title=subject,
        author=one_line(str(message.get("from", ""))) or None,
        date=sent.date().isoformat() if sent else None,
        note=f"{attached} attachments are not read; save them as files" if attached else None,
    )


def _body(part: MIMEPart | None) -> str:
    if part is None:
        return ""
    raw = part.get_payload(decode=True)
    try:
        text = str(part.get_content(errors="strict"))
    except (LookupError, ValueError):  # an unknown or a wrong character set
        text = decoded(raw if isinstance(raw, bytes) else b"")
    if part.get_content_subtype() == "html":
        return text_of_html(text)
    return tidy(_QUOTED.sub("", text))


def _heads(message: EmailMessage) -> str:
    """Who wrote to whom."""
    heads = {name: one_line(str(message.get(name, ""))) for name in ("From", "To")}
    return "; ".join(f"{name}: {said}" for name, said in heads.items() if said)


def _letters(text: str) -> int:
    return len("".join(text.split()))
