"""HTML to plain text, all of it: for chapters and letters, which have no page around them."""

from __future__ import annotations

from html.parser import HTMLParser

from qa_bot.index.readers.parts import one_line

_HIDDEN = {"script", "style", "head", "template", "noscript", "svg"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl",
    "dt", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tr", "ul",
}  # fmt: skip


def text_of_html(html: str) -> str:
    """The text that a page shows, its blocks as paragraphs."""
    shown = _Shown()
    shown.feed(html)
    shown.close()
    shown.block()
    return "\n\n".join(shown.paragraphs)


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self._lines: list[list[str]] = [[]]
        self._hidden: list[str] = []

    def block(self) -> None:
        """End the paragraph."""
        lines = [one_line("".join(line)) for line in self._lines]
        if text := "\n".join(line for line in lines if line.strip("-| ")):
            self.paragraphs.append(text)
        self._lines = [[]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag == "body":
            self._hidden.clear()  # a head that was never closed
        if tag in _BLOCKS:
            self.block()
        if tag == "br":
            self._lines.append([])
        elif tag == "li":
            self._lines[-1].append("- ")
        elif tag in ("td", "th") and self._lines[-1]:
            self._lines[-1].append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        if tag in _BLOCKS:
            self.block()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._lines[-1].append(data)
