"""Signatures applied for, amended, deleted and listed."""

import base64
import binascii

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions import reviewing
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.reviewing import STATUS_CODES, Deleted, Ids, Listing, is_international
from cleartosend.api.tencent.errors import Fault, Saying
from cleartosend.api.tencent.parameters import Answer, Id, Parameters
from cleartosend.model.applications import Signature, SignatureForm, Subject
from cleartosend.model.reasons import Refusal
from cleartosend.review.apply import may_use_the_api
from cleartosend.store import applications

SIGN_TYPES = range(7)
DOCUMENT_TYPES = range(9)
OWN_USE = 0
FOR_ANOTHER = 1


class AddSmsSign(Parameters):
    sign_name: str
    sign_type: int
    document_type: int
    international: int
    sign_purpose: int
    proof_image: str
    commission_image: str = ""
    remark: str = ""
    qualification_id: Id | None = None


class ModifySmsSign(AddSmsSign, kw_only=True):
    sign_id: Id


class DeleteSmsSign(Parameters):
    sign_id: Id


class DescribeSmsSignList(Listing):
    sign_id_set: Ids = ()


class SignStatus(Answer):
    sign_id: int


class AddSmsSignAnswer(Answer):
    add_sign_status: SignStatus


class ModifySmsSignAnswer(Answer):
    modify_sign_status: SignStatus


class DeleteSmsSignAnswer(Answer):
    delete_sign_status: Deleted


class DescribedSign(Answer):
    sign_id: int
    international: int
    status_code: int
    review_reply: str
    sign_name: str
    create_time: int
    qualification_id: int | None
    # Papers of a company that were reviewed by themselves: here they are reviewed with the signature.
    qualification_name: str | None = None
    qualification_status_code: int | None = None


class DescribeSmsSignListAnswer(Answer):
    describe_sign_list_status_set: list[DescribedSign]


async def add_sms_sign(call: Call, asked: AddSmsSign) -> AddSmsSignAnswer | Refusal | Fault:
    form = _form(asked, wrong_purpose=errors.INVALID_USED_METHOD)
    if isinstance(form, Fault):
        return form
    sign_id = await call.rooms.applications.apply(call.dossier.account, form)
    if isinstance(sign_id, Refusal):
        return sign_id
    return AddSmsSignAnswer(add_sign_status=SignStatus(sign_id=sign_id))


async def modify_sms_sign(call: Call, asked: ModifySmsSign) -> ModifySmsSignAnswer | Refusal | Fault:
    form = _form(asked, wrong_purpose=errors.INVALID_SIGN_PURPOSE)
    if isinstance(form, Fault):
        return form
    sign_id = await call.rooms.applications.amend(call.dossier.account, asked.sign_id, form)
    if isinstance(sign_id, Refusal):
        return sign_id
    return ModifySmsSignAnswer(modify_sign_status=SignStatus(sign_id=sign_id))


async def delete_sms_sign(call: Call, asked: DeleteSmsSign) -> DeleteSmsSignAnswer | Refusal:
    deleted = await reviewing.delete(call, Subject.SIGNATURE, asked.sign_id)
    return deleted if isinstance(deleted, Refusal) else DeleteSmsSignAnswer(delete_sign_status=deleted)


async def describe_sms_sign_list(call: Call, asked: DescribeSmsSignList) -> DescribeSmsSignListAnswer | Fault | Refusal:
    if refusal := may_use_the_api(call.dossier.account):
        return refusal
    international = is_international(asked.international)
    if isinstance(international, Fault):
        return international
    if fault := reviewing.page_is_wrong(asked):
        return fault
    limit, offset = reviewing.page_of(asked, asked.sign_id_set)
    listed = await call.rooms.engine.read(
        lambda tx: applications.signatures_of(
            tx,
            call.dossier.account.id,
            international=international,
            ids=asked.sign_id_set,
            limit=limit,
            offset=offset,
        )
    )
    return DescribeSmsSignListAnswer(describe_sign_list_status_set=[_described(signature) for signature in listed])


def _form(asked: AddSmsSign, *, wrong_purpose: Saying) -> SignatureForm | Fault:
    international = is_international(asked.international)
    if isinstance(international, Fault):
        return international
    if asked.sign_type not in SIGN_TYPES:
        return Fault(errors.INVALID_SIGN_TYPE)
    if asked.document_type not in DOCUMENT_TYPES:
        return Fault(errors.INVALID_DOCUMENT_TYPE)
    if asked.sign_purpose not in {OWN_USE, FOR_ANOTHER}:
        return Fault(wrong_purpose)
    proof = _image(asked.proof_image)
    if proof is None:
        return Fault(errors.IMAGE_NOT_BASE64, "ProofImage")
    commission = _image(asked.commission_image)
    if commission is None:
        return Fault(errors.IMAGE_NOT_BASE64, "CommissionImage")
    return SignatureForm(
        text=asked.sign_name,
        sign_type=asked.sign_type,
        document_type=asked.document_type,
        international=international,
        for_another=asked.sign_purpose == FOR_ANOTHER,
        proof_image=proof,
        commission_image=commission,
        remark=asked.remark,
        qualification_id=asked.qualification_id,
    )


def _image(written: str) -> bytes | None:
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None


def _described(signature: Signature) -> DescribedSign:
    return DescribedSign(
        sign_id=signature.id,
        international=int(signature.international),
        status_code=STATUS_CODES[signature.state],
        review_reply=signature.reply,
        sign_name=signature.text,
        create_time=int(signature.created_at),
        qualification_id=signature.qualification_id,
    )
