-- Schemas and the extension that indexes the sky. Partitions have a schema of their own, so that the tables
-- which people query stay in sight.
CREATE EXTENSION IF NOT EXISTS q3c;
CREATE SCHEMA IF NOT EXISTS roman;
CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA IF NOT EXISTS uws;
CREATE SCHEMA IF NOT EXISTS roman_partition;
COMMENT ON SCHEMA roman IS 'Science: exposures, objects, point spread functions and light curves';
COMMENT ON SCHEMA ops IS 'Operations: runs, rejections, input files, quality and tasks';
COMMENT ON SCHEMA uws IS 'Asynchronous queries, as IVOA UWS has them';
COMMENT ON SCHEMA roman_partition IS 'Partitions of the light-curve tables; query the tables in schema roman';
