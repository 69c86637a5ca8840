"""A version is what a key held after another, not an etag: what comes back is a version of its own."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text()
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    # The older schema knows an etag once per key: earlier ones of the same are told apart by their number.
    op.execute("""
        UPDATE ops.source_file AS file SET etag = file.etag || ' of file ' || file.file_id
        WHERE EXISTS (SELECT FROM ops.source_file AS later
                      WHERE later.key = file.key AND later.etag = file.etag
                        AND (later.version IS NOT NULL, later.file_id) > (file.version IS NOT NULL, file.file_id))
    """)
    op.execute("""
        ALTER TABLE ops.source_file DROP CONSTRAINT source_file_version, DROP COLUMN version,
                                    ADD CONSTRAINT source_file_key_etag_key UNIQUE (key, etag)
    """)
