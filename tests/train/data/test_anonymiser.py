"""Datelines and names of outlets, taken out of the articles."""

from __future__ import annotations

import pytest

from wusum.train.data.anonymiser import Anonymiser


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("أبوظبي: «الخليج» أعلنت الوزارة خطتها.", "أعلنت الوزارة خطتها."),
        ('دبي - "الخليج":شهد السوق تداولات', "شهد السوق تداولات"),
        ("الشارقة: عايدة عبد الحميد أكدت المديرة", "عايدة عبد الحميد أكدت المديرة"),
        ("قال مصدر لهسبريس إن العمل بدأ", "قال مصدر إن العمل بدأ"),
        ("علمت الجوهرة أف أم أن الرئيس وصل", "علمت أن الرئيس وصل"),
        ("أعلنت الوزارة خطتها. وقال الوزير: سنبدأ", "أعلنت الوزارة خطتها. وقال الوزير: سنبدأ"),
        ("هسبريس", "هسبريس"),
    ],
)
def test_datelines_and_outlets_are_taken_out(body: str, rest: str) -> None:
    anonymise = Anonymiser(["الخليج", "هسبريس", "الجوهرة أف أم"])
    assert " ".join(anonymise(body).split()) == rest


def test_without_names_a_body_stays_as_it_is() -> None:
    assert Anonymiser([])("دبي: شهد السوق  تداولات") == "دبي: شهد السوق  تداولات"
