-- Files that came late: minutes between the end of their three hours and the moment a listing first saw them.
-- :days integer = 14  number of days up to the latest batch
-- :more_than_minutes integer = 60  leave out files that came sooner
WITH seen AS (
    SELECT truck_id, batch_date, key, min(discovered_at) AS first_seen,
           (batch_date + make_interval(hours => batch_hour)) AT TIME ZONE
           (SELECT value FROM ops.setting WHERE name = 'timezone') AS ended
    FROM mart.file
    WHERE kind = 'sales' AND batch_date > (SELECT max(batch_date) FROM mart.file) - CAST(:days AS integer)
    GROUP BY truck_id, batch_date, batch_hour, key
)
SELECT truck.name AS truck, seen.batch_date, seen.ended, seen.first_seen,
       CAST(extract(epoch FROM seen.first_seen - seen.ended) / 60 AS bigint) AS minutes_late, seen.key
FROM seen
LEFT JOIN core.truck USING (truck_id)
WHERE seen.first_seen > seen.ended + make_interval(mins => CAST(:more_than_minutes AS integer))
ORDER BY minutes_late DESC, seen.key
