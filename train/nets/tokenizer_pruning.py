"""A tokenizer cut to some of its pieces, so that a text made of these is split as before.

- Unigram takes the split with the best sum of scores: it is still there, and nothing new is better.
- WordPiece takes the longest piece that fits: it is still there, and nothing new is longer.
- BPE merges pairs in the order of their ranks: the merges that make a kept piece stay, with the pieces on the way.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any

from tokenizers import Tokenizer, pre_tokenizers

from wusum.model.errors import ConfigError

KINDS = ("Unigram", "WordPiece", "BPE")
"""Types of tokenizers that can be pruned, as `tokenizer.json` calls them."""

Merges = dict[tuple[str, str], int]
"""The rank of each pair of pieces that BPE merges."""


def prune_tokenizer(tokenizer: Tokenizer, used: Iterable[int]) -> tuple[Tokenizer, list[int]]:
    """Return a tokenizer with some of the pieces, without truncation and padding, and the former id of each new id.

    The ids `used` stay if there are such, and with them special and added tokens, the characters of the used pieces (so
    that no word of known letters becomes unknown), bytes where the tokenizer falls back to them, and for BPE the pieces
    on the way. The order of the ids stays. Raises ConfigError for a tokenizer that is not one of KINDS.
    """
    layout: dict[str, Any] = json.loads(tokenizer.to_str())
    model = layout["model"]
    if model["type"] not in KINDS:
        raise ConfigError(f"a {model['type']} tokenizer cannot be pruned; {', '.join(KINDS)} can")
    ids = tokenizer.get_vocab()
    texts = {number: piece for piece, number in ids.items()}
    special = _special_ids(layout, ids)
    pieces = [texts[number] for number in ({*used} - special) & texts.keys()]
    more = _characters(pieces, model) | _bytes(layout)
    if model["type"] == "BPE":
        more |= _on_the_way(pieces, model)
    if model["type"] == "Unigram":  # unknown characters are scored by the least score
        more.add(min(model["vocab"], key=lambda entry: entry[1])[0])
    former = sorted(special | {ids[piece] for piece in {*pieces, *more} & ids.keys()})
    _renumber(layout, {old: new for new, old in enumerate(former)})
    return Tokenizer.from_str(json.dumps(layout)), former


def _special_ids(layout: Mapping[str, Any], ids: Mapping[str, int]) -> set[int]:
    """Return the ids of added tokens, of the unknown token, and of those that are put around a text."""
    model = layout["model"]
    found = {token["id"] for token in layout["added_tokens"]}
    found |= {model.get("unk_id"), ids.get(model.get("unk_token"))} - {None}
    for step in _steps(layout["post_processor"]):
        found |= {number for token in step.get("special_tokens", {}).values() for number in token["ids"]}
        found |= {step[name][1] for name in ("sep", "cls") if name in step}
    return found


def _steps(part: Mapping[str, Any] | None) -> list[Any]:
    """Return a part of a tokenizer, such as its post-processor, as a list of steps; a sequence may have sequences."""
    if part is None:
        return []
    if part["type"] != "Sequence":
        return [part]
    inner = next(value for value in part.values() if isinstance(value, list))
    return [step for nested in inner for step in _steps(nested)]


def _bytes(layout: Mapping[str, Any]) -> set[str]:
    """Return the pieces that stand for single bytes, for a tokenizer that has such."""
    steps = _steps(layout["pre_tokenizer"]) + _steps(layout["normalizer"])
    found = {*pre_tokenizers.ByteLevel.alphabet()} if any(step["type"] == "ByteLevel" for step in steps) else set()
    return found | ({f"<0x{byte:02X}>" for byte in range(256)} if layout["model"].get("byte_fallback") else set())


def _affixes(model: Mapping[str, Any]) -> tuple[str, str]:
    """Return the mark before a piece within a word, and the mark behind one that ends a word; "" for none."""
    return model.get("continuing_subword_prefix") or "", model.get("end_of_word_suffix") or ""


def _letters(piece: str, model: Mapping[str, Any]) -> list[str]:
    """Return a piece cut into single characters, each with the marks that it has there."""
    prefix, suffix = _affixes(model)
    first = prefix if piece.startswith(prefix) and piece != prefix else ""
    last = suffix if piece.endswith(suffix) and piece != suffix else ""
    body = piece[len(first) : len(piece) - len(last)]
    letters = [(first if i == 0 else prefix) + letter for i, letter in enumerate(body)]
    return [*letters[:-1], letters[-1] + last] if letters else [piece]


def _characters(pieces: Iterable[str], model: Mapping[str, Any]) -> set[str]:
    """Return the characters of pieces as pieces of their own, for any place in a word."""
    prefix, suffix = _affixes(model)
    letters = {letter for piece in pieces for letter in piece.removeprefix(prefix).removesuffix(suffix)}
    return {before + letter + behind for letter in letters for before in ("", prefix) for behind in ("", suffix)}


def _on_the_way(pieces: Iterable[str], model: Mapping[str, Any]) -> set[str]:
    """Return the pieces that arise while BPE makes some pieces from their characters."""
    merges = _merges(model)
    made: set[str] = set()
    for piece in pieces:
        parts = _letters(piece, model)
        made.update(parts)
        while found := [(merges[pair], i) for i, pair in enumerate(pairwise(parts)) if pair in merges]:
            _, place = min(found)
            parts[place : place + 2] = [_merged(parts[place], parts[place + 1], model)]
            made.add(parts[place])
    return made


def _merges(model: Mapping[str, Any]) -> Merges:
    return {(left, right): rank for rank, (left, right) in enumerate(model["merges"])}


def _merged(left: str, right: str, model: Mapping[str, Any]) -> str:
    return left + right[len(_affixes(model)[0]) :]


def _renumber(layout: dict[str, Any], new_ids: Mapping[int, int]) -> None:
    """Drop the pieces without a new id from the layout of a tokenizer, and give the others theirs."""
    model = layout["model"]
    layout["truncation"] = layout["padding"] = None
    if model["type"] == "Unigram":
        model["vocab"] = [entry for old, entry in enumerate(model["vocab"]) if old in new_ids]
        model["unk_id"] = new_ids.get(model["unk_id"])
    else:
        model["vocab"] = {piece: new_ids[old] for piece, old in model["vocab"].items() if old in new_ids}
    if model["type"] == "BPE":
        model["merges"] = [pair for pair in model["merges"] if _stays(pair, model)]
    for token in layout["added_tokens"]:
        token["id"] = new_ids[token["id"]]
    for step in _steps(layout["post_processor"]):
        for token in step.get("special_tokens", {}).values():
            token["ids"] = [new_ids[old] for old in token["ids"]]
        for name in {"sep", "cls"} & step.keys():
            step[name][1] = new_ids[step[name][1]]


def _stays(pair: Collection[str], model: Mapping[str, Any]) -> bool:
    """Return whether a merge of BPE has its pieces still in the vocabulary, and what it makes."""
    left, right = pair
    return {left, right, _merged(left, right, model)} <= set(model["vocab"])
