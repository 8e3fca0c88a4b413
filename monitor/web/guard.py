"""Who may see the pages and what a browser may do with them.

Without a password the pages answer on loopback only, and the list of host names keeps other sites from
reaching them through a name that points here (DNS rebinding). With one every page asks for it, but for
those of :data:`OPEN`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.loopback import is_loopback
from config.model import Monitor
from config.password import PREFIX, Hashed

COOKIE = "warta_session"

#: Answered without a password: signs of life, the way in, and what it looks like.
OPEN = ("/healthz", "/readyz", "/login", "/static/")

SESSION_SECONDS = 14 * 86_400.0
#: Attempts at the password within the window: of one address, and of all together.
ATTEMPTS, ATTEMPTS_OF_ALL, ATTEMPT_WINDOW = 5, 50, 300.0
#: A longer password is nobody's.
LONGEST = 500
#: Sessions remembered; the oldest are forgotten first.
SESSIONS = 1_000

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: For pages of others: nothing runs, nothing is fetched, nothing leaves; only our own page may frame it.
FOREIGN_CSP = "sandbox; default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class PasswordRequiredError(ValueError):
    """The monitor would be open to everybody who reaches its address."""


@dataclass(slots=True)
class Guard:
    """Sessions, attempts and keys of one process; a restart asks for the password again."""

    monitor: Monitor
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    #: Of the password; with a hashed one None until somebody showed the right one.
    _digest: bytes | None = None
    _hashed: Hashed | None = None
    #: Hashed session to the moment it ends (monotonic).
    _sessions: OrderedDict[bytes, float] = field(default_factory=OrderedDict)
    _attempts: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _all_attempts: deque[float] = field(default_factory=deque)

    def __post_init__(self) -> None:
        if self.monitor.password is None:
            if not is_loopback(self.monitor.host):
                raise PasswordRequiredError(
                    f"a monitor on {self.monitor.host} without a password is open to everybody: "
                    "set monitor.password to ${NAME}, or listen on 127.0.0.1"
                )
        elif self.monitor.password.startswith(PREFIX):
            self._hashed = Hashed.read(self.monitor.password)
        else:
            self._digest = self._hash(self.monitor.password)

    @property
    def asks(self) -> bool:
        """Whether there is a password."""
        return self.monitor.password is not None

    def is_known(self, given: str) -> bool:
        """Whether it is the password, as far as that can be told at once; in constant time."""
        return self._digest is not None and hmac.compare_digest(self._hash(given), self._digest)

    def is_password(self, given: str) -> bool:
        """Whether it is the password. A hashed one takes some 0.2 s where :meth:`is_known` says no."""
        if self.is_known(given):
            return True
        if self._hashed is None or len(given) > LONGEST or not self._hashed.fits(given):
            return False
        # From now on programs that show it with every request are recognised at once.
        self._digest = self._hash(given)
        return True

    def may_try(self, address: str) -> bool:
        """Count one attempt at the password; False when there were too many lately."""
        now = time.monotonic()
        own = self._attempts.setdefault(address, deque())
        self._attempts.move_to_end(address)
        while len(self._attempts) > SESSIONS:
            self._attempts.popitem(last=False)
        for attempts in (own, self._all_attempts):
            while attempts and attempts[0] < now - ATTEMPT_WINDOW:
                attempts.popleft()
        if len(own) >= ATTEMPTS or len(self._all_attempts) >= ATTEMPTS_OF_ALL:
            return False
        own.append(now)
        self._all_attempts.append(now)
        return True

    def forgive(self, address: str) -> None:
        """The password was right: earlier attempts of that address no longer count."""
        self._attempts.pop(address, None)

    def begin(self) -> str:
        """A session that may see everything; its name is only known to the browser."""
        session = secrets.token_urlsafe(32)
        self._sessions[self._hash(session)] = time.monotonic() + SESSION_SECONDS
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def end(self, session: str) -> None:
        """Forget a session."""
        self._sessions.pop(self._hash(session), None)

    def admits(self, request: Request) -> bool:
        """Whether the request comes with a session that began here, or shows the password itself."""
        if not self.asks or self.shows_password(request):
            return True
        session = request.cookies.get(COOKIE)
        ends = self._sessions.get(self._hash(session)) if session else None
        return ends is not None and ends > time.monotonic()

    def shows_password(self, request: Request) -> bool:
        """``Authorization: Bearer PASSWORD``, for programs; counts as an attempt when it is wrong."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self.asks:
            return False
        given = given.strip()
        if self.is_known(given):
            return True
        address = address_of(request)
        # Before a hash is computed: guessing must not keep the pages busy.
        if not self.may_try(address) or not self.is_password(given):
            return False
        self.forgive(address)
        return True

    def csrf(self, session: str) -> str:
        """What a form of that session must bring along."""
        return self._hash("csrf:" + session).hex()

    def _hash(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=32).digest()

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names us. An address can be nobody else's; a name must be ours."""
        name = _host_of(host)
        return name is not None and (name in {"localhost", self.monitor.host, *self.monitor.hosts} or _is_address(name))


def address_of(request: Request) -> str:
    """Who asks."""
    return request.client.host if request.client else "?"


def _host_of(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class GuardMiddleware:
    """In front of every page: host, origin, session, CSRF token; and the headers of every answer."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        session = request.cookies.get(COOKIE) or secrets.token_urlsafe(32)
        fresh = COOKIE not in request.cookies
        scope.setdefault("state", {})["session"] = session
        scope["state"]["guard"] = self._guard

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if fresh and "set-cookie" not in headers and not request.url.path.startswith(("/static/", "/healthz")):
                    headers.append("Set-Cookie", cookie(session, secure=request.url.scheme == "https"))
            await send(message)

        refusal = self._refusal(request)
        await (refusal or self._app)(scope, receive, answer)

    def _refusal(self, request: Request) -> Response | None:
        headers, path = request.headers, request.url.path
        if not self._guard.knows_host(headers.get("host", "")):
            name = str(_host_of(headers.get("host", "")))[:80]
            hint = f"this monitor does not answer to the name {name}: add it to monitor.hosts\n"
            return PlainTextResponse(hint, status_code=421)
        if not path.startswith(OPEN) and not self._guard.admits(request):
            return self._to_login(request)
        if request.method in {"GET", "HEAD"}:
            return None
        if not _same_origin(headers):
            return PlainTextResponse("this request comes from another site\n", status_code=403)
        return None

    def _to_login(self, request: Request) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers
        if request.method == "GET" and wants_page:
            there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(there, safe='')}", status_code=303)
        return PlainTextResponse(
            "log in first, or send Authorization: Bearer PASSWORD\n",
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )


def _same_origin(headers: Headers) -> bool:
    """Browsers name the origin of every POST; what names none is no browser and has no cookie to abuse."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == headers.get("host")
    except ValueError:
        return False


def cookie(session: str, *, secure: bool) -> str:
    """The Set-Cookie header of a session."""
    rest = "; Secure" if secure else ""
    return f"{COOKIE}={session}; Path=/; Max-Age={int(SESSION_SECONDS)}; HttpOnly; SameSite=Strict{rest}"


async def refused(request: Request) -> Response | None:
    """What answers a form that may change nothing, None for one that may."""
    if not await is_ours(request):
        return PlainTextResponse("this form has expired: reload the page and try again\n", status_code=403)
    if request.state.guard.monitor.read_only:
        return PlainTextResponse("this monitor is read-only (monitor.read_only)\n", status_code=403)
    return None


async def is_ours(request: Request) -> bool:
    """Whether a form or a script of this session sent the request: it knows the session's CSRF token."""
    guard: Guard = request.state.guard
    if guard.shows_password(request):
        return True
    given = request.headers.get("x-csrf-token")
    if given is None:
        form = await request.form()
        given = str(form.get("csrf", ""))
    return hmac.compare_digest(given.encode("utf-8", "replace"), guard.csrf(request.state.session).encode())
