LOCK TABLE ops.dimension_lock IN EXCLUSIVE MODE;

-- One row per dish and span of time in which nothing about it changed. on_menu: [from, until). days: the business days
-- on which it was on the menu at some moment. 1900 and 3000 stand for ever. file_id: the first version of menu.csv that
-- said so.
-- The constraint compares truck and name as a range of one number, a hash of 64 bits: that needs no extension.
ALTER TABLE core.menu_item
    DROP CONSTRAINT menu_item_pkey,
    ADD COLUMN on_menu tstzrange NOT NULL DEFAULT tstzrange('1900-01-01 00:00+00', '3000-01-01 00:00+00')
        CHECK (NOT isempty(on_menu) AND NOT lower_inf(on_menu) AND NOT upper_inf(on_menu)),
    ADD COLUMN days daterange NOT NULL DEFAULT daterange('1900-01-01', '3000-01-01')
        CHECK (NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)),
    ADD COLUMN file_id bigint REFERENCES ops.source_file,
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD CONSTRAINT menu_item_once EXCLUDE USING gist (
        int8range(hashtextextended(lower(menu_item), truck_id), hashtextextended(lower(menu_item), truck_id), '[]')
            WITH &&,
        on_menu WITH &&);
-- from_date until to_date, that day not included.
ALTER TABLE core.cost
    ADD COLUMN to_date date NOT NULL DEFAULT '3000-01-01',
    ADD COLUMN file_id bigint REFERENCES ops.source_file,
    ADD COLUMN note text NOT NULL DEFAULT '';
UPDATE core.cost SET to_date = following.to_date
FROM (SELECT cost_id, lead(from_date) OVER (PARTITION BY truck_id, lower(cost) ORDER BY from_date, cost_id) AS to_date
      FROM core.cost) AS following
WHERE cost.cost_id = following.cost_id AND following.to_date IS NOT NULL;
DELETE FROM core.cost WHERE from_date = to_date;
ALTER TABLE core.cost
    ADD CHECK (to_date > from_date),
    ADD CONSTRAINT cost_once EXCLUDE USING gist (
        int8range(hashtextextended(lower(cost), coalesce(truck_id, 0)),
                  hashtextextended(lower(cost), coalesce(truck_id, 0)), '[]') WITH &&,
        daterange(from_date, to_date) WITH &&);
ALTER TABLE core.pitch
    ADD COLUMN file_id bigint REFERENCES ops.source_file,
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD CONSTRAINT pitch_once EXCLUDE USING gist (
        int4range(truck_id, truck_id, '[]') WITH &&,
        tstzrange(from_at, to_at) WITH &&);

UPDATE core.menu_item SET note = 'Counted for every day when T3 began to keep dates; earlier menus are not known.';
UPDATE core.cost SET note = 'As it stood when T3 began to keep dates; earlier versions are not known.';
UPDATE core.menu_item SET file_id = file.file_id FROM ops.source_file AS file
WHERE file.key = 'metadata/menu.csv' AND file.state = 'loaded';
UPDATE core.cost SET file_id = file.file_id FROM ops.source_file AS file
WHERE file.key = 'metadata/costs.csv' AND file.state = 'loaded';
UPDATE core.pitch SET file_id = file.file_id FROM ops.source_file AS file
WHERE file.key = 'metadata/pitches.csv' AND file.state = 'loaded';

-- What a price says at a truck: one row per truck x price x span of business days, the spans apart from each other.
-- Of several dishes at one price the unit cost is their mean, halves up, over those that have one. Of a dish whose unit
-- cost changed within a day, at the same price, the later one holds for that day.
CREATE VIEW core.menu_price AS
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
           item.unit_cost_pence
    FROM span
    JOIN core.menu_item AS item ON item.truck_id = span.truck_id AND item.price_pence = span.price_pence
                               AND lower(item.days) <= span.first AND upper(item.days) >= span.until
    ORDER BY span.truck_id, span.price_pence, span.first, lower(item.menu_item), lower(item.on_menu) DESC
)

SELECT truck_id, price_pence, daterange(first, until) AS days, string_agg(menu_item, ', ' ORDER BY menu_item) AS dish,
       CASE WHEN count(DISTINCT menu_type) = 1 THEN min(menu_type) ELSE 'Several at this price' END AS menu_type,
       floor(avg(unit_cost_pence) + 0.5)::bigint AS unit_cost_pence
FROM dish
GROUP BY truck_id, price_pence, first, until;

-- goods_pence: transactions x unit cost that held on the day. without_goods_pence: sales for which no unit cost held.
ALTER TABLE mart.price_daily
    ADD COLUMN goods_pence bigint NOT NULL DEFAULT 0,
    ADD COLUMN without_goods_pence bigint NOT NULL DEFAULT 0;
UPDATE mart.price_daily AS sold
SET goods_pence = coalesce(menu.unit_cost_pence, 0) * sold.transactions,
    without_goods_pence = CASE WHEN menu.unit_cost_pence IS NULL THEN sold.price_pence::bigint * sold.transactions
                               ELSE 0 END
FROM mart.price_daily AS same
LEFT JOIN core.menu_price AS menu ON menu.truck_id = same.truck_id AND menu.price_pence = same.price_pence
                                 AND menu.days @> same.business_date
WHERE (sold.business_date, sold.truck_id, sold.price_pence) = (same.business_date, same.truck_id, same.price_pence);

-- What is left of a truck's day after its costs, before and after a change of menus or costs; truck 0 stands for the
-- fleet's own costs. Null where a change moved sales.
ALTER TABLE ops.restatement
    ADD COLUMN contribution_before bigint,
    ADD COLUMN contribution_after bigint,
    DROP CONSTRAINT restatement_cause_check,
    ADD CONSTRAINT restatement_cause_check CHECK (cause IN ('new_version', 'late_file', 'released', 'held', 'again',
        'metadata', 'applied', 'repair', 'replay', 'undo', 'rebuild'));
CREATE OR REPLACE VIEW mart.restatement AS
SELECT restatement_id, made_at, cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
       keys, why, actor, contribution_before, contribution_after
FROM ops.restatement;

-- The contribution that a sent report said, so that a change of costs makes a correction as a change of sales does.
ALTER TABLE ops.mail_outbox ADD COLUMN contribution_pence bigint;

COMMENT ON TABLE core.menu_item IS 'One row per truck x dish x span of time in which nothing about it changed (metadata/menu.csv).';
COMMENT ON COLUMN core.menu_item.on_menu IS 'from when until when it was on the menu; 1900 and 3000 stand for ever';
COMMENT ON COLUMN core.menu_item.days IS 'business days on which it was on the menu at some moment';
COMMENT ON COLUMN core.menu_item.file_id IS 'number of the version of menu.csv that said so first; null: not known';
COMMENT ON COLUMN core.menu_item.note IS 'what is to be known of the row, in words; empty: nothing';
COMMENT ON TABLE core.cost IS 'One row per operating cost x span of days in which it held (metadata/costs.csv).';
COMMENT ON COLUMN core.cost.to_date IS 'first business day on which it no longer holds; 3000-01-01: none';
COMMENT ON COLUMN core.cost.file_id IS 'number of the version of costs.csv that said so first; null: not known';
COMMENT ON COLUMN core.cost.note IS 'what is to be known of the row, in words; empty: nothing';
COMMENT ON COLUMN core.pitch.file_id IS 'number of the version of pitches.csv that said so first; null: not known';
COMMENT ON COLUMN core.pitch.note IS 'what is to be known of the row, in words; empty: nothing';
COMMENT ON VIEW core.menu_price IS 'One row per truck x price x span of business days: what was sold at this price.';
COMMENT ON COLUMN core.menu_price.truck_id IS 'the truck''s number';
COMMENT ON COLUMN core.menu_price.price_pence IS 'pence for one';
COMMENT ON COLUMN core.menu_price.days IS 'business days on which it holds';
COMMENT ON COLUMN core.menu_price.dish IS 'names of the dishes at this price';
COMMENT ON COLUMN core.menu_price.menu_type IS 'kind of dish; Several at this price: the dishes are of several kinds';
COMMENT ON COLUMN core.menu_price.unit_cost_pence IS 'mean unit cost of the dishes that have one, pence; null: none has';
COMMENT ON COLUMN mart.price_daily.goods_pence IS 'cost of goods of these sales, pence, as it held on the day';
COMMENT ON COLUMN mart.price_daily.without_goods_pence IS 'gross sales without a known unit cost, pence';
COMMENT ON COLUMN ops.restatement.contribution_before IS 'contribution before, pence; null: the change moved sales';
COMMENT ON COLUMN ops.restatement.contribution_after IS 'contribution after, pence; null: the change moved sales';
COMMENT ON COLUMN mart.restatement.actor IS 'who decided it; empty: T3 itself';
COMMENT ON COLUMN mart.restatement.contribution_before IS 'contribution before, pence; null: the change moved sales';
COMMENT ON COLUMN mart.restatement.contribution_after IS 'contribution after, pence; null: the change moved sales';
COMMENT ON COLUMN ops.mail_outbox.contribution_pence IS 'contribution that the mail states, pence; null: none';
