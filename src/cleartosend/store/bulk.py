"""Many rows or values in one statement, at the driver's own speed: a sixth of what a statement object costs a row."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import msgspec
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ClauseElement,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    Text,
    bindparam,
    insert,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine


def insert_rows(tx: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """
    Insert rows whose values stand in the order of the table's columns, as the driver takes them.

    That is: strings, numbers and None; JSON as text. Nothing is converted on the way.
    """
    if rows:
        tx.exec_driver_sql(_insertion(table, tx.dialect), list(rows))


@lru_cache(maxsize=64)
def _insertion(table: Table, dialect: Dialect) -> str:
    values = {column.name: None for column in table.columns}
    return _written(insert(table).values(values), dialect, [column.name for column in table.columns])


def run_for_each(
    tx: Connection, statement: ClauseElement, parameters: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """
    Run a statement once a row, whose values are those of the parameters named, in the order of the statement.

    Values are as the driver takes them. Raises AssertionError when the statement has its parameters in another order.
    """
    if rows:
        tx.exec_driver_sql(_compiled(statement, parameters, tx.dialect), list(rows))


@lru_cache(maxsize=64)
def _compiled(statement: ClauseElement, parameters: tuple[str, ...], dialect: Dialect) -> str:
    return _written(statement, dialect, list(parameters))


def _written(statement: ClauseElement, dialect: Dialect, parameters: list[str]) -> str:
    compiled = cast("SQLCompiler", statement.compile(dialect=dialect))
    # Every dialect here counts its parameters, so the statement's order is the values' order.
    assert compiled.positiontup == parameters, compiled.positiontup  # noqa: S101 - or values would be mixed up
    return str(compiled)


class _Values(TypeDecorator[Sequence[Any]]):
    """A list as one parameter: JSON for SQLite, an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, of: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.of()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> object:
        values = list(value or ())
        return values if dialect.name == "postgresql" else msgspec.json.encode(values).decode()


class _IsAnyOf(ColumnElement[bool]):
    """See `is_any_of`."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - declared so by its base
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]
    type = Boolean()
    # Or the compiler writes `= 1` behind it for engines without a boolean of their own.
    _is_implicitly_boolean = True

    def __init__(self, column: Column[Any], values: BindParameter[Any]) -> None:
        self.column = column
        self.values = values


def is_any_of(column: Column[Any], parameter: str) -> ColumnElement[bool]:
    """
    Whether the column has one of the values of a parameter, a sequence of numbers or texts.

    The statement is the same for any number of values, so that neither we nor the engine read it anew each time.
    """
    of = Text if isinstance(column.type, Text) else BigInteger
    return _IsAnyOf(column, bindparam(parameter, type_=_Values(of)))


@compiles(_IsAnyOf, "sqlite")
def _in_json(element: _IsAnyOf, compiler: SQLCompiler, **named: object) -> str:
    column, values = _both(element, compiler, named)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(_IsAnyOf, "postgresql")
def _in_array(element: _IsAnyOf, compiler: SQLCompiler, **named: object) -> str:
    column, values = _both(element, compiler, named)
    return f"{column} = ANY ({values})"


def _both(element: _IsAnyOf, compiler: SQLCompiler, named: dict[str, Any]) -> tuple[str, str]:
    return compiler.process(element.column, **named), compiler.process(element.values, **named)
