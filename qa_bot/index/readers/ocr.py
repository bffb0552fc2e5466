"""The words of scanned pages, where the extra `ocr` is installed.

One small model reads Chinese of both kinds and the languages of the Latin alphabet; what
else is written on a page comes out as nonsense or not at all.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdf import PageObject

LIBRARY = "rapidocr"
MEMORY = 2 << 30
"""Bytes of address space that it cannot do without."""
SECONDS_PER_MEGABYTE = 60
"""Of processor time: a page of text takes 2 to 5 s, and a megabyte may hold ten of them."""


def is_installed() -> bool:
    """Whether scanned pages can be read."""
    return find_spec(LIBRARY) is not None


def text_of(page: PageObject) -> str:
    """The lines on the pictures of a page, from the top down."""
    import numpy as np

    found: list[str] = []
    for picture in page.images:
        if picture.image is not None:
            found += _engine()(np.asarray(picture.image.convert("RGB"))).txts or ()
    return "\n".join(found)


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    one = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={**one, "Global.log_level": "error"})
