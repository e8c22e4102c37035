"""Everything encrypted moves to the current key, while people work: batch by batch, and never over a newer value.

Replacing a key takes four steps: add the new one to the key file and restart (all processes can read it), make it
current and restart (all write it), rotate, drop the old one. ``manage.py rotate_keys`` says which comes next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Cast
from psycopg2.extras import Json, execute_values

from crm.core.privacy import classes, crypto
from crm.core.privacy.fields import EncryptedText

BATCH = 2_000


@dataclass(frozen=True)
class Snapshots:
    """A JSON column that keeps old versions of rows, ciphertexts among them.

    ``cell(row, column)`` returns the associated data of a value of the snapshot; ``row`` has ``columns`` as keys.
    """

    model: type[models.Model]
    column: str
    columns: tuple[str, ...]
    cell: Callable[[dict[str, Any], str], str]


_SNAPSHOTS: list[Snapshots] = []


def also(snapshots: Snapshots) -> None:
    """Register a JSON column whose ciphertexts have to move too."""
    _SNAPSHOTS.append(snapshots)


def stores() -> list[str]:
    """Return the names of everything that may hold ciphertexts."""
    return [*classes.encrypted_fields(), *(f"{s.model._meta.label}.{s.column}" for s in _SNAPSHOTS)]


def rotate(store: str, batch: int = BATCH) -> Iterator[int]:
    """Re-encrypt one store with the current key; yields the rows moved after each batch, each a transaction.

    Safe to stop and to repeat: only what is not under the current key is touched. Raises crypto.Unreadable, naming the
    row, for a ciphertext that does not open: it must be looked into before its key is dropped.
    """
    for snapshots in _SNAPSHOTS:
        if store == f"{snapshots.model._meta.label}.{snapshots.column}":
            yield from _rotate_snapshots(snapshots, batch)
            return
    label, name = store.rsplit(".", 1)
    model = apps.get_model(label)
    yield from _rotate_field(model, model._meta.get_field(name), batch)


def known(prefix: str) -> bool:
    """Return whether ``prefix`` (``a256gcm.k1.``) names an algorithm and a key that are at hand."""
    algorithm, _, kid = prefix.rstrip(".").partition(".")
    return algorithm in crypto.ALGORITHMS and kid in settings.KEYS.data


def unreadable(store: str, sample: int) -> list[str]:
    """Open the first and the last ``sample`` values of a column; return the primary keys of those that do not open."""
    if any(store == f"{s.model._meta.label}.{s.column}" for s in _SNAPSHOTS):
        return []
    label, name = store.rsplit(".", 1)
    model = apps.get_model(label)
    field = model._meta.get_field(name)
    rows = model._base_manager.exclude(**{f"{name}__isnull": True}).values_list(
        "pk", name, *field.row_key.split("/")
    )
    found = [*rows.order_by("pk")[:sample], *rows.order_by("-pk")[:sample]]
    wrong = set()
    for key, sealed, *natural in found:
        try:
            crypto.decrypt(
                sealed.token, crypto.cell(model._meta.db_table, field.column, "/".join(map(str, natural)))
            )
        except crypto.Unreadable:
            wrong.add(str(key))
    return sorted(wrong)


def left_behind(store: str) -> dict[str, int]:
    """Return how many ciphertexts of a store lie under which other prefix (``a256gcm.k1.``) than the current one."""
    for snapshots in _SNAPSHOTS:
        if store == f"{snapshots.model._meta.label}.{snapshots.column}":
            return _left_in_snapshots(snapshots)
    label, name = store.rsplit(".", 1)
    model = apps.get_model(label)
    counts: dict[str, int] = {}
    with connection.cursor() as cursor:
        column = connection.ops.quote_name(model._meta.get_field(name).column)
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(
            f"select split_part({column}, '.', 1) || '.' || split_part({column}, '.', 2) || '.', count(*)"
            f" from {table} where {column} is not null group by 1"
        )
        counts = dict(cursor.fetchall())
    counts.pop(crypto.current_prefix(), None)
    return counts


def _rotate_field(model: type[models.Model], field: EncryptedText, batch: int) -> Iterator[int]:
    keys = [part.attname for part in _key_fields(model)]
    paths = field.row_key.split("/")
    rows = (
        model._base_manager.annotate(_token=Cast(F(field.name), models.TextField()))
        .filter(_token__isnull=False)
        .exclude(_token__startswith=crypto.current_prefix())
        .order_by(*keys)
    )
    last: Any = None
    while True:
        # A comparison of whole keys walks the index; one part after the other would read the table for every batch.
        behind = rows if last is None else rows.filter(pk__gt=last)
        found = list(behind.values_list("_token", *keys, *paths)[:batch])
        if not found:
            return
        moved = []
        for token, *rest in found:
            key, natural = rest[: len(keys)], rest[len(keys) :]
            aad = crypto.cell(model._meta.db_table, field.column, "/".join(map(str, natural)))
            moved.append((*key, token, _moved(token, aad, f"{model._meta.label} {key}")))
        with transaction.atomic(), connection.cursor() as cursor:
            # "and … = old": whoever wrote the row meanwhile wrote something newer, which must stand.
            q = connection.ops.quote_name
            columns = [q(part.column) for part in _key_fields(model)]
            match = " and ".join(f"t.{column} = v.{column}" for column in columns)
            execute_values(
                cursor.cursor,
                f"update {q(model._meta.db_table)} t set {q(field.column)} = v.moved"
                f" from (values %s) v({', '.join(columns)}, old, moved) where {match} and t.{q(field.column)} = v.old",
                moved,
                page_size=batch,
            )
        last = tuple(found[-1][1 : 1 + len(keys)]) if len(keys) > 1 else found[-1][1]
        yield len(moved)


def _rotate_snapshots(snapshots: Snapshots, batch: int) -> Iterator[int]:
    model, last = snapshots.model, 0
    rows = _with_text(snapshots).order_by("pk")
    while True:
        found = list(rows.filter(pk__gt=last).values("pk", snapshots.column, *snapshots.columns)[:batch])
        if not found:
            return
        moved = []
        for row in found:
            old = {column: value for column, value in row[snapshots.column].items() if _is_old(value)}
            where = f"{model._meta.label} {row['pk']}"
            new = {column: _moved(value, snapshots.cell(row, column), where) for column, value in old.items()}
            if old:
                moved.append((row["pk"], Json(old), Json(new)))
        with transaction.atomic(), connection.cursor() as cursor:
            q = connection.ops.quote_name
            if moved:
                # Only the ciphertexts are patched: amounts read into Python and written back would lose digits.
                execute_values(
                    cursor.cursor,
                    f"update {q(model._meta.db_table)} t"
                    f" set {q(snapshots.column)} = t.{q(snapshots.column)} || v.moved::jsonb from (values %s)"
                    f" v(id, old, moved) where t.id = v.id and t.{q(snapshots.column)} @> v.old::jsonb",
                    moved,
                    page_size=batch,
                )
        last = found[-1]["pk"]
        yield len(moved)


def _with_text(snapshots: Snapshots) -> models.QuerySet:
    """Rows of which some value looks like a ciphertext; which key it has is looked at afterwards."""
    rows = snapshots.model._base_manager.annotate(_text=Cast(F(snapshots.column), models.TextField()))
    wanted = Q()
    for algorithm in crypto.ALGORITHMS:
        wanted |= Q(_text__contains=f'"{algorithm}.')
    return rows.filter(wanted)


def _left_in_snapshots(snapshots: Snapshots) -> dict[str, int]:
    counts: dict[str, int] = {}
    for held in _with_text(snapshots).values_list(snapshots.column, flat=True).iterator():
        for value in held.values():
            if _is_old(value):
                prefix = ".".join(crypto.split(value)[:2]) + "."
                counts[prefix] = counts.get(prefix, 0) + 1
    return counts


def _is_old(value: Any) -> bool:
    return (
        isinstance(value, str)
        and crypto.is_ciphertext(value)
        and not value.startswith(crypto.current_prefix())
    )


def _moved(token: str, aad: str, where: str) -> str:
    try:
        return crypto.encrypt(crypto.decrypt(token, aad), aad)
    except crypto.Unreadable as error:
        raise crypto.Unreadable(f"{where}: {error}") from None


def _key_fields(model: type[models.Model]) -> list[models.Field]:
    key = model._meta.pk
    return list(key.fields) if isinstance(key, models.CompositePrimaryKey) else [key]
