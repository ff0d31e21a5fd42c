"""The examples of docs/spec are what the reference makes, and hold together when read back from the pages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

from reference import examples, judge, log, policy, signed_steps
from reference.canonical_json import dump, parse
from reference.made_up import NOW
from reference.world import claims

SPEC = Path(__file__).resolve().parents[1] / "docs" / "spec"


def page(name):
    return (SPEC / f"{name}.md").read_text("utf-8")


def example(name, text=None):
    text = page(name) if text is None else text
    return text.split(f"<!-- example: {name} -->\n")[1].split("<!-- end -->")[0]


def fences(text):
    return re.findall(r"^```[a-z]*\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)


def test_every_example_is_what_the_reference_makes():
    found = examples.pages(SPEC)
    for path, text in found.items():
        assert examples.filled(text) == text, f"{path.name}: run python -m reference.make_vectors"
    named = re.findall(r"<!-- example: ([a-z-]+) -->", "".join(found.values()))
    assert sorted(named) == sorted(examples.EXAMPLES)


def test_the_example_of_the_conventions():
    text = page("conventions")
    line = next(one.strip() for one in text.splitlines() if one.startswith("    {"))
    size, digest = re.search(r"canonical JSON of (\d+) bytes.*?`([0-9a-f]{64})`", text, re.DOTALL).groups()
    data = line.encode()
    assert dump(parse(data, 1000)) == data
    assert (len(data), hashlib.sha256(data).hexdigest()) == (int(size), digest)


def test_sizes_and_digests_beside_the_examples():
    for name in ("statement", "proof-file", "register", "bundle"):
        text = example(name)
        said = re.findall(r"\n```\n\nCanonically (\d+) bytes, of SHA-256\n`([0-9a-f]{64})`\.", text)
        values = [json.loads(block) for block in fences(text) if block.startswith("{")]
        assert len(said) == len(values) > 0
        for value, (size, digest) in zip(values, said, strict=True):
            assert (len(dump(value)), hashlib.sha256(dump(value)).hexdigest()) == (int(size), digest)


def read_back():
    """Policy, envelope and proof file as the pages print them."""
    trust = fences(example("trust-policy"))[0] + "\n"
    envelope = fences(example("envelope", page("statement")))[0]
    proof = dump(json.loads(fences(example("proof-file"))[0]))
    return trust, envelope, proof


def test_the_printed_proof_verifies_under_the_printed_policy():
    trust, envelope, proof = read_back()
    own = claims(examples.world(), "alice")
    assert f"`{policy.fingerprint(policy.read(trust.encode()))}`" in example("trust-policy")
    reader = signed_steps.Reader(trust.encode(), NOW, **own)
    assert judge.client(proof, envelope.encode(), reader) == signed_steps.PASSED
    own["balances"][0]["amount"] = "2500.000001"
    found = judge.client(proof, envelope.encode(), signed_steps.Reader(trust.encode(), NOW, **own))
    assert found == {"class": "failed", "reason": "amount-differs", "step": 7}


def test_the_printed_log_proof_verifies_under_the_printed_policy():
    trust, _, proof = read_back()
    text = page("log")
    trust = trust.replace('publication = "none"', 'publication = "log"') + "\n" + fences(example("log-policy", text))[0]
    (written,) = fences(example("log-proof", text))
    (entry,) = fences(example("log-entry", text))
    payload = examples.logged_payload()
    assert log.entry(json.loads(payload)["predicate"], hashlib.sha256(payload).hexdigest()) == entry.encode()
    assert f"`{log.leaf(entry.encode()).hex()}`" in text
    own = claims(examples.world(), "alice")
    envelope = dump(examples.signed(payload, (examples.OFFICER,)))

    def judged(log_proof):
        slot = base64.b64encode(f"{log_proof}\n".encode()).decode()
        given = {**json.loads(proof), "log": slot, "statement_sha256": hashlib.sha256(payload).hexdigest()}
        return judge.client(dump(given), envelope, signed_steps.Reader(trust.encode(), NOW, **own))

    assert judged(written) == signed_steps.PASSED
    assert judged(written.replace("index 7", "index 6")) == {"class": "failed", "reason": "log-index", "step": 5}


def test_the_printed_envelope_holds_the_printed_payload():
    _, envelope, _ = read_back()
    payload = base64.b64decode(json.loads(envelope)["payload"])
    assert payload == dump(json.loads(fences(example("statement"))[0]))


def test_the_printed_bundle_verifies():
    trust, envelope, _ = read_back()
    register, *evidence = [dump(json.loads(block)) for block in fences(example("register"))]
    listed, manifest = fences(example("bundle"))
    files = {f"evidence/{hashlib.sha256(data).hexdigest()}.json": data for data in evidence}
    files |= {
        "manifest.json": dump(json.loads(manifest)),
        "register.json": register,
        "statement.json": envelope.encode(),
    }
    assert sorted(files) == listed.splitlines()
    assert judge.public(files, signed_steps.Reader(trust.encode(), NOW)) == signed_steps.PASSED
