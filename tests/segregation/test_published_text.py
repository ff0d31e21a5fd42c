"""PRV-01's search: it finds an id or its plain hash, and nothing that only looks like one."""

import hashlib

from reserveproof.segregation.published_text import PublishedText, is_searchable


def test_id_in_free_text_is_found():
    text = PublishedText([{"house_note": "moved for CL-000417."}, {"notes": {"CL-000999": "x"}}])
    assert text.where("CL-000417") == "house_note"
    assert text.where("CL-000999") == "notes"
    assert text.where("CL-00041") == ""


def test_plain_hash_is_found_wherever_it_stands():
    digest = hashlib.sha256(b"CL-000417").hexdigest()
    assert PublishedText([{"source": f"row {digest}"}]).shows_hash("CL-000417")
    assert PublishedText([{"root": hashlib.md5(b"CL-000417", usedforsecurity=False).hexdigest()}]).shows_hash(
        "CL-000417"
    )
    assert not PublishedText([{"root": hashlib.sha256(b"salt CL-000417").hexdigest()}]).shows_hash("CL-000417")


def test_words_and_numbers_of_the_format_are_not_clients():
    text = PublishedText([{"height": 840000, "total": "100000", "pool": "omnibus", "asset": "BTC", "text": "in 2026"}])
    assert not any(text.where(word) for word in ("840000", "100000", "omnibus", "2026"))


def test_short_ids_are_searched_only_where_they_are_no_word():
    text = PublishedText([{"client_id_hint": "like K101, or call 1234, ask for Ann"}])
    assert text.where("K101") == "client_id_hint"
    assert not is_searchable("1234")
    assert not is_searchable("Ann")
    assert text.where("1234") == text.where("Ann") == ""
