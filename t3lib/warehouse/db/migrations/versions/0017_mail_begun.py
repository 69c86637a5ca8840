"""A mail whose sender stopped before it began to hand the message over is tried again, not left to a person."""

from alembic import op

revision = "0017"
down_revision = "0015"


def upgrade() -> None:
    # False is the careful answer: a sender of an older version never says true, and what it leaves is `unknown`.
    op.execute("ALTER TABLE ops.mail_outbox ADD COLUMN not_begun boolean NOT NULL DEFAULT false")
    op.execute("COMMENT ON COLUMN ops.mail_outbox.not_begun IS 'claimed, and no byte of the message was sent yet'")


def downgrade() -> None:
    op.execute("ALTER TABLE ops.mail_outbox DROP COLUMN not_begun")
