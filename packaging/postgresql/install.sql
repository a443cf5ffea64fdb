-- Gives mastodon-update-check what it needs of Mastodon's database, and nothing else: who the staff are.
--
-- Run it in Mastodon's database, as a superuser or as a role that may create roles and has the tables' owner as one of
-- its own; again after an update of mastodon-update-check. Running it twice changes nothing more:
--
--     sudo -u postgres psql -v ON_ERROR_STOP=1 -d mastodon_production -f install.sql
--
-- The role has no password: it logs in over the socket, as the system user of the same name ("peer" in pg_hba.conf,
-- which is what the packages set up). Where the database is on another host, give it one: \password and its name.
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
SELECT found.id,
       NULL::bigint AS role_id,
       'admin' AS role,
       0::bigint AS permissions,
       0::bigint AS everyone_permissions
  FROM public.users AS found
 WHERE found.admin
 ORDER BY found.id
 LIMIT 1001
$chosen$;
  deletion_requested text := 'false';
BEGIN
  -- Mastodon 4.0 and newer have roles.
  IF to_regclass('public.user_roles') IS NOT NULL THEN
    chosen := $chosen$
SELECT member.id,
       role.id AS role_id,
       left(role.name, 1000) AS role,
       role.permissions,
       coalesce(everyone.permissions, 0) AS everyone_permissions
  FROM public.user_roles AS role
  LEFT JOIN public.user_roles AS everyone ON everyone.id = -99
 CROSS JOIN LATERAL (SELECT found.id
                       FROM public.users AS found
                      WHERE found.role_id = role.id AND found.role_id IS NOT NULL
                     OFFSET 0) AS member
 WHERE (role.permissions | coalesce(everyone.permissions, 0)) & ~3211264::bigint <> 0
 ORDER BY (role.permissions | coalesce(everyone.permissions, 0)) & 3 = 0, member.id
 LIMIT 1001
$chosen$;
  END IF;
  IF to_regclass('public.account_deletion_requests') IS NOT NULL THEN
    deletion_requested := $deletion$
EXISTS (SELECT FROM public.account_deletion_requests AS request
         WHERE request.account_id = person.account_id)
$deletion$;
  END IF;
  RETURN QUERY EXECUTE format($query$
SELECT staff.id,
       staff.role_id,
       staff.role,
       staff.permissions,
       staff.everyone_permissions,
       person.admin,
       person.email,
       person.locale,
       person.settings,
       person.confirmed,
       person.approved,
       person.disabled,
       account.username AS name,
       account.suspended,
       account.memorial,
       account.being_deleted OR %2$s AS being_deleted
  FROM (%1$s) AS staff
 CROSS JOIN (SELECT false AS admin, NULL::text AS locale, NULL::text AS settings,
                    'missing' AS confirmed_at, true AS approved, false AS disabled,
                    NULL::text AS suspended_at, false AS memorial, NULL::text AS requested_deletion_at) AS missing
 CROSS JOIN LATERAL (SELECT found.account_id,
                            left(found.email, 1000) AS email,
                            left(locale, 1000) AS locale,
                            left(settings, 65537) AS settings,
                            admin,
                            confirmed_at IS NOT NULL AS confirmed,
                            approved,
                            disabled
                       FROM public.users AS found
                      WHERE found.id = staff.id
                     OFFSET 0) AS person
 CROSS JOIN LATERAL (SELECT left(found.username, 1000) AS username,
                            suspended_at IS NOT NULL AS suspended,
                            memorial,
                            requested_deletion_at IS NOT NULL AS being_deleted
                       FROM public.accounts AS found
                      WHERE found.id = person.account_id
                     OFFSET 0) AS account
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
