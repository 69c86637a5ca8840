-- What a report's mail said, so that a correction knows by how much figures moved; a 'waiting' mail is a correction
-- that an operator has to let go.
ALTER TABLE ops.mail_outbox ADD COLUMN gross_sales_pence bigint;
ALTER TABLE ops.mail_outbox ADD COLUMN transactions bigint;
UPDATE ops.mail_outbox SET
    gross_sales_pence = CAST(substring(encode(message, 'escape') FROM 'X-T3-Gross-Sales-Pence: (\d+)') AS bigint),
    transactions = CAST(substring(encode(message, 'escape') FROM 'X-T3-Transactions: (\d+)') AS bigint)
WHERE report = 'daily';
ALTER TABLE ops.mail_outbox DROP CONSTRAINT mail_outbox_state_check;
ALTER TABLE ops.mail_outbox ADD CONSTRAINT mail_outbox_state_check
    CHECK (state IN ('waiting', 'prepared', 'sending', 'retry', 'sent', 'failed', 'unknown', 'cancelled'));

-- One row per revision of a report that left, with one reader's copy; for the archive of the mails.
CREATE VIEW mart.mail AS
SELECT DISTINCT ON (report, business_date, edition, revision)
       mail_id, report, business_date, edition, revision, subject, message, prepared_at
FROM ops.mail_outbox
WHERE report IN ('daily', 'weekly', 'monthly') AND state IN ('sent', 'unknown')
ORDER BY report, business_date, edition, revision, mail_id;
