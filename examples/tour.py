"""A minute with Clear to Send through the vendor's own SDK: apply, be judged, amend, send, see it delivered."""

import base64
import os
import sys
import time

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

NEEDED = {"CLEARTOSEND_ENDPOINT", "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "SMS_SDK_APP_ID"}
if NEEDED - os.environ.keys():
    sys.exit("First paste the lines beginning with `export` that `make run` has printed into this terminal.")

# The only line that differs from a program for the vendor's own service.
profile = ClientProfile(httpProfile=HttpProfile(endpoint=os.environ["CLEARTOSEND_ENDPOINT"], protocol="http"))
credential = Credential(os.environ["TENCENTCLOUD_SECRET_ID"], os.environ["TENCENTCLOUD_SECRET_KEY"])
sms = SmsClient(credential, "ap-guangzhou", profile)
app = os.environ["SMS_SDK_APP_ID"]

STATUS = {0: "approved", 1: "waits for a person", -1: "rejected"}
NOTIFICATION, VERIFICATION = 2, 3
# A business licence would stand here; this is a picture of one white pixel.
LICENCE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTHAhgAAAABJRU5ErkJggg=="
)


def fill(request, **fields):
    for name, value in fields.items():
        setattr(request, name, value)
    return request


def apply_for_signature(text):
    form = fill(
        models.AddSmsSignRequest(),
        SignName=text,
        SignType=0,
        DocumentType=1,
        International=0,
        SignPurpose=0,
        ProofImage=base64.b64encode(LICENCE).decode(),
    )
    try:
        sign_id = sms.AddSmsSign(form).AddSignStatus.SignId
    except TencentCloudSDKException as refused:
        # The tour was taken before: what is approved cannot be applied for again.
        if refused.get_code() != "InvalidParameterValue.SignAlreadyPassedCheck":
            raise
        print(f"signature {text}: approved")
        return
    listing = fill(models.DescribeSmsSignListRequest(), International=0, SignIdSet=[sign_id])
    [sign] = sms.DescribeSmsSignList(listing).DescribeSignListStatusSet
    print(f"signature {text}: {STATUS[sign.StatusCode]}")


def apply_for_template(text, kind):
    form = fill(
        models.AddSmsTemplateRequest(),
        TemplateName="tour",
        TemplateContent=text,
        SmsType=kind,
        International=0,
        Remark="",
    )
    template_id = sms.AddSmsTemplate(form).AddTemplateStatus.TemplateId
    show_template(template_id)
    return template_id


def amend_template(template_id, text, kind):
    form = fill(
        models.ModifySmsTemplateRequest(),
        TemplateId=int(template_id),
        TemplateName="tour",
        TemplateContent=text,
        SmsType=kind,
        International=0,
        Remark="",
    )
    sms.ModifySmsTemplate(form)
    show_template(template_id)


def show_template(template_id):
    listing = fill(models.DescribeSmsTemplateListRequest(), International=0, TemplateIdSet=[int(template_id)])
    [template] = sms.DescribeSmsTemplateList(listing).DescribeTemplateStatusSet
    print(f"template {template.TemplateContent}: {STATUS[template.StatusCode]}")
    for line in template.ReviewReply.splitlines():
        print(f"    {line}")


def send(template_id, values, numbers):
    message = fill(
        models.SendSmsRequest(),
        SmsSdkAppId=app,
        SignName="清风书店",
        TemplateId=template_id,
        TemplateParamSet=values,
        PhoneNumberSet=numbers,
    )
    for status in sms.SendSms(message).SendStatusSet:
        print(f"send {values} to {status.PhoneNumber}: {status.Code}")


def read_statuses(expected):
    request = fill(models.PullSmsSendStatusRequest(), SmsSdkAppId=app, Limit=100)
    while expected > 0:
        for status in sms.PullSmsSendStatus(request).PullSmsSendStatusSet:
            print(f"to {status.PhoneNumber}: {status.ReportStatus} {status.Description}")
            expected -= 1
        time.sleep(0.2)


apply_for_signature("清风书店")
notice = apply_for_template("您的订单{1}已发货，全场新品8折，快来抢购！", NOTIFICATION)
amend_template(notice, "您的订单{1}已发货，请留意查收。", NOTIFICATION)
apply_for_template("低息贷款，当天放款，凭{1}办理。", NOTIFICATION)
code = apply_for_template("您的验证码是{1}，{2}分钟内有效，请勿告知他人。", VERIFICATION)
send(code, ["123456", "5"], ["13711112222", "13711113333"])
send(notice, ["8841"], ["13711112222"])
send(notice, ["t.cn/x"], ["13711113333"])
read_statuses(expected=3)
