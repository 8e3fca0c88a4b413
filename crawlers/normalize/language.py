"""Which language a text is in, with the outlet's own as the prior."""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

#: Shorter texts are too little to contradict the outlet.
_ENOUGH = 200
#: Letters read from the beginning of the body; more does not change the answer.
_SAMPLE = 1500
#: Needed to contradict the outlet; py3langid scales its probabilities by length, so 0.5 is a clear majority.
_SURE = 0.5
#: Languages that statistics over letters take for each other; the outlet knows better.
_SIMILAR = (
    frozenset({"id", "ms", "jv", "su", "min", "ace", "ban", "bjn", "tl", "mg"}),
    frozenset({"nb", "nn", "no", "da", "sv"}),
    frozenset({"hr", "sr", "bs", "sl", "sh"}),
    frozenset({"pt", "gl", "es", "ca", "an", "oc", "ast"}),
    frozenset({"cs", "sk"}),
    frozenset({"nl", "af", "fy"}),
    frozenset({"zh", "ja", "yue", "wuu"}),
    frozenset({"hi", "mr", "ne", "sa"}),
    frozenset({"ru", "uk", "be", "bg", "mk"}),
)
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")


def choose_language(text: str, *, outlet: str, declared: str | None = None) -> str:
    """BCP 47 tag of a text.

    The outlet's language stands unless a long text is surely in another; a declared tag is believed
    where it refines the outlet's (``en-GB``) or where the text confirms it.
    """
    prior = _tag(outlet) or "und"
    said = _tag((declared or "").replace("_", "-"))
    sample = text[:_SAMPLE]
    found = _detect(sample) if sum(map(str.isalpha, sample)) >= _ENOUGH else None
    if found is None or _similar(found, _base(prior)):
        return said if said and _base(said) == _base(prior) and len(said) > len(prior) else prior
    if said and _similar(found, _base(said)):
        return said
    return found


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _detect(sample: str) -> str | None:
    # Upper and lower case of one word are different features; headlines in capitals would mislead.
    language, probability = _identifier().classify(sample.lower() if sample.isupper() else sample)
    return str(language) if probability >= _SURE else None


def _similar(first: str, second: str) -> bool:
    return first == second or any(first in group and second in group for group in _SIMILAR)


def _tag(text: str) -> str | None:
    text = text.strip()
    if not _TAG.fullmatch(text):
        return None
    base, *subtags = text.split("-")
    shaped = [tag.upper() if len(tag) == 2 else tag.title() if len(tag) == 4 else tag.lower() for tag in subtags]
    return "-".join([base.lower(), *shaped])


def _base(tag: str) -> str:
    return tag.partition("-")[0]
