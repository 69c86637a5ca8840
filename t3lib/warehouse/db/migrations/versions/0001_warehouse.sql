CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA core;
CREATE SCHEMA mart;

-- Rules that every stored row was made under; changing one needs a restatement (`t3 doctor` compares).
CREATE TABLE ops.setting (name text PRIMARY KEY, value text NOT NULL);

-- One row per batch: the files that one pipeline run takes in. attempt grows when a failed batch is tried again.
CREATE TABLE ops.batch (
    batch_id    text PRIMARY KEY,
    attempt     integer NOT NULL DEFAULT 1,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    files       integer NOT NULL,
    bytes       bigint NOT NULL,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX batch_unfinished ON ops.batch (state) WHERE state <> 'done';

-- One row per object version.
CREATE TABLE ops.source_file (
    file_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key            text NOT NULL,
    etag           text NOT NULL,
    size           bigint NOT NULL,
    last_modified  timestamptz NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('sales', 'history', 'metadata', 'other')),
    truck_id       integer,
    suffix         text,
    batch_date     date,
    batch_hour     smallint,
    content_sha256 text,
    state          text NOT NULL DEFAULT 'new' CHECK (state IN
                       ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'unreadable', 'bad_header',
                        'ignored')),
    reason         text,
    warnings       text[] NOT NULL DEFAULT '{}',
    batch_id       text REFERENCES ops.batch,
    released       boolean NOT NULL DEFAULT false,
    superseded_by  bigint REFERENCES ops.source_file,
    rows_read      bigint NOT NULL DEFAULT 0,
    rows_loaded    bigint NOT NULL DEFAULT 0,
    rows_rejected  bigint NOT NULL DEFAULT 0,
    pence_loaded   bigint NOT NULL DEFAULT 0,
    first_sale_at  timestamptz,
    last_sale_at   timestamptz,
    discovered_at  timestamptz NOT NULL DEFAULT now(),
    claimed_at     timestamptz,
    finished_at    timestamptz,
    UNIQUE (key, etag),
    CONSTRAINT rows_reconcile CHECK (rows_read = rows_loaded + rows_rejected)
);
CREATE INDEX source_file_state ON ops.source_file (state, kind);
CREATE INDEX source_file_batch ON ops.source_file (batch_id);
-- The same content of a truck is loaded once, unless a person released the second one.
CREATE UNIQUE INDEX source_file_content ON ops.source_file (truck_id, content_sha256)
    WHERE state = 'loaded' AND rows_read > 0 AND kind <> 'metadata' AND NOT released;
CREATE INDEX source_file_day ON ops.source_file (batch_date, truck_id);
-- A key has at most one loaded version.
CREATE UNIQUE INDEX source_file_one_loaded ON ops.source_file (key) WHERE state = 'loaded';

-- One row per row not loaded. A repaired row has joined core.sale and counts as loaded.
CREATE TABLE ops.rejected_row (
    file_id         bigint NOT NULL REFERENCES ops.source_file,
    row_number      integer NOT NULL,
    truck_id        integer NOT NULL,
    raw_timestamp   text,
    raw_type        text,
    raw_total       text,
    reason          text NOT NULL,
    suggested_pence integer,
    sold_at         timestamptz,
    business_date   date,
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'repaired', 'dismissed', 'superseded')),
    PRIMARY KEY (file_id, row_number)
);
CREATE INDEX rejected_row_open ON ops.rejected_row (business_date, truck_id, reason) WHERE status = 'open';

-- One row per notebook execution.
CREATE TABLE ops.run (
    run_id        text PRIMARY KEY,
    workflow_id   text,
    notebook      text NOT NULL,
    parameters    jsonb NOT NULL DEFAULT '{}',
    git_commit    text,
    state         text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'succeeded', 'failed', 'lost')),
    worker        text,
    rows          bigint,
    started_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    seconds       double precision,
    executed_copy text,
    failed_cell   integer,  -- Jupyter's number: 1 is In [1]
    error         text
);
CREATE INDEX run_started ON ops.run (started_at DESC);
CREATE INDEX run_workflow ON ops.run (workflow_id);

-- One row per (report, business_date, edition, recipient, revision).
CREATE TABLE ops.mail_outbox (
    mail_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report        text NOT NULL,
    business_date date NOT NULL,
    edition       text NOT NULL,
    recipient     text NOT NULL,
    revision      integer NOT NULL DEFAULT 1,
    message_id    text NOT NULL,
    subject       text NOT NULL,
    message       bytea NOT NULL,
    state         text NOT NULL DEFAULT 'prepared'
                  CHECK (state IN ('prepared', 'sending', 'retry', 'sent', 'failed', 'unknown', 'cancelled')),
    attempts      integer NOT NULL DEFAULT 0,
    next_try_at   timestamptz NOT NULL DEFAULT now(),
    reply         text,
    run_id        text,
    prepared_at   timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    UNIQUE (report, business_date, edition, recipient, revision)
);
CREATE INDEX mail_outbox_due ON ops.mail_outbox (next_try_at) WHERE state IN ('prepared', 'retry');

-- Dimensions.
CREATE TABLE core.truck (
    truck_id        integer PRIMARY KEY,
    name            text NOT NULL,
    description     text,
    has_card_reader boolean,
    fsa_rating      smallint,
    in_details      boolean NOT NULL DEFAULT true
);
CREATE TABLE core.location (location_id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO core.location VALUES (0, 'Place not recorded');

-- Which truck stood where: [from_at, to_at).
CREATE TABLE core.pitch (
    truck_id    integer NOT NULL,
    location_id integer NOT NULL,
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL CHECK (to_at > from_at),
    PRIMARY KEY (truck_id, from_at)
);
CREATE TABLE core.menu_item (
    truck_id        integer NOT NULL,
    menu_item       text NOT NULL,
    menu_type       text NOT NULL,
    price_pence     integer NOT NULL,
    unit_cost_pence integer,
    PRIMARY KEY (truck_id, menu_item)
);
-- Operating costs; truck_id null means the whole fleet. amount is pence, or percent when per = 'percent'.
CREATE TABLE core.cost (
    cost_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    truck_id  integer,
    cost      text NOT NULL,
    amount    numeric NOT NULL,
    per       text NOT NULL CHECK (per IN ('day', 'month', 'sale', 'percent')),
    from_date date NOT NULL
);

-- One row per accepted transaction; its identity is (file_id, row_number). total_pence is integer pence.
-- flags: 1 card_without_reader, 2 outside_batch_window, 4 unknown_truck.
CREATE TABLE core.sale (
    truck_id      integer NOT NULL,
    file_id       bigint NOT NULL,
    row_number    integer NOT NULL,
    sold_at       timestamptz NOT NULL,
    business_date date NOT NULL,
    local_hour    smallint NOT NULL,
    payment_type  text NOT NULL,
    total_pence   integer NOT NULL CHECK (total_pence > 0),
    flags         smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (truck_id, file_id, row_number, business_date)
) PARTITION BY RANGE (business_date);
CREATE INDEX sale_sold_at ON core.sale USING brin (sold_at);

-- Partitions are made by the load for the months it needs, so no default partition can block them.
CREATE FUNCTION core.ensure_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    first date := date_trunc('month', month);
    name text := 'sale_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass('core.' || name) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('t3 partitions'));
        IF to_regclass('core.' || name) IS NULL THEN
            -- Attached, not created as a partition: that would lock every load of the table out.
            EXECUTE format('CREATE TABLE core.%I (LIKE core.sale INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
            EXECUTE format('ALTER TABLE core.sale ATTACH PARTITION core.%I FOR VALUES FROM (%L) TO (%L)',
                           name, first, (first + interval '1 month')::date);
        END IF;
    END IF;
END $$;

-- One row per truck x place x business date x local hour x payment.
CREATE TABLE mart.sales_hourly (
    truck_id      integer NOT NULL,
    business_date date NOT NULL,
    local_hour    smallint NOT NULL,
    location_id   integer NOT NULL,
    payment_type  text NOT NULL,
    transactions  integer NOT NULL,
    total_pence   bigint NOT NULL,
    PRIMARY KEY (business_date, truck_id, local_hour, location_id, payment_type)
);
-- One row per truck x business date x price.
CREATE TABLE mart.price_daily (
    truck_id      integer NOT NULL,
    business_date date NOT NULL,
    price_pence   integer NOT NULL,
    transactions  integer NOT NULL,
    PRIMARY KEY (business_date, truck_id, price_pence)
);
-- One row: what the figures stand on. version grows with every change of the figures.
CREATE TABLE mart.watermark (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    version      bigint NOT NULL DEFAULT 0,
    loaded_at    timestamptz,
    last_sale_at timestamptz
);
INSERT INTO mart.watermark DEFAULT VALUES;

-- Where a truck stood at a moment; 0 when no pitch says.
CREATE FUNCTION core.place(truck integer, moment timestamptz) RETURNS integer LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce((SELECT pitch.location_id FROM core.pitch
                     WHERE pitch.truck_id = truck AND moment >= pitch.from_at AND moment < pitch.to_at
                     LIMIT 1), 0);
END;

-- Rows and pence of the ledger equal those of the sales, or nothing commits.
CREATE FUNCTION ops.assert_file_reconciles() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    file ops.source_file;
    sales bigint; pence bigint; rejects bigint;
BEGIN
    SELECT * INTO file FROM ops.source_file WHERE file_id = NEW.file_id;
    IF file.kind NOT IN ('sales', 'history') THEN RETURN NULL; END IF;
    SELECT count(*), coalesce(sum(total_pence), 0) INTO sales, pence
    FROM core.sale WHERE truck_id = file.truck_id AND file_id = file.file_id;
    SELECT count(*) INTO rejects
    FROM ops.rejected_row WHERE file_id = file.file_id AND status IN ('open', 'dismissed');
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
CREATE CONSTRAINT TRIGGER file_reconciles AFTER INSERT OR UPDATE ON ops.source_file
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state IN ('loaded', 'superseded', 'held_duplicate'))
    EXECUTE FUNCTION ops.assert_file_reconciles();

-- What staff may see of the ledger, without the right to read it.
-- One row per truck x batch (or history file).
CREATE VIEW mart.file AS
SELECT file_id, key, kind, truck_id, batch_date, batch_hour, state, reason, warnings, rows_read, rows_loaded,
       rows_rejected, pence_loaded, first_sale_at, last_sale_at, discovered_at, finished_at
FROM ops.source_file;
-- One row per truck x business date x reason; business_date is the batch's where the row's own is unreadable.
CREATE VIEW mart.rejected_daily AS
SELECT rejected_row.truck_id, coalesce(rejected_row.business_date, source_file.batch_date) AS business_date,
       rejected_row.reason, count(*) AS rows
FROM ops.rejected_row
JOIN ops.source_file USING (file_id)
WHERE rejected_row.status IN ('open', 'dismissed')
GROUP BY 1, 2, 3;
