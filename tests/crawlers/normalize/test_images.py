from __future__ import annotations

import pytest

from crawlers.normalize.images import clean_images, split_caption
from storage.model import Image


@pytest.mark.parametrize(
    ("text", "caption", "credit"),
    [
        ("ILUSTRASI. Petani memanen garam. KONTAN/Ani Lestari", "Petani memanen garam.", "KONTAN/Ani Lestari"),
        ("Warga antre. (ANTARA FOTO/Ani Lestari/nym)", "Warga antre.", "ANTARA FOTO/Ani Lestari/nym"),
        ("Foto: Ani/contohcom", None, "Ani/contohcom"),
        ("Tambak garam (Foto: Ani Lestari/contohcom)", "Tambak garam", "Ani Lestari/contohcom"),
        ("Gedung BI. REUTERS/Jane Doe/File Photo", "Gedung BI.", "REUTERS/Jane Doe/File Photo"),
        ("Suasana pasar (Getty Images)", "Suasana pasar", "Getty Images"),
        ("A man walks. Photograph: Jane Doe/The Courier", "A man walks.", "Jane Doe/The Courier"),
        ("Young palms [Jane Doe/Al Contoh]", "Young palms", "Jane Doe/Al Contoh"),
        ("Petani garam. (Contoh Indonesia/Ani Lestari)", "Petani garam.", "Contoh Indonesia/Ani Lestari"),
        ("Foto: Lelang kopi (Contoh Indonesia/Ani)", "Lelang kopi", "Contoh Indonesia/Ani"),
        ("Benang di pasar. Contoh/Ani Lestari", "Benang di pasar.", "Contoh/Ani Lestari"),
        ("Pengrajin menata rotan./Contoh-Ani Lestari", "Pengrajin menata rotan.", "Contoh-Ani Lestari"),
        ("Pasar malam. Foto/Ani Lestari", "Pasar malam.", "Ani Lestari"),
        ("Lulusan berfoto di dermaga(Dok.Sekolah Perahu)", "Lulusan berfoto di dermaga", "Sekolah Perahu"),
        ("Banana leaves. — Picture by Jane Doe", "Banana leaves.", "Jane Doe"),
        ("Panen pada Kamis (12/8/2025)", "Panen pada Kamis (12/8/2025)", None),
        ("Rapat koalisi Laut/Darat di kota", "Rapat koalisi Laut/Darat di kota", None),
        ("Warga antre. Mereka menunggu feri.", "Warga antre. Mereka menunggu feri.", None),
        ("The photo. It was taken in March.", "The photo. It was taken in March.", None),
        ("Hanya keterangan", "Hanya keterangan", None),
        ("", None, None),
    ],
)
def test_label_and_credit_leave_the_caption(text: str, caption: str | None, credit: str | None) -> None:
    assert (caption, credit) == split_caption(text)


def test_addresses_become_absolute_and_other_schemes_go() -> None:
    images = [
        Image(url="//foto.contoh.test/a.jpg"),
        Image(url="data:image/png;base64,AAAA"),
        Image(url="/b.jpg", caption="Ilustrasi. B"),
        Image(url="https://foto.contoh.test/a.jpg", caption="A"),
        Image(url="javascript:alert(1)"),
    ]

    found = clean_images(images, base="https://www.contoh.test/news/x")

    assert found == (
        Image(url="https://foto.contoh.test/a.jpg", caption="A"),
        Image(url="https://www.contoh.test/b.jpg", caption="B"),
    )
