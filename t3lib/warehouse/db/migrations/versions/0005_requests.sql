-- One row per thing that an operator asked for: the queue of the workers' desk and the trace of who asked, in one.
-- The page may only add rows; a worker does what they say and writes the end of each.
CREATE TABLE ops.request (
    request_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    parameters  jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object'),
    asked_by    text NOT NULL CHECK (btrim(asked_by) <> '' AND length(asked_by) <= 80),
    why         text NOT NULL CHECK (btrim(why) <> '' AND length(why) <= 500),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    started_at  timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    finished_at timestamptz,
    outcome     text,
    CHECK ((state = 'waiting') = (finished_at IS NULL))
);
CREATE INDEX request_waiting ON ops.request (request_id) WHERE state = 'waiting';
