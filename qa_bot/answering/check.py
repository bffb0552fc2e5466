"""What can be wrong with a written sentence, as far as code can tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa_bot.numbers import find_numbers, missing_numbers
from qa_bot.places import countries, hinted
from qa_bot.text import count_words, is_question, language_of, normalise

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_WORD = re.compile(r"[^\W\d_]{4,}")
_UNSPACED = {"zh", "ja", "ko", "th"}
_SURE_LETTERS = 30
"""Letters from which on the language of a sentence can be told."""
_FOREIGN_SHARE = 0.25
"""Share of a sentence's words that may be its source's, as related languages have in common."""
_TERM = re.compile(r"[^\W_]+")
_SMALLEST = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
"""Words; of an unspaced script each character."""
_LABEL = re.compile(r"^\s*[^\W\d_]{2,12}\s?[:：]\s*(?=\S)")
_LATER_LABEL = re.compile(r"[^\W\d_]{2,12}\s?[:：]\s")
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_YES = re.compile(
    r"\s*(?:(?:yes|oui|ya|ja|sí|sim|sì)\s*[,.:;!—–-]|是的|对[，,。]|對[，,。])", re.IGNORECASE
)
_REPEATS = re.compile(r"(.{1,24}?)\1{7,}", re.DOTALL)


def unsupported_numbers(text: str, question: str, evidence: Sequence[str]) -> list[str]:
    """The numbers of `text` that neither the evidence nor the question states by value.

    A year of the question does not count where the evidence gives other years: asked about
    2018, a model says 2018 of a source that speaks of 2017. Nor does any number of it in a sentence
    that says yes: asked whether 500 came, a model says that they did.
    """
    missing = missing_numbers(text, *evidence)
    if _YES.match(text):
        return missing
    if _years(" ".join(evidence)):
        question = _YEAR.sub(" ", question)
    stated = missing_numbers(" ; ".join(missing), question)
    return [number for number in missing if number in stated]


def unsupported_countries(
    text: str, language: str, question: str, evidence: Sequence[str]
) -> list[str]:
    """The countries that `text` names and neither the evidence nor the question hints at.

    Asked where something is, a model that is not told tells what it believes.
    """
    named = countries(text, language)
    given = set().union(*map(hinted, (question, *evidence))) if named else set()
    return [name for code, name in named.items() if code not in given]


def untranslated(text: str, language: str, question: str, evidence: Sequence[str]) -> bool:
    """Whether `text` is in another language than `language`, or keeps words of its source.

    Small models copy what they cannot translate. Names are no such words, nor what the
    question itself says.
    """
    asked, given = _words(question), set().union(*map(_words, evidence))
    if language in _UNSPACED:
        foreign = {word for word in _lower_words(text) if word in given - asked}
        return bool(foreign) or (len(_words(text)) > 3 and not _CJK.search(text))
    if any(run not in question for run in _CJK.findall(re.sub(r"[(（].*?[)）]", "", text))):
        return True
    words = _lower_words(text)
    foreign = {word for word in words if word in given - asked}
    if sum(map(len, words)) >= _SURE_LETTERS and language_of(text) != language:
        return True
    sources = {language_of(item) for item in evidence}
    return (
        language not in sources
        and len(foreign) >= 2
        and len(foreign) > _FOREIGN_SHARE * len(set(words))
    )


def says_nothing(text: str, question: str) -> bool:
    """Whether there is nothing in `text` to check: it is empty, chat or the question."""
    return not text or small_talk(text) or echoes(text, question)


def echoes(text: str, question: str) -> bool:
    """Whether `text` is the question once more, which small models write before they answer."""
    asked, said = _words(question), _words(text)
    folded = normalise(text).rstrip(" ?？.。")
    if folded and folded == normalise(question).rstrip(" ?？.。"):
        return True
    return is_question(text) and bool(said) and said <= asked


def tells_nothing_new(text: str, question: str, fillers: str) -> bool:
    """Whether `text` states nothing but what the question says: asked which, it says that one did.

    `fillers` are its language's words that tell nothing.
    """
    said, asked = (set(_SMALLEST.findall(normalise(each))) for each in (text, question))
    return said <= asked | set(fillers.split())


def still_asks(text: str, question: str, said: str) -> bool:
    """Whether `text` is `question` made clearer by what was `said` before, and no other one.

    It asks, too, and keeps at least half of the words that are new in the question.
    """
    asks = is_question(text) or not is_question(question)
    new = terms(question) - terms(said)
    return asks and bool(text) and 2 * len(new & terms(text)) >= len(new)


def told_by_prompt(
    text: str, question: str, beside: Sequence[str], evidence: Sequence[str]
) -> bool:
    """Whether `text` tells more of what stands beside its evidence than of the evidence itself.

    A prompt shows titles, to tell documents apart, and instructions; no quote bears them out.
    """
    new = _words(text) - _words(question)
    quoted = set().union(*map(_words, evidence))
    shown = set().union(*map(_words, beside)) - quoted
    return len(new & shown) > max(1, len(new & quoted))


def terms(text: str, shortest: int = 1) -> set[str]:
    """Words of so many letters or more; of an unspaced script each two characters in a row."""
    found: set[str] = set()
    for word in _TERM.findall(normalise(text)):
        if _CJK.search(word):
            found |= {word[at : at + 2] for at in range(len(word) - 1)}
        elif len(word) >= shortest:
            found.add(word)
    return found


def small_talk(text: str) -> bool:
    """Whether `text` only says hello to the question, as `Of course!` or `当然！` do."""
    body = text.rstrip()
    return body.endswith(("!", "！")) and count_words(body) <= 3


def loops(text: str) -> bool:
    """Whether the model ran away: a stretch comes eight times, or a long one ends `text` thrice."""
    # The last of three may lack the space that ends the others.
    ends = {text, text.rstrip() + " "}
    thrice = (
        end.endswith(3 * end[-size:]) for end in ends for size in range(16, len(end) // 3 + 1)
    )
    return bool(_REPEATS.search(text)) or any(thrice)


def without_label(text: str, question: str) -> str:
    """`text` without a leading `Answer:` in whatever language; a list's "Brazil: 3, …: 2" stays."""
    label = _LABEL.match(text)
    if (
        label
        and not _LATER_LABEL.search(text, label.end())
        and label.group().strip(" :：").casefold() not in question.casefold()
    ):
        return text[label.end() :]
    return text


def _years(text: str) -> set[str]:
    found = (text[number.start : number.end].strip() for number in find_numbers(text))
    return {number for number in found if _YEAR.fullmatch(number)}


def _lower_words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word[0].islower() and not _CJK.search(word)]


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
