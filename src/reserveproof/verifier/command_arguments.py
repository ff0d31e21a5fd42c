"""The arguments of `reserveproof-verify`. No secret is one: ids, codes and keys come from files or prompts."""

from __future__ import annotations

import argparse
from pathlib import Path

EXIT_STATUSES = (
    "exit status: 0 every requested check passed; 2 usage; 3 verification failed; 4 malformed input; "
    "5 policy not met; 6 a file could not be read or written; 1 a fault of the verifier"
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reserveproof-verify",
        description="Verify a proof-of-reserves attestation, trusting no custodian's software.",
        epilog=EXIT_STATUSES,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=help_text, description=help_text, epilog=EXIT_STATUSES, allow_abbrev=False
        )

    def common(sub: argparse.ArgumentParser, *, policy: bool = True) -> None:
        if policy:
            sub.add_argument("--policy", type=Path, required=True, metavar="FILE", help="your trust policy (TOML)")
        sub.add_argument("--json", action="store_true", help="print one JSON document instead of text")

    def reader(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--state", type=Path, metavar="FILE", help="where the last statement seen is kept")
        sub.add_argument("--at", metavar="T", help="the time to judge by, YYYY-MM-DDTHH:MM:SSZ (default: now)")

    def consistency(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--consistency",
            type=Path,
            metavar="PATH",
            help="how the log goes on from the last checkpoint: a consistency proof, or the custodian's site",
        )

    def log(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--log-proof", type=Path, metavar="FILE", help="the statement's log proof, from the custodian's site"
        )
        consistency(sub)

    def other(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--other",
            nargs=2,
            action="append",
            default=[],
            metavar=("BUNDLE", "POLICY"),
            help="another custodian's bundle, with the policy to verify it by: it may not claim the same wallets",
        )

    sub = command("policy", "say in words what a trust policy demands, with a fingerprint to compare")
    sub.add_argument("file", type=Path, metavar="FILE", help="a trust policy (TOML)")
    common(sub, policy=False)

    sub = command("code", "make a client code to register with your custodian")
    common(sub, policy=False)

    sub = command("client", "check that your balances are included and covered")
    sub.add_argument("proof", type=Path, metavar="PROOF", help="the proof file you were given")
    common(sub)
    sub.add_argument(
        "--claims", type=Path, metavar="FILE", help="your id, code and balances (TOML); asked for if absent"
    )
    sub.add_argument("--statement", type=Path, metavar="FILE", help="the statement, if it was given beside the proof")
    sub.add_argument("--bundle", type=Path, metavar="DIR", help="the published bundle: rebuild the reserves here")
    consistency(sub)
    reader(sub)
    sub.add_argument("--receipt", type=Path, metavar="FILE", help="write what was checked, without id, code or balance")
    sub.add_argument("--shareable", action="store_true", help="print a result without id, balance or blind")

    sub = command("public", "check a published bundle: signatures, wallets, reserves, rules")
    sub.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder that holds statement.json")
    common(sub)
    other(sub)
    sub.add_argument("--digest", metavar="HEX", help="the statement's digest from another source")
    log(sub)
    reader(sub)

    sub = command("audit", "rebuild everything from the ledger and the snapshot key")
    sub.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder that holds statement.json")
    common(sub)
    sub.add_argument(
        "--ledger", type=Path, required=True, nargs="+", metavar="FILE", help="the ledger, in any row order"
    )
    sub.add_argument(
        "--snapshot-key", type=Path, required=True, metavar="FILE", help="the snapshot key (only you can read it)"
    )
    sub.add_argument("--accounts", type=Path, metavar="FILE", help="the client accounts")
    sub.add_argument("--control-totals", type=Path, metavar="FILE", help="your own totals from the general ledger")
    sub.add_argument("--wallets", type=Path, metavar="FILE", help="the private wallet register (wallets.tsv)")
    sub.add_argument("--register", type=Path, metavar="FILE", help="the register of all pools, blinded ones too")
    sub.add_argument("--evidence", type=Path, metavar="DIR", help="folder of the sealed evidence, beside --register")
    sub.add_argument("--previous-ledger", type=Path, metavar="FILE", help="the ledger of the snapshot before")
    sub.add_argument("--previous-key", type=Path, metavar="FILE", help="the key of the snapshot before")
    other(sub)
    sub.add_argument(
        "--no-other-registers", action="store_true", help="say that you looked, and no other register is to be compared"
    )
    sub.add_argument("--digest", metavar="HEX", help="the statement's digest from another source")
    log(sub)
    reader(sub)

    sub = command("history", "check the whole chain of a custodian's statements, and say what changed")
    sub.add_argument("site", type=Path, metavar="SITE", help="the custodian's published site, with its log")
    common(sub)
    reader(sub)

    sub = command("compare", "see whether two statements, or two checkpoints of one log, contradict each other")
    sub.add_argument("first", type=Path, metavar="A", help="a statement, a bundle's folder, or a checkpoint")
    sub.add_argument("second", type=Path, metavar="B", help="another one")
    common(sub)
    consistency(sub)

    sub = command("version", "print the version")
    common(sub, policy=False)
    return parser
