"""The tokenizer of a pretrained encoder, with the preprocessing that the encoder was trained with.

The preprocessing is a normaliser put before the tokenizer's own, and so is saved in `tokenizer.json`: inference needs
no code for it.
"""

from __future__ import annotations

import transformers
from tokenizers import Regex, Tokenizer, normalizers
from transformers.utils.hub import cached_file

from wusum.model.errors import ConfigError
from wusum.train.data.tokens import unlimited
from wusum.train.model_folder import TOKENIZER

PREPROCESSING = ("auto", "none", "arabert")
"""Values of the setting `preprocessing`; "auto" goes by the model's name."""

FAMILIES = {"arabertv02": "arabert", "araelectra": "arabert"}
"""Preprocessing of the models whose name contains a key. CAMeLBERT, ARBERT and MARBERT have none."""

_LETTERS = r"\u0621-\u063a\u0641-\u064a"
_KEPT = rf"0-9{_LETTERS}\u0640-\u066c\u0671-\u0674a-zA-Z\[\]!\"#$%'()*+,.:;\-<=·>?@\\^_`{{|}}~—٪’،؟؛“”‘…»«"


def open_base_tokenizer(base_model: str, preprocessing: str) -> Tokenizer:
    """Return the tokenizer of a model of the Hub or a folder; raises ConfigError for an unknown preprocessing."""
    # The file itself if there is one: a tokenizer that transformers builds may have another normaliser.
    file = cached_file(base_model, TOKENIZER, _raise_exceptions_for_missing_entries=False)
    if file is not None:
        tokenizer = Tokenizer.from_file(str(file))
    else:
        fast = transformers.AutoTokenizer.from_pretrained(base_model, trust_remote_code=False)
        tokenizer = Tokenizer.from_str(fast.backend_tokenizer.to_str())
    add_preprocessing(tokenizer, preprocessing, base_model)
    return unlimited(tokenizer)


def add_preprocessing(tokenizer: Tokenizer, preprocessing: str, base_model: str) -> None:
    """Put a preprocessing, one of PREPROCESSING, before the normaliser of a base model's tokenizer.

    Raises ConfigError for another one.
    """
    if preprocessing not in PREPROCESSING:
        raise ConfigError(f"preprocessing: no {preprocessing!r}; there are {', '.join(PREPROCESSING)}")
    if preprocessing == "auto":
        name = base_model.rstrip("/").rsplit("/", 1)[-1].lower()
        preprocessing = next((steps for family, steps in FAMILIES.items() if family in name), "none")
    if preprocessing == "arabert":
        own = tokenizer.normalizer
        tokenizer.normalizer = normalizers.Sequence([arabert(), *([own] if own else [])])


def arabert() -> normalizers.Normalizer:
    """Return the preprocessing of AraBERT v0.2, AraELECTRA and AraGPT2, without Farasa's segmentation (unused there).

    It treats entities and tags of HTML, addresses and mentions, marks, tatweel, Arabic-Indic digits, slashes, letters
    repeated more than twice, and spaces around everything but letters and digits and between digits and letters; then
    it drops all other characters (Antoun, Baly and Hajj, "AraBERT", OSACT 2020, and the preprocessing notes published
    with version 0.2).
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
