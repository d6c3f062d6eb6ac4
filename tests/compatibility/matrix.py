"""Which of the vendor's clients call which actions in which ways: the tests run it and the page prints it."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec
from compatibility.answers import ANSWERS

ROOT = Path(__file__).resolve().parent.parent.parent
V2021, V2019 = ANSWERS


class Sdk(StrEnum):
    """A client of the vendor's, as it is installed and not changed."""

    PYTHON = "Python SDK"
    COMMON = "Python CommonClient"
    INTERNATIONAL = "Python SDK, international"
    NODE = "Node SDK"


class Transport(msgspec.Struct, frozen=True):
    """A way of putting a call on the wire, with the words by which the clients are told to."""

    name: str
    method: str = "POST"
    signed_by: str = "TC3-HMAC-SHA256"
    leaves_body_unsigned: bool = False


USUAL = Transport("`POST`, TC3-HMAC-SHA256")
BODY_UNSIGNED = Transport("`POST`, TC3-HMAC-SHA256, body left unsigned", leaves_body_unsigned=True)
SIGNED_AS_OF_OLD = Transport("`POST`, HmacSHA256", "POST", "HmacSHA256")
OTHER_TRANSPORTS = (
    Transport("`GET`, TC3-HMAC-SHA256", "GET"),
    BODY_UNSIGNED,
    SIGNED_AS_OF_OLD,
    Transport("`GET`, HmacSHA256", "GET", "HmacSHA256"),
    Transport("`POST`, HmacSHA1", "POST", "HmacSHA1"),
    Transport("`GET`, HmacSHA1", "GET", "HmacSHA1"),
)
SAMPLE = ("SendSms", "SendMultiGlobalSms", "DescribeSmsTemplateList")
"""What is called over the other transports: a list, lists within a list, and numbers."""

ACTIONS_LACKING = {
    (Sdk.PYTHON, V2021): ("DescribeSendRecordList",),
    (Sdk.INTERNATIONAL, V2021): ("DescribeSendRecordList", "SmsPackagesStatistics"),
}
"""Actions that a client has no method for."""
FIELDS_LACKING = {Sdk.INTERNATIONAL: ("QualificationId", "QualificationName", "QualificationStatusCode")}
"""Fields that a client drops from answers."""
TRANSPORTS_LACKING = {Sdk.NODE: (BODY_UNSIGNED,)}
"""Transports that a client cannot be told to use."""


class Cell(msgspec.Struct, frozen=True):
    """One action called by one client in one way."""

    sdk: Sdk
    version: str
    action: str
    transport: Transport = USUAL

    def __str__(self) -> str:
        return f"{self.version}-{self.action}-{self.sdk}-{self.transport.name}".replace("`", "")


def cells_of_actions() -> Iterator[Cell]:
    """Every action of every version by every client that has it."""
    for version, actions in ANSWERS.items():
        for action in actions:
            for sdk in Sdk:
                if action not in ACTIONS_LACKING.get((sdk, version), ()):
                    yield Cell(sdk, version, action)


def cells_of_transports() -> Iterator[Cell]:
    """The sample over every other transport by every client that knows it."""
    for transport in OTHER_TRANSPORTS:
        for sdk in (Sdk.PYTHON, Sdk.NODE):
            if transport not in TRANSPORTS_LACKING.get(sdk, ()):
                for action in SAMPLE:
                    yield Cell(sdk, V2021, action, transport)


def package_versions() -> dict[Sdk, str]:
    """The packages that are tested with, as pyproject.toml and the Makefile pin them."""
    pins = "".join((ROOT / file).read_text("utf-8") for file in ("pyproject.toml", "Makefile"))

    def package(name: str) -> str:
        [version] = re.findall(rf"\b{name}(?:==|@)([0-9.]+)", pins)
        return f"{name} {version}"

    common = package("tencentcloud-sdk-python-common")
    return {
        Sdk.PYTHON: f"{package('tencentcloud-sdk-python-sms')}, {common}",
        Sdk.COMMON: common,
        Sdk.INTERNATIONAL: package("tencentcloud-sdk-python-intl-en"),
        Sdk.NODE: f"{package('tencentcloud-sdk-nodejs-sms')}, {package('tencentcloud-sdk-nodejs-common')}",
    }
