-- mlplat: machine learning inside PostgreSQL. This script is run by CREATE EXTENSION mlplat.
\echo Use "CREATE EXTENSION mlplat" to load this file. \quit

