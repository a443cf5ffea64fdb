-- Takes back what install.sql has given. Run it in Mastodon's database as the one who ran that; twice does no harm:
--
--     sudo -u postgres psql -v ON_ERROR_STOP=1 -d mastodon_production -f undo.sql
--
-- Made by `python -m mastodon_update_check.mastodon.role_sql undo`; a test compares the two.

BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

-- By name and without CASCADE: if anybody has put something else there, this stops instead of taking it along.
DROP FUNCTION IF EXISTS mastodon_update_check.staff();
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
