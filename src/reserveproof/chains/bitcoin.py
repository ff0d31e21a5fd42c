"""Bitcoin: its networks, and addresses to and from output scripts (CAIP-2 namespace bip122)."""

from __future__ import annotations

from dataclasses import dataclass

from reserveproof.format.errors import MalformedError, shown

from .accounts import split_account
from .base58 import decode_check, encode_check
from .bech32 import decode_segwit, encode_segwit

NAMESPACE = "bip122"


@dataclass(frozen=True)
class Network:
    """reference: the first 32 hex digits of the genesis block hash (CAIP-4); hrp: of BIP-173; then the
    version bytes of base58 addresses."""

    name: str
    reference: str
    hrp: str
    p2pkh: int
    p2sh: int


NETWORKS: dict[str, Network] = {
    network.reference: network
    for network in (
        Network("mainnet", "000000000019d6689c085ae165831e93", "bc", 0x00, 0x05),
        Network("testnet3", "000000000933ea01ad0ee984209779ba", "tb", 0x6F, 0xC4),
        Network("regtest", "0f9188f13cb7b2c71f2a335e3a4fc328", "bcrt", 0x6F, 0xC4),
    )
}

DECIMALS = 8


@dataclass(frozen=True)
class Output:
    """What an address pays to. kind: "p2pkh", "p2sh" or "witness". version: of the witness program, -1 for
    the others. program: the key or script hash, or the witness program. script: the output script."""

    kind: str
    version: int
    program: bytes
    script: bytes


def witness_script_pubkey(version: int, program: bytes) -> bytes:
    """OP_n and a push of the program (BIP-141)."""
    return bytes([0x50 + version if version else 0, len(program)]) + program


def _network(reference: str) -> Network:
    network = NETWORKS.get(reference)
    if network is None:
        raise MalformedError(
            "no such Bitcoin network is known",
            reason="account",
            found=f"{NAMESPACE}:{shown(reference)}",
            expected="the reference of " + ", ".join(known.name for known in NETWORKS.values()),
        )
    return network


def decode_address(network: Network, address: str) -> Output:
    """MalformedError(reason="account") for whatever is not an address of the network."""
    if address.lower().startswith(("bc1", "tb1", "bcrt1")):
        version, program = decode_segwit(network.hrp, address)
        return Output("witness", version, program, witness_script_pubkey(version, program))
    data = decode_check(address)
    if len(data) != 21:
        raise MalformedError("the address has not 20 bytes of hash", reason="account", found=shown(address))
    if data[0] == network.p2pkh:
        return Output("p2pkh", -1, data[1:], b"\x76\xa9\x14" + data[1:] + b"\x88\xac")
    if data[0] == network.p2sh:
        return Output("p2sh", -1, data[1:], b"\xa9\x14" + data[1:] + b"\x87")
    raise MalformedError(f"the address is not of {network.name}", reason="account", found=shown(address))


def encode_address(network: Network, output: Output) -> str:
    """The one normal spelling of an output's address."""
    if output.kind == "witness":
        return encode_segwit(network.hrp, output.version, output.program)
    version = network.p2pkh if output.kind == "p2pkh" else network.p2sh
    return encode_check(bytes([version]) + output.program)


def output_of(account: str) -> Output:
    """What a bip122 account pays to. MalformedError(reason="account") if it does not decode."""
    namespace, reference, address = split_account(account)
    if namespace != NAMESPACE:
        raise MalformedError("the account is not on Bitcoin", reason="account", found=shown(account))
    return decode_address(_network(reference), address)


class BitcoinAccounts:
    """AccountCodec: bech32 lower-cased, base58 exact."""

    namespace = NAMESPACE

    def normalise(self, reference: str, address: str) -> str:
        output = decode_address(_network(reference), address)
        return address.lower() if output.kind == "witness" else address
