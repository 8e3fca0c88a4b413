from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

WARTA = """\
data_dir: {data}
allow_networks: [127.0.0.0/8]
resolve: {{"*.test": 127.0.0.1}}
limits: {{ports: [{port}]}}
user_agent: warta/0.1 (+https://warta.example/bot)
defaults:
  politeness: {{delay: 0s}}
outlets: [outlets/*.yaml]
"""

KABAR = """\
id: kabar
name: Kabar Uji
homepage: http://kabar.test:{port}/
language: id
timezone: Asia/Jakarta
hosts: [kabar.test]
sources:
  - name: utama
    kind: feed
    url: http://kabar.test:{port}/rss
"""

ITEM = "<item><title>Panen padi {n}</title><link>http://kabar.test:{port}/berita/{n}</link><guid>{n}</guid></item>"

PAGE = """<!DOCTYPE html><html lang="id"><head><title>Panen padi {n} di Karawang melimpah</title>
<meta property="og:type" content="article"><meta property="article:published_time" content="2026-03-01T08:00:00+07:00">
</head><body><article><h1>Panen padi {n} di Karawang melimpah</h1>{text}</article></body></html>"""

TEXT = "".join(
    f"<p>Petani di kecamatan ke-{n} menyebut hasil panen musim ini naik dibanding tahun lalu karena hujan turun tepat "
    "waktu dan pupuk tersedia di kios desa. Mereka berharap harga gabah tetap terjaga sampai akhir bulan.</p>"
    for n in range(8)
)


async def scrapy(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scrapy", *arguments,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.fixture
def config(tmp_path, web):
    (tmp_path / "outlets").mkdir()
    (tmp_path / "warta.yaml").write_text(WARTA.format(data=tmp_path / "data", port=web.port))
    (tmp_path / "outlets" / "kabar.yaml").write_text(KABAR.format(port=web.port))
    items = "".join(ITEM.format(n=n, port=web.port) for n in (1, 2, 3))
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Kabar</title>{items}</channel></rss>'
    web.says("/rss", web.reply("200 OK", feed.encode(), "Content-Type: application/rss+xml"))
    for n in (1, 2):
        page = PAGE.format(n=n, text=TEXT)
        web.says(f"/berita/{n}", web.reply("200 OK", page.encode(), "Content-Type: text/html; charset=utf-8"))
    web.says("/robots.txt", web.reply("200 OK", b"User-agent: *\nDisallow: /berita/3\n"))
    return tmp_path


async def test_scrapy_crawl_writes_the_articles_of_an_outlet(config, web):
    out = config / "kabar.jsonl"
    code, log = await scrapy(config, "crawl", "outlet", "-a", "outlet=kabar", "-a", f"config={config}", "-O", str(out))
    assert code == 0, log
    articles = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(article["title"] for article in articles) == [
        "Panen padi 1 di Karawang melimpah",
        "Panen padi 2 di Karawang melimpah",
    ], log
    assert all(article["outlet_id"] == "kabar" and "Petani" in article["text"] for article in articles)
    assert {article["published"] for article in articles} == {"2026-03-01T01:00:00+00:00"}
    # The manners are the daemon's: the forbidden page was never asked for, and the log says why.
    assert "/berita/3" not in web.paths()
    assert "forbids" in log
    assert {asked.header("user-agent") for asked in web.asked} == {"warta/0.1 (+https://warta.example/bot)"}


async def test_an_unknown_outlet_is_said_with_the_known_ones(config):
    _, log = await scrapy(config, "crawl", "outlet", "-a", "outlet=kobar", "-a", f"config={config}")
    assert "there is no outlet 'kobar'" in log
    assert "kabar" in log


async def test_a_spider_of_ones_own_has_the_fences_too(config, web, tmp_path):
    spider = tmp_path / "mine.py"
    spider.write_text(
        "import scrapy\n"
        "class Mine(scrapy.Spider):\n"
        "    name = 'mine'\n"
        f"    start_urls = ['http://kabar.test:{web.port}/berita/1', 'http://kabar.test:{web.port}/berita/3',\n"
        f"                  'http://10.0.0.1:{web.port}/', 'file:///etc/hostname']\n"
        "    def parse(self, response):\n"
        "        yield {'title': response.css('h1::text').get()}\n"
    )
    out = tmp_path / "mine.jsonl"
    code, log = await scrapy(config, "runspider", str(spider), "-s", f"WARTA_CONFIG={config}", "-O", str(out))
    assert code == 0, log
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {"title": "Panen padi 1 di Karawang melimpah"}
    ]
    assert "/berita/3" not in web.paths()
