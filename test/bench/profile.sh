#!/usr/bin/env bash
# profile.sh: profile against avg() of the same columns, correlations against corr() of all pairs, in one run.
#
# Needs a running server on this machine with mlplat installed and the usual PG* variables. 1,000,000 rows x 21 float8
# unless BENCH_ROWS says otherwise, once in serial plans and once with two workers. Targets: profile <= 6 x avg(), at
# most 50 MB, the same for ten times the rows. Runs of both sides alternate; the least and the median of 5 are printed.
# Memory is what the private pages of the backend and of its workers, each by itself, grow by at most: sampled.
set -eu
rows=${BENCH_ROWS:-1000000}
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v runs="${BENCH_RUNS:-5}" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS mlplat;
DROP SCHEMA IF EXISTS bench_profile CASCADE;
CREATE SCHEMA bench_profile;
SET search_path = bench_profile;
SET jit = off;
SELECT setseed(0.5) \g /dev/null
SELECT 'CREATE TABLE dense AS SELECT ' || string_agg('random() AS x' || c, ', ') || ' FROM generate_series(1, ' || :rows || ')' FROM generate_series(0, 20) AS c \gexec
CREATE TABLE narrow AS SELECT i AS id, i % 100 AS small, md5((i % 1000)::text) AS word, date '2020-01-01' + i % 1000 AS day, i % 3 = 0 AS flag, (i % 20000)::numeric / 8 AS money FROM generate_series(1, :rows) AS i;
VACUUM ANALYZE dense;
VACUUM ANALYZE narrow;

CREATE TABLE work (id int, against int, work text, query text);
INSERT INTO work VALUES
(1, 1, 'avg() of 21 float8', (SELECT 'SELECT ' || string_agg('avg(x' || c || ')', ', ') || ' FROM dense' FROM generate_series(0, 20) AS c)),
(2, 1, 'profile of 21 float8', 'SELECT count(*) FROM mlplat.profile(''TABLE dense'')'),
(3, 1, 'profile with a target', 'SELECT count(*) FROM mlplat.profile(''TABLE dense'', ''x0'')'),
(4, 4, 'corr() of 210 pairs', (SELECT 'SELECT ' || string_agg(format('corr(x%s, x%s)', a, b), ', ') || ' FROM dense' FROM generate_series(0, 20) AS a, generate_series(0, 20) AS b WHERE a < b)),
(5, 4, 'correlations', 'SELECT count(*) FROM mlplat.correlations(''TABLE dense'')'),
(6, 4, 'correlations, 1 % missing', (SELECT 'SELECT count(*) FROM mlplat.correlations(''SELECT ' || string_agg(CASE WHEN c < 3 THEN format('nullif(x%s, greatest(x%s, 0.99)) AS x%s', c, c, c) ELSE 'x' || c END, ', ') || ' FROM dense'')' FROM generate_series(0, 20) AS c)),
(7, 7, 'count(DISTINCT) of 6 columns', 'SELECT count(DISTINCT id), count(DISTINCT small), count(DISTINCT word), count(DISTINCT day), count(DISTINCT flag), count(DISTINCT money) FROM narrow'),
(8, 7, 'profile of 6 columns', 'SELECT count(*) FROM mlplat.profile(''TABLE narrow'')'),
(9, 7, 'profile with a target of 1,000 levels', 'SELECT count(*) FROM mlplat.profile(''TABLE narrow'', ''word'')');
CREATE TABLE times (plan text, id int, ms float8);
CREATE PROCEDURE run(plan text, workers int, runs int) LANGUAGE plpgsql AS $$
DECLARE w work; start timestamptz;
BEGIN
    PERFORM set_config('max_parallel_workers_per_gather', workers::text, false);
    FOR i IN 0 .. runs LOOP
        FOR w IN SELECT * FROM work ORDER BY id LOOP
            COMMIT;
            start := clock_timestamp();
            EXECUTE w.query;
            IF i > 0 THEN INSERT INTO times VALUES (plan, w.id, extract(epoch FROM clock_timestamp() - start) * 1000); END IF;
        END LOOP;
    END LOOP;
END $$;
CALL run('serial', 0, :runs);
CALL run('two workers', 2, :runs);
SELECT plan, work, round(min(ms)::numeric) AS least, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric) AS median,
    round((min(ms) / (SELECT min(ms) FROM times AS other WHERE other.plan = times.plan AND other.id = against))::numeric, 2) AS ratio
FROM work JOIN times USING (id) GROUP BY plan, id, against, work ORDER BY plan, id;
SQL

# private_kb PID: its private pages; nothing when it is gone.
private_kb() { awk '/^RssAnon:/ {print $2}' "/proc/$1/status" 2>/dev/null || true; }

# peak_memory WORKERS QUERY: a new session profiles QUERY; what the leader grew by, and what the largest worker had.
peak_memory() {
    local session leader before=0 leader_peak=0 worker_peak=0 pid kb fifo
    fifo=$(mktemp -u)
    mkfifo "$fifo"
    psql -X -q -At -v ON_ERROR_STOP=1 -v query="$2" >"$fifo" <<SQL &
SET jit = off; SET work_mem = '4MB'; SET search_path = bench_profile; SET max_parallel_workers_per_gather = $1;
SELECT count(*) FROM mlplat.profile('SELECT 1 AS x') \g /dev/null
SELECT pg_backend_pid();
SELECT pg_sleep(0.3) \g /dev/null
SELECT count(*) FROM mlplat.profile(:'query') \g /dev/null
SQL
    session=$!
    read -r leader <"$fifo"
    before=$(private_kb "$leader")
    while kill -0 "$session" 2>/dev/null; do
        for pid in $leader $(ps -eo pid,args | awk -v l="PID $leader" '/parallel worker for/ && index($0, l) {print $1}'); do
            kb=$(private_kb "$pid")
            if [ "$pid" = "$leader" ]; then
                [ "${kb:-0}" -le "$leader_peak" ] || leader_peak=$kb
            else
                [ "${kb:-0}" -le "$worker_peak" ] || worker_peak=$kb
            fi
        done
        sleep 0.02
    done
    rm -f "$fifo"
    echo "profile of $3, $1 workers: leader grows by $(((leader_peak - before) / 1024)) MB, a worker has $((worker_peak / 1024)) MB"
}

for workers in 0 2; do
    peak_memory "$workers" 'TABLE dense' '21 float8'
    peak_memory "$workers" 'SELECT x.* FROM generate_series(1, 10), dense AS x' '21 float8, 10 x the rows'
    peak_memory "$workers" 'TABLE narrow' '6 columns of all kinds'
done
psql -X -q -c 'SET client_min_messages = warning' -c 'DROP SCHEMA bench_profile CASCADE'
