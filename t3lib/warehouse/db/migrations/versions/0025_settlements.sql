-- Files of card providers and banks are files of the ledger: settlements/.
ALTER TABLE ops.source_file
    DROP CONSTRAINT source_file_kind_check,
    ADD CONSTRAINT source_file_kind_check CHECK (kind IN ('sales', 'history', 'metadata', 'settlement', 'other')),
    DROP CONSTRAINT source_file_state_check,
    ADD CONSTRAINT source_file_state_check CHECK (state IN
        ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'held_overlap', 'held_columns', 'held_layout',
         'held', 'unreadable', 'bad_header', 'ignored'));

-- One row per span of days in which a provider's account, or one terminal of it, belonged to a truck; truck_id null:
-- to every truck that has no row of its own.
CREATE TABLE core.terminal (
    provider  text NOT NULL,
    account   text NOT NULL,
    terminal  text NOT NULL DEFAULT '',
    truck_id  integer,
    from_date date NOT NULL,
    to_date   date NOT NULL CHECK (to_date > from_date),
    CONSTRAINT terminal_once EXCLUDE USING gist (
        int8range(hashtextextended(provider || chr(31) || account || chr(31) || terminal, 0),
                  hashtextextended(provider || chr(31) || account || chr(31) || terminal, 0), '[]') WITH &&,
        daterange(from_date, to_date) WITH &&)
);
-- One row per span of days in which a truck's cash was banked under a reference, with a float in its till.
CREATE TABLE core.banking (
    truck_id    integer NOT NULL,
    reference   text NOT NULL,
    float_pence bigint NOT NULL CHECK (float_pence >= 0),
    within_days smallint NOT NULL CHECK (within_days >= 0),
    from_date   date NOT NULL,
    to_date     date NOT NULL CHECK (to_date > from_date),
    CONSTRAINT banking_once EXCLUDE USING gist (
        int4range(truck_id, truck_id, '[]') WITH &&, daterange(from_date, to_date) WITH &&)
);

-- One row per line of a provider's file. identity: what makes it the same line in another file. counts: of the lines
-- with one identity the one of the newest file; the others are kept and count nothing.
CREATE TABLE core.settlement (
    file_id       bigint NOT NULL REFERENCES ops.source_file,
    row_number    integer NOT NULL,
    provider      text NOT NULL,
    account       text NOT NULL,
    terminal      text NOT NULL,
    line_kind     text NOT NULL CHECK (line_kind IN ('sale', 'fee', 'refund', 'chargeback', 'adjustment', 'payout')),
    line_id       text NOT NULL,
    occurred_at   timestamptz NOT NULL,
    business_date date NOT NULL,
    gross_pence   bigint NOT NULL,
    fee_pence     bigint NOT NULL,
    net_pence     bigint NOT NULL,
    payout_id     text NOT NULL,
    payout_on     date,
    identity      text NOT NULL,
    counts        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (file_id, row_number),
    CONSTRAINT settlement_net CHECK (net_pence = gross_pence - fee_pence),
    CONSTRAINT settlement_payout CHECK (line_kind <> 'payout' OR fee_pence = 0)
);
CREATE UNIQUE INDEX settlement_once ON core.settlement (identity) WHERE counts;
CREATE INDEX settlement_identity ON core.settlement (identity);
CREATE INDEX settlement_day ON core.settlement (business_date);
-- One row per line of a bank statement.
CREATE TABLE core.bank_line (
    file_id      bigint NOT NULL REFERENCES ops.source_file,
    row_number   integer NOT NULL,
    account      text NOT NULL,
    line_kind    text NOT NULL CHECK (line_kind IN ('payout', 'cash', 'other')),
    provider     text NOT NULL,
    line_id      text NOT NULL,
    booked_on    date NOT NULL,
    amount_pence bigint NOT NULL,
    text         text NOT NULL,
    identity     text NOT NULL,
    counts       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (file_id, row_number),
    CONSTRAINT bank_line_provider CHECK ((line_kind = 'payout') = (provider <> '')),
    CONSTRAINT bank_line_text CHECK (line_kind <> 'other' OR text = '')
);
CREATE UNIQUE INDEX bank_line_once ON core.bank_line (identity) WHERE counts;
CREATE INDEX bank_line_identity ON core.bank_line (identity);
CREATE INDEX bank_line_day ON core.bank_line (booked_on);

-- What the matching found. One row per tender x truck x business day x state x cause x item: pence. The rows of a
-- truck's day without 'over' are its card (or cash) sales.
CREATE TABLE mart.settled_daily (
    tender        text NOT NULL CHECK (tender IN ('card', 'cash')),
    truck_id      integer NOT NULL,
    business_date date NOT NULL,
    state         text NOT NULL CHECK (state IN ('settled', 'on_its_way', 'short', 'over', 'not_explained')),
    cause         text NOT NULL,
    item          text NOT NULL,
    provider      text NOT NULL,
    expected_on   date NOT NULL,
    pence         bigint NOT NULL CHECK (pence > 0),
    PRIMARY KEY (business_date, tender, truck_id, state, cause, item, provider, expected_on)
);
CREATE INDEX settled_daily_item ON mart.settled_daily (item);
CREATE INDEX settled_daily_open ON mart.settled_daily (state) WHERE state IN ('short', 'over', 'not_explained');
-- One row per payout of a provider: what it is made of, and the bank line that it reached. Pence with sign.
CREATE TABLE mart.payout (
    item             text PRIMARY KEY,
    provider         text NOT NULL,
    account          text NOT NULL,
    payout_id        text NOT NULL,
    first_day        date NOT NULL,
    last_day         date NOT NULL,
    expected_on      date NOT NULL,
    gross_pence      bigint NOT NULL,
    fee_pence        bigint NOT NULL,
    refund_pence     bigint NOT NULL,
    chargeback_pence bigint NOT NULL,
    adjustment_pence bigint NOT NULL,
    amount_pence     bigint NOT NULL,
    banked_pence     bigint NOT NULL,
    banked_on        date,
    state            text NOT NULL CHECK (state IN ('settled', 'on_its_way', 'short', 'over', 'not_explained')),
    cause            text NOT NULL,
    CONSTRAINT payout_adds_up CHECK
        (amount_pence = gross_pence - fee_pence - refund_pence - chargeback_pence + adjustment_pence)
);
-- One row: when sales and bank were matched last, and for which version of the figures and business day.
CREATE TABLE mart.matching (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    matched_at    timestamptz,
    version       bigint NOT NULL DEFAULT -1,
    business_date date
);
INSERT INTO mart.matching DEFAULT VALUES;

-- What people decided about an item: written once. An item's name outlives its files.
CREATE TABLE ops.settlement_decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at     timestamptz NOT NULL DEFAULT now(),
    item        text NOT NULL,
    action      text NOT NULL CHECK (action IN ('explain', 'write_off', 'undo')),
    pence       bigint NOT NULL CHECK (pence >= 0),
    actor       text NOT NULL,
    why         text NOT NULL
);
-- The items of which the operators were told.
CREATE TABLE ops.settlement_alert (
    item       text PRIMARY KEY,
    alerted_at timestamptz NOT NULL DEFAULT now()
);

-- Ledger and tables agree in rows and pence, or nothing commits.
CREATE OR REPLACE FUNCTION ops.assert_file_reconciles() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    file ops.source_file;
    sales bigint; pence bigint; rejects bigint;
BEGIN
    SELECT * INTO file FROM ops.source_file WHERE file_id = NEW.file_id;
    IF file.kind = 'settlement' THEN
        SELECT count(*), coalesce(sum(line.pence), 0) INTO sales, pence
        FROM (SELECT net_pence AS pence FROM core.settlement WHERE file_id = file.file_id
              UNION ALL
              SELECT amount_pence FROM core.bank_line WHERE file_id = file.file_id) AS line;
        rejects := file.rows_rejected;  -- lines that the layout says moved no money
    ELSIF file.kind IN ('sales', 'history') THEN
        SELECT count(*), coalesce(sum(total_pence), 0) INTO sales, pence
        FROM core.sale WHERE truck_id = file.truck_id AND file_id = file.file_id;
        SELECT count(*) INTO rejects
        FROM ops.rejected_row WHERE file_id = file.file_id AND status IN ('open', 'dismissed');
    ELSE
        RETURN NULL;
    END IF;
    IF file.state = 'loaded' AND (sales, pence, rejects) IS DISTINCT FROM
                                 (file.rows_loaded, file.pence_loaded, file.rows_rejected) THEN
        RAISE EXCEPTION 'File % (%) does not reconcile: ledger says % sales, % pence, % rejects; found %, %, %',
            file.file_id, file.key, file.rows_loaded, file.pence_loaded, file.rows_rejected, sales, pence, rejects
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF file.state <> 'loaded' AND sales > 0 THEN
        RAISE EXCEPTION 'File % (%) is % but has % sales', file.file_id, file.key, file.state, sales
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

-- Files that earlier versions passed over are read now.
UPDATE ops.source_file
SET kind = 'settlement', state = 'new', reason = NULL, finished_at = NULL
WHERE kind = 'other' AND state = 'ignored' AND key ~* '^settlements/.+\.(csv|ofx)$' AND deleted_at IS NULL;
