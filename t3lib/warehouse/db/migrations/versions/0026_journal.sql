LOCK TABLE ops.dimension_lock IN EXCLUSIVE MODE;

-- The rate of VAT of a dish; null: that of costs.csv.
ALTER TABLE core.menu_item ADD COLUMN vat_pct numeric CHECK (vat_pct BETWEEN 0 AND 100);

-- As before, with the rates of VAT that the dishes at a price state.
CREATE OR REPLACE VIEW core.menu_price AS
WITH edge AS (
    SELECT truck_id, price_pence, lower(days) AS day FROM core.menu_item
    UNION
    SELECT truck_id, price_pence, upper(days) FROM core.menu_item
),

span AS (
    SELECT truck_id, price_pence, day AS first,
           lead(day) OVER (PARTITION BY truck_id, price_pence ORDER BY day) AS until
    FROM edge
),

dish AS (
    SELECT DISTINCT ON (span.truck_id, span.price_pence, span.first, lower(item.menu_item))
           span.truck_id, span.price_pence, span.first, span.until, item.menu_item, item.menu_type,
           item.unit_cost_pence, item.vat_pct
    FROM span
    JOIN core.menu_item AS item ON item.truck_id = span.truck_id AND item.price_pence = span.price_pence
                               AND lower(item.days) <= span.first AND upper(item.days) >= span.until
    ORDER BY span.truck_id, span.price_pence, span.first, lower(item.menu_item), lower(item.on_menu) DESC
)

SELECT truck_id, price_pence, daterange(first, until) AS days, string_agg(menu_item, ', ' ORDER BY menu_item) AS dish,
       CASE WHEN count(DISTINCT menu_type) = 1 THEN min(menu_type) ELSE 'Several at this price' END AS menu_type,
       floor(avg(unit_cost_pence) + 0.5)::bigint AS unit_cost_pence,
       max(vat_pct) AS vat_pct, min(vat_pct) AS vat_pct_lowest, bool_or(vat_pct IS NULL) AS vat_unstated
FROM dish
GROUP BY truck_id, price_pence, first, until;

-- One row per journal that was exported: the journal of a business day in a layout (number 0) and its corrections.
-- content is the file; the day is locked by this row, so that what a ledger was given can be given again.
CREATE TABLE ops.journal (
    journal_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layout        text NOT NULL,
    business_date date NOT NULL,
    number        integer NOT NULL CHECK (number >= 0),
    dated         date NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT now(),
    actor         text NOT NULL CHECK (actor <> ''),
    why           text NOT NULL DEFAULT '',
    partial       text NOT NULL DEFAULT '',
    costs         text[] NOT NULL,
    file          text NOT NULL,
    content       text NOT NULL,
    sha256        text NOT NULL,
    CONSTRAINT journal_hash CHECK (sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    UNIQUE (layout, business_date, number)
);
-- amount_pence: debits are positive, credits negative.
CREATE TABLE ops.journal_line (
    journal_id   bigint NOT NULL REFERENCES ops.journal,
    line         integer NOT NULL,
    part         text NOT NULL,
    account      text NOT NULL,
    amount_pence bigint NOT NULL CHECK (amount_pence <> 0),
    PRIMARY KEY (journal_id, line),
    UNIQUE (journal_id, part)
);

-- Debits equal credits, or nothing commits.
CREATE FUNCTION ops.assert_journal_balances() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lines bigint; pence numeric;
BEGIN
    SELECT count(*), coalesce(sum(amount_pence), 0) INTO lines, pence
    FROM ops.journal_line WHERE journal_id = NEW.journal_id;
    IF lines < 2 OR pence <> 0 THEN
        RAISE EXCEPTION 'Journal % does not balance: its % lines sum to % pence', NEW.journal_id, lines, pence
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER journal_balances AFTER INSERT OR UPDATE ON ops.journal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ops.assert_journal_balances();
CREATE CONSTRAINT TRIGGER line_balances AFTER INSERT OR UPDATE ON ops.journal_line
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ops.assert_journal_balances();
INSERT INTO ops.lock (name) VALUES ('journal');

CREATE VIEW mart.journal AS
SELECT journal_id, layout, business_date, number, dated, made_at, actor, why, partial, costs, file, sha256
FROM ops.journal;
CREATE VIEW mart.journal_line AS
SELECT journal_id, line, part, account, amount_pence FROM ops.journal_line;

COMMENT ON COLUMN core.menu_item.vat_pct IS 'rate of VAT in percent; null: that of costs.csv';
COMMENT ON COLUMN core.menu_price.vat_pct IS 'highest rate of VAT that a dish at this price states, percent; null: none does';
COMMENT ON COLUMN core.menu_price.vat_pct_lowest IS 'lowest rate of VAT that a dish at this price states, percent; null: none does';
COMMENT ON COLUMN core.menu_price.vat_unstated IS 'whether a dish at this price states no rate of VAT';
COMMENT ON TABLE ops.journal IS 'One row per journal exported for an accounting program: the journal of a business day, or a correction of it. Written once.';
COMMENT ON TABLE ops.journal_line IS 'One row per line of an exported journal; the lines of a journal sum to zero. Written once.';
COMMENT ON VIEW mart.journal IS 'One row per journal exported for an accounting program: the journal of a business day, or a correction of it.';
COMMENT ON VIEW mart.journal_line IS 'One row per line of an exported journal; the lines of a journal sum to zero.';
COMMENT ON COLUMN ops.journal.content IS 'the exported file, to be written again byte for byte';
DO $$
DECLARE
    described text[] := ARRAY[
        'journal', 'journal_id', 'number of the journal',
        'journal', 'layout', 'the program that it was exported for, as accounts.toml names it',
        'journal', 'business_date', 'the business day whose figures it holds',
        'journal', 'number', '0: the journal of the day; 1 and more: its corrections, in order',
        'journal', 'dated', 'the date that it has in the accounting program',
        'journal', 'made_at', 'when it was exported',
        'journal', 'actor', 'who exported it',
        'journal', 'why', 'reason that was given; empty: none',
        'journal', 'partial', 'what the day lacked when it was exported; empty: it was complete',
        'journal', 'costs', 'the goods and costs that accounts.toml named when the day was exported',
        'journal', 'file', 'name of the file',
        'journal', 'sha256', 'hash of the file',
        'journal_line', 'journal_id', 'number of the journal',
        'journal_line', 'line', 'number of the line in the journal',
        'journal_line', 'part', 'what the line is of: payment card, sales 20, vat 20, goods and so on',
        'journal_line', 'account', 'the account in the accounting program',
        'journal_line', 'amount_pence', 'pence; debits are positive, credits negative'];
BEGIN
    FOR n IN 1 .. array_length(described, 1) BY 3 LOOP
        EXECUTE format('COMMENT ON COLUMN ops.%I.%I IS %L', described[n], described[n + 1], described[n + 2]);
        EXECUTE format('COMMENT ON COLUMN mart.%I.%I IS %L', described[n], described[n + 1], described[n + 2]);
    END LOOP;
END $$;
