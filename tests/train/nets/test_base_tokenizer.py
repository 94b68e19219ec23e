"""The published preprocessing of AraBERT v0.2, step by step."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from wusum.model.errors import ConfigError
from wusum.train.nets.base_tokenizer import add_preprocessing, arabert, open_base_tokenizer
from wusum.train.stages.tokenizer import train


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("مُؤَكِّدًا", "مؤكدا"),
        ("جميـــل", "جميل"),
        ("قال: نعم، ثم مضى.", "قال : نعم ، ثم مضى ."),
        ("«الخليج»", "« الخليج »"),
        ("عام ٢٠٢٤م", "عام 2024 م"),
        ("كوفيد19 مليون2", "كوفيد 19 مليون 2"),
        ("هههههه 11111", "هه 11111"),
        ("1/2", "1 - 2"),
        ("نص<br/>آخر <b>هنا</b>", "نص آخر هنا"),
        ("أ&nbsp;ب &quot;ج&quot;", 'أ ب " ج "'),
        ("زوروا https://example.org/a?b=1 الآن", "زوروا [رابط] الآن"),
        ("راسلوا name@example.org أو @name", "راسلوا [بريد] أو [مستخدم]"),
        ("كتاب 📚 جديد", "كتاب جديد"),
        ("  فراغ \n\n كثير\t", "فراغ كثير"),
        ("إلى آخره", "إلى آخره"),
    ],
)
def test_a_text_comes_out_as_published(given: str, plain: str) -> None:
    assert arabert().normalize_str(given) == plain


OWN = train(iter(["قال الوزير إن العمل بدأ"]), vocab_size=60, min_frequency=1).to_str()


def new_tokenizer() -> Tokenizer:
    return Tokenizer.from_str(OWN)


@pytest.mark.parametrize(
    "name", ["aubmindlab/bert-base-arabertv02", "aubmindlab/bert-large-arabertv02-twitter", "x/araelectra-base/"]
)
def test_the_preprocessing_goes_by_the_models_name_and_is_saved_in_the_file(name: str) -> None:
    tokenizer = new_tokenizer()
    add_preprocessing(tokenizer, "auto", name)
    loaded = Tokenizer.from_str(tokenizer.to_str())
    assert loaded.encode("قاللللل الوزير 📚").tokens == new_tokenizer().encode("قالل الوزير").tokens


@pytest.mark.parametrize("name", ["CAMeL-Lab/bert-base-arabic-camelbert-mix", "UBC-NLP/ARBERT", "some/folder"])
def test_other_models_take_the_text_as_it_is(name: str) -> None:
    tokenizer = new_tokenizer()
    add_preprocessing(tokenizer, "auto", name)
    assert tokenizer.to_str() == OWN


def test_a_config_can_name_the_preprocessing_of_a_folder_under_any_name() -> None:
    tokenizer = new_tokenizer()
    add_preprocessing(tokenizer, "arabert", "my/copy")
    assert tokenizer.encode("قاللللل 📚").tokens == new_tokenizer().encode("قالل").tokens
    tokenizer = new_tokenizer()
    add_preprocessing(tokenizer, "none", "aubmindlab/bert-base-arabertv02")
    assert tokenizer.to_str() == OWN
    with pytest.raises(ConfigError, match="'farasa'"):
        add_preprocessing(tokenizer, "farasa", "x")


def test_the_tokenizer_of_a_folder_is_its_file_with_the_preprocessing(tmp_path: Path) -> None:
    new_tokenizer().save(str(tmp_path / "tokenizer.json"))
    assert open_base_tokenizer(str(tmp_path), "auto").to_str() == OWN
    opened = open_base_tokenizer(str(tmp_path), "arabert")
    assert opened.encode("قاللللل 📚").tokens == new_tokenizer().encode("قالل").tokens
