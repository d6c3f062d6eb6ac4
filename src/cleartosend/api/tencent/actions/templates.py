"""Templates applied for, amended, deleted and listed."""

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions import reviewing
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.reviewing import STATUS_CODES, Deleted, Ids, Listing, is_international
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Answer, Id, Parameters
from cleartosend.model.applications import Subject, Template, TemplateForm
from cleartosend.model.reasons import Refusal
from cleartosend.model.verdicts import MessageType
from cleartosend.review.apply import may_use_the_api
from cleartosend.store import applications

# The old numbering knew only 0, ordinary, and 1, marketing; 0 is still sent by older clients.
ORDINARY = 0
MESSAGE_TYPES = {1: MessageType.MARKETING, 2: MessageType.NOTIFICATION, 3: MessageType.VERIFICATION}
WORDS_OF_A_VERIFICATION = ("验证码", "code")
FOR_BOTH = 3
"""In lists, what stands for templates that serve at home and abroad. There are none here."""


class AddSmsTemplate(Parameters):
    template_name: str
    template_content: str
    sms_type: int
    international: int
    remark: str


class ModifySmsTemplate(AddSmsTemplate):
    template_id: Id


class DeleteSmsTemplate(Parameters):
    template_id: Id


class DescribeSmsTemplateList(Listing):
    template_id_set: Ids = ()


class AddTemplateStatus(Answer):
    # Text here and a number everywhere else: so the reference has it, and typed clients insist.
    template_id: str


class AddSmsTemplateAnswer(Answer):
    add_template_status: AddTemplateStatus


class ModifyTemplateStatus(Answer):
    template_id: int


class ModifySmsTemplateAnswer(Answer):
    modify_template_status: ModifyTemplateStatus


class DeleteSmsTemplateAnswer(Answer):
    delete_template_status: Deleted


class DescribedTemplate(Answer):
    template_id: int
    international: int
    status_code: int
    review_reply: str
    template_name: str
    create_time: int
    template_content: str


class DescribeSmsTemplateListAnswer(Answer):
    describe_template_status_set: list[DescribedTemplate]


async def add_sms_template(call: Call, asked: AddSmsTemplate) -> AddSmsTemplateAnswer | Refusal | Fault:
    form = _form(asked)
    if isinstance(form, Fault):
        return form
    template_id = await call.rooms.applications.apply(call.dossier.account, form)
    if isinstance(template_id, Refusal):
        return template_id
    return AddSmsTemplateAnswer(add_template_status=AddTemplateStatus(template_id=str(template_id)))


async def modify_sms_template(call: Call, asked: ModifySmsTemplate) -> ModifySmsTemplateAnswer | Refusal | Fault:
    form = _form(asked)
    if isinstance(form, Fault):
        return form
    template_id = await call.rooms.applications.amend(call.dossier.account, asked.template_id, form)
    if isinstance(template_id, Refusal):
        return template_id
    return ModifySmsTemplateAnswer(modify_template_status=ModifyTemplateStatus(template_id=template_id))


async def delete_sms_template(call: Call, asked: DeleteSmsTemplate) -> DeleteSmsTemplateAnswer | Refusal:
    deleted = await reviewing.delete(call, Subject.TEMPLATE, asked.template_id)
    return deleted if isinstance(deleted, Refusal) else DeleteSmsTemplateAnswer(delete_template_status=deleted)


async def describe_sms_template_list(
    call: Call, asked: DescribeSmsTemplateList
) -> DescribeSmsTemplateListAnswer | Fault | Refusal:
    if refusal := may_use_the_api(call.dossier.account):
        return refusal
    if fault := reviewing.page_is_wrong(asked):
        return fault
    if asked.international == FOR_BOTH:
        return DescribeSmsTemplateListAnswer(describe_template_status_set=[])
    international = is_international(asked.international)
    if isinstance(international, Fault):
        return international
    limit, offset = reviewing.page_of(asked, asked.template_id_set)
    listed = await call.rooms.engine.read(
        lambda tx: applications.templates_of(
            tx,
            call.dossier.account.id,
            international=international,
            ids=asked.template_id_set,
            limit=limit,
            offset=offset,
        )
    )
    return DescribeSmsTemplateListAnswer(describe_template_status_set=[_described(template) for template in listed])


def _form(asked: AddSmsTemplate) -> TemplateForm | Fault:
    international = is_international(asked.international)
    if isinstance(international, Fault):
        return international
    type_ = _message_type(asked.sms_type, asked.template_content)
    if isinstance(type_, Fault):
        return type_
    return TemplateForm(
        name=asked.template_name,
        text=asked.template_content,
        type=type_,
        international=international,
        remark=asked.remark,
    )


def _message_type(sms_type: int, text: str) -> MessageType | Fault:
    """
    Take the type as declared; of an ordinary one, the words tell which of the two it would be declared as now.

    >>> _message_type(1, "拒收请回复R").value
    'marketing'
    >>> _message_type(0, "Your code is {1}").value, _message_type(0, "您的包裹已到").value
    ('verification', 'notification')
    """
    if sms_type == ORDINARY:
        is_a_code = any(word in text.lower() for word in WORDS_OF_A_VERIFICATION)
        return MessageType.VERIFICATION if is_a_code else MessageType.NOTIFICATION
    return MESSAGE_TYPES.get(sms_type, Fault(errors.INVALID_SMS_TYPE))


def _described(template: Template) -> DescribedTemplate:
    return DescribedTemplate(
        template_id=template.id,
        international=int(template.international),
        status_code=STATUS_CODES[template.state],
        review_reply=template.reply,
        template_name=template.name,
        create_time=int(template.created_at),
        template_content=template.text,
    )
