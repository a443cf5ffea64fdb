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
-- Three connections are one for the daemon, one for a command, one to spare.
ALTER ROLE _mastodon_update_check LOGIN NOINHERIT CONNECTION LIMIT 3;
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
CREATE OR REPLACE FUNCTION mastodon_update_check.staff() RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  chosen text := $chosen$
SELECT person, person.account_id, NULL::jsonb AS role, 0::bigint AS everyone_permissions
  FROM public.users AS person
 WHERE person.admin
 ORDER BY person.id
 LIMIT 1001
$chosen$;
  deletion_requested text := 'false';
BEGIN
  -- Mastodon 4.0 and newer have roles.
  IF to_regclass('public.user_roles') IS NOT NULL THEN
    chosen := $chosen$
SELECT staff.person, staff.account_id,
       jsonb_build_object('id', role.id, 'name', left(role.name, 1000), 'permissions', role.permissions) AS role,
       everyone.permissions AS everyone_permissions
  FROM (SELECT coalesce(max(permissions), 0) AS permissions FROM public.user_roles WHERE id = -99) AS everyone
  JOIN public.user_roles AS role
    ON CASE role.id WHEN -99 THEN role.permissions ELSE role.permissions | everyone.permissions END
       & ~3211264::bigint <> 0
 CROSS JOIN LATERAL (SELECT person, person.id, person.account_id
                       FROM public.users AS person
                      WHERE person.role_id = role.id AND person.role_id IS NOT NULL
                     OFFSET 0) AS staff
 ORDER BY (role.permissions | everyone.permissions) & 3 = 0, staff.id
 LIMIT 1001
$chosen$;
  END IF;
  IF to_regclass('public.account_deletion_requests') IS NOT NULL THEN
    deletion_requested := $deletion$
EXISTS (SELECT FROM public.account_deletion_requests AS request
         WHERE request.account_id = chosen.account_id)
$deletion$;
  END IF;
  RETURN QUERY EXECUTE format($query$
SELECT jsonb_build_object(
         'user', jsonb_build_object(
           'id', person -> 'id',
           'email', left(person ->> 'email', 1000),
           'locale', left(person ->> 'locale', 1000),
           'settings', left(person ->> 'settings', 65537),
           'admin', person -> 'admin',
           'confirmed_at', coalesce(person -> 'confirmed_at', 'true'),
           'approved', coalesce(person -> 'approved', 'true'),
           'disabled', person -> 'disabled'),
         'account', jsonb_build_object(
           'username', left(account ->> 'username', 1000),
           'suspended_at', account -> 'suspended_at',
           'requested_deletion_at', account -> 'requested_deletion_at',
           'memorial', account -> 'memorial'),
         'role', role,
         'everyone_permissions', everyone_permissions,
         'deletion_requested', deletion_requested)
  FROM (SELECT to_jsonb(chosen.person) AS person,
               (SELECT to_jsonb(account) FROM public.accounts AS account
                 WHERE account.id = chosen.account_id) AS account,
               chosen.role,
               chosen.everyone_permissions,
               %2$s AS deletion_requested
          FROM (%1$s) AS chosen
        OFFSET 0) AS staff
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
