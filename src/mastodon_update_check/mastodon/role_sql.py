"""The scripts that make and remove our PostgreSQL role; `packaging/postgresql/*.sql` are what is printed here.

They are made from the pieces of `staff_sql`, so that the function asks exactly what a direct login would ask.
"""

import sys
from typing import Final

from mastodon_update_check.mastodon.staff_sql import BY_ADMIN, BY_ROLE, DELETION_REQUESTED, ROW

_INSTALL: Final = """\
-- Gives mastodon-update-check what it needs of Mastodon's database, and nothing else: who the staff are.
--
-- Run it in Mastodon's database, as a superuser or as a role that may create roles and has the tables' owner as one of
-- its own; again after an update of mastodon-update-check. Running it twice changes nothing more:
--
--     sudo -u postgres psql -v ON_ERROR_STOP=1 -d mastodon_production -f install.sql
--
-- The role has no password: it logs in over the socket, as the system user of the same name ("peer" in pg_hba.conf,
-- which is what the packages set up). Where the database is on another host, give it one: \\password and its name.
--
-- Made by `python -m mastodon_update_check.mastodon.role_sql install`; a test compares the two.

-- All or nothing: at no time may anybody else execute the function.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

DO $do$
BEGIN
  -- The wrong database is the easiest mistake to make here.
  IF to_regclass('public.users') IS NULL OR to_regclass('public.accounts') IS NULL THEN
    RAISE EXCEPTION 'the database % is not Mastodon''s: name Mastodon''s with -d', current_database();
  END IF;

  -- A role is the whole server's: another Mastodon on it may have made it already.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '_mastodon_update_check') THEN
    CREATE ROLE _mastodon_update_check;
  ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = '_mastodon_update_check'
                AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)) THEN
    RAISE EXCEPTION 'the role _mastodon_update_check exists and has rights that it does not need: drop it first';
  END IF;

  -- Needed only where CONNECT was taken from PUBLIC.
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO _mastodon_update_check', current_database());
END
$do$;

-- NOINHERIT: were it ever made a member of another role, it would not have that role's rights by itself.
-- Ten connections are one for the daemon, a few for commands, and some that the server has not quite ended yet.
ALTER ROLE _mastodon_update_check LOGIN NOINHERIT CONNECTION LIMIT 10;
-- Belt and braces: it asks in read-only transactions anyway, each bounded by itself.
ALTER ROLE _mastodon_update_check SET default_transaction_read_only = on;
ALTER ROLE _mastodon_update_check SET statement_timeout = '5s';
ALTER ROLE _mastodon_update_check SET lock_timeout = '3s';
ALTER ROLE _mastodon_update_check SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE _mastodon_update_check SET search_path = pg_catalog;

-- A schema of its own, out of the way of Mastodon's migrations and of `pg_dump -n public`.
CREATE SCHEMA IF NOT EXISTS mastodon_update_check;
REVOKE ALL ON SCHEMA mastodon_update_check FROM PUBLIC;
GRANT USAGE ON SCHEMA mastodon_update_check TO _mastodon_update_check;

-- SECURITY DEFINER: it reads with its owner's rights, so that the role that calls it needs none on any table.
-- It takes no argument, so nothing can be slipped in, and the search path is fixed, so that no name can be hijacked.
-- plpgsql and EXECUTE: the text is looked at when it runs. Nothing depends on Mastodon's tables, no migration is held
-- up, and columns are found as they are then, also after an upgrade from 3.5 to 4.
DROP FUNCTION IF EXISTS mastodon_update_check.staff();
CREATE FUNCTION mastodon_update_check.staff()
RETURNS TABLE (id bigint, role_id bigint, role text, permissions bigint, everyone_permissions bigint, admin boolean,
               email text, locale text, settings text, confirmed boolean, approved boolean, disabled boolean,
               name text, suspended boolean, memorial boolean, being_deleted boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  chosen text := $chosen$
{by_admin}
$chosen$;
  deletion_requested text := 'false';
BEGIN
  -- Mastodon 4.0 and newer have roles.
  IF to_regclass('public.user_roles') IS NOT NULL THEN
    chosen := $chosen$
{by_role}
$chosen$;
  END IF;
  IF to_regclass('public.account_deletion_requests') IS NOT NULL THEN
    deletion_requested := $deletion$
{deletion}
$deletion$;
  END IF;
  RETURN QUERY EXECUTE format($query$
{row}
$query$, chosen, deletion_requested);
END
$function$;

-- New functions may be executed by everybody; this one by our role alone.
REVOKE ALL ON FUNCTION mastodon_update_check.staff() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mastodon_update_check.staff() TO _mastodon_update_check;

-- It belongs to the owner of the tables, who reads them anyway: no superuser's rights are lent out. To hand it over,
-- somebody who is no superuser needs the new owner to have CREATE for a moment.
DO $do$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('public.users'));
BEGIN
  EXECUTE format('GRANT CREATE ON SCHEMA mastodon_update_check TO %I', owner);
  EXECUTE format('ALTER FUNCTION mastodon_update_check.staff() OWNER TO %I', owner);
  EXECUTE format('REVOKE CREATE ON SCHEMA mastodon_update_check FROM %I', owner);
END
$do$;

COMMENT ON FUNCTION mastodon_update_check.staff() IS
  'Users whose role makes them staff, for mastodon-update-check; nothing of anybody else.';
COMMIT;
"""

_UNDO: Final = """\
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
"""


def install_script() -> str:
    """Return the SQL that makes the role, the schema and the function."""
    pieces = {"{by_admin}": BY_ADMIN, "{by_role}": BY_ROLE, "{deletion}": DELETION_REQUESTED, "{row}": ROW}
    script = _INSTALL
    for mark, piece in pieces.items():
        script = script.replace(mark, piece)
    return script


def undo_script() -> str:
    """Return the SQL that removes them."""
    return _UNDO


if __name__ == "__main__":
    sys.stdout.write({"install": install_script, "undo": undo_script}[sys.argv[1]]())
