"""A row of the store as the value that stands for it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from watchglass.records.outbox import Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def as_value(kind: type[T], row: Row) -> T:
    """``row`` as a ``kind``, whose fields are named like the columns."""
    return kind(**{field.name: row[field.name] for field in fields(kind)})
