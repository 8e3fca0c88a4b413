"""Selectors and patterns, compiled once when they are read and never again by surprise."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

from cssselect import HTMLTranslator
from cssselect.parser import SelectorError
from lxml import etree

from config.model import Selector, SelectorKind

MAX_SELECTOR = 1_000
MAX_PATTERN = 500
_NOTHING = etree.fromstring("<html><body/></html>")


class SelectorRefusedError(ValueError):
    """A selector or pattern that does not compile; the message says why, without the text itself."""


@lru_cache(maxsize=10_000)
def xpath_of(selector: Selector) -> str:
    """The XPath 1.0 that a selector means; raises :class:`SelectorRefusedError`."""
    expression = selector.expression
    if not expression.strip():
        raise SelectorRefusedError("the selector is empty")
    if len(expression) > MAX_SELECTOR:
        raise SelectorRefusedError(f"the selector has {len(expression):,} characters, more than {MAX_SELECTOR:,}")
    if selector.kind is SelectorKind.XPATH:
        return expression
    try:
        return str(HTMLTranslator().css_to_xpath(expression))
    except SelectorError as error:
        raise SelectorRefusedError(f"not a CSS selector: {_reason(error)}") from error
    except RecursionError as error:
        raise SelectorRefusedError("the selector is nested too deep") from error


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if "Pseudo-element" in text:
        return "pseudo-elements such as ::text and ::attr() belong to Scrapy; select the element"
    return text[:200]


@lru_cache(maxsize=10_000)
def check_selector(selector: Selector) -> None:
    """Compile and run a selector on an empty page; raises :class:`SelectorRefusedError`."""
    expression = xpath_of(selector)
    try:
        found: Any = etree.XPath(expression)(_NOTHING)
    except (etree.XPathError, ValueError) as error:
        kind = "a usable CSS selector" if selector.kind is SelectorKind.CSS else "XPath 1.0"
        raise SelectorRefusedError(f"not {kind}: {error}") from error
    if isinstance(found, bool | float):
        raise SelectorRefusedError("the XPath gives a number or a truth value, not nodes or text")


@lru_cache(maxsize=10_000)
def check_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression; raises :class:`SelectorRefusedError`."""
    if not pattern:
        raise SelectorRefusedError("the pattern is empty")
    if len(pattern) > MAX_PATTERN:
        raise SelectorRefusedError(f"the pattern has more than {MAX_PATTERN} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a "possible nested set" will mean something else one day
            return re.compile(pattern)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise SelectorRefusedError(f"not a regular expression: {error}") from error
