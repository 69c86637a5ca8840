"""The settings under which every stored row was made."""

import sqlalchemy as sa

from t3lib.settings import SettingsError, settings


def in_force() -> dict[str, str]:
    """The settings that decide a sale's business day."""
    chosen = settings()
    return {"timezone": chosen.timezone, "business_day_start": chosen.business_day_start.isoformat("minutes")}


def differing(db: sa.Connection) -> list[tuple[str, str, str]]:
    """(name, stored, in force) of each setting that changed since the first load."""
    stored: dict[str, str] = {row.name: row.value for row in db.execute(sa.text("SELECT name, value FROM ops.setting"))}
    return [(name, stored[name], now) for name, now in in_force().items() if stored.get(name, now) != now]


def pin(db: sa.Connection) -> None:
    """Store the settings at the first load; later refuse to mix business days made under different ones.

    Raises SettingsError."""
    for name, value in in_force().items():
        db.execute(
            sa.text("INSERT INTO ops.setting VALUES (:name, :value) ON CONFLICT DO NOTHING"),
            {"name": name, "value": value},
        )
    if wrong := differing(db):
        name, then, now = wrong[0]
        raise SettingsError(
            f"T3_{name.upper()} is {now}, but the sales in this database were made under {then}: "
            f"set it back, or start with an empty database."
        )
