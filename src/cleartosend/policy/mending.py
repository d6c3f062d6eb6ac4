"""Makes the edits that would let a text pass, and says whether what they leave is worth sending."""

import re
from collections.abc import Iterable

from cleartosend.model.verdicts import Part, Submission
from cleartosend.policy.normalise import HAN, fold
from cleartosend.policy.spots import Edit
from cleartosend.policy.structure import OPT_OUT
from cleartosend.policy.view import VARIABLE

_LEAST_WORTH_SENDING = 6
_COMMAS = "，,、；;：: "
_FULL_STOPS = tuple("。！？!?.\n")
_OPENING, _CLOSING = tuple("（(“"), tuple("）)”")
_OF_FULL_WIDTH = "，、；：。！？"
_CLAUSE_ENDS = re.compile(r"[,;:。!?\n]|\.(?=\s|$)")
_WORD = re.compile(r"[a-z]+")
# What opens or closes a message, whatever it says: to whom, thanks, wishes.
_COURTESY = re.compile(
    r"(?:尊敬|亲爱)的[^您你]{0,10}|.{0,8}(?:您|你|大家)好|(?:再次)?(?:感谢|谢谢|多谢).{0,16}|祝(?:您|你|大家).{0,16}"
    r"|(?:热烈|诚挚)?欢迎.{0,16}"
    r"|(?:hi|hello|dear)\b.{0,24}|thank(?:s| you)\b.{0,40}|(?:best |kind |warm )?regards\b.{0,24}"
)


def applied(edits: Iterable[Edit], text: str) -> str:
    """
    The text with all edits made; of edits that overlap, those that come first and reach furthest.

    No mark or space is left without the words that it stood for.

    >>> applied([Edit(8, 15, "")], "您的订单已发货，全场八折速抢。")
    '您的订单已发货。'
    >>> applied([Edit(0, 4, "")], "速来抢购，您的订单已发货。")
    '您的订单已发货。'
    >>> applied([Edit(8, 17, "")], "Shipped, 50% off! Thank you.")
    'Shipped. Thank you.'
    """
    kept = ""
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if edit.start < position:
            continue
        kept += text[position : edit.start] + edit.replacement
        position = edit.end
        if not edit.replacement:
            kept, position = _seam(kept, text, edit)
    kept = (kept + text[position:]).strip()
    bare = kept.rstrip(_COMMAS)
    return kept if bare == kept else _closed(bare)


def says_something(submission: Submission) -> bool:
    """Whether a mended text says enough besides its greeting and its ending for it to be worth suggesting."""
    if submission.part is Part.SIGNATURE:
        return bool(submission.text.strip())
    clauses = (clause.strip() for clause in _CLAUSE_ENDS.split(fold(VARIABLE.sub("", submission.text))))
    said = [clause for clause in clauses if not _COURTESY.fullmatch(clause) and not OPT_OUT.search(clause)]
    return sum(len(HAN.findall(clause)) + 2 * len(_WORD.findall(clause)) for clause in said) >= _LEAST_WORTH_SENDING


def _seam(before: str, text: str, gap: Edit) -> tuple[str, int]:
    """What is kept of what stands before a gap, and from where on of what stands behind it."""
    behind = text[gap.end :]
    if before.endswith(_OPENING) and behind.startswith(_CLOSING):
        before, behind = before[:-1], behind[1:]
    bare = before.rstrip(_COMMAS)
    if not bare:
        return "", len(text) - len(behind.lstrip(_COMMAS + "".join(_FULL_STOPS)))
    ends_in_comma = bare != before.rstrip(" ")
    if ends_in_comma or bare.endswith(_FULL_STOPS):
        behind = behind.lstrip(_COMMAS.replace(" ", ""))
    if ends_in_comma and behind.lstrip(" ").startswith(_FULL_STOPS):
        before = bare
    elif ends_in_comma and text[gap.start : gap.end].rstrip(" ").endswith(_FULL_STOPS):
        before = _closed(bare)
    if before.endswith((*_OF_FULL_WIDTH, " ")):
        behind = behind.lstrip(" ")
    return before, len(text) - len(behind)


def _closed(text: str) -> str:
    return text + ("。" if HAN.search(text) else ".") if text else text
