"""Number the versions of a key: content that returns after another is a new version, although its etag is known."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    # The older schema allows an etag once per key: repeated ones get the file's number appended.
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
