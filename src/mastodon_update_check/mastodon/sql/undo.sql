-- Removes what install.sql has made. Run it in Mastodon's database as the role that ran install.sql; it can be repeated:
--
--     sudo -u postgres psql -v ON_ERROR_STOP=1 -d mastodon_production -f undo.sql

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

-- By name and without CASCADE: if the schema holds anything else, this stops instead of removing it.
DROP FUNCTION IF EXISTS mastodon_update_check.staff();
DROP FUNCTION IF EXISTS mastodon_update_check.migrations();
DROP SCHEMA IF EXISTS mastodon_update_check;

DO $do$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '_mastodon_update_check') THEN
    EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM _mastodon_update_check', current_database());
  END IF;
END
$do$;

DO $do$
BEGIN
  DROP ROLE IF EXISTS _mastodon_update_check;
EXCEPTION
  -- Another Mastodon on the same server uses the role.
  WHEN dependent_objects_still_exist THEN
    RAISE WARNING 'the role _mastodon_update_check stays: it is used in another database';
END
$do$;
COMMIT;
