from __future__ import annotations

import pytest

from config.password import BadHash, Hashed, hashed


def test_a_hash_fits_its_password_alone_and_has_a_salt_of_its_own() -> None:
    one, other = hashed("kata-sandi-panjang"), hashed("kata-sandi-panjang")

    assert one != other
    assert "kata" not in one
    assert Hashed.read(one).fits("kata-sandi-panjang")
    assert not Hashed.read(one).fits("kata-sandi-pendek")


@pytest.mark.parametrize(
    "text",
    [
        "scrypt:",
        "scrypt:15:8:3:c2FsdHNhbHQ:",
        "scrypt:40:8:1:c2FsdHNhbHQ:aGFzaGhhc2hoYXNoaGFzaA",
        "scrypt:15:8:900:c2FsdHNhbHQ:aGFzaGhhc2hoYXNoaGFzaA",
        "scrypt:15:8:1:c2FsdHNhbHQ:a",
        "scrypt:15:8:1:!:aGFzaGhhc2hoYXNoaGFzaA",
        "bcrypt:15:8:1:c2FsdHNhbHQ:aGFzaGhhc2hoYXNoaGFzaA",
    ],
)
def test_what_is_no_hash_or_asks_for_too_much_work_is_refused(text: str) -> None:
    with pytest.raises(BadHash):
        Hashed.read(text)
