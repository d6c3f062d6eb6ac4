"""The app that a call names, if it is one that the caller may use."""

from cleartosend.api.tencent.actions.call import Call
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.store import accounts


async def app_is_not_the_callers(call: Call, sdk_app_id: str) -> Refusal | None:
    """Say why the app cannot be asked about: there is none, it is another's, or it is disabled."""
    app = call.dossier.apps.get(sdk_app_id) or await call.rooms.engine.read(
        lambda tx: accounts.find_app(tx, sdk_app_id)
    )
    if app is None:
        return Refusal(Reason.APP_NOT_FOUND, sdk_app_id)
    if app.account_id != call.dossier.account.id:
        return Refusal(Reason.APP_NOT_YOURS, sdk_app_id)
    return None if app.enabled else Refusal(Reason.APP_DISABLED, sdk_app_id)
