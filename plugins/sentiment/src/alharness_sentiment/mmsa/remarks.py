"""What is worth knowing about a file that can be used: what was left out, renamed, moved or guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.api.importing import word
from alharness_sentiment.stored.manifest import SPLITS

from .content import OWN_LABELS
from .facts import OWN
from .padding import mask_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .content import Content
    from .facts import Corpus
    from .padding import Placement

MOST_KEYS = 30


def remark_content(corpus: Corpus, loaded: Mapping[Any, Any], content: Content) -> Iterator[str]:
    """Remarks on the keys of a file."""
    used = set(content.splits.values())
    for key in [key for key in loaded if key not in used][:MOST_KEYS]:
        yield f"{word(key, 80)} was left out: it is none of the splits"
    yield from _renamed(content)
    yield from _left_out(content)
    sizes = tuple(len(content.parts[split].ids) for split in SPLITS)
    if corpus.sizes not in (None, sizes):
        yield f"the published file has {corpus.sizes} samples in train, valid and test; this has {sizes}"
    if content.numbered:
        yield "ids are row numbers, which begin again in every split: each got the name of its split in front"
    yield from _own_labels(content)
    yield from _bert(content)
    if corpus is OWN and "text" in content.modalities:
        bert = all(part.text_bert is not None for part in content.parts.values())
        what = (
            "its first step (CLS), since there is text_bert"
            if bert
            else "the mean of its steps, without text_bert"
        )
        yield f"the vector of a text is {what}"


def remark_lengths(placed: Mapping[str, Mapping[str, Placement]]) -> Iterator[str]:
    """How lengths and sides of the padding were found; `placed`: modality -> split -> its sequences."""
    for modality, splits in placed.items():
        unknown = [split for split, placement in splits.items() if not placement.known]
        if unknown:
            who = "the file has" if len(unknown) == len(splits) else f"in {' and '.join(unknown)} there are"
            short = sum(splits[split].short for split in unknown)
            how = "they were taken from the blank steps (all zero) at the padded side"
            yield f"{modality}: {who} no lengths; {how if short else 'every sequence counts as full'}"
        evidence = next(iter(splits.values())).evidence
        short, moved, filled = (
            sum(getattr(placement, count) for placement in splits.values())
            for count in ("short", "moved", "filled")
        )
        if moved:
            each = ", ".join(f"{split} {placement.moved:,}" for split, placement in splits.items())
            mixed = moved < short and (evidence.mixed if unknown else evidence.end > 0)
            others = ". The others are padded at the end: make sure that the file is whole" if mixed else ""
            yield (
                f"{modality}: {moved:,} of {short:,} sequences shorter than the array are padded at the start "
                f"({each}); their steps were moved to the front{others}"
            )
        if filled:
            yield (
                f"{modality}: {filled:,} of {short:,} sequences shorter than the array hold values outside "
                "their length, which are not used; are the lengths right, and is the padding zero?"
            )


def _renamed(content: Content) -> Iterator[str]:
    names = {split: key for split, key in content.splits.items() if key != split}
    for split, key in names.items():
        yield f"{word(key)} was taken as {split}"
    taken = {(word(key), column) for part in content.parts.values() for column, key in part.keys.items()}
    if renamed := sorted((key, column) for key, column in taken if key != column):
        yield "columns under other names: " + ", ".join(f"{key} was taken as {column}" for key, column in renamed)


def _left_out(content: Content) -> Iterator[str]:
    """Keys that nothing was read from, in one line for each set of splits."""
    places: dict[str, list[str]] = {}
    for split, part in content.parts.items():
        for key in part.unread:
            places.setdefault(word(key, 40), []).append(split)
    groups: dict[tuple[str, ...], list[str]] = {}
    for key, splits in places.items():
        groups.setdefault(tuple(splits), []).append(key)
    for group, keys in groups.items():
        where = "" if len(group) == len(content.parts) else f" of {' and '.join(group)}"
        more = f" and {len(keys) - MOST_KEYS:,} more" if len(keys) > MOST_KEYS else ""
        yield f"left out{where}: {', '.join(keys[:MOST_KEYS])}{more}"


def _own_labels(content: Content) -> Iterator[str]:
    own = {m: [s for s, part in content.parts.items() if m in part.unimodal] for m in content.modalities}
    if not any(own.values()):
        yield "no modality has labels of its own; the fused ones serve for all"
        return
    for modality, splits in own.items():
        missing = [split for split in content.parts if split not in splits]
        if missing:
            yield (
                f"{modality} has no labels of its own ({OWN_LABELS[modality]}) in {' and '.join(missing)}; the "
                "fused ones serve there"
            )


def _bert(content: Content) -> Iterator[str]:
    for split, part in content.parts.items():
        if "text_bert" in part.keys and part.text_bert is None:
            yield f"text_bert of {split} is not (samples, 3, steps) of whole numbers, so it gives no lengths"
        elif part.text_bert is not None and part.text_bert.shape[2] != part.arrays["text"].shape[1]:
            yield (
                f"text_bert of {split} has {part.text_bert.shape[2]} steps, but text has "
                f"{part.arrays['text'].shape[1]}; it gives no lengths"
            )
        elif part.text_bert is not None and "text" in part.lengths:
            differ = int((mask_spans(part.text_bert[:, 1])[1] != part.lengths["text"]).sum())
            if differ:
                yield (
                    f"text_lengths and the attention mask in text_bert differ in {differ:,} of {len(part.ids):,} "
                    f"samples of {split}; text_lengths count"
                )
