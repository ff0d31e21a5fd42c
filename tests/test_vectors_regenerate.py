"""The stored vectors are what the reference makes, and say what the specification says."""

from __future__ import annotations

import ast
import re
import sys
import time
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reference import bombs, ed25519, judge, make_vectors, policies, run, severities, signed_steps
from reference.cases import tiny
from reference.made_up import NOW
from reference.world import claims

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "vectors"
MOST_BYTES = 7_000_000


def test_regenerated_bytes_are_the_stored_ones(tmp_path):
    make_vectors.write(tmp_path)
    assert make_vectors.differences(tmp_path) == []
    assert make_vectors.differences(VECTORS) == []


def test_a_changed_missing_or_stray_vector_is_found(tmp_path):
    make_vectors.write(tmp_path)
    (tmp_path / "tree" / "leaves-1.json").write_text("{}", "utf-8")
    (tmp_path / "tree" / "leaves-2.json").unlink()
    (tmp_path / "tree" / "leaves-4711.json").write_text("{}", "utf-8")
    assert len(make_vectors.differences(tmp_path)) == 3


def test_every_expectation_is_what_the_reference_finds():
    cases = list(make_vectors.all_vectors())
    assert len(cases) > 800
    for name, case in cases:
        assert run.outcome(case) == case["expect"], name


def test_vectors_are_small_and_explain_themselves():
    assert sum(path.stat().st_size for path in VECTORS.rglob("*")) < MOST_BYTES
    for name, case in make_vectors.all_vectors():
        assert name == ("tree/rolling.json" if case["kind"] == "rolling" else f"{case['kind']}/{case['name']}.json")
        assert case["why"].endswith(".") and 3 < len(case["why"]) < 220, name


def named_reasons(page):
    """(class, reason) pairs of a passage of the page on verification."""
    text = re.sub(r"\s+", " ", page)
    pairs = set()
    for class_, reasons in re.findall(r"\b(failed|policy|malformed|usage), ([a-z0-9-]+(?:, [a-z-]+)*)(?=[);])", text):
        pairs |= {(class_, reason) for reason in reasons.split(", ")}
    return pairs


def shown_reasons(*kinds):
    return {
        (case["expect"]["class"], case["expect"]["reason"])
        for _, case in make_vectors.all_vectors()
        if case["kind"] in kinds
    }


def test_every_reason_of_the_client_has_a_vector():
    page = (ROOT / "docs/spec/verification.md").read_text("utf-8")
    client = page.split("## Client")[1].split("## Public")[0]
    wanted = named_reasons(client)
    assert len(wanted) > 40
    assert wanted <= shown_reasons("client")


def test_every_reason_of_the_public_up_to_step_10_has_a_vector():
    page = (ROOT / "docs/spec/verification.md").read_text("utf-8")
    public = page.split("## Public")[1].split("**11 rules.**")[0]
    wanted = named_reasons(public)
    assert len(wanted) > 15
    assert wanted <= shown_reasons("public")


def test_every_reason_in_a_vector_is_on_the_page():
    page = (ROOT / "docs/spec/verification.md").read_text("utf-8")
    named = named_reasons(page.split("## Client")[1])
    unnamed = {(class_, "") for class_ in ("passed", "malformed")}
    assert shown_reasons("client", "public") - unnamed <= named


def test_the_reference_imports_nothing_of_the_package():
    """Standard library, the two libraries of signatures, and itself: so it is a second opinion."""
    allowed = set(sys.stdlib_module_names) | {"cryptography", "dilithium_py"}
    sources = sorted((ROOT / "tests" / "reference").glob("*.py"))
    assert len(sources) > 20
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert {name.name.split(".")[0] for name in node.names} <= allowed, source.name
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1 or (node.level == 0 and node.module.split(".")[0] in allowed), source.name
            elif isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert called not in ("__import__", "import_module", "exec", "eval"), source.name


def test_severities_are_those_of_the_registry():
    page = (ROOT / "docs/reference/rules.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| ([A-Z]{3}-[0-9]{2}) \|.*?\| ([XHMI]), ", page, re.MULTILINE))
    assert "COV-01" in listed
    assert {rule: severities.severity(rule) for rule in listed} == listed
    assert severities.severity("ZZZ-99") == "X"


@pytest.mark.parametrize(("name", "proof"), [pytest.param(*bomb, id=bomb[0]) for bomb in bombs.bombs()])
def test_a_bomb_is_refused_in_bounded_time(name, proof):
    reader = signed_steps.Reader(policies.BASE.encode(), NOW, **claims(tiny(), "frank"))
    started = time.monotonic()
    assert judge.client(proof, None, reader)["class"] == "malformed"
    assert time.monotonic() - started < 20


def test_ed25519_agrees_with_the_library():
    for number in range(8):
        seed, message = bytes([number]) * 32, b"m" * number
        key = Ed25519PrivateKey.from_private_bytes(seed)
        assert ed25519.public_key(seed) == key.public_key().public_bytes_raw()
        assert ed25519.sign(seed, message) == key.sign(message)
        assert ed25519.verify(ed25519.public_key(seed), message, key.sign(message))
        assert not ed25519.verify(ed25519.public_key(seed), message + b"x", key.sign(message))


def test_what_the_library_would_accept_is_refused():
    """A key of small order verifies anything under a plain equation: the reason why keys are checked first."""
    small = (1).to_bytes(32, "little")
    signature = small + bytes(32)
    try:
        Ed25519PublicKey.from_public_bytes(small).verify(signature, b"anything")
    except InvalidSignature:
        pytest.skip("this library refuses it as well")
    assert not ed25519.verify(small, b"anything", signature)
