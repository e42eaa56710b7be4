-- Schemas and the extension that indexes the sky. Partitions have a schema of their own, so that the tables
-- which people query stay in sight.
CREATE EXTENSION IF NOT EXISTS q3c;
CREATE SCHEMA IF NOT EXISTS roman;
CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA IF NOT EXISTS uws;
CREATE SCHEMA IF NOT EXISTS queue;
CREATE SCHEMA IF NOT EXISTS roman_partition;
CREATE SCHEMA IF NOT EXISTS ivoa;
CREATE SCHEMA IF NOT EXISTS tap_schema;
CREATE SCHEMA IF NOT EXISTS archive;
CREATE SCHEMA IF NOT EXISTS community;
COMMENT ON SCHEMA roman IS 'Science: exposures, objects, point spread functions and light curves';
COMMENT ON SCHEMA ops IS 'Operations: runs, rejections, input files, quality and tasks';
COMMENT ON SCHEMA uws IS 'Asynchronous queries, as IVOA UWS has them';
COMMENT ON SCHEMA queue IS 'Jobs of workers, as procrastinate has them; query ops.queue_job';
COMMENT ON SCHEMA ivoa IS 'What there is, in the words of the Virtual Observatory';
COMMENT ON SCHEMA tap_schema IS 'Tables and columns that queries from outside may name; generated from schema/';
COMMENT ON SCHEMA archive IS 'Tables of the archive by RAD, as views; generated from the installed package rad';
COMMENT ON SCHEMA community IS 'Tables of products that the community contributed: roman.community_product';
COMMENT ON SCHEMA roman_partition IS 'Partitions of the light-curve tables; query the tables in schema roman';
