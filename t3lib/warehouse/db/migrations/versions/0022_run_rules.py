"""The rules under which a run cleaned or loaded rows, beside its notebook and commit."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_RULESET = (
    "hash of the rules under which it cleaned or loaded rows (ops.ruleset); null: it cleaned none, did not end well, "
    "or is of a version before this column"
)
_VIEW = """
    CREATE OR REPLACE VIEW mart.file_run AS
    WITH handled AS (
        SELECT file_id, batch_id FROM ops.source_file WHERE batch_id IS NOT NULL
        UNION
        SELECT file_id, batch_id FROM ops.again_file
    )
    SELECT handled.file_id, handled.batch_id, run.run_id, run.notebook, run.state, run.started_at, run.seconds,
           run.git_commit, run.executed_copy{ruleset}
    FROM handled
    JOIN ops.run ON run.parameters ->> 'batch_id' = handled.batch_id;
"""


def upgrade() -> None:
    op.execute("ALTER TABLE ops.run ADD COLUMN ruleset text REFERENCES ops.ruleset")
    op.execute(_VIEW.format(ruleset=", run.ruleset"))
    for relation in ("ops.run", "mart.file_run"):
        op.execute(sa.text(f"COMMENT ON COLUMN {relation}.ruleset IS '{_RULESET}'".replace(":", "\\:")))


def downgrade() -> None:
    op.execute("DROP VIEW mart.file_run")
    op.execute(_VIEW.format(ruleset=""))
    op.execute("ALTER TABLE ops.run DROP COLUMN ruleset")
