"""Pick what is worth indexing in a document's text, without changing an offset.

Rules go by the shape of a line, its place, and short word lists in several languages;
none knows a particular site. In doubt a line stays: a stray line costs a little
precision, a lost one costs an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from qa_bot.text import LIST_ITEM, display_width, sentence_spans, wrapped_runs
from qa_bot.types import Block, BlockKind

CLEANER_VERSION = 4
TITLE_CHARACTERS = 100
_HEAD = 6
_TAIL = 12
_CONTENTS = 5
"""Lines of a table of contents, at least."""

_Shape = Literal["prose", "short", "caption", "noise", "credit", "trailer"]


def _pattern(*alternatives: str, end: str = "") -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(alternatives)}){end}", re.IGNORECASE)


_PROSE_END = re.compile(r"[.!?…。！？；।۔؟:：;,،][\"'”’»›」』）)\]】\s]*$")
_CLAUSE = re.compile(r"[,，、;；،]")
_LEADER = re.compile(r"[.·…_](?:\s?[.·…_]){3}\s*(\d{1,4})\s*$")
_PAGE = re.compile(r"\s\d{1,4}\s*$")
_MARKER = re.compile(r"(?:[①-⓿❶-➓㈠-㉃]|[^\w\s]|_|\s)+$")
_DAY = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}"
    r"|\d{4}年\d{1,2}月\d{1,2}日)"
)
_DATE_LINE = re.compile(rf"[\s(\[]*{_DAY}[\d\s.,:;|/()\[\]\-–—年月日時时分秒hTZ]*$")
_CAPTION = _pattern(
    r"[(\[]?\d{1,2}\s?/\s?\d{1,2}[)\]]?\s*(?=[^\W\d])",
    r"图\s?(?:[①-⑳]|\d{1,2}|[一二三四五六七八九十])?\s?[:：为]",
    r"(?:photo|foto|image|bild|imagen|gambar|figure|figura|abbildung|légende|caption|фото|рис"
    r"|写真|사진|照片|图片)\.?\s?\d{0,2}\s?[:：]\s?(?=(?:[^\W\d]\S*\s+){4}|[\u3040-\u9fff]{8})",
    r"(?:cette|sur cette) (?:photo|image)\b|(?:in )?this (?:file |undated )?(?:photo|picture|image)"
    r"\b|(?:a |an )?(?:file )?photo (?:taken|shows)|foto (?:ini|yang diambil|tomada)",
    r"(?:auf )?diese[sm] (?:foto|bild)\b|(?:en )?esta (?:foto|imagen)\b|nesta foto|[这這]张照片",
)
_CAPTION_END = _pattern(
    r"\((?=[^()]*[^\W\d]\s?/\s?[^\W\d])[^()]{5,120}\)",
    r"[.。)]\s?(?:photos?|foto|crédit|credit|image|bild|©)(?: \w+)?\s?[:：©/ ]\s?[^.:]{2,40}",
    end=r"\s*\.?$",
)
_STAMP = _pattern(
    r"derni[èe]re (?:mise à jour|modification)|(?:mis à jour|publiée?|postée?|modifiée?|créée?) ",
    r"(?:last )?(?:updated?|modified|revised)\b|(?:published|posted|created) ",
    r"(?:di)?(?:buat|perbarui|terbitkan|publikasikan|tayangkan|unggah)\b|terakhir diperbarui",
    r"(?:zuletzt )?aktualisiert|veröffentlicht|stand:|(?:última )?actualiza(?:do|ción)|publicado ",
    r"(?:更新|发布|發布|发表|发稿)(?:时间|日期|于)?[:：\s]|обновлено|опубликовано|atualizado|aggiornato",
    end=r"(?=.*\d)(?!.*\S+(?:\s\S+){9})",
)
_BYLINE = _pattern(
    r"(?:by|par|von|por|oleh|door|автор:?|written by|propos recueillis par)\s+"
    r"(?-i:[A-ZÀ-ÞА-Я][\w.'’\-]*)(?:,?\s(?:(?-i:[A-ZÀ-ÞА-Я][\w.'’\-]*)|de|van|et|and|&|dan|und|y)){1,6}",
    end=r"\s*$",
)
_CREDIT = _pattern(
    r"(?:(?:本报|本刊|本网|新华社|人民网)\S{0,4}(?:记者|通讯员)[\s:：]*|(?:记者|通讯员|記者)[\s:：]+)"
    r"(?:[\u4e00-\u9fff·]{2,4}[\s、]*){1,6}(?:[摄攝文]|[报報]道)?",
    r"[\u4e00-\u9fff·\s]{2,12}[摄攝]\s*(?:[（(][^)）]{1,20}[)）])?",
    r"(?:本版|责任|責任|本期)?(?:责编|編輯|编辑|版式设计|设计|制图|校对|审核|统筹|监制|图片来源|摄影|撰文)"
    r"\s?[:：][^。！？]{1,30}",
    end=r"\s*$",
)
_LOOSE_CREDIT = _pattern(
    r"(?:photos?|crédits?(?: photo)?|(?:photo )?credit|foto|bild|source|sumber|quelle|fuente|editor"
    r"|éditeur|edited by|editing by|reporting by|redaktion|redaktur|penyunting|rédaction|来源|來源)"
    r"\s?(?:[:：/©]|by )\s?.{1,50}|©\s?.{1,50}",
    end=r"$",
)
_WIDGET = _pattern(
    r"система orphus|нашли ошибку.*|skip to (?:main )?content|aller au contenu.*|loading\.{0,3}",
    r"advertisement|publicité|iklan|anzeige|werbung|publicidad|广告|реклама|\d* ?views?",
    r"(?:share|partager|teilen|compartir|bagikan|condividi|compartilhar|поделиться|分享到?|tweet"
    r"|copy link)(?:\W*(?:on|sur|via|auf|en|ke|this|article|cet|facebook|twitter|x|linkedin|e-?mail"
    r"|whatsapp|telegram|pinterest|weibo|wechat|微信|微博|print))*",
    r"(?:(?:facebook|twitter|x|linkedin|whatsapp|telegram|pinterest|reddit|e-?mail|print|weibo|wechat"
    r"|微信|微博|imprimer|drucken|imprimir|cetak)(?:\W+|$)){2,}",
    end=r"\s*[:：|]?$",
)
_TRAILER = _pattern(
    r"[aà] (?:lire|voir) (?:aussi|également)|(?:lire|voir) aussi|sur le même sujet",
    r"articles? (?:liés|connexes|similaires|associés)|les plus lus",
    r"(?:also )?read (?:also|more|next)|also read|see also|(?:relevant|latest) news",
    r"related (?:articles?|news|stories|posts|content|links)|most (?:read|viewed|popular|shared)",
    r"(?:baca|lihat|simak) (?:juga|pula)|baca selengkapnya|berita (?:terkait|lainnya|terpopuler)",
    r"artikel (?:terkait|lainnya)|terpopuler|lesen sie auch|mehr zum thema|siehe auch|meistgelesen",
    r"(?:lea|lee) también|(?:noticias|artículos) relacionad[ao]s|ver también|lo más leído",
    r"leia (?:também|mais)|leggi anche|lees ook|читайте (?:также|ещё)|по теме",
    r"(?:相关|相關)(?:新闻|新聞|阅读|閱讀|文章|报道)|延伸阅读|推荐阅读|热门(?:文章|新闻)|関連(?:記事|ニュース)",
    end=r"(?:\s*[:：].{0,120})?\s*$",
)
_NOTICE = _pattern(
    r"(?:copyright|©|\(c\)|hak cipta|版[权權])\s?"
    r"(?:©|\(c\)|[:：]|\d{4}|of\b|by\b|notice|所有|[声聲]明|dilindungi)",
    r".{0,60}(?:all rights reserved|tous droits réservés|alle rechte vorbehalten|版权所有"
    r"|todos los derechos reservados|todos os direitos reservados|все права защищены)",
    r".{0,80}(?:may|must|can) ?not be (?:reproduced|republished|redistributed|copied)\b",
    r"(?:when|if) (?:citing|quoting|copying|reprinting).{0,80}(?:link|reference|source|credit)",
    r"(?:toute )?reproduction .{0,30}interdite|nachdruck|vervielfältigung|prohibida (?:la|su) repr",
    r"dilarang (?:memperbanyak|mengutip|menyalin|keras)|при (?:перепечатке|цитировании)",
    r"(?:本文)?转载请|轉載請|未经.{0,8}(?:授权|许可|书面).{0,20}(?:转载|复制|使用)|無断転載",
    r"(?:please )?leave (?:us )?your (?:contact|details|information|message|email)",
    r"laissez(?:-nous)? vos (?:coordonnées|informations)|hinterlassen sie|dej[ae] [st]us datos",
    r"tinggalkan (?:informasi|pesan|kontak|data)|请?留下您的|subscribe (?:to|now)|we use cookies",
)
_NAVIGATION = re.compile(
    r"(?:home|menu|search|log ?in|sign in|register|about(?: us)?|contacts?(?: us)?|privacy|"
    r"terms(?: of (?:use|service))?|sitemap|news|sport|business|company|products|services|accueil|"
    r"recherche|connexion|à propos|qui sommes-nous|contactez-nous|mentions légales|actualités|"
    r"kontak|beranda|berita|tentang kami|hubungi kami|perusahaan|bisnis|masuk|daftar|layanan|start"
    r"seite|kontakt|impressum|datenschutz|über uns|anmelden|suche|inicio|contacto|quiénes somos|"
    r"facebook|twitter|linkedin|whatsapp|telegram|微信|微博|首页|登录|注册|关于我们|联系我们|главная|"
    r"ホーム|お問い合わせ|الرئيسية|اتصل بنا|chi siamo|contatti|sobre nós|contato|início|over ons)$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Unit:
    """A line, or the lines of one hard-wrapped paragraph."""

    start: int
    end: int
    text: str
    attached: bool
    """No blank line stands between it and the unit above."""
    shape: _Shape


def blocks(text: str) -> list[Block]:
    """Find the stretches of `text` to index, in order, each with what it is.

    Where nothing would be left, everything with a letter or digit stays.
    """
    units = _units(text)
    _cut_notices(units)
    _judge_by_place(units)
    _drop_credit_names(units)
    _drop_contents(units)
    dropped = {id(u) for u in units if u.shape in ("noise", "credit", "trailer")}
    dropped |= _navigation(units)
    kept = [unit for unit in units if id(unit) not in dropped] or [
        unit for unit in units if any(char.isalnum() for char in unit.text)
    ]
    return [Block(unit.start, unit.end, _kind(kept, index)) for index, unit in enumerate(kept)]


def paragraphs(text: str) -> list[Block]:
    """Every paragraph as it is: the records of a table are no article with a page around it."""
    return [
        Block(found.start(), found.end(), "text")
        for found in re.finditer(r"\S(?:[^\n]|\n(?!\s*\n))*", text)
    ]


def title_of(text: str, found: list[Block]) -> str:
    """Name a document: its first heading, else its first sentence cut short, else ""."""
    ranked = sorted(found, key=lambda b: (("heading", "text", "caption").index(b.kind), b.start))
    for block in ranked[:1]:
        words = text[block.start : block.end]
        if block.kind == "heading":
            return _one_line(words.strip("#=* \t"))[: 2 * TITLE_CHARACTERS]
        # "A. P." is an initial rather than a sentence: then the whole line is looked at.
        first = next((s.end for s in sentence_spans(words) if s.end > 30), len(words))
        return _shortened(_one_line(words[:first]))
    return ""


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _shortened(sentence: str) -> str:
    if len(sentence) <= TITLE_CHARACTERS:
        return sentence
    cut = sentence[:TITLE_CHARACTERS]
    # Chinese has no spaces to cut at: then at a comma, or right here.
    place = max(cut.rfind(" "), *(cut.rfind(mark) for mark in ",，、;；"))
    return cut[: place if place > TITLE_CHARACTERS // 2 else None].rstrip(" ,，、;；") + "…"


def _units(text: str) -> list[_Unit]:
    units: list[_Unit] = []
    group: list[str] = []
    place = 0
    for line in [*text.split("\n"), ""]:
        if line.strip():
            group.append(line)
            continue
        for number, run in enumerate(wrapped_runs(group)):
            whole = "\n".join(run)
            start = place + len(whole) - len(whole.lstrip())
            units.append(_unit(whole.strip(), start, attached=number > 0))
            place += len(whole) + 1
        place += len(line) + 1
        group = []
    return units


def _unit(words: str, start: int, *, attached: bool) -> _Unit:
    return _Unit(start, start + len(words), words, attached, _shape(words))


@lru_cache(maxsize=1024)  # a file of very short lines has few that differ
def _shape(words: str) -> _Shape:
    """Tell what a unit is by its own look, wherever it stands."""
    width = display_width(words)
    if _MARKER.match(words):
        return "noise"
    if width <= 900 and (
        _CAPTION.match(words) or (40 < width < 500 and _CAPTION_END.search(words))
    ):
        return "caption"
    if width <= 90 and not _PROSE_END.search(words[-40:]) and _STAMP.match(words):
        return "noise"
    if width <= 120 and (_WIDGET.match(words) or _CREDIT.match(words)):
        return "credit" if _CREDIT.match(words) else "noise"
    if width <= 160 and _TRAILER.match(words):
        return "trailer"
    # A long line with clauses is text that was cut off (by a page's end), not a heading.
    if width > 200 or (width > 100 and len(_CLAUSE.findall(words)) > 1):
        return "prose"
    return "prose" if _PROSE_END.search(words[-40:]) or len(sentence_spans(words)) > 1 else "short"


def _cut_notices(units: list[_Unit]) -> None:
    """Cut off notices and links that run on behind the last sentences of the text."""
    for unit in units[-_TAIL:]:
        spans = sentence_spans(unit.text) if unit.shape == "prose" else []
        count = len(spans)
        while count > 1 and _is_notice(unit.text[spans[count - 1].start : spans[count - 1].end]):
            count -= 1
        if 0 < count < len(spans):
            unit.text = unit.text[: spans[count - 1].end]
            unit.end = unit.start + len(unit.text)


def _is_notice(sentence: str) -> bool:
    width = display_width(sentence)
    return bool(
        (width <= 260 and _NOTICE.match(sentence)) or (width <= 160 and _TRAILER.match(sentence))
    )


def _judge_by_place(units: list[_Unit]) -> None:
    """Name the lines that are noise only at the head, at the tail, or beside a picture."""
    for index, unit in enumerate(units):
        width = display_width(unit.text)
        at_edge = index < _HEAD or index >= len(units) - _TAIL
        if not at_edge or unit.shape not in ("prose", "short"):
            continue
        beside = index > 0 and units[index - 1].shape in ("caption", "credit")
        # A date that opens a document, right above its text, may be its title.
        beside_title = index > 0 or [u.shape for u in units[1:2]] == ["short"]
        if index < _HEAD and beside_title and _DATE_LINE.match(unit.text):
            unit.shape = "noise"
        elif width <= 70 and (
            _BYLINE.match(unit.text)
            or ((beside or unit.shape == "short") and _LOOSE_CREDIT.match(unit.text))
        ):
            unit.shape = "credit"
        elif width <= 260 and _NOTICE.match(unit.text):
            unit.shape = "noise"


def _drop_credit_names(units: list[_Unit]) -> None:
    """Names that run on below a credit belong to it."""
    for above, unit in pairwise(units):
        few = display_width(unit.text) <= 24 and len(unit.text.split()) <= 3
        if unit.attached and above.shape == "credit" and unit.shape == "short" and few:
            unit.shape = "credit"


def _drop_contents(units: list[_Unit]) -> None:
    """A table of contents: lines that lead by dots to pages, which only grow.

    Lines that name a page without dots, as those of chapters do, are of it where they stand in it.
    """
    lines = {id(unit): [_LEADER.search(line) for line in unit.text.split("\n")] for unit in units}
    listed = [unit for unit in units if 2 * sum(map(bool, lines[id(unit)])) >= len(lines[id(unit)])]
    pages = [int(found[1]) for unit in listed for found in lines[id(unit)] if found]
    grows = sum(before <= after for before, after in pairwise(pages))
    if len(pages) < _CONTENTS or grows < 0.9 * (len(pages) - 1):
        return
    first, last = listed[0].start, listed[-1].end
    for unit in listed:
        unit.shape = "noise"
    for unit in units:
        if first <= unit.start < last and all(map(_PAGE.search, unit.text.split("\n"))):
            unit.shape = "noise"


def _navigation(units: list[_Unit]) -> set[int]:
    """Find runs of short lines that give themselves away by words such as 'Home'."""
    dropped: set[int] = set()
    run: list[_Unit] = []
    for index, unit in enumerate([*units, None]):
        if unit is not None and unit.shape in ("short", "trailer", "noise", "credit"):
            run.append(unit)
            continue
        dropped |= _navigation_in(run, at_head=index == len(run), at_tail=unit is None)
        run = []
    return dropped


def _navigation_in(run: list[_Unit], *, at_head: bool, at_tail: bool) -> set[int]:
    trailer = next((i for i, unit in enumerate(run) if unit.shape == "trailer"), None)
    if at_tail and not at_head and trailer is not None:
        return {id(unit) for unit in run[trailer:]} | _navigation_in(
            run[:trailer], at_head=False, at_tail=False
        )
    signs = sum(bool(_NAVIGATION.match(unit.text)) for unit in run)
    if len(run) < 3 or signs < (1 if at_head or at_tail else 2) or (at_head and at_tail):
        return set()
    # Above or between text, the last line of the run is the title of what follows.
    menu = run if at_tail else run[:-1]
    return {
        id(unit)
        for unit in menu
        if display_width(unit.text) <= 45 and not any(c.isdigit() for c in unit.text)
    }


def _kind(kept: list[_Unit], index: int) -> BlockKind:
    unit = kept[index]
    if unit.shape == "caption":
        return "caption"
    if re.match(r"#{1,6}\s+\S", unit.text):
        return "heading"
    following = kept[index + 1] if index + 1 < len(kept) else None
    if following is None or LIST_ITEM.match(unit.text):
        return "text"
    alone = not unit.attached and not following.attached
    if unit.shape == "prose":
        # A title may be a question or hold one, but only where it opens the document.
        end = _PROSE_END.search(unit.text[-40:])
        title = display_width(unit.text) <= 120 and (end is None or end.group()[0] in "?!？！")
        return "heading" if index == 0 and title and alone else "text"
    return "heading" if alone or following.shape == "prose" else "text"
