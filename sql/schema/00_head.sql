-- mlplat: machine learning inside PostgreSQL. This script is run by CREATE EXTENSION mlplat.
\echo Use "CREATE EXTENSION mlplat" to load this file. \quit

-- A schema that the script makes goes with the extension, and cannot be one that somebody has prepared.
CREATE SCHEMA mlplat;
COMMENT ON SCHEMA mlplat IS 'machine learning: train, predict, measure, report';

