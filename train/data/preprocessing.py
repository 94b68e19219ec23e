"""The preprocessing that published Arabic encoders were trained with, as a normaliser of their tokenizer.

Put before the tokenizer's own normaliser it travels in `tokenizer.json`: inference needs no code for it.
"""

from __future__ import annotations

from tokenizers import Regex, Tokenizer, normalizers

from wusum.model.errors import ConfigError

_LETTERS = r"\u0621-\u063a\u0641-\u064a"
_KEPT = rf"0-9{_LETTERS}\u0640-\u066c\u0671-\u0674a-zA-Z\[\]!\"#$%'()*+,.:;\-<=·>?@\\^_`{{|}}~—٪’،؟؛“”‘…»«"


def arabert() -> normalizers.Normalizer:
    """AraBERT v0.2, AraELECTRA and AraGPT2: everything but Farasa's segmentation, which those do not use.

    Entities and tags of HTML, addresses and mentions, marks, tatweel, Arabic-Indic digits, slashes, letters repeated
    more than twice, spaces around what is no letter or digit and between digits and letters, then no other
    characters (Antoun, Baly and Hajj, "AraBERT", OSACT 2020, and the preprocessing notes published with version 0.2).
    """
    entities = {"&nbsp;": " ", "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">", "&amp;": "&"}
    steps: list[tuple[str | Regex, str]] = [
        *entities.items(),
        (Regex(r"[\u064b-\u0652\u0670]"), ""),
        ("\u0640", ""),
        (Regex(r"<br\s*/?>|</?[a-zA-Z][^<>]*>"), " "),
        (Regex(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[بريد]"),
        (Regex(r"(https?://|www\.)[^\s<>]+"), "[رابط]"),
        (Regex(r"(?<![\w@])@\w+"), "[مستخدم]"),
        *((chr(0x0660 + digit), str(digit)) for digit in range(10)),
        ("/", "-"),
        (Regex(r"(?<=(\D)\1)\1+"), ""),
        (Regex(rf"(?<=[^0-9{_LETTERS}a-zA-Z\[\]\s])(?=\S)"), " "),
        (Regex(rf"(?<=\S)(?=[^0-9{_LETTERS}a-zA-Z\[\]\s])"), " "),
        (Regex(rf"(?<=[0-9])(?=[{_LETTERS}])|(?<=[{_LETTERS}])(?=[0-9])"), " "),
        (Regex(rf"[^{_KEPT}\s]"), " "),
        (Regex(r"\s+"), " "),
    ]
    return normalizers.Sequence(
        [*(normalizers.Replace(pattern, content) for pattern, content in steps), normalizers.Strip()]
    )


FAMILIES = {"arabertv02": "arabert", "araelectra": "arabert"}
"""What part of a model's name tells the preprocessing. CAMeLBERT, ARBERT and MARBERT take the text as it is."""


def add_preprocessing(tokenizer: Tokenizer, preprocessing: str, base_model: str) -> None:
    """Put a preprocessing before the normaliser of a base model's tokenizer.

    `preprocessing` is none, arabert, or auto: the one that the name of the model tells, if any. Raises ConfigError for
    another.
    """
    if preprocessing not in ("auto", "none", "arabert"):
        raise ConfigError(f"preprocessing: no {preprocessing!r}; there are auto, none and arabert")
    if preprocessing == "auto":
        name = base_model.rstrip("/").rsplit("/", 1)[-1].lower()
        preprocessing = next((steps for family, steps in FAMILIES.items() if family in name), "none")
    if preprocessing == "arabert":
        own = tokenizer.normalizer
        tokenizer.normalizer = normalizers.Sequence([arabert(), *([own] if own else [])])
