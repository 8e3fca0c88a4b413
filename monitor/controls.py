"""Characters that steer a terminal or turn the direction of text; no line that is shown may hold them."""

from __future__ import annotations

import re
from typing import Final

#: C0 and C1 controls but tab and newline, and the marks of bidirectional text.
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
