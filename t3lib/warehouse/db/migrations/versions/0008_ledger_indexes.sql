-- What pages and loads ask of the ledger must not take longer with every file that was ever loaded.
-- Which files hold a sale of these days; the latest sale of all.
CREATE INDEX source_file_last_sale ON ops.source_file (last_sale_at);
-- Which trucks were ever heard, and when each was last.
CREATE INDEX source_file_heard ON ops.source_file (truck_id, last_sale_at) WHERE state = 'loaded';
-- Whether the same content was loaded under another key.
CREATE INDEX source_file_same_content ON ops.source_file (content_sha256) WHERE state = 'loaded';
