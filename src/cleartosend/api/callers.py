"""Whether an account may call at all: from this address, and as it stands."""

import ipaddress
from functools import lru_cache

from cleartosend.model.accounts import Account, AccountStatus
from cleartosend.model.reasons import Reason, Refusal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def may_call(account: Account, address: str) -> Refusal | None:
    """Say what stands against any call of the account from this address."""
    if not comes_from(account.settings.caller_networks, address):
        return Refusal(Reason.CALLER_NOT_ALLOWED, address)
    if account.status is not AccountStatus.ACTIVE:
        return Refusal(Reason.ACCOUNT_NOT_ACTIVE, account.status)
    return Refusal(Reason.IN_ARREARS) if account.settings.in_arrears else None


def comes_from(networks: tuple[str, ...], address: str) -> bool:
    """
    Whether the address lies in one of the networks; where none are named, any does.

    >>> comes_from((), ""), comes_from(("10.1.0.0/16",), "10.1.2.3"), comes_from(("10.1.0.0/16",), "10.2.2.3")
    (True, True, False)

    An IPv4 address may arrive in the clothes of IPv6.

    >>> comes_from(("10.1.2.3",), "::ffff:10.1.2.3"), comes_from(("10.1.2.3",), "")
    (True, False)
    """
    if not networks:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped:
        caller = caller.ipv4_mapped
    return any(caller in network for network in _read(networks))


@lru_cache(maxsize=1024)
def _read(networks: tuple[str, ...]) -> tuple[Network, ...]:
    """What cannot be read is no network: it lets nobody in."""
    read: list[Network] = []
    for written in networks:
        try:
            read.append(ipaddress.ip_network(written, strict=False))
        except ValueError:
            continue
    return tuple(read)
