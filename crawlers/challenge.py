"""Pages that stand before the page: challenges and blocks of CDNs, told by marks of their own."""

from __future__ import annotations

import re

from crawlers.exchange import Answer

#: Marks stand near the top; more is not searched.
_SEARCHED_BYTES = 64 * 1024

_HEADERS: tuple[tuple[str, str, str], ...] = (
    ("cf-mitigated", "challenge", "Cloudflare challenge"),
    ("x-amzn-waf-action", "", "AWS WAF challenge"),
    ("x-vercel-mitigated", "", "Vercel challenge"),
    ("x-datadome", "protected", "DataDome challenge"),
)

#: Marks that no article page carries, whatever the status.
_MARKS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (rb"<title>\s*just a moment(\.\.\.|&hellip;|\xe2\x80\xa6)\s*</title>", "Cloudflare challenge"),
        (rb"window\._cf_chl_opt\s*=", "Cloudflare challenge"),
        (rb"<title>\s*attention required! \| cloudflare\s*</title>", "Cloudflare block"),
        (rb"<title>\s*ddos-guard\s*</title>", "DDoS-Guard challenge"),
        (
            rb"<script[^>]{0,200}src=[\"']?/_Incapsula_Resource\?[^>]{0,400}>\s*</script>\s*</body>",
            "Imperva challenge",
        ),
        (rb"<iframe[^>]{0,200}src=[\"']?/_Incapsula_Resource\?", "Imperva challenge"),
        (
            rb"<title>\s*you are being redirected\.\.\.\s*</title>.{0,2000}sucuri_cloudproxy_js",
            "Sucuri challenge",
        ),
        (rb"<p id=[\"']cmsg[\"']>please enable js and disable any ad blocker", "DataDome challenge"),
        (rb"<meta name=[\"']description[\"'] content=[\"']px-captcha[\"']", "HUMAN challenge"),
        (rb"window\.awsWafCookieDomainList|window\.gokuProps\s*=", "AWS WAF challenge"),
    )
)


def challenge(answer: Answer) -> str | None:
    """The name of the challenge or block that the answer is, or None."""
    for name, value, what in _HEADERS:
        found = answer.header(name)
        if found is not None and value in found.lower():
            return what
    content_type = (answer.header("content-type") or "").lower()
    head = answer.body[:_SEARCHED_BYTES]
    if "html" not in content_type and not head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return None
    return next((what for pattern, what in _MARKS if pattern.search(head)), None)
