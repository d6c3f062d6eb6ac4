"""What is remembered of each account so that a call needs no look-up; revisions tell when to look again."""

import time
from collections.abc import Callable, Iterable

import msgspec
from sqlalchemy import Connection

from cleartosend.admission.rendering import Rendering, prepare
from cleartosend.model.accounts import Account, App, Credential
from cleartosend.model.applications import ReviewState, Template
from cleartosend.ports import Engine
from cleartosend.store import accounts, applications
from cleartosend.store.secrets import Vault

# A call that only reads may be answered by what was true this long ago; a call that sends never is, since the
# revision is compared again in the accepting transaction.
TRUSTED_SECONDS = 1.0


class UsableTemplate(msgspec.Struct, frozen=True):
    """A template with its text cut at the variables."""

    template: Template
    rendering: Rendering


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that sending depends on and that only its account's own revision can change."""

    account: Account
    apps: dict[str, App]
    credentials: dict[str, Credential]
    signatures: frozenset[tuple[str, bool]]
    """Approved signatures as (text, international)."""
    templates: dict[str, UsableTemplate]
    """All templates by id, approved or not."""


class Directory:
    """Dossiers by account and by SecretId, kept in memory."""

    def __init__(self, engine: Engine, vault: Vault, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._vault = vault
        self._monotonic = monotonic
        self._dossiers: dict[int, Dossier] = {}
        self._owners: dict[str, int] = {}
        self._trusted_until: dict[int, float] = {}

    async def by_secret_id(self, secret_id: str) -> Dossier | None:
        """The dossier of the account that owns the credential; None when nobody does."""
        account_id = self._owners.get(secret_id)
        if account_id is None:
            account_id = await self._engine.read(lambda tx: accounts.owner_of_credential(tx, secret_id))
            if account_id is None:
                return None
        return await self.current(account_id)

    async def current(self, account_id: int) -> Dossier | None:
        """The dossier, at most a second out of date."""
        known = self._dossiers.get(account_id)
        if known is not None and self._monotonic() < self._trusted_until[account_id]:
            return known
        return await self.verified(account_id)

    async def verified(self, account_id: int) -> Dossier | None:
        """The dossier as it is now; the same object where nothing has changed."""
        known = self._dossiers.get(account_id)
        revision = await self._engine.read(lambda tx: accounts.revisions(tx, [account_id]).get(account_id))
        if known is not None and revision == known.account.revision:
            self._trusted_until[account_id] = self._monotonic() + TRUSTED_SECONDS
            return known
        dossier = await self._engine.read(lambda tx: self._read(tx, account_id))
        if dossier is None:
            return None
        self._dossiers[account_id] = dossier
        self._trusted_until[account_id] = self._monotonic() + TRUSTED_SECONDS
        for secret_id in dossier.credentials:
            self._owners[secret_id] = account_id
        return dossier

    def _read(self, tx: Connection, account_id: int) -> Dossier | None:
        account = accounts.find(tx, account_id)
        if account is None:
            return None
        return Dossier(
            account=account,
            apps={app.sdk_app_id: app for app in accounts.apps_of(tx, account_id)},
            credentials={one.secret_id: one for one in accounts.credentials_of(tx, account_id, vault=self._vault)},
            signatures=frozenset(
                (signature.text, signature.international)
                for signature in applications.signatures_of(tx, account_id)
                if signature.state is ReviewState.APPROVED
            ),
            templates=_usable(applications.templates_of(tx, account_id)),
        )


def _usable(templates: Iterable[Template]) -> dict[str, UsableTemplate]:
    return {str(template.id): UsableTemplate(template, prepare(template.text)) for template in templates}
