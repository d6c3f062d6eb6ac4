"""What a call brings, in JSON or in a query, becomes the type its action declares, or a fault that names the field."""

import re
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.errors import Fault

MOST_PIECES_IN_A_NAME = 4
"""PhoneNumberSet.0 has two, MultiSmsInfoSet.0.TemplateParamSet.1 has four."""
SHOWN_CHARACTERS = 64
MOST_PAIRS = 10_000
"""200 recipients with their values are some thousands."""

Pairs = list[tuple[str, str]]
"""What a query or a form holds, decoded, in its order."""

# A field of these names is somebody's attempt to send a picture or a sound, and deserves that answer.
_SPEAKS_OF_MMS = re.compile(r"mms|image|picture|photo|audio|voice|video|media|attachment", re.IGNORECASE)
_FIELD_IN_ERROR = re.compile(
    r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)` - at `\$\.(?P<place>.*)`", re.DOTALL
)
_PLACE_IN_ERROR = re.compile(r"(?P<what>.*?)(?: - at `(?P<place>.*)`)?", re.DOTALL)

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""An unsigned number that the store can be asked for."""


class Parameters(msgspec.Struct, rename="pascal", forbid_unknown_fields=True, gc=False):
    """What one action takes: `sms_sdk_app_id` here is `SmsSdkAppId` on the wire."""


class Answer(msgspec.Struct, rename="pascal", gc=False):
    """What one action gives back, or a part of it."""


class Reader:
    """Reads the parameters of one action."""

    def __init__(self, type_: type[Parameters]) -> None:
        self._type = type_
        self._decoder = msgspec.json.Decoder(type_)
        fields = msgspec.structs.fields(type_)
        self.names = {field.encode_name for field in fields}
        self._required = [field.encode_name for field in fields if field.required]

    def read_json(self, body: bytes) -> Parameters | Fault:
        # Nearly every body decodes at once. One with a null, an escaped NUL or a mistake is looked at field by field.
        if b"\\u0000" not in body:
            try:
                return self._decoder.decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass
        try:
            given = msgspec.json.decode(body)
            return self._fit(given, strict=True) if isinstance(given, dict) else Fault(errors.NOT_JSON)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Fault(errors.NOT_JSON)

    def read_query(self, query: bytes) -> Parameters | Fault:
        """Parameters as a query flattens them: `PhoneNumberSet.0=…`, and numbers as text."""
        pairs = read_pairs(query)
        return pairs if isinstance(pairs, Fault) else self.fit_pairs(pairs)

    def fit_pairs(self, pairs: Pairs) -> Parameters | Fault:
        """The same, once a query or a form is decoded."""
        given = _unflatten(pairs)
        return given if isinstance(given, Fault) else self._fit(given, strict=False)

    def _fit(self, given: dict[str, Any], *, strict: bool) -> Parameters | Fault:
        given = _without_nulls(given)
        if (unknown := next((name for name in given if name not in self.names), None)) is not None:
            return _unknown(unknown[:SHOWN_CHARACTERS])
        for name in self._required:
            if name not in given:
                return Fault(errors.MISSING_PARAMETER, name)
        for name, value in given.items():
            # A store may be unable to keep this character; no message, name or id has it.
            if any("\0" in text for text in _texts(value)):
                return Fault(errors.WRONG_FIELD, f"{name}: a text with the character U+0000")
        try:
            return msgspec.convert(given, self._type, strict=strict)
        except msgspec.ValidationError as error:
            return _what_is_wrong(error)


def read_pairs(written: bytes) -> Pairs | Fault:
    """Decode a query or a form."""
    try:
        return parse_qsl(written.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PAIRS)
    except ValueError:
        return Fault(errors.WRONG_FIELD, "the parameters are not percent-encoded UTF-8")


def speaks_of_mms(name: str) -> bool:
    return _SPEAKS_OF_MMS.search(name) is not None


def _unflatten(pairs: list[tuple[str, str]]) -> dict[str, Any] | Fault:
    """
    Put flattened parameters back together.

    >>> _unflatten([("PhoneNumberSet.0", "1"), ("PhoneNumberSet.1", "2"), ("SignName", "x")])
    {'PhoneNumberSet': ['1', '2'], 'SignName': 'x'}
    """
    tree: dict[str, Any] = {}
    for name, value in pairs:
        *branches, leaf = name.split(".")
        at = tree
        for branch in branches:
            at = at.setdefault(branch, {})
            if not isinstance(at, dict):
                break
        if len(branches) >= MOST_PIECES_IN_A_NAME or not isinstance(at, dict) or leaf in at:
            return Fault(errors.WRONG_FIELD, f"{name[:SHOWN_CHARACTERS]} does not fit the other parameters")
        at[leaf] = value
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(value: Any) -> Any:  # noqa: ANN401 - whatever a client may send
    if not isinstance(value, dict):
        return value
    places = [str(place) for place in range(len(value))]
    if value.keys() == set(places):
        return [_with_lists(value[place]) for place in places]
    return {name: _with_lists(one) for name, one in value.items()}


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - whatever a client may send
    """Leave out what is null: both mean the same."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _texts(one)


def _what_is_wrong(error: msgspec.ValidationError) -> Fault:
    """
    Tell a field that is missing or unknown in an object within the parameters as one of the parameters itself.

    >>> _what_is_wrong(msgspec.ValidationError("Object missing required field `TemplateId` - at `$.Set[0]`")).message()
    'The request is missing a required parameter `Set[0].TemplateId`.'
    """
    found = _FIELD_IN_ERROR.fullmatch(str(error))
    if found is None:
        return Fault(errors.WRONG_FIELD, _in_words(error))
    name = f"{found['place']}.{found['name'][:SHOWN_CHARACTERS]}"
    return Fault(errors.MISSING_PARAMETER, name) if found["what"] == "missing required" else _unknown(name)


def _unknown(name: str) -> Fault:
    return Fault(errors.MMS_NOT_SUPPORTED if speaks_of_mms(name) else errors.UNKNOWN_PARAMETER, name)


def _in_words(error: msgspec.ValidationError) -> str:
    """
    Name the field first; the library's message never quotes a value.

    >>> _in_words(msgspec.ValidationError("Expected `str`, got `int` - at `$.SmsSdkAppId`"))
    'SmsSdkAppId: expected `str`, got `int`'
    """
    found = _PLACE_IN_ERROR.fullmatch(str(error))
    if found is None or found["place"] is None:
        return str(error)
    what = found["what"]
    return f"{found['place'].removeprefix('$').removeprefix('.')}: {what[:1].lower()}{what[1:]}"
