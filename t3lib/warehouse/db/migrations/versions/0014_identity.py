"""Identity of files: one logical key for every spelling, and what tells that two files hold the same rows.

Files loaded before get both. Where two spellings of a key are loaded side by side, the newer is the key's version and
the older is marked: it stays in the figures, as shown before, until a person holds it (`t3 doctor` names it)."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"

_BACK = """
    DROP TRIGGER file_reconciles ON ops.source_file;
    UPDATE ops.source_file SET state = 'held_duplicate' WHERE state = 'held_overlap';
    DROP TABLE ops.registered_file;
    DROP INDEX ops.source_file_one_loaded, ops.source_file_logical, ops.source_file_long,
               ops.source_file_rejects_digest;
    CREATE UNIQUE INDEX source_file_one_loaded ON ops.source_file (key) WHERE state = 'loaded';
    ALTER TABLE ops.source_file DROP COLUMN logical_key, DROP COLUMN is_twin, DROP COLUMN rejects_digest,
        DROP COLUMN may_repeat,
        DROP CONSTRAINT source_file_state_check,
        ADD CONSTRAINT source_file_state_check CHECK (state IN
            ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'held', 'unreadable', 'bad_header',
             'ignored'));
    CREATE CONSTRAINT TRIGGER file_reconciles AFTER INSERT OR UPDATE ON ops.source_file
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.state IN ('loaded', 'superseded', 'held_duplicate', 'held'))
        EXECUTE FUNCTION ops.assert_file_reconciles();
"""


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.execute(_BACK)
