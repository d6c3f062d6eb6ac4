"""Every refusal in the dialect's words: a code that clients compare, and a message for people in two languages."""

import msgspec

from cleartosend.model.reasons import Reason, Refusal

CHINESE = b"zh-CN"
OLDER_VERSION = "2019-07-11"


class Saying(msgspec.Struct, frozen=True, gc=False):
    """A code and what is said with it; `{}` stands where the detail goes."""

    code: str
    english: str
    chinese: str


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Why a call is not answered, in the dialect's words."""

    saying: Saying
    detail: str = ""

    @property
    def code(self) -> str:
        return self.saying.code

    def message(self, language: bytes = b"") -> str:
        """
        Say it in the language that a client asked for: Chinese, or English for any other.

        >>> Fault(MISSING_PARAMETER, "Limit").message()
        'The request is missing a required parameter `Limit`.'
        """
        said = self.saying.chinese if language == CHINESE else self.saying.english
        return said.format(self.detail)


def fault_of(refusal: Refusal, action: str = "") -> Fault:
    """
    Translate a refusal; some reasons go by another code in some actions.

    >>> fault_of(Refusal(Reason.SIGNATURE_NOT_FOUND, "7")).code
    'FailedOperation.SignIdNotExist'
    >>> fault_of(Refusal(Reason.SIGNATURE_NOT_FOUND, "7"), "ModifySmsSign").code
    'FailedOperation.MissingSignatureToModify'
    """
    saying = SAYINGS.get((refusal.reason, action)) or SAYINGS[refusal.reason]
    return Fault(saying, refusal.detail)


def as_known_to(fault: Fault, version: str, action: str) -> Fault:
    """
    Tell the fault by a code that the reference lists for this action in this version: typed clients know those only.

    >>> as_known_to(Fault(NOT_JSON), "2021-01-11", "SendMultiGlobalSms").code
    'FailedOperation.FailResolvePacket'
    >>> as_known_to(Fault(INVALID_LIMIT), "2019-07-11", "PullSmsSendStatus").code
    'FailedOperation.FailResolvePacket'
    """
    said = fault.saying
    code = INSTEAD.get(said.code, {}).get(action, said.code)
    if version == OLDER_VERSION:
        code = INSTEAD_IN_THE_OLDER_VERSION.get(code, code)
        said = Saying(code, _by_older_names(said.english), _by_older_names(said.chinese))
    return Fault(Saying(code, said.english, said.chinese), fault.detail)


def _by_older_names(message: str) -> str:
    for newer, older in OLDER_NAMES.items():
        message = message.replace(newer, older)
    return message


# --- what the platform itself says, before anything is asked of the service ---

UNSUPPORTED_PROTOCOL = Saying(
    "UnsupportedProtocol",
    "Only POST and GET requests are supported.",
    "仅支持 POST 和 GET 请求。",
)
REQUEST_TOO_LARGE = Saying(
    "RequestSizeLimitExceeded",
    "The request is larger than {}.",
    "请求包超过 {} 的限制。",
)
NO_SUCH_VERSION = Saying(
    "NoSuchVersion",
    "The API version `{}` does not exist.",
    "接口版本 `{}` 不存在。",
)
INVALID_ACTION = Saying(
    "InvalidAction",
    "The action `{}` does not exist in this version of the API.",
    "接口 `{}` 在该版本中不存在。",
)
MMS_NOT_SUPPORTED = Saying(
    "UnsupportedOperation",
    "MMS is not supported: messages are text only, without pictures, sound or attachments (`{}`).",
    "不支持彩信：短信只能包含文本，不能包含图片、音频、视频或附件（`{}`）。",
)
MISSING_PARAMETER = Saying(
    "MissingParameter",
    "The request is missing a required parameter `{}`.",
    "请求缺少必要参数 `{}`。",
)
UNKNOWN_PARAMETER = Saying(
    "UnknownParameter",
    "The parameter `{}` is not recognized.",
    "未定义的参数 `{}`。",
)
NOT_JSON = Saying(
    "FailedOperation.JsonParseFail",
    "The request body is not a JSON object in UTF-8.",
    "请求体不是 UTF-8 编码的 JSON 对象。",
)
WRONG_FIELD = Saying(
    "FailedOperation.FailResolvePacket",
    "The request could not be interpreted: {}.",
    "请求包解析失败：{}。",
)
INVALID_TIMESTAMP = Saying(
    "InvalidParameterValue",
    "`{}` must be Unix time in seconds.",
    "`{}` 必须是以秒为单位的 UNIX 时间戳。",
)
INVALID_INTERNATIONAL = Saying(
    "InvalidParameterValue.InvalidInternational",
    "`International` must be 0 (mainland China) or 1 (international, including Hong Kong, Macao and Taiwan).",
    "`International` 取值错误：0 表示国内短信，1 表示国际/港澳台短信。",
)
INVALID_SMS_TYPE = Saying(
    "InvalidParameterValue.InvalidSmsType",
    "`SmsType` must be 1 (marketing), 2 (notification) or 3 (verification code).",
    "`SmsType` 取值错误：1 表示营销短信，2 表示通知短信，3 表示验证码短信。",
)
INVALID_SIGN_TYPE = Saying(
    "FailedOperation.FailResolvePacket",
    "`SignType` must be one of 0 (company), 1 (app), 4 (trademark) and 5 (government, institution or other).",
    "`SignType` 取值错误：0 公司，1 APP，4 商标，5 政府/机关事业单位/其他机构。",
)
INVALID_DOCUMENT_TYPE = Saying(
    "InvalidParameterValue.InvalidDocumentType",
    "`DocumentType` must be a number from 0 to 8.",
    "`DocumentType` 取值错误：应为 0 至 8。",
)
INVALID_USED_METHOD = Saying(
    "InvalidParameterValue.InvalidUsedMethod",
    "`SignPurpose` must be 0 (own use) or 1 (for another party).",
    "`SignPurpose` 取值错误：0 表示自用，1 表示他用。",
)
INVALID_SIGN_PURPOSE = Saying(
    "InvalidParameterValue.InvalidSignPurpose", INVALID_USED_METHOD.english, INVALID_USED_METHOD.chinese
)
INVALID_LIMIT = Saying(
    "InvalidParameterValue.LimitVerifyFail",
    "`Limit` must be {}.",
    "`Limit` 取值错误：应为 {}。",
)
INVALID_OFFSET = Saying(
    "InvalidParameterValue.OffsetVerifyFail",
    "`Offset` must be {}.",
    "`Offset` 取值错误：应为 {}。",
)
INVALID_BEGIN = Saying(
    "InvalidParameterValue.BeginTimeVerifyFail",
    "The beginning must be {}.",
    "起始时间错误：{}。",
)
INVALID_END = Saying(
    "InvalidParameterValue.EndTimeVerifyFail",
    "The end must be {}.",
    "结束时间错误：{}。",
)
BEGIN_AFTER_END = Saying(
    "InvalidParameterValue.InvalidStartTime",
    "The beginning is later than the end.",
    "起始时间晚于结束时间。",
)
MULTI_SET_EMPTY = Saying(
    "InvalidParameterValue.MultiSmsInfoSetEmpty",
    "`MultiSmsInfoSet` is empty.",
    "`MultiSmsInfoSet` 为空。",
)
INVALID_KEY = Saying(
    "InvalidParameterValue",
    "`Idempotency-Key` must be 1 to 255 visible ASCII characters.",
    "`Idempotency-Key` 应为 1 至 255 个可见 ASCII 字符。",
)
NUMBER_NOT_PARSED = Saying(
    "FailedOperation.PhoneNumberParseFail",
    "the phone number cannot be parsed",
    "手机号解析失败",
)
IMAGE_NOT_BASE64 = Saying(
    "InvalidParameterValue.ImageInvalid",
    "`{}` must be an image in base64, without a prefix such as `data:image/jpeg;base64,`.",
    "`{}` 应为图片的 base64 编码，且不带 `data:image/jpeg;base64,` 之类的前缀。",
)
INVALID_AUTHORIZATION = Saying(
    "AuthFailure.InvalidAuthorization",
    "The `Authorization` header is not as it must be: {}.",
    "请求头部的 `Authorization` 不符合规范：{}。",
)
INVALID_SIGNATURE_METHOD = Saying(
    "InvalidParameterValue",
    "`SignatureMethod` must be HmacSHA1 or HmacSHA256.",
    "`SignatureMethod` 取值错误：应为 HmacSHA1 或 HmacSHA256。",
)
SECRET_ID_NOT_FOUND = Saying(
    "AuthFailure.SecretIdNotFound",
    "The SecretId is not found or disabled. Please check that it is correct.",
    "密钥不存在或已被禁用，请检查 SecretId 是否正确。",
)
SIGNATURE_EXPIRED = Saying(
    "AuthFailure.SignatureExpire",
    "The signature has expired: its timestamp and the time of this server are more than 5 minutes apart.",
    "签名过期：请求的时间戳与服务器时间相差超过 5 分钟。",
)
SIGNATURE_DIFFERS = Saying(
    "AuthFailure.SignatureFailure",
    "The provided credentials could not be validated. Please check your signature is correct.",
    "签名验证失败，请检查您的签名计算是否正确。",
)
TOKENS_NOT_SUPPORTED = Saying(
    "AuthFailure.TokenFailure",
    "Temporary credentials are not supported: use a SecretId and SecretKey without `{}`.",
    "不支持临时密钥：请使用不带 `{}` 的 SecretId 和 SecretKey。",
)
INTERNAL_ERROR = Saying(
    "InternalError",
    "An internal error has occurred. Please retry, or give the RequestId to the operator.",
    "内部错误，请重试，或将 RequestId 提供给运营人员。",
)

# --- what the service says: every reason, and where one action says it by another code ---

# Messages without an initial capital, and those of the codes 1012 to 1038, are as the reference writes them in
# SendStatusSet: programs read them.
SAYINGS: dict[Reason | tuple[Reason, str], Saying] = {
    # who calls
    Reason.ACCOUNT_NOT_ACTIVE: Saying(
        "UnauthorizedOperation.SdkAppIdIsDisabled",
        "the account is suspended or banned: {}",
        "账号已被暂停或封禁：{}",
    ),
    Reason.ACCOUNT_NOT_VERIFIED: Saying(
        "UnauthorizedOperation.RequestPermissionDeny",
        "the account has not been verified",
        "账号尚未完成实名认证",
    ),
    Reason.APP_NOT_FOUND: Saying(
        "InvalidParameterValue.SdkAppIdNotExist",
        "the SmsSdkAppId does not exist",
        "SmsSdkAppId 不存在",
    ),
    Reason.APP_NOT_YOURS: Saying(
        "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
        "the SmsSdkAppId does not belong to the account of the SecretId",
        "SmsSdkAppId 与 SecretId 所属账号不一致",
    ),
    Reason.APP_DISABLED: Saying(
        "UnauthorizedOperation.SdkAppIdIsDisabled",
        "the SmsSdkAppId is disabled",
        "SmsSdkAppId 已停用",
    ),
    Reason.CREDENTIAL_DISABLED: SECRET_ID_NOT_FOUND,
    Reason.CALLER_NOT_ALLOWED: Saying(
        "UnauthorizedOperation.RequestIpNotInWhitelist",
        "calls from this address are not allowed for this account: {}",
        "请求 IP 不在该账号的白名单中：{}",
    ),
    Reason.CALLED_TOO_OFTEN: Saying(
        "RequestLimitExceeded",
        "The number of requests exceeds the frequency limit: {}.",
        "请求的次数超过了频率限制：{}。",
    ),
    Reason.IN_ARREARS: Saying(
        "UnauthorizedOperation.ServiceSuspendDueToArrears",
        "the service of this account is suspended because a bill has not been paid",
        "账号已欠费，服务暂停",
    ),
    # what is asked
    Reason.NO_RECIPIENTS: Saying(
        "MissingParameter.EmptyPhoneNumberSet",
        "`PhoneNumberSet` is empty",
        "`PhoneNumberSet` 为空",
    ),
    Reason.TOO_MANY_RECIPIENTS: Saying(
        "LimitExceeded.PhoneNumberCountLimit",
        "too many numbers in one call: {}",
        "单次请求的号码数超过上限：{}",
    ),
    Reason.MIXED_COUNTRIES: Saying(
        "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
        "numbers of mainland China and of other places cannot be in one call",
        "同一次请求中不能既有国内号码又有国际/港澳台号码",
    ),
    Reason.SESSION_CONTEXT_TOO_LONG: Saying(
        "InvalidParameterValue",
        "`SessionContext` is too long: it must be {}",
        "`SessionContext` 过长：{}",
    ),
    Reason.EXTENSION_CODE_NOT_ALLOWED: Saying(
        "UnauthorizedOperation.RequestPermissionDeny",
        "`ExtendCode` is not enabled for this account",
        "该账号未开通 `ExtendCode`",
    ),
    Reason.EXTENSION_CODE_MALFORMED: Saying(
        "InvalidParameterValue",
        "`ExtendCode` must be at most {} digits",
        "`ExtendCode` 必须为不超过 {} 位的数字",
    ),
    Reason.SENDER_ID_MALFORMED: Saying(
        "InvalidParameterValue",
        "`SenderId` is not one that a message can be sent from: {}",
        "`SenderId` 无法作为短信的发送方：{}",
    ),
    Reason.DOMESTIC_NUMBER: Saying(
        "UnsupportedOperation.ContainDomesticPhoneNumber",
        "this action sends to numbers outside mainland China only",
        "该接口仅支持国际/港澳台手机号，不支持国内手机号",
    ),
    Reason.KEY_USED_FOR_ANOTHER_CALL: Saying(
        "InvalidParameterValue",
        "the idempotency key was used for a call with other parameters",
        "该幂等键已用于参数不同的另一次请求",
    ),
    Reason.MESSAGE_NOT_FOUND: Saying(
        "InvalidParameterValue",
        "there is no message with this `SerialNo` in this app",
        "该应用中不存在此 `SerialNo` 的短信",
    ),
    # what would be sent
    Reason.SIGNATURE_MISSING: Saying(
        "FailedOperation.SignatureIncorrectOrUnapproved",
        "messages to mainland China need an approved signature",
        "国内短信必须使用已审核通过的签名",
    ),
    Reason.SIGNATURE_NOT_APPROVED: Saying(
        "FailedOperation.SignatureIncorrectOrUnapproved",
        "Signature format error or signature not approved",
        "签名格式错误或签名未审批",
    ),
    Reason.TEMPLATE_NOT_APPROVED: Saying(
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "template is not approved or request content does not match the approved template content",
        "模板未审批或请求的内容与审核通过的模板内容不匹配",
    ),
    Reason.TEMPLATE_IS_DOMESTIC: Saying(
        "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone",
        "a template for mainland China cannot be used for international numbers",
        "国内短信模板不支持发送给国际/港澳台手机号",
    ),
    Reason.TEMPLATE_IS_INTERNATIONAL: Saying(
        "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone",
        "an international template cannot be used for numbers of mainland China",
        "国际/港澳台短信模板不支持发送给国内手机号",
    ),
    Reason.VALUE_COUNT_DIFFERS: Saying(
        "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
        "request content does not match the template content",
        "请求内容与审核通过的模板内容不匹配",
    ),
    Reason.VALUE_NOT_A_CODE: Saying(
        "InvalidParameterValue.TemplateParameterFormatError",
        "Verification code template parameter format error",
        "验证码模板参数格式错误：应为 0 至 6 位数字",
    ),
    Reason.VALUE_TOO_LONG: Saying(
        "InvalidParameterValue.TemplateParameterLengthLimit",
        "a template parameter is too long: {}",
        "模板变量的字符数超过限制：{}",
    ),
    Reason.VALUE_HAS_LINK: Saying(
        "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
        "template parameters must not contain links: {}",
        "禁止在模板变量中使用 URL：{}",
    ),
    Reason.VALUE_HAS_CONTACT: Saying(
        "FailedOperation.ContainSensitiveWord",
        "template parameters must not contain telephone numbers or accounts to contact: {}",
        "禁止在模板变量中使用电话号码或联系账号：{}",
    ),
    Reason.MESSAGE_TOO_LONG: Saying(
        "InvalidParameterValue.ContentLengthLimit",
        "the message is too long, in characters with its signature: {}",
        "短信内容（含签名）过长：{}",
    ),
    Reason.CONTENT_PROHIBITED: Saying(
        "FailedOperation.ContainSensitiveWord",
        "the message contains prohibited content: {}",
        "短信内容中含有违规内容：{}",
    ),
    Reason.MARKETING_BY_INDIVIDUAL: Saying(
        "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny",
        "individual accounts may not send marketing messages",
        "个人用户没有发送营销短信的权限",
    ),
    Reason.MARKETING_NOT_ALLOWED: Saying(
        "UnauthorizedOperation.RequestPermissionDeny",
        "marketing messages are not enabled for this account",
        "该账号未开通营销短信",
    ),
    Reason.OUTSIDE_MARKETING_HOURS: Saying(
        "FailedOperation.MarketingSendTimeConstraint",
        "marketing messages may be sent only at {}, local time",
        "营销短信仅允许在当地时间 {} 发送",
    ),
    # to whom
    Reason.NUMBER_MALFORMED: Saying(
        "InvalidParameterValue.IncorrectPhoneNumber",
        "the phone number is malformed",
        "手机号格式错误",
    ),
    Reason.NOT_A_MEMBER: Saying(
        "UnauthorizedOperation.RequestPermissionDeny",
        "marketing messages go to members only, and the number is not on the member list of this account",
        "营销短信仅可发送给本账号的会员，该号码不在会员名单中",
    ),
    Reason.OPTED_OUT: Saying(
        "FailedOperation.PhoneNumberInBlacklist",
        "the recipient has opted out",
        "该用户已退订",
    ),
    Reason.DO_NOT_DISTURB: Saying(
        "FailedOperation.PhoneNumberInBlacklist",
        "the number is on the do-not-disturb list",
        "该号码在免打扰名单中",
    ),
    Reason.COUNTRY_NOT_ALLOWED: Saying(
        "LimitExceeded.AppCountryOrRegionInBlacklist",
        "the country or region is not on the allow-list of the app: {}",
        "应用未允许向该国家/地区发送短信：{}",
    ),
    Reason.NO_ROUTE: Saying(
        "LimitExceeded.AppCountryOrRegionInBlacklist",
        "none of the operator's routes leads to this number with this message: {}",
        "运营方未配置可将此短信发往该号码的路由：{}",
    ),
    Reason.SAME_CONTENT_TOO_OFTEN: Saying(
        "LimitExceeded.DeliveryFrequencyLimit",
        "the number of SMS messages with the same content sent to a single mobile number within 30 seconds "
        "exceeds the upper limit",
        "单个手机号 30 秒内接收相同内容的短信条数超过上限",
    ),
    Reason.REACHED_TOO_OFTEN_IN_30_SECONDS: Saying(
        "LimitExceeded.PhoneNumberThirtySecondLimit",
        "the number of SMS messages sent from a single mobile number within 30 seconds exceeds the upper limit",
        "单个手机号 30 秒内下发短信条数超过上限",
    ),
    Reason.REACHED_TOO_OFTEN_IN_AN_HOUR: Saying(
        "LimitExceeded.PhoneNumberOneHourLimit",
        "the number of SMS messages sent from a single mobile number within 1 hour exceeds the upper limit",
        "单个手机号 1 小时内下发短信条数超过上限",
    ),
    Reason.REACHED_TOO_OFTEN_TODAY: Saying(
        "LimitExceeded.PhoneNumberDailyLimit",
        "the number of SMS messages sent from a single mobile number every day exceeds the upper limit",
        "单个手机号日下发短信条数超过上限",
    ),
    Reason.SAME_CONTENT_TOO_OFTEN_TODAY: Saying(
        "LimitExceeded.PhoneNumberSameContentDailyLimit",
        "the number of SMS messages with the same content sent to a single mobile number every day exceeds the "
        "upper limit",
        "单个手机号日接收相同内容的短信条数超过上限",
    ),
    # how much
    Reason.APP_DAILY_CAP: Saying(
        "LimitExceeded.AppDailyLimit",
        "the daily number of messages of the app exceeds the upper limit: {}",
        "应用日发送条数超过上限：{}",
    ),
    Reason.APP_DAILY_CAP_MAINLAND: Saying(
        "LimitExceeded.AppMainlandChinaDailyLimit",
        "the daily number of messages of the app to mainland China exceeds the upper limit: {}",
        "应用国内短信日发送条数超过上限：{}",
    ),
    Reason.APP_DAILY_CAP_INTERNATIONAL: Saying(
        "LimitExceeded.AppGlobalDailyLimit",
        "the daily number of messages of the app to places outside mainland China exceeds the upper limit: {}",
        "应用国际/港澳台短信日发送条数超过上限：{}",
    ),
    Reason.APP_DAILY_CAP_OF_COUNTRY: Saying(
        "LimitExceeded.AppCountryOrRegionDailyLimit",
        "the daily number of messages of the app to this country or region exceeds the upper limit: {}",
        "应用向该国家/地区的日发送条数超过上限：{}",
    ),
    Reason.INTERNATIONAL_DAILY_CAP: Saying(
        "LimitExceeded.DailyLimit",
        "the daily number of segments of the account to places outside mainland China exceeds the upper limit: {}",
        "账号国际/港澳台短信日计费条数超过上限：{}",
    ),
    Reason.PACKAGE_USED_UP: Saying(
        "FailedOperation.InsufficientBalanceInSmsPackage",
        "insufficient balance in SMS package",
        "套餐包余量不足",
    ),
    Reason.TOO_MUCH_WAITING: Saying(
        "RequestLimitExceeded",
        "{} messages already wait for carriers; nothing was accepted, try again later",
        "已有 {} 条短信在等待通道发送，本次请求未受理，请稍后重试",
    ),
    Reason.TOO_MANY_CALLS_AT_ONCE: Saying(
        "RequestLimitExceeded",
        "{} calls are already being answered; nothing was accepted, try again shortly",
        "正在处理的请求已达 {} 个，本次请求未受理，请稍后重试",
    ),
    # applications
    Reason.APPLICATIONS_NOT_BY_API: Saying(
        "FailedOperation.NotEnterpriseCertification",
        "This account may not apply for signatures and templates by API; for an individual the operator applies.",
        "该账号不能通过 API 申请签名和模板；个人账号由运营方代为申请。",
    ),
    Reason.MARKETING_TEMPLATE_BY_INDIVIDUAL: Saying(
        "FailedOperation.ForbidAddMarketingTemplates",
        "Individual accounts may not apply for marketing templates.",
        "个人用户不能申请营销短信模板。",
    ),
    Reason.SIGNATURE_NEEDED_FIRST: Saying(
        "FailedOperation.MissingSignature",
        "Apply for a signature before applying for a template.",
        "申请模板前须先申请签名。",
    ),
    Reason.SIGNATURE_NOT_FOUND: Saying(
        "FailedOperation.SignIdNotExist",
        "There is no signature with the SignId {}.",
        "签名 ID {} 不存在。",
    ),
    (Reason.SIGNATURE_NOT_FOUND, "ModifySmsSign"): Saying(
        "FailedOperation.MissingSignatureToModify",
        "There is no signature with the SignId {} to modify.",
        "没有可修改的签名：签名 ID {} 不存在。",
    ),
    Reason.SIGNATURE_ALREADY_APPROVED: Saying(
        "InvalidParameterValue.SignAlreadyPassedCheck",
        "The signature has been approved: it can be neither modified nor applied for again.",
        "签名已审核通过，不能修改或再次申请。",
    ),
    Reason.SIGNATURE_ALREADY_PENDING: Saying(
        "InvalidParameterValue.SignExistAndUnapproved",
        "The same signature is under review.",
        "相同的签名正在审核中。",
    ),
    Reason.SIGNATURE_TOO_LONG: Saying(
        "InvalidParameterValue.SignNameLengthTooLong",
        "The signature is too long: {}.",
        "签名内容过长：{}。",
    ),
    Reason.TOO_MANY_SIGNATURES: Saying(
        "FailedOperation.SignNumberLimit",
        "The account has as many signatures as it may have: {}.",
        "签名数量已达上限：{}。",
    ),
    Reason.DOCUMENT_DOES_NOT_FIT: Saying(
        "InvalidParameterValue.InvalidDocumentType",
        "The document does not prove a signature of this type: see `{}`.",
        "证明类型与签名类型不匹配：{}。",
    ),
    Reason.IMAGE_INVALID: Saying(
        "InvalidParameterValue.ImageInvalid",
        "`{}` must be a JPEG or PNG image of at most 5 MB.",
        "`{}` 应为不超过 5 MB 的 JPEG 或 PNG 图片。",
    ),
    Reason.NOTHING_TO_MOVE: Saying(
        "FailedOperation.OtherError",
        "Its state does not allow this.",
        "当前状态不允许该操作。",
    ),
    Reason.TEMPLATE_NOT_FOUND: Saying(
        "FailedOperation.TemplateIdNotExist",
        "There is no template with the TemplateId {}.",
        "模板 ID {} 不存在。",
    ),
    (Reason.TEMPLATE_NOT_FOUND, "ModifySmsTemplate"): Saying(
        "FailedOperation.MissingTemplateToModify",
        "There is no template with the TemplateId {} to modify.",
        "没有可修改的模板：模板 ID {} 不存在。",
    ),
    Reason.TEMPLATE_ALREADY_APPROVED: Saying(
        "FailedOperation.TemplateAlreadyPassedCheck",
        "The template has been approved and cannot be modified.",
        "模板已审核通过，不能修改。",
    ),
    Reason.TOO_MANY_TEMPLATES: Saying(
        "FailedOperation.TemplateNumberLimit",
        "The account has as many templates as it may have: {}.",
        "模板数量已达上限：{}。",
    ),
    Reason.OPT_OUT_ENDING_MISSING: Saying(
        "InvalidParameterValue.MarketingTemplateWithoutUnsubscribe",
        "A marketing template must end with how to opt out: {}",
        "营销短信模板必须以退订方式结尾：{}",
    ),
    Reason.SIGN_TYPE_NOT_OFFERED: Saying(
        "UnsupportedOperation",
        "Signatures of this type are no longer accepted: see `{}`.",
        "不再受理该类型的签名：{}。",
    ),
    Reason.SCOPE_CANNOT_CHANGE: Saying(
        "InvalidParameterValue.InvalidInternational",
        "`{}` cannot be changed: delete this one and apply for another.",
        "`{}` 不能修改：请删除后重新申请。",
    ),
    Reason.VARIABLES_NOT_ALLOWED: Saying(
        "InvalidParameterValue.UnsupportedTemplateVariable",
        "Domestic notification and marketing templates of this account may not contain variables.",
        "该账号的国内通知和营销短信模板不能包含变量。",
    ),
}

# --- codes that not every action knows ---

_UNREADABLE = "FailedOperation.FailResolvePacket"
_BY_NUMBER = "PullSmsReplyStatusByPhoneNumber"

INSTEAD: dict[str, dict[str, str]] = {
    "FailedOperation.JsonParseFail": {
        "SendMultiGlobalSms": _UNREADABLE,
        "ModifySmsTemplate": _UNREADABLE,
        "ReportConversion": "InvalidParameter",
    },
    _UNREADABLE: {
        _BY_NUMBER: "InvalidParameter",
        "DescribePhoneNumberInfo": "InvalidParameter",
        "ReportConversion": "InvalidParameter",
    },
    "InvalidParameterValue.LimitVerifyFail": {
        "PullSmsSendStatus": _UNREADABLE,
        "PullSmsSendStatusByPhoneNumber": _UNREADABLE,
        "PullSmsReplyStatus": _UNREADABLE,
        _BY_NUMBER: "InvalidParameter",
    },
    "InvalidParameterValue.OffsetVerifyFail": {
        "DescribeSmsSignList": _UNREADABLE,
        "DescribeSmsTemplateList": _UNREADABLE,
        "PullSmsSendStatusByPhoneNumber": _UNREADABLE,
        _BY_NUMBER: "InvalidParameter",
    },
    "InvalidParameterValue.InvalidInternational": {"DescribeSmsSignList": _UNREADABLE},
    "InvalidParameterValue.SdkAppIdNotExist": {
        "ReportConversion": "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
    },
    "MissingParameter.EmptyPhoneNumberSet": {"DescribePhoneNumberInfo": "MissingParameter"},
    "UnauthorizedOperation.SdkAppIdIsDisabled": dict.fromkeys(
        ("AddSmsSign", "ModifySmsSign", "DeleteSmsSign", "DescribePhoneNumberInfo", "ReportConversion"),
        "UnauthorizedOperation.RequestPermissionDeny",
    ),
    "UnauthorizedOperation.ServiceSuspendDueToArrears": dict.fromkeys(
        ("DescribePhoneNumberInfo", "ReportConversion"), "UnauthorizedOperation.RequestPermissionDeny"
    ),
    "UnauthorizedOperation.RequestIpNotInWhitelist": dict.fromkeys(
        ("DescribePhoneNumberInfo", "ReportConversion"), "UnauthorizedOperation.RequestPermissionDeny"
    ),
}
"""What is said in place of a code in the actions that do not have it."""

INSTEAD_IN_THE_OLDER_VERSION = {
    "FailedOperation.ForbidAddMarketingTemplates": "FailedOperation.NotEnterpriseCertification",
    "InvalidParameterValue.InvalidSignPurpose": "InvalidParameterValue.InvalidUsedMethod",
    "InvalidParameterValue.LimitVerifyFail": _UNREADABLE,
    "InvalidParameterValue.OffsetVerifyFail": _UNREADABLE,
}
"""What is said in place of a code that the older version does not have."""

OLDER_NAMES = {"SmsSdkAppId": "SmsSdkAppid", "SignPurpose": "UsedMethod"}
"""What the older version calls the fields that messages name."""
