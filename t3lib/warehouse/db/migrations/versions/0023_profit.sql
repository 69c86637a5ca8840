LOCK TABLE ops.dimension_lock IN EXCLUSIVE MODE;

-- stay_from: when the stay began as pitches.csv says. A stay that another one cut has several rows, and one fee; two
-- stays that follow each other at one place stay two.
ALTER TABLE core.pitch
    ADD COLUMN stay_from timestamptz,
    ADD COLUMN event text,
    ADD COLUMN fee_pence integer CHECK (fee_pence >= 0),
    ADD COLUMN fee_per text CHECK (fee_per IN ('stay', 'day')),
    ADD COLUMN fee_percent numeric CHECK (fee_percent BETWEEN 0 AND 100),
    ADD CONSTRAINT pitch_fee CHECK ((fee_pence IS NULL) = (fee_per IS NULL));
UPDATE core.pitch SET stay_from = from_at;

ALTER TABLE core.cost
    DROP CONSTRAINT cost_per_check,
    ADD CONSTRAINT cost_per_check CHECK (per IN ('day', 'month', 'sale', 'percent', 'hour', 'shift'));

COMMENT ON COLUMN core.pitch.stay_from IS 'when the stay began as pitches.csv says, UTC; null: from_at';
COMMENT ON COLUMN core.pitch.event IS 'name of the event that the stay belongs to; null: none';
COMMENT ON COLUMN core.pitch.fee_pence IS 'fixed fee of the stay, pence; null: none';
COMMENT ON COLUMN core.pitch.fee_per IS 'what the fixed fee is for: the whole stay, or each of its business days';
COMMENT ON COLUMN core.pitch.fee_percent IS 'fee in percent of the sales made there; null: none';
COMMENT ON COLUMN core.cost.per IS 'day, month, sale, percent, hour or shift';
