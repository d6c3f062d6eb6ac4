"""How a carrier writes things: a profile, read from a file, so that no carrier needs code of its own."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import re2

from cleartosend.carriers.smpp.pdu import Status, Tlvs, name_of_status
from cleartosend.model.alphabets import Alphabet
from cleartosend.model.messages import ReceiptStatus
from cleartosend.ports import NotSubmitted

USUAL = "usual"
_SHIPPED = resources.files("cleartosend.carriers.smpp").joinpath("profiles")

Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]


class BadProfile(Exception):
    """A profile cannot be used; the message names the file and the field."""


class IdForm(StrEnum):
    """How a carrier writes an id."""

    AS_IS = "as-is"
    HEX = "hex"
    DECIMAL = "decimal"


class Joining(StrEnum):
    """How the parts of a long text are marked as parts of one."""

    HEADER = "header"
    """A user data header before each (3GPP TS 23.040, 9.2.3.24)."""
    TLVS = "tlvs"
    """The optional parameters sar_msg_ref_num, sar_total_segments and sar_segment_seqnum."""
    PAYLOAD = "payload"
    """None: the whole text in one message_payload, which the carrier cuts."""


class Writing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alphabet that the carrier takes."""

    alphabet: Alphabet
    """`gsm7`, `ascii`, `latin1` or `ucs2`."""
    data_coding: Octet
    """What it is called on the wire."""
    packed: bool = False
    """Of gsm7: whether eight septets are written in seven octets."""


class Receipts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the carrier writes receipts."""

    parts: Literal["each", "one"] = "each"
    """Whether each part of a long text has its receipt, or all parts have one."""
    source: Literal["either", "text", "tlvs"] = "either"
    """Where id and status stand: in the text (SMPP 3.4, appendix B), in optional parameters, or in either."""
    unmarked: bool = True
    """Whether a message that looks like a receipt is one even if esm_class does not say so."""
    id_keys: tuple[str, ...] = ("id", "msgid", "message id", "message_id")
    """What stands before the id, in any case."""
    status_keys: tuple[str, ...] = ("stat", "status", "state")
    """What stands before the status word."""
    error_keys: tuple[str, ...] = ("err", "error", "error code")
    """What stands before the error code."""
    done_keys: tuple[str, ...] = ("done date", "done_date", "donedate")
    """What stands before the date at which it happened."""
    pattern: str = ""
    """Instead of keys: an expression (RE2) with groups named id, status, error and done."""
    words: dict[str, ReceiptStatus] = {}
    """Status words beside those of the standard, in any case."""
    errors: dict[str, str] = {}
    """What its error codes are called here, such as `"034" = "MK:0017"`."""
    no_error: tuple[str, ...] = ("", "0", "00", "000", "0000", "none")
    """Error codes that say there is none."""
    done_format: str = ""
    """The format of the done date, as strptime has it; empty: the usual ones are tried."""
    utc_offset: Annotated[str, msgspec.Meta(pattern=r"^([+-][0-9]{2}:[0-5][0-9])?$")] = ""
    """Of its dates, such as `+08:00`; empty: it is not known, and a receipt's time is when it came."""


class Statuses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What the carrier's refusals ask for, by the names of SMPP 3.4, 5.1.3, or as numbers.

    A status of the standard that stands nowhere here is for good. One of the carrier's own is for good as well, and
    the operator is told of it, since somebody should look up what it means.
    """

    throttled: tuple[str | int, ...] = ("ESME_RTHROTTLED", "ESME_RMSGQFUL")
    """It takes less than it is handed: slower, and again."""
    temporary: tuple[str | int, ...] = ("ESME_RSYSERR", "ESME_RX_T_APPN", "ESME_RINVBNDSTS", "ESME_RUNKNOWNERR")
    """Again, a while later."""
    operator: tuple[str | int, ...] = (
        "ESME_RINVCMDLEN",
        "ESME_RINVCMDID",
        "ESME_RINVPRTFLG",
        "ESME_RINVREGDLVFLG",
        "ESME_RINVSRCADR",
        "ESME_RBINDFAIL",
        "ESME_RINVPASWD",
        "ESME_RINVSYSID",
        "ESME_RINVSERTYP",
        "ESME_RINVESMCLASS",
        "ESME_RINVSRCTON",
        "ESME_RINVSRCNPI",
        "ESME_RINVDSTTON",
        "ESME_RINVDSTNPI",
        "ESME_RINVSYSTYP",
        "ESME_RINVREPFLAG",
        "ESME_RINVSCHED",
        "ESME_RINVEXPIRY",
        "ESME_RINVDFTMSGID",
        "ESME_RINVOPTPARSTREAM",
        "ESME_ROPTPARNOTALLWD",
        "ESME_RINVPARLEN",
        "ESME_RMISSINGOPTPARAM",
        "ESME_RINVOPTPARAMVAL",
    )
    """For good, and every message will be refused so until the operator changes a setting or calls the carrier."""
    permanent: tuple[str | int, ...] = ()
    """For good, and by the message's own fault, so that nobody need be told: for statuses of the carrier's own."""


_USUAL_STATUSES = Statuses()
_OF_MESSAGE = {Status.ESME_RINVDSTADR, Status.ESME_RINVMSGLEN}
_CLASSES = {
    "permanent": NotSubmitted("", again=False, of_message=True),
    "operator": NotSubmitted("", again=False, tell_operator=True),
    "temporary": NotSubmitted("", again=True),
    "throttled": NotSubmitted("", again=True, slow_down=True),
}


class Addresses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How numbers and senders are written [5.2.5, 5.2.6: type of number, numbering plan]."""

    number: Literal["digits", "plus", "zeros"] = "digits"
    """Before the country code: nothing, `+`, or `00`."""
    without_prefix: Annotated[str, msgspec.Meta(pattern="^[0-9]*$")] = ""
    """A country code that numbers are written without, such as `86`."""
    destination_ton: Octet = 1
    """Type of number of recipients; 1 is international."""
    destination_npi: Octet = 1
    """Numbering plan of recipients; 1 is that of telephones."""
    source_ton: Octet = 0
    """Type of number of a sender that is one; the carrier knows its own. A sender with letters has 5, alphanumeric."""
    source_npi: Octet = 0
    """Numbering plan of a sender that is a number."""


class OwnTlv(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An optional parameter that goes with every message."""

    tag: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    """Those of carriers begin at 0x1400."""
    value: str | int
    """What it says."""
    form: Literal["text", "c-text", "hex", "1", "2", "4"] = "text"
    """How it is written: `text`, `c-text` (with a NUL behind), `hex`, or a number of `1`, `2` or `4` octets."""

    def octets(self) -> bytes:
        """Raises ValueError where the value does not have the form."""
        try:
            if self.form in ("1", "2", "4"):
                return int(self.value).to_bytes(int(self.form))
            if self.form == "hex":
                return bytes.fromhex(str(self.value))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"tlvs: `{self.value}` does not fit the form {self.form}") from error
        return str(self.value).encode() + (b"\0" if self.form == "c-text" else b"")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """All that differs between carriers. What a file does not say is as SMPP 3.4 has it, read liberally."""

    about: str = ""
    """Which carriers it is for, in a sentence."""
    sources: tuple[str, ...] = ()
    """Where that is written."""
    id_in_answer: IdForm = IdForm.AS_IS
    """How ids are written in submit_sm_resp: `as-is`, `hex` or `decimal`."""
    id_in_receipt: IdForm = IdForm.AS_IS
    """How they are written in receipts. Case and zeros before them never count."""
    learn_ids: bool = True
    """Where both are `as-is`: whether the first receipts may tell that one is hex and the other decimal."""
    alphabets: tuple[Writing, ...] = (
        Writing(Alphabet.GSM7, 0),
        Writing(Alphabet.UCS2, 8),
    )
    """In the order of preference: the first that can write a whole text writes it [5.2.19]."""
    joining: Joining = Joining.HEADER
    """How parts say that they are parts: by a `header`, by `tlvs` (the sar_ ones), or not at all, as one `payload`."""
    wide_references: bool = False
    """Of headers: whether a text's reference has two octets, which takes a place of each part, instead of one."""
    registered_delivery: Octet = 1
    """[5.2.17] Which receipts are asked for; 1 is the final one, be it good or bad."""
    validity: Literal["none", "absolute", "relative"] = "none"
    """[7.1.1] Whether the carrier is told until when a message is worth delivering, and in which form."""
    service_type: str = ""
    """[5.2.11] Of every message."""
    protocol_id: Octet = 0
    """[5.2.13] Of every message."""
    priority: Octet = 0
    """[5.2.14] Of every message."""
    receipts: Receipts = Receipts()
    """How receipts are written."""
    statuses: Statuses = Statuses()
    """What refusals ask for."""
    addresses: Addresses = Addresses()
    """How numbers and senders are written."""
    tlvs: tuple[OwnTlv, ...] = ()
    """Optional parameters that go with every message."""

    def __post_init__(self) -> None:
        if not self.alphabets:
            raise ValueError("alphabets: at least one is needed")
        if (self.id_in_answer is IdForm.AS_IS) != (self.id_in_receipt is IdForm.AS_IS):
            raise ValueError("id_in_answer and id_in_receipt: either both are as-is, or neither is")
        # What is wrong with any of these is said when the profile is read.
        _ = self._asks, self.own_tlvs, self.pattern, self.zone

    @cached_property
    def _asks(self) -> Mapping[int, NotSubmitted]:
        """What each status asks for, as far as the profile or the standard knows it."""
        found = {
            status.value: NotSubmitted(status.name, again=False, of_message=status in _OF_MESSAGE) for status in Status
        }
        # What a profile says is stronger than what it leaves as it was.
        for name in sorted(_CLASSES, key=lambda name: getattr(self.statuses, name) != getattr(_USUAL_STATUSES, name)):
            for status in map(_status, getattr(self.statuses, name)):
                found[status] = msgspec.structs.replace(_CLASSES[name], code=name_of_status(status))
        return found

    def refusal(self, status: int) -> NotSubmitted:
        """What a refusal with this status asks for."""
        return self._asks.get(status) or NotSubmitted(name_of_status(status), again=False, tell_operator=True)

    @cached_property
    def own_tlvs(self) -> Tlvs:
        return tuple((own.tag, own.octets()) for own in self.tlvs)

    @cached_property
    def pattern(self) -> Any:  # noqa: ANN401 - re2 has no types
        """The expression in place of keys, compiled; None where there is none."""
        if not self.receipts.pattern:
            return None
        try:
            compiled = re2.compile(self.receipts.pattern)
        except re2.error as error:
            raise ValueError(f"receipts.pattern: {error}") from error
        if not {"id", "status"} <= set(compiled.groupindex):
            raise ValueError("receipts.pattern: it needs groups named id and status")
        return compiled

    @cached_property
    def key_of(self) -> Mapping[str, str]:
        """What the keys in a receipt's text stand for; at "text" ends what the carrier says."""
        form = self.receipts
        return {
            **dict.fromkeys(("sub", "dlvrd", "submit date", "submit_date", "submitdate"), "other"),
            **dict.fromkeys(("text", "txt"), "text"),
            **{key.lower(): "done" for key in form.done_keys},
            **{key.lower(): "error" for key in form.error_keys},
            **{key.lower(): "status" for key in form.status_keys},
            **{key.lower(): "id" for key in form.id_keys},
        }

    @cached_property
    def receipt_keys(self) -> re.Pattern[str]:
        """Finds those keys: at the beginning or behind a space, and before a colon or an equals sign."""
        keys = "|".join(re.escape(key) for key in self.key_of)
        # ASCII, as otherwise a long s would be an s here, and none in the keys.
        return re.compile(rf"(?:^|(?<=[\s,;|]))({keys})[ ]?[:=]", re.IGNORECASE | re.ASCII)

    @cached_property
    def words(self) -> Mapping[str, ReceiptStatus]:
        """The carrier's own status words, in capitals."""
        return {word.upper(): status for word, status in self.receipts.words.items()}

    @cached_property
    def zone(self) -> timezone | None:
        """Of the carrier's dates; None: it is not known."""
        written = self.receipts.utc_offset
        if not written:
            return None
        hours, minutes = int(written[1:3]), int(written[4:6])
        if hours >= 24:
            raise ValueError(f"receipts.utc_offset: `{written}` is more than a day")
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if written[0] == "-" else offset)

    def number(self, e164: str) -> str:
        """Write a number as the carrier wants it."""
        digits = e164.removeprefix("+")
        form = self.addresses
        if form.without_prefix and digits.startswith(form.without_prefix):
            return digits.removeprefix(form.without_prefix)
        return {"digits": "", "plus": "+", "zeros": "00"}[form.number] + digits

    def e164(self, written: str, *, ton: int = 0) -> str:
        """
        Read a number that the carrier wrote.

        >>> Profile().e164("8613800138000"), Profile().e164("0044700900000")
        ('+8613800138000', '+44700900000')
        """
        if written.startswith("+") or not written.isdecimal():
            return written
        if written.startswith("00"):
            return f"+{written[2:]}"
        prefix = self.addresses.without_prefix
        # [5.2.5] 1 is an international number. One that is not, and lacks the prefix, is of that country.
        if prefix and ton != 1 and not written.startswith(prefix):
            return f"+{prefix}{written}"
        return f"+{written}"

    def type_of_source(self, address: str) -> tuple[int, int]:
        """Type of number and numbering plan of a sender [5.2.5, 5.2.6]."""
        if address and not address.removeprefix("+").isdecimal():
            return 5, 0
        return self.addresses.source_ton, self.addresses.source_npi

    def validity_period(self, until: float, *, now: float) -> str:
        """
        Write until when a message is worth delivering [7.1.1]; empty: as long as the carrier likes.

        >>> Profile(validity="absolute").validity_period(1772424000.0, now=0.0)
        '260302040000000+'
        >>> Profile(validity="relative").validity_period(3661.0, now=0.0)
        '000000010101000R'
        """
        if self.validity == "none" or until <= now:
            return ""
        if self.validity == "absolute":
            return f"{datetime.fromtimestamp(until, UTC):%y%m%d%H%M%S}000+"
        minutes, seconds = divmod(int(until - now), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        # Months and years differ in length, so a long time is the most days that can be written.
        return f"0000{min(days, 99):02}{hours:02}{minutes:02}{seconds:02}000R"


def shipped() -> list[str]:
    """The names of the profiles that come with the program."""
    return sorted(one.name.removesuffix(".toml") for one in _SHIPPED.iterdir() if one.name.endswith(".toml"))


def read_profile(name: str) -> Profile:
    """Read a profile that ships, by its name, or another, by its path. Raises BadProfile."""
    file = _SHIPPED.joinpath(f"{name}.toml") if re.fullmatch("[a-z0-9-]+", name) else Path(name)
    try:
        written = file.read_text("utf-8")
    except FileNotFoundError as error:
        raise BadProfile(f"there is no profile `{name}`; those that ship are {', '.join(shipped())}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadProfile(f"profile {name}: {error}") from error
    return parse_profile(written, name=name)


def parse_profile(written: str, *, name: str) -> Profile:
    """Read what stands in a profile's file; `name` is what errors call it. Raises BadProfile."""
    try:
        return msgspec.convert(tomllib.loads(written), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadProfile(f"profile {name}: {error}") from error


def _status(written: str | int) -> int:
    if isinstance(written, int):
        return written
    try:
        return Status[written]
    except KeyError:
        raise ValueError(f"statuses: SMPP 3.4 has no status `{written}`") from None
