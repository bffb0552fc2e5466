"""Letters: the subject and the body; attachments are not read."""

from __future__ import annotations

from email import policy
from email.message import MIMEPart
from email.parser import BytesParser

from qa_bot.index.readers.markup import text_of_html
from qa_bot.index.readers.parts import Unreadable, decoded, one_line, tidy
from qa_bot.types import Extracted


def read(data: bytes) -> Extracted:
    """The text of an .eml file: its plain-text body, else the text of its HTML body."""
    message = BytesParser(policy=policy.default).parsebytes(data)
    if not message.keys():
        raise Unreadable("is no letter: it has no header")
    body = message.get_body(("plain", "html"))
    text = "" if body is None else _body(body)
    subject = one_line(str(message.get("subject", "")))
    sent = getattr(message.get("date"), "datetime", None)
    attached = sum(1 for _ in message.iter_attachments()) if message.is_multipart() else 0
    return Extracted(
        "\n\n".join(filter(None, (subject, text))),
        title=subject,
        author=one_line(str(message.get("from", ""))) or None,
        date=sent.date().isoformat() if sent else None,
        note=f"{attached} attachments are not read; save them as files" if attached else None,
    )


def _body(part: MIMEPart) -> str:
    raw = part.get_payload(decode=True)
    try:
        text = str(part.get_content(errors="strict"))
    except (LookupError, ValueError):  # an unknown or a wrong character set
        text = decoded(raw if isinstance(raw, bytes) else b"")
    return text_of_html(text) if part.get_content_subtype() == "html" else tidy(text)
