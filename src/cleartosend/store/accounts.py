"""Accounts, apps and credentials: what is asked of them and how they change."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from cleartosend.model.accounts import (
    Account,
    AccountEvent,
    AccountKind,
    AccountSettings,
    AccountStatus,
    App,
    AppSettings,
    Credential,
)
from cleartosend.store.bulk import is_any_of
from cleartosend.store.schema import account_events, accounts, apps, credentials
from cleartosend.store.secrets import Vault

FIRST_SDK_APP_ID = 1400000001


def create(tx: Connection, *, name: str, kind: AccountKind, verified: bool, now: float) -> Account:
    """A new active account with the default settings."""
    row = tx.execute(
        insert(accounts)
        .values(
            name=name,
            kind=kind,
            verified=verified,
            status=AccountStatus.ACTIVE,
            settings=msgspec.to_builtins(AccountSettings()),
            revision=1,
            created_at=now,
        )
        .returning(accounts)
    ).one()
    return _account(row)


def find(tx: Connection, account_id: int) -> Account | None:
    row = tx.execute(select(accounts).where(accounts.c.id == account_id)).first()
    return None if row is None else _account(row)


def every(tx: Connection, *, status: AccountStatus | None = None) -> list[Account]:
    """All accounts, or those of one status."""
    question = select(accounts).order_by(accounts.c.id)
    if status is not None:
        question = question.where(accounts.c.status == status)
    return [_account(row) for row in tx.execute(question)]


def revisions(tx: Connection, account_ids: Collection[int]) -> dict[int, int]:
    """The current revision of each account."""
    return {row[0]: row[1] for row in tx.execute(_REVISIONS, {"ids": list(account_ids)})}


def hold_revisions(tx: Connection, account_ids: Collection[int]) -> dict[int, int]:
    """The current revision of each account, which no other node can change until this transaction ends."""
    return {row[0]: row[1] for row in tx.execute(_HOLD_REVISIONS, {"ids": list(account_ids)})}


_REVISIONS = select(accounts.c.id, accounts.c.revision).where(is_any_of(accounts.c.id, "ids"))
_HOLD_REVISIONS = _REVISIONS.with_for_update(read=True)


def touch(tx: Connection, account_id: int) -> None:
    """Something that sending depends on has changed: whoever remembers the account must look again."""
    tx.execute(update(accounts).where(accounts.c.id == account_id).values(revision=accounts.c.revision + 1))


def set_status(tx: Connection, account_id: int, status: AccountStatus, *, by: str, because: str, now: float) -> None:
    """Activate, suspend or ban, and remember who did and why."""
    tx.execute(update(accounts).where(accounts.c.id == account_id).values(status=status))
    tx.execute(insert(account_events).values(account_id=account_id, status=status, by=by, because=because, at=now))
    touch(tx, account_id)


def events_of(tx: Connection, account_id: int) -> list[AccountEvent]:
    """The account's changes of status, oldest first."""
    rows = tx.execute(
        select(account_events).where(account_events.c.account_id == account_id).order_by(account_events.c.id)
    )
    return [msgspec.convert(row, AccountEvent, from_attributes=True) for row in rows]


def set_kind(tx: Connection, account_id: int, *, kind: AccountKind, verified: bool) -> None:
    """Record what the account was verified as."""
    tx.execute(update(accounts).where(accounts.c.id == account_id).values(kind=kind, verified=verified))
    touch(tx, account_id)


def set_settings(tx: Connection, account_id: int, settings: AccountSettings) -> None:
    tx.execute(update(accounts).where(accounts.c.id == account_id).values(settings=msgspec.to_builtins(settings)))
    touch(tx, account_id)


def add_app(tx: Connection, *, account_id: int, name: str, now: float) -> App:
    """A new app under the next free SdkAppId."""
    newest = tx.execute(select(func.max(apps.c.sdk_app_id))).scalar()
    sdk_app_id = str(FIRST_SDK_APP_ID if newest is None else int(newest) + 1)
    app = App(sdk_app_id=sdk_app_id, account_id=account_id, name=name, enabled=True, created_at=now)
    tx.execute(insert(apps).values(msgspec.to_builtins(app)))
    touch(tx, account_id)
    return app


def apps_of(tx: Connection, account_id: int) -> list[App]:
    rows = tx.execute(select(apps).where(apps.c.account_id == account_id).order_by(apps.c.sdk_app_id))
    return [msgspec.convert(row, App, from_attributes=True) for row in rows]


def set_app(tx: Connection, app: App, *, name: str, enabled: bool, settings: AppSettings) -> None:
    tx.execute(
        update(apps)
        .where(apps.c.sdk_app_id == app.sdk_app_id)
        .values(name=name, enabled=enabled, settings=msgspec.to_builtins(settings))
    )
    touch(tx, app.account_id)


def find_app(tx: Connection, sdk_app_id: str) -> App | None:
    row = tx.execute(select(apps).where(apps.c.sdk_app_id == sdk_app_id)).first()
    return None if row is None else msgspec.convert(row, App, from_attributes=True)


def add_credential(tx: Connection, credential: Credential, *, vault: Vault) -> None:
    tx.execute(
        insert(credentials).values(
            secret_id=credential.secret_id,
            account_id=credential.account_id,
            sealed_key=vault.seal(credential.secret_key, name=credential.secret_id),
            enabled=credential.enabled,
            created_at=credential.created_at,
        )
    )
    touch(tx, credential.account_id)


def credentials_of(tx: Connection, account_id: int, *, vault: Vault) -> list[Credential]:
    rows = tx.execute(
        select(credentials).where(credentials.c.account_id == account_id).order_by(credentials.c.created_at)
    )
    return [
        Credential(
            secret_id=row.secret_id,
            secret_key=vault.open(row.sealed_key, name=row.secret_id),
            account_id=row.account_id,
            enabled=row.enabled,
            created_at=row.created_at,
        )
        for row in rows
    ]


def prove_key(tx: Connection, vault: Vault) -> None:
    """Raises BadKey when the vault's key is not the one that the credentials were sealed with."""
    row = tx.execute(select(credentials.c.secret_id, credentials.c.sealed_key).limit(1)).first()
    if row is not None:
        vault.open(row.sealed_key, name=row.secret_id)


def owner_of_credential(tx: Connection, secret_id: str) -> int | None:
    return tx.execute(select(credentials.c.account_id).where(credentials.c.secret_id == secret_id)).scalar()


def set_credential_enabled(tx: Connection, secret_id: str, *, enabled: bool) -> bool:
    """Returns whether there is such a credential."""
    account_id = owner_of_credential(tx, secret_id)
    if account_id is None:
        return False
    tx.execute(update(credentials).where(credentials.c.secret_id == secret_id).values(enabled=enabled))
    touch(tx, account_id)
    return True


def _account(row: Row[tuple[object, ...]]) -> Account:
    return msgspec.convert(row, Account, from_attributes=True)
