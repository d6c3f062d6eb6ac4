"""Signatures, templates and the history of their reviews."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from cleartosend.model.accounts import MACHINE, AccountStatus
from cleartosend.model.applications import (
    ReviewEvent,
    ReviewMove,
    ReviewState,
    Signature,
    SignatureForm,
    Subject,
    Template,
    TemplateForm,
)
from cleartosend.store.accounts import touch
from cleartosend.store.schema import accounts, documents, review_events, signatures, templates

_TABLES = {Subject.SIGNATURE: signatures, Subject.TEMPLATE: templates}
# Beside the moves of an application stand the opinions on them.
_IS_A_MOVE = review_events.c.move.in_(list(ReviewMove))


def add_signature(tx: Connection, account_id: int, form: SignatureForm, *, now: float) -> int:
    """A new pending signature; returns its id."""
    signature_id: int = tx.execute(
        insert(signatures)
        .values(**_signature_columns(form), account_id=account_id, state=ReviewState.PENDING, reply="", created_at=now)
        .returning(signatures.c.id)
    ).scalar_one()
    _keep_documents(tx, signature_id, form)
    return signature_id


def change_signature(tx: Connection, signature_id: int, form: SignatureForm, *, now: float) -> None:
    tx.execute(
        update(signatures).where(signatures.c.id == signature_id).values(**_signature_columns(form), created_at=now)
    )
    _keep_documents(tx, signature_id, form)


def find_signature(tx: Connection, signature_id: int, *, account_id: int | None = None) -> Signature | None:
    """The signature, unless it was deleted or belongs to another account than the one given."""
    question = select(signatures).where(signatures.c.id == signature_id, signatures.c.state != ReviewState.DELETED)
    if account_id is not None:
        question = question.where(signatures.c.account_id == account_id)
    row = tx.execute(question).first()
    return None if row is None else _signature(row)


def signatures_of(
    tx: Connection,
    account_id: int,
    *,
    international: bool | None = None,
    ids: Collection[int] = (),
    limit: int | None = None,
    offset: int = 0,
) -> list[Signature]:
    """An account's signatures, deleted ones apart, oldest first."""
    question = select(signatures).where(
        signatures.c.account_id == account_id, signatures.c.state != ReviewState.DELETED
    )
    if international is not None:
        question = question.where(signatures.c.international == international)
    if ids:
        question = question.where(signatures.c.id.in_(ids))
    rows = tx.execute(question.order_by(signatures.c.id).limit(limit).offset(offset))
    return [_signature(row) for row in rows]


def documents_of(tx: Connection, signature_id: int) -> tuple[bytes, bytes]:
    """The proof and the power of attorney of a signature, as uploaded; empty where there is none."""
    row = tx.execute(select(documents).where(documents.c.signature_id == signature_id)).first()
    return (b"", b"") if row is None else (row.proof_image, row.commission_image)


def add_template(tx: Connection, account_id: int, form: TemplateForm, *, now: float) -> int:
    """A new pending template; returns its id."""
    template_id: int = tx.execute(
        insert(templates)
        .values(
            **msgspec.structs.asdict(form), account_id=account_id, state=ReviewState.PENDING, reply="", created_at=now
        )
        .returning(templates.c.id)
    ).scalar_one()
    return template_id


def change_template(tx: Connection, template_id: int, form: TemplateForm, *, now: float) -> None:
    tx.execute(
        update(templates).where(templates.c.id == template_id).values(**msgspec.structs.asdict(form), created_at=now)
    )


def find_template(tx: Connection, template_id: int, *, account_id: int | None = None) -> Template | None:
    """The template, unless it was deleted or belongs to another account than the one given."""
    question = select(templates).where(templates.c.id == template_id, templates.c.state != ReviewState.DELETED)
    if account_id is not None:
        question = question.where(templates.c.account_id == account_id)
    row = tx.execute(question).first()
    return None if row is None else _template(row)


def templates_of(
    tx: Connection,
    account_id: int,
    *,
    international: bool | None = None,
    ids: Collection[int] = (),
    limit: int | None = None,
    offset: int = 0,
) -> list[Template]:
    """An account's templates, deleted ones apart, oldest first."""
    question = select(templates).where(templates.c.account_id == account_id, templates.c.state != ReviewState.DELETED)
    if international is not None:
        question = question.where(templates.c.international == international)
    if ids:
        question = question.where(templates.c.id.in_(ids))
    rows = tx.execute(question.order_by(templates.c.id).limit(limit).offset(offset))
    return [_template(row) for row in rows]


def count_of(tx: Connection, subject: Subject, account_id: int) -> int:
    """How many the account has, deleted ones apart."""
    table = _TABLES[subject]
    return tx.execute(
        select(func.count())
        .select_from(table)
        .where(table.c.account_id == account_id, table.c.state != ReviewState.DELETED)
    ).scalar_one()


def in_state(tx: Connection, subject: Subject, states: Collection[ReviewState]) -> list[Signature] | list[Template]:
    """The applications of active accounts in one of the states, the longest waiting first."""
    table = _TABLES[subject]
    rows = tx.execute(
        select(table)
        .join(accounts, accounts.c.id == table.c.account_id)
        .where(table.c.state.in_(states), accounts.c.status == AccountStatus.ACTIVE)
        .order_by(table.c.created_at, table.c.id)
    )
    return [_signature(row) for row in rows] if subject is Subject.SIGNATURE else [_template(row) for row in rows]


def move(
    tx: Connection,
    event: ReviewEvent,
    *,
    account_id: int,
    from_states: Collection[ReviewState],
    to_state: ReviewState,
    reply: str,
) -> bool:
    """Make a move and keep it; False, and nothing done, when the application is not in one of the states."""
    table = _TABLES[event.subject]
    moved = tx.execute(
        update(table)
        .where(table.c.id == event.subject_id, table.c.state.in_(from_states))
        .values(state=to_state, reply=reply)
        .returning(table.c.id)
    ).first()
    if moved is None:
        return False
    keep_event(tx, event)
    touch(tx, account_id)
    return True


def keep_event(tx: Connection, event: ReviewEvent) -> None:
    tx.execute(insert(review_events).values(msgspec.to_builtins(event)))


def events_of(tx: Connection, subject: Subject, subject_id: int) -> list[ReviewEvent]:
    """The history of one application, oldest first."""
    rows = tx.execute(
        select(review_events)
        .where(review_events.c.subject == subject, review_events.c.subject_id == subject_id, _IS_A_MOVE)
        .order_by(review_events.c.id)
    )
    return [msgspec.convert(row, ReviewEvent, from_attributes=True) for row in rows]


def events_since(tx: Connection, *, since: float) -> list[ReviewEvent]:
    """The moves of all applications since a moment, those of one application together, oldest first."""
    rows = tx.execute(
        select(review_events)
        .where(review_events.c.at >= since, _IS_A_MOVE)
        .order_by(review_events.c.subject, review_events.c.subject_id, review_events.c.id)
    )
    return [msgspec.convert(row, ReviewEvent, from_attributes=True) for row in rows]


def last_person_on(tx: Connection, subject: Subject, account_id: int, text: str) -> ReviewMove | None:
    """What a person last decided on this text of the account, under whatever id; None where none ever did."""
    table = _TABLES[subject]
    return tx.execute(
        select(review_events.c.move)
        .join(table, table.c.id == review_events.c.subject_id)
        .where(
            review_events.c.subject == subject,
            table.c.account_id == account_id,
            review_events.c.text == text,
            review_events.c.move.in_([ReviewMove.APPROVE, ReviewMove.REJECT, ReviewMove.BAN]),
            review_events.c.by != MACHINE,
        )
        .order_by(review_events.c.id.desc())
        .limit(1)
    ).scalar()


def _signature_columns(form: SignatureForm) -> dict[str, object]:
    columns: dict[str, object] = msgspec.structs.asdict(form)
    del columns["proof_image"], columns["commission_image"]
    return columns


def _keep_documents(tx: Connection, signature_id: int, form: SignatureForm) -> None:
    tx.execute(delete(documents).where(documents.c.signature_id == signature_id))
    tx.execute(
        insert(documents).values(
            signature_id=signature_id, proof_image=form.proof_image, commission_image=form.commission_image
        )
    )


def _signature(row: Row[tuple[object, ...]]) -> Signature:
    return msgspec.convert(row, Signature, from_attributes=True)


def _template(row: Row[tuple[object, ...]]) -> Template:
    return msgspec.convert(row, Template, from_attributes=True)
