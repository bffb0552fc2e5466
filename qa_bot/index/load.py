"""Find the files of the documents' folders, decode plain text, and date it.

The text of a `.txt` or `.md` file is what `open(path, encoding=…).read()` gives: nothing
is normalised, since offsets count into it.
"""

from __future__ import annotations

import datetime
import os
import re
import stat
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa_bot.errors import UsageError
from qa_bot.months import MONTH, MONTH_NUMBER
from qa_bot.types import FileState

PLAIN = (".txt", ".md")
"""Suffixes of plain text."""
MAX_BYTES = 20_000_000
_LEGACY = ["gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1251", "utf_16_le", "utf_16_be"]
_MAX_CHAOS = 0.1
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_YEAR = r"(?:19|20)\d\d(?!\d)"
_DATE = re.compile(
    rf"(?<![\d.])(?P<y1>{_YEAR})(?P<s>[-/.])(?P<m1>\d{{1,2}})(?P=s)(?P<d1>\d{{1,2}})(?!\d)"
    rf"|(?<![\d.])(?P<d2>\d{{1,2}})(?P<t>[./])(?P<m2>\d{{1,2}})(?P=t)(?P<y2>{_YEAR})"
    rf"|(?P<y3>(?:19|20)\d\d)\s?年\s?(?P<m3>\d{{1,2}})\s?月(?:\s?(?P<d3>\d{{1,2}})\s?日)?"
    rf"|\b(?P<d4>\d{{1,2}})(?:er|st|nd|rd|th|º|\.)?\s(?:de\s|of\s)?(?P<m4>{MONTH}),?\s(?:del?\s)?"
    rf"(?P<y4>{_YEAR})"
    rf"|\b(?P<m5>{MONTH})\s(?:(?P<d5>\d{{1,2}})(?:st|nd|rd|th)?,?\s|de\s)?(?P<y5>{_YEAR})",
    re.IGNORECASE,
)
_NAMED_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_NAME_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")
_CLOCK_STEP = 2_000_000_000
"""Nanoseconds. Some file systems keep their times in steps as large as this."""
_HEAD = 1500
_TAIL = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the walk; `status` is set where it is settled without reading it."""

    source: str
    path: str
    status: FileState | None = None
    reason: str | None = None
    stamp: tuple[int, ...] = ()
    """See `stamp_of`; of a file that is to be read."""


def named_folders(folders: Sequence[Path]) -> dict[str, Path]:
    """Give each folder the prefix its sources carry: none for one, its name for several.

    Raises:
        UsageError: a folder is missing or no folder, or two have one name.
    """
    roots: dict[Path, None] = {}
    for folder in folders:
        if not folder.is_dir():
            what = "is not a folder; name the folder it is in" if folder.exists() else "is missing"
            raise UsageError(f"the documents' folder {folder} {what} (--documents FOLDER)")
        roots[folder.resolve()] = None
    if not roots:
        raise UsageError("no documents' folder was named; give one with --documents FOLDER")
    if len(roots) == 1:
        return {"": next(iter(roots))}
    named: dict[str, Path] = {}
    for root in roots:
        if root.name in named:
            raise UsageError(
                f"two documents' folders are called {root.name!r}: {named[root.name]} and {root}; "
                "rename one, since sources start with the folder's name"
            )
        named[root.name] = root
    return named


def walk(
    roots: Mapping[str, Path], *, exclude: Path, suffixes: Collection[str] = PLAIN
) -> list[Found]:
    """List every file below the folders, sorted by source; `exclude` (our store) is left out."""
    found: list[Found] = []
    left_out = exclude.resolve()
    for name, root in roots.items():
        prefix = f"{name}/" if name else ""
        found += [_judged(prefix, root, path, suffixes) for path in paths(str(root), left_out)]
    return sorted(found, key=lambda file: file.source)


def stamp_of(state: os.stat_result) -> tuple[int, ...]:
    """What changes whenever a file is written, even by one who then sets its time back."""
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def is_fresh(stamp: Sequence[int]) -> bool:
    """Whether a file was touched so lately that its stamp may stay when it is written again."""
    return max(stamp[1:3]) > time.time_ns() - _CLOCK_STEP


def path_of(roots: Mapping[str, Path], source: str) -> Path:
    """Find the file of a source.

    Raises:
        UsageError: the source lies outside the folders.
    """
    name, _, rest = source.partition("/") if "" not in roots else ("", "", source)
    if name not in roots or ".." in Path(rest).parts or Path(rest).is_absolute():
        raise UsageError(f"{source!r} is not in the documents' folders; name a source of the index")
    return roots[name] / rest


def suffix_of(name: str) -> str:
    """What `Path(name).suffix` is, in lower case; with thousands of files a `Path` takes long."""
    stem, _, end = name.rpartition(os.sep)[2].rpartition(".")
    return f".{end.lower()}" if stem and end else ""


def paths(folder: str, exclude: Path) -> Iterator[str]:
    """Every file below, hidden and unreadable folders themselves instead of their files."""
    try:
        with os.scandir(folder) as found:  # which tells folders without a further look
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.path == str(exclude):
            continue
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            yield from paths(entry.path, exclude)
        else:
            yield entry.path


def _judged(prefix: str, root: Path, path: str, suffixes: Collection[str]) -> Found:
    name = os.fsencode(path[len(str(root)) :].lstrip(os.sep).replace(os.sep, "/") or ".")
    source = prefix + name.decode("utf-8", "replace")
    stamp: tuple[int, ...] = ()
    try:
        state = os.lstat(path)  # one look at each file: with thousands, looks take the time
        hidden = path.rpartition(os.sep)[2].startswith(".") and path != str(root)
        linked = stat.S_ISLNK(state.st_mode)
        if linked and not hidden and Path(path).resolve().is_relative_to(root):
            state = Path(path).stat()
        status, reason = (
            ("skipped", "hidden") if hidden else _verdict(path, state, suffixes, linked)
        )
        stamp = stamp_of(state)
    except (OSError, RuntimeError) as exc:  # a link to itself is a RuntimeError to Python 3.11
        status, reason = "failed", f"cannot be read: {exc}"
    if name != source[len(prefix) :].encode("utf-8"):
        status, reason = "failed", "its name is not valid UTF-8; rename it"
    return Found(source, path, status, reason, stamp)


def _verdict(
    path: str, state: os.stat_result, suffixes: Collection[str], linked: bool
) -> tuple[FileState | None, str | None]:
    """Settle a file without reading it; `state` is a link's own where it leads out."""
    if stat.S_ISLNK(state.st_mode):
        return "skipped", f"a link out of the documents' folder, to {Path(path).resolve()}"
    if stat.S_ISDIR(state.st_mode):
        return ("skipped", "a link to a folder") if linked else ("failed", "cannot be listed")
    if not stat.S_ISREG(state.st_mode):
        return "skipped", "not a regular file"
    if (suffix := suffix_of(path)) not in suffixes:
        kind = f"{suffix} files" if suffix else "files without a suffix"
        return "unsupported", f"{kind} are not read; convert to .txt"
    if state.st_size > MAX_BYTES:
        return (
            "too_large",
            f"{state.st_size / 1e6:.1f} MB, over {MAX_BYTES // 10**6} MB; split the file",
        )
    return None, None


def decode(data: bytes) -> str | None:
    """Decode a file's bytes, with universal newlines; None where no encoding fits surely."""
    text = _decoded(data)
    return None if text is None else text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str | None:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strict(data, encoding)
    # UTF-16 of Latin text is valid UTF-8 too, with a NUL beside every letter.
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(data) > 3 and data[first::2].count(0) > 0.7 * len(data[first::2]):
            return _strict(data, encoding)
    text = _strict(data, "utf-8")
    # UTF-16 of Greek, Cyrillic or Arabic is valid UTF-8 too, with a control character each.
    return text if text is not None and not _is_full_of_controls(text) else _legacy(data)


def _is_full_of_controls(text: str) -> bool:
    odd = sum(char < " " and char not in "\t\n\r\f" for char in text)
    return len(text) > 3 and odd > 0.3 * len(text)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _legacy(data: bytes) -> str | None:
    # Imported here: a corpus in UTF-8 never needs it.
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=_LEGACY).best()
    if best is not None and best.chaos <= _MAX_CHAOS:
        text = _strict(data, best.encoding)
        return text if text is not None and _is_readable(text) else None
    # A few accents in a short text are too little for statistics, but plain enough.
    text = _strict(data, "cp1252")
    strange = [char for char in text or "" if not char.isascii()]
    plain = all(
        (char.isalpha() and char not in "ÃÂ") or char in "’‘“”«»–—…€°\xa0" for char in strange
    )
    return text if text and plain and len(strange) * 5 < len(text) and _is_readable(text) else None


def _is_readable(text: str) -> bool:
    odd = sum(not (char.isprintable() or char.isspace()) for char in text)
    return odd * 200 <= len(text)


def date_of(text: str, name: str) -> str | None:
    """Date a document: the first date near its head, else near its end, else in its name.

    Else by the year alone, where the text names one over and over.
    """
    for part in (text[:_HEAD], text[_HEAD:][-_TAIL:]):
        for found in _DATE.finditer(part):
            date = _iso(found)
            if date:
                return date
    found_in_name = _NAME_DATE.search(name)
    if found_in_name is None:
        return _year_of(text)
    year, _, month, day = found_in_name.groups()
    return _checked(int(year), int(month), int(day))


def _year_of(text: str) -> str | None:
    """The year that is named at least three times, and more often than all others together."""
    counts = Counter(_NAMED_YEAR.findall(text))
    if not counts:
        return None
    year, count = counts.most_common(1)[0]
    return year if count >= 3 and 2 * count > counts.total() else None


def _iso(found: re.Match[str]) -> str | None:
    parts = found.groupdict()
    which = next(n for n in "12345" if parts[f"y{n}"])
    year, month_text, day_text = int(parts[f"y{which}"]), parts[f"m{which}"], parts[f"d{which}"]
    month = int(month_text) if month_text.isdigit() else MONTH_NUMBER[month_text.lower().strip(".")]
    if day_text is None:
        return f"{year:04}-{month:02}" if 1 <= month <= 12 else None
    day = int(day_text)
    if parts["t"] == "/" and which == "2":
        if month <= 12 and day <= 12 and month != day:
            return f"{year:04}"  # 03/04/2024 is March in one country and April in another
        day, month = (day, month) if month <= 12 else (month, day)
    return _checked(year, month, day)


def _checked(year: int, month: int, day: int) -> str | None:
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None
