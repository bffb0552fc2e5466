"""Make `qa_bot/places.json`: what countries and their languages are called.

    pip install babel && python benchmarks/places.py

Names are those of the Unicode CLDR, which the package `babel` brings, in the languages of
`prompts/languages.json`. A language stands for the countries that it is named after, since
`French` and `français` are what a text calls things of France.
"""

import json
import re
from pathlib import Path

from babel import Locale

from qa_bot.settings import resource

NAMED_AFTER = {
    "ar": ("SA",), "bg": ("BG",), "cs": ("CZ",), "da": ("DK",), "de": ("DE",), "el": ("GR",),
    "en": ("GB",), "es": ("ES",), "et": ("EE",), "fa": ("IR",), "fi": ("FI",), "fr": ("FR",),
    "hr": ("HR",), "hu": ("HU",), "hy": ("AM",), "id": ("ID",), "is": ("IS",), "it": ("IT",),
    "ja": ("JP",), "ka": ("GE",), "kk": ("KZ",), "km": ("KH",), "ko": ("KR", "KP"), "lo": ("LA",),
    "lt": ("LT",), "lv": ("LV",), "mk": ("MK",), "mn": ("MN",), "ms": ("MY",), "nb": ("NO",),
    "ne": ("NP",), "nl": ("NL",), "pl": ("PL",), "pt": ("PT",), "ro": ("RO",), "ru": ("RU",),
    "sk": ("SK",), "sl": ("SI",), "so": ("SO",), "sq": ("AL",), "sr": ("RS",), "sv": ("SE",),
    "th": ("TH",), "tr": ("TR",), "uk": ("UA",), "uz": ("UZ",), "vi": ("VN",), "zh": ("CN", "TW"),
}  # fmt: skip


def names_of(language: str) -> dict[str, list[list[str]]]:
    """For each country, by its code: its names, and those of what is named after it."""
    locale = Locale(language)
    found: dict[str, tuple[set[str], set[str]]] = {}
    for code, name in locale.territories.items():
        country = code.removesuffix("-alt-short")
        if re.fullmatch("[A-Z]{2}", country) and country not in {"EU", "EZ", "UN", "QO", "ZZ"}:
            names, _ = found.setdefault(country, (set(), set()))
            names.add(re.sub(r"\s*[(（\[].*", "", name))
    for spoken, countries in NAMED_AFTER.items():
        for country in countries:
            found[country][1].add(locale.languages[spoken])
    return {country: [sorted(kind) for kind in kinds] for country, kinds in sorted(found.items())}


def main() -> None:
    """Write the file."""
    languages = json.loads((resource("prompts") / "languages.json").read_text("utf-8"))
    made = {language: names_of(language) for language in languages}
    place = Path(__file__).parents[1] / "qa_bot" / "places.json"
    place.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
