from __future__ import annotations

import gzip
import zlib
from contextlib import suppress

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from crawlers.inflate import BombError, InflateError, Inflater, codings_of, gunzip

CODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}


def inflate(coding: str, data: bytes, step: int = 7, **limits: int) -> tuple[bytes, bool]:
    inflater = Inflater(coding, **{"max_bytes": 2**26, "max_ratio": 10**6, **limits})
    out = b"".join(b"".join(inflater.feed(data[at : at + step])) for at in range(0, len(data), step))
    return out, inflater.finished()


@given(st.sampled_from(sorted(CODERS)), st.binary(max_size=3000), st.integers(1, 500))
def test_what_was_compressed_comes_out_however_it_is_cut(coding, data, step):
    assert inflate(coding, CODERS[coding](data), step) == (data, True)


@given(st.sampled_from(sorted(CODERS)), st.binary(min_size=1, max_size=3000), st.data())
def test_a_cut_off_stream_is_never_taken_for_whole(coding, data, draw):
    packed = CODERS[coding](data)
    cut = draw.draw(st.integers(2, len(packed) - 1))
    try:
        out, whole = inflate(coding, packed[:cut], 100)
    except InflateError:
        return
    assert not whole or out == data


@given(st.sampled_from([*sorted(CODERS), "gzip, br"]), st.binary(max_size=500))
def test_any_bytes_give_bytes_or_an_inflate_error(coding, data):
    with suppress(InflateError):
        inflate(coding, data)


def test_frames_and_members_follow_one_another():
    assert inflate("zstd", zstd.compress(b"a") + zstd.compress(b"b")) == (b"ab", True)
    assert inflate("gzip", gzip.compress(b"a") + gzip.compress(b"b") + b"\0" * 100) == (b"ab", True)


def test_the_size_after_decompression_is_a_fence():
    packed = gzip.compress(b"\0" * 2**22)
    with pytest.raises(BombError):
        inflate("gzip", packed, 1000, max_bytes=2**21)


def test_the_ratio_is_a_fence_above_a_mebibyte():
    assert inflate("gzip", gzip.compress(b"\0" * 2**20), 1000, max_ratio=200)[1]
    with pytest.raises(BombError):
        inflate("gzip", gzip.compress(b"\0" * 2**22), 1000, max_ratio=200)


def test_three_codings_are_too_many():
    with pytest.raises(BombError):
        Inflater("gzip, gzip, gzip", max_bytes=1, max_ratio=1)


def test_codings_are_undone_from_the_last():
    assert codings_of("gzip, br") == ("br", "gzip")
    assert codings_of("x-gzip") == ("gzip",)
    assert codings_of("identity") == codings_of("") == codings_of("aws-chunked") == ()


def test_a_gzip_file_is_read_whole_or_not_at_all():
    packed = gzip.compress(b"<urlset/>")
    assert gunzip(packed, max_bytes=100, max_ratio=100) == b"<urlset/>"
    with pytest.raises(InflateError):
        gunzip(packed[:-4], max_bytes=100, max_ratio=100)
    with pytest.raises(BombError):
        gunzip(packed, max_bytes=5, max_ratio=100)
