"""Language-neutral text tools: sentences, language, comparing. No model of ours.

Spans point into the caller's text, which nothing here changes.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby
from statistics import median

from qa_bot.types import Span

SENTENCE_BYTES = 1200
"""No span is longer, in UTF-8 bytes: the longest quote there may be."""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_SCRIPTS = (
    ("th", "\u0e00-\u0e7f"),
    ("el", "\u0370-\u03ff\u1f00-\u1fff"),
    ("he", "\u0590-\u05ff"),
    ("hi", "\u0900-\u097f"),
    ("bn", "\u0980-\u09ff"),
    ("ko", "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f"),
    ("kana", "\u3041-\u30fa\u30fc-\u30ff\uff66-\uff9f"),
    ("han", "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    ("arabic", "\u0620-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc"),
    ("cyrillic", "\u0400-\u052f"),
    ("latin", "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"),
)
_SCRIPT_RUNS = re.compile("|".join(f"(?P<{name}>[{chars}]+)" for name, chars in _SCRIPTS))
# Malay is left out: it is one with Indonesian to the classifier.
_LATIN = _words("en fr id de es pt it nl pl tr vi sv da fi cs ro hu")
_CLASSIFIED = {"latin": _LATIN, "cyrillic": _words("ru uk bg"), "arabic": _words("ar fa ur")}
# The classifier is weak on a few words; a question of that length has one of these.
_TELLING_WORDS = {
    language: _words(told)
    for language, told in {
        "en": "the what which who whom how when where why is are was were did does of and many "
        "much about",
        "fr": "le la les de que quel quelle quels quelles qui où quand comment pourquoi combien "
        "est des du et un une sur dans dit disent on en y",
        "id": "apa apakah siapa siapakah berapa berapakah mana kapan mengapa bagaimana yang dan "
        "dari di tema adalah untuk pada tentang",
        "de": "der die das den was welche welcher welches wer wie wann wo warum ist sind und "
        "wieviele ein eine von über gibt es",
        "es": "el la los las de que cuál qué quién cómo cuándo dónde cuántos cuántas es y del "
        "un una sobre dicen en hay",
        "pt": "o os de que qual quais quem como quando onde quantos quantas é e do da um uma "
        "não sobre dizem",
        "it": "il la gli di quale quali chi come quando dove quanti quante è e della che perché "
        "un una",
        "nl": "het een welke wie hoe wat wanneer waar waarom hoeveel is van en de over",
    }.items()
}
_ANY_TELLING = frozenset().union(*_TELLING_WORDS.values())
_NARROWEST_WRAP = 40
_MUCH_WIDER = 1.25
"""Than most lines: the title above a page's columns."""
_ONE_IN = 10
"""Lines of a page, at most, may be such."""
_WIDEST_WRAP = 180
"""Columns of a page of a PDF in small print; a longer line is a paragraph of its own."""
_SHORT_LETTERS = 40
_LATIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

_TERMINATORS = ".!?…。！？；।॥؟۔｡"
_ALWAYS = frozenset("。！？；।॥؟۔｡")
_END = re.compile(
    rf"[{_TERMINATORS}]+[\"'”’»›“」』）)\]】》〉]*(?:[\u00a0\u202f ][»›](?=[\s.,;]|$))*"
)
_TITLES = _words(
    "m mm mr mrs ms mme mmes mlle mlles dr drs prof st ste sr sra srta hr frau bpk gen col lt sgt "
    "capt cpt gov sen rep rev hon messrs me mgr v vs cf approx ca bzw dhr mevr sig sigg dott ee "
    "pdt jl drg pt tn ny ir hj sdr г ул им"
)
_BEFORE_NUMBERS = _words(
    "no nos nr n° p pp vol fig figs art ch chap sec hal tgl bd abs s vgl núm pág "
    "jan feb mar apr jun jul aug sep sept oct nov dec janv févr avr juil déc стр"
)
_ORDINAL_FOLLOWERS = re.compile(
    r"\s(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
    r"|Jahrhundert|Jahrestag)"
)
_ELIDED = re.compile(r"^[^\W\d_]{1,2}['’](?=[^\W\d_])")
_LETTER_AFTER = re.compile(r"\s[^\W\d_]\.")
_NUMBERING = re.compile(r"(?:\d{1,3}|[A-Z](?=\.))(?:\.\d{1,3})*")
_CHAPTER = re.compile(rf"{_NUMBERING.pattern}\.\s+(?=\S)")
_DOTTED_LETTERS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_CUTS = (re.compile(r"[;:；：]"), re.compile(r"[,，、،؛—–]"), re.compile(r"\s"))
LIST_ITEM = re.compile(r"\s*(?:[-+*•·‣▪–—#>|]|\(?\d{1,3}[.)、]|\(?[a-z][.)])\s")
"""The mark that an item of a list begins with."""

_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)
_QUOTES = {ord(c): "'" for c in "‘’‚‛′`´ʼ＇"} | {ord(c): '"' for c in "“”„‟″«»「」『』＂"}
_DASHES = {ord(c): "-" for c in "‐‑‒–—―−﹣－"}

_COUNTED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\W_]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_identifier_lock = threading.Lock()


def utf8_len(text: str) -> int:
    """Bytes of `text` in UTF-8: a stand-in for tokens that favours no language."""
    return len(text.encode("utf-8", "surrogatepass"))


def normalise(text: str) -> str:
    """Fold a text for comparing: NFKC, one quote, one dash, single spaces, lower case.

    Its result has other offsets than `text`: never use it to place a quote.
    """
    folded = unicodedata.normalize("NFKC", text.translate(_QUOTES).translate(_DASHES)).lower()
    folded = unicodedata.normalize("NFKC", folded).translate(_QUOTES).translate(_DASHES)
    return " ".join(folded.split())


def language_of(text: str, default: str | None = None) -> str:
    """Guess the language of `text` as ISO 639-1; `default` (or "und") where it has no letters.

    Script decides first, since it needs no statistics; the classifier then chooses among
    the languages of that script. Both kinds of Chinese characters are `zh`.
    """
    runs: dict[str, list[str]] = {}
    for found in _SCRIPT_RUNS.finditer(text[:20_000]):
        runs.setdefault(str(found.lastgroup), []).append(found.group())
    sizes = {script: sum(map(len, found)) for script, found in runs.items()}
    if not sizes:
        return default or "und"
    script = _main_script(text, runs, sizes)
    if script in ("han", "kana"):
        return "ja" if sizes.get("kana", 0) * 10 > sizes.get("han", 0) else "zh"
    if script in _CLASSIFIED:
        return _classify(text, script, sizes[script])
    return script


def _main_script(text: str, runs: dict[str, list[str]], sizes: dict[str, int]) -> str:
    """Tell which script the sentence is built in, whatever foreign names it holds.

    A Chinese question keeps its Latin names ("Kaspersky在Nigeria…"), so capitalised
    words say little there; lower-case words are what makes a sentence Latin.
    """
    east_asian = [s for s in ("han", "kana", "ko") if s in sizes]
    if not east_asian:
        return max(sizes, key=lambda script: sizes[script])
    rest = {s: n for s, n in sizes.items() if s not in east_asian}
    other = max(rest, key=lambda script: rest[script], default="")
    parts = sum(len(runs[script]) for script in east_asian)
    if other and sum(w[:1].islower() for w in runs[other]) + text[:1].isupper() > 2 * parts:
        return other
    korean = sizes.get("ko", 0) * 2 >= sum(sizes[script] for script in east_asian)
    return "ko" if korean else east_asian[0]


def _classify(text: str, script: str, letters: int) -> str:
    candidates = _CLASSIFIED[script]
    if script == "latin" and letters < _SHORT_LETTERS:
        words = [word.lower() for word in _LATIN_WORD.findall(text)]
        votes = {lang: sum(w in told for w in words) for lang, told in _TELLING_WORDS.items()}
        best = max(votes.values())
        candidates = frozenset(lang for lang, count in votes.items() if count == best)
    with _identifier_lock:
        ranking = _ranker()(text[:20_000])
    return next(lang for lang, _ in ranking if lang in candidates)


@lru_cache(maxsize=1)
def _ranker() -> Callable[[str], list[tuple[str, float]]]:
    # Imported here: it takes 0.3 s, and most commands never ask.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages([lang for langs in _CLASSIFIED.values() for lang in langs])
    rank: Callable[[str], list[tuple[str, float]]] = identifier.rank
    return rank


def display_width(text: str) -> int:
    """Columns that `text` takes in a fixed-width font: an East Asian character takes two."""
    return len(text) + (0 if text.isascii() else len(_WIDE.findall(text)))


def count_words(text: str) -> int:
    """Words in `text`; of an unspaced script two characters count as one."""
    return len(_COUNTED.findall(text))


def printable(text: str) -> str:
    """`text` with control and direction-changing characters replaced."""
    return _CONTROL.sub("\ufffd", text)


def unnumbered(title: str) -> str:
    """A title on one line, without the number of its chapter: `11.5. Disks` is `Disks`."""
    title = " ".join(title.split())
    chapter = _CHAPTER.match(title)
    return title[chapter.end() :] if chapter else title


def without_mark(text: str) -> str:
    """What an item of a list says: `1. It is red.` is `It is red.`; a date keeps its day."""
    mark = LIST_ITEM.match(text)
    if not mark or _ORDINAL_FOLLOWERS.match(text, mark.end() - 1):
        return text
    return text[mark.end() :]


def wrapped_runs(lines: list[str]) -> list[list[str]]:
    """Put the lines of hard-wrapped paragraphs together; any other line stays alone.

    A greedy wrap leaves a mark: the first word of a line never fitted into the line above. In
    print, where letters differ in width, it may seem to: there small letters go on with a line.
    """
    if len(lines) < 2:
        return [[line] for line in lines]
    # A title above two columns is wider than their lines, which are then told by their own width.
    widths = {line: display_width(line.rstrip()) for line in lines}
    most = _MUCH_WIDER * median(widths.values())
    wider = [line for line in lines if widths[line] > most]
    if not wider or len(wider) * _ONE_IN > len(lines):
        return _runs(lines)
    parts = [list(part) for _, part in groupby(lines, lambda line: widths[line] > most)]
    return min(_runs(lines), [run for part in parts for run in _runs(part)], key=len)


def _runs(lines: list[str]) -> list[list[str]]:
    widths = [display_width(line.rstrip()) for line in lines]
    widest = max(widths, default=0)
    if len(lines) < 2 or not _NARROWEST_WRAP <= widest <= _WIDEST_WRAP:
        return [[line] for line in lines]
    runs = [[lines[0]]]
    for above, width, below in zip(lines, widths, lines[1:], strict=False):
        first = below.split(maxsplit=1)[0]
        # Chinese and Japanese break at any character, save before punctuation.
        needed = 5 if display_width(first[0]) == 2 else 1 + display_width(first)
        goes_on = 2 * width > widest and _is_open(above) and below.lstrip()[0].islower()
        if (width + needed > widest or goes_on) and not LIST_ITEM.match(below):
            runs[-1].append(below)
        else:
            runs.append([below])
    return [part for run in runs for part in ([run] if _is_paragraph(run) else [[x] for x in run])]


def _is_paragraph(run: list[str]) -> bool:
    """Tell a wrapped paragraph from a list of long lines: its breaks are mid-sentence."""
    open_breaks = sum(map(_is_open, run[:-1]))
    if len(run) == 2:
        return bool(open_breaks) and _goes_on(*run)
    return open_breaks * 2 >= len(run) - 1


def _is_open(line: str) -> bool:
    return line.rstrip()[-1] not in _TERMINATORS + ':："”’»」』)'


def _goes_on(first: str, second: str) -> bool:
    """Whether the first of two lines goes on in the second, which hangs or begins in its midst."""
    indents = [len(line) - len(line.lstrip()) for line in (first, second)]
    last = first.split()[-1].lower()
    return second.lstrip()[0].islower() or indents[1] > indents[0] or last in _ANY_TELLING


def sentence_spans(text: str) -> list[Span]:
    """Cut one block of text into sentences of at most 1,200 UTF-8 bytes, in order.

    A newline ends a sentence, save inside a hard-wrapped paragraph. Spans are trimmed,
    never overlap, and together cover every character that is not white space.
    """
    spans: list[Span] = []
    for start, end in _segments(text):
        begin = start
        for found in _END.finditer(text, start, end):
            if _ends_sentence(text, begin, found, end):
                _append_capped(spans, text, begin, found.end())
                begin = found.end()
        _append_capped(spans, text, begin, end)
    return spans


def ends_sentence(text: str) -> bool:
    """Whether `text` ends as a sentence does, and not as a heading."""
    return any(found.end() == len(text.rstrip()) for found in _END.finditer(text))


def is_question(text: str) -> bool:
    """Whether it ends in a question mark."""
    return text.rstrip().endswith(("?", "？", "؟"))


def _segments(text: str) -> list[tuple[int, int]]:
    """Stretches that no sentence crosses: lines, or runs of lines that are one paragraph."""
    if "\n" not in text:
        return [(0, len(text))]
    segments: list[tuple[int, int]] = []
    group: list[str] = []
    place = 0
    for line in [*text.split("\n"), ""]:
        if line.strip():
            group.append(line)
            continue
        for run in wrapped_runs(group):
            length = sum(len(part) + 1 for part in run)
            segments.append((place, place + length - 1))
            place += length
        place += len(line) + 1
        group = []
    return segments


def _ends_sentence(text: str, begin: int, found: re.Match[str], end: int) -> bool:
    marks = found.group()
    before = text[found.start() - 1] if found.start() > begin else " "
    after = text[found.end()] if found.end() < end else "\n"
    if any(mark in _ALWAYS for mark in marks):
        return True
    if marks[0] != "." and (_WIDE.match(before) or _WIDE.match(after)):
        return True
    if not after.isspace():
        return False
    rest = text[found.end() : min(end, found.end() + 40)].lstrip()
    head = rest.lstrip("\"'“‘«‹„(¿¡[-–—\u00a0\u202f ")[:1]
    if head.islower() or rest[:1] in (",", ";", ":", "."):
        return False
    return marks != "." or not _is_abbreviation(text, begin, found.start(), found.end())


def _is_abbreviation(text: str, begin: int, dot: int, after: int) -> bool:
    parts = text[max(begin, dot - 24) : dot].split()
    word = _ELIDED.sub("", parts[-1].lstrip("(\"'“‘«[")) if parts else ""
    rest = text[after : after + 16]
    following = rest.lstrip()[:1]
    if not word or not following:
        return False
    if _NUMBERING.fullmatch(word):
        opens = not text[begin : dot - len(word)].strip()
        return opens or (len(word) <= 3 and bool(_ORDINAL_FOLLOWERS.match(rest)))
    if word.lower() in _BEFORE_NUMBERS and (len(word) > 1 or following.isdigit()):
        return following.isdigit()
    initial = len(word) == 1 and (
        not following.isdigit() if word.isupper() else bool(_LETTER_AFTER.match(rest))
    )
    return initial or word.lower() in _TITLES or bool(_DOTTED_LETTERS.fullmatch(word))


def _append_capped(spans: list[Span], text: str, start: int, end: int) -> None:
    """Add [start, end) trimmed, in pieces where it is over the limit."""
    while True:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start == end:
            return
        cut = _cut_point(text, start, end)
        stop = cut
        while text[stop - 1].isspace():
            stop -= 1
        spans.append(Span(start, stop))
        start = cut


def _cut_point(text: str, start: int, end: int) -> int:
    if end - start <= SENTENCE_BYTES and utf8_len(text[start:end]) <= SENTENCE_BYTES:
        return end
    window = text[start : min(end, start + SENTENCE_BYTES)].encode("utf-8", "surrogatepass")
    limit = len(window[:SENTENCE_BYTES].decode("utf-8", "ignore"))
    for separators in _CUTS:
        last = 0
        for found in separators.finditer(text, start + limit // 2, start + limit):
            last = found.end()
        if last:
            return last
    cut = start + limit
    # A mark stays with the letter that carries it.
    while cut > start + limit // 2 and unicodedata.combining(text[cut]):
        cut -= 1
    return cut
