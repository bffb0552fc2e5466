"""What kind of thing a question asks for, by its words: what states no such thing cannot answer."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal, get_args

from qa_bot.months import months, weekdays
from qa_bot.number_words import LANGUAGES
from qa_bot.numbers import stated_values
from qa_bot.prompts import asks, phrases
from qa_bot.text import language_of

Kind = Literal["price", "time", "quantity"]
"""What something costs; when it is; how many, how much or how old."""

_ONE = re.compile(
    r"\b(?:(?<!no )one(?! of\b| another\b)|single|only|seule?|unique|tunggal"
    r"|(?<!salah )satu(?! sama lain\b)|einzig\w*|solo|sola|único|única)\b"
    r"|一[个個位名家种種条條座次项項]|唯一|(?<![\d.,第])1(?![\d.,]*\d|st\b|er\b|[.)]\s)",
    re.IGNORECASE,
)
"""A number as well, though it is mostly an article or says something else: one of, the first."""
_RANK = re.compile(
    r"\b(?:rank\w*|rang|peringkat|urutan|posisi)\b|第[几幾]|排名|名次", re.IGNORECASE
)
"""A place in a row is asked for, which the first is."""
_DAY = re.compile(
    r"\b(?:yesterday|today|tomorrow|last (?:year|month|week)"
    r"|hier|aujourd'hui|demain|(?:an|mois|semaine|année) derni(?:er|ère)"
    r"|minggu|kemarin|hari ini|besok|(?:tahun|bulan) lalu"
    r"|gestern|heute|morgen|(?:letzte[nrs]?|vorige[nrs]?) (?:jahr|monat|woche)"
    r"|ayer|hoy|(?:año|mes) pasado|semana pasada|ontem|hoje|(?:ano|mês) passado"
    r"|ieri|oggi|(?:anno|mese) scorso|gisteren|vandaag|(?:vorig|afgelopen) jaar)\b"
    r"|[一二三四五六七八九十]+[岁歲]|[周週]末|[昨今明前去][天日年晚]|上个?[月周]",
    re.IGNORECASE,
)
"""A time without a number: an age, or one told from when it was written."""
_MONEY = re.compile(
    r"[$€£¥₩₹₫฿]|\brp\.?\s?\d|\b(?:dollars?|usd|euros?|eur|yuans?|rmb|renminbi|yens?|rupiah|rupees?"
    r"|roupies?|rupias?|pounds?|livres? sterling|libras|francs?|franken|pesos?|reais|roubles?"
    r"|rublos?|rubel|liras?|dolar|dollari|dólares|free|gratuit\w*|gratis|kostenlos)\b"
    r"|[\d一二三四五六七八九十百千万萬亿億](?:多|余|餘)?[元圆圓]|[美日欧歐]元|人民[币幣]|英[镑鎊]|免[费費]",
    re.IGNORECASE,
)
"""A sum of money, or that there is none to pay."""

_DOCUMENT = re.compile(
    r"\b(?:articles?|artikel\w*|artículos?|artigos?|articol[oi]|reports?|rapports?|documents?|dokumen)\b"
    r"|文章|报道|報道|文件",
    re.IGNORECASE,
)
_CAME_OUT = re.compile(
    r"\bpublish|\bpublié|\bpublic(?:ad|ó)|\bpubblicat|\b(?:di)?terbit|\bposted|\bwritten|\bécrit"
    r"|\bparue?s?\b|\bveröffentlich|\berschien"
    r"|[发發]表|刊登|刊[发發]|[发發]布|写于|寫於",
    re.IGNORECASE,
)
"""A document, and that it was published or written."""


def asked_for(question: str) -> Kind | None:
    """What a question asks for, by the words of `prompts/languages.json`, in nine languages.

    None where it is something else. Of two things asked at once it may be either.
    """
    words = phrases(language_of(question, "en"))
    return next((kind for kind in get_args(Kind) if asks(getattr(words, kind), question)), None)


def asks_when_it_came_out(question: str) -> bool:
    """Whether it asks for the date of a document itself."""
    of_document = _DOCUMENT.search(question) and _CAME_OUT.search(question)
    return bool(of_document) and asked_for(question) == "time"


def counts_something(question: str) -> bool:
    """Whether it asks how many there are of something, which no share of a hundred tells."""
    return asks(phrases(language_of(question, "en")).count, question)


def may_state(text: str, language: str, question: str, kind: Kind) -> bool:
    """Whether a sentence states a thing of that kind that the question does not name.

    So it is for one in a language whose numbers in words are not read.
    """
    if language not in LANGUAGES:
        return True
    if kind == "price":
        return bool(_MONEY.search(text))
    stated = stated_values(text) - stated_values(question)
    if kind == "time":
        stated |= _months(text) - _months(question)
        return bool(stated or _DAY.search(text) or any(weekdays(text)))
    if not _RANK.search(question):
        stated -= {1}
    return bool(stated or _ONE.search(text))


def _months(text: str) -> set[Decimal]:
    return {value for _, value in months(text)}
