-- Gives mastodon-update-check what it needs of Mastodon's database, and nothing else: the members of staff, and the
-- versions of the migrations that have run.
--
-- Run it in Mastodon's database, as a superuser or as a role that may create roles and is a member of the role that
-- owns the tables; run it again after an update of mastodon-update-check. It can be repeated. With the names that your
-- database has, behind `mastodon-update-check setup --print-sql |`:
--
-- on this host:     runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -d mastodon_production
-- docker compose:   docker compose exec -T db psql -X -v ON_ERROR_STOP=1 -U postgres -d mastodon_production
-- on another host:  psql -X -v ON_ERROR_STOP=1 -h db.example -p 5432 -U ADMINISTRATOR -d mastodon_production
--
-- The role has no password: it logs in over the socket, as the system user of the same name ("peer" in pg_hba.conf,
-- the default of the packages). Where it has to log in over TCP, give it one (psql: \password _mastodon_update_check), and
-- put into config.env:
--
-- UPDATE_CHECK_DATABASE_URL='host=db.example port=5432 dbname=mastodon_production user=_mastodon_update_check password=…'

-- All or nothing: other roles may not execute the functions at any time.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

DO $do$
BEGIN
  IF to_regclass('public.users') IS NULL OR to_regclass('public.accounts') IS NULL THEN
    RAISE EXCEPTION 'the database % is not Mastodon''s: name Mastodon''s with -d', current_database();
  END IF;

  -- A role belongs to the whole server: another Mastodon on it may have made it already.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '_mastodon_update_check') THEN
    CREATE ROLE _mastodon_update_check;
  ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = '_mastodon_update_check'
                AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)) THEN
    RAISE EXCEPTION 'the role _mastodon_update_check exists and has rights that it does not need: drop it first';
  END IF;

  -- Needed only where CONNECT was revoked from PUBLIC.
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO _mastodon_update_check', current_database());
END
$do$;

-- NOINHERIT: a membership in another role would not give it that role's rights.
-- Ten connections: one for the daemon, a few for commands, and some that the server has not ended yet.
ALTER ROLE _mastodon_update_check LOGIN NOINHERIT CONNECTION LIMIT 10;
-- Defence in depth: the program asks in a read-only transaction with limits of its own.
ALTER ROLE _mastodon_update_check SET default_transaction_read_only = on;
ALTER ROLE _mastodon_update_check SET statement_timeout = '5s';
ALTER ROLE _mastodon_update_check SET lock_timeout = '3s';
ALTER ROLE _mastodon_update_check SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE _mastodon_update_check SET search_path = pg_catalog;

-- A schema of its own, separate from Mastodon's migrations and from `pg_dump -n public`.
CREATE SCHEMA IF NOT EXISTS mastodon_update_check;
REVOKE ALL ON SCHEMA mastodon_update_check FROM PUBLIC;
GRANT USAGE ON SCHEMA mastodon_update_check TO _mastodon_update_check;

-- The functions are SECURITY DEFINER: they read with their owner's rights, so that the role needs none on any table.
-- They take no argument, and the search path is fixed, so that no name can be redirected.
-- plpgsql and EXECUTE: the query is parsed when it runs. Nothing depends on Mastodon's tables, no migration is blocked,
-- and new columns are found without running this script again.
--
-- A login that may read the tables runs the same queries: the program takes the quoted texts from this file.
DROP FUNCTION IF EXISTS mastodon_update_check.staff();
CREATE FUNCTION mastodon_update_check.staff()
RETURNS TABLE (id bigint, role_id bigint, role text, permissions bigint, everyone_permissions bigint, admin boolean,
               email text, locale text, settings text, confirmed boolean, approved boolean, disabled boolean,
               name text, suspended boolean, memorial boolean, being_deleted boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  -- Before Mastodon 4.0: administrators.
  chosen text := $by_admin$
SELECT found.id,
       NULL::bigint AS role_id,
       'admin' AS role,
       0::bigint AS permissions,
       0::bigint AS everyone_permissions
  FROM public.users AS found
 WHERE found.admin
 ORDER BY found.id
 LIMIT 1001
$by_admin$;
  -- Mastodon 4.0 and newer: users whose role grants more than 3211264, which many ordinary members may do:
  -- invite_users, view_feeds, invite_bypass_approval. -99 is the everyone role, whose bits every role has. Its
  -- administrator bit (1) counts until Mastodon 4.5; 4.6, which added require_2fa, looks at a role's own.
  -- 3 is administrator and view_devops: those users come first, so that the limit always drops the same users.
  -- LATERAL and OFFSET 0 force one index lookup for each row; the index covers only users with a role.
  by_role text := $by_role$
SELECT member.id,
       role.id AS role_id,
       left(role.name, 100) AS role,
       role.permissions,
       everyone.permissions AS everyone_permissions
  FROM public.user_roles AS role
 CROSS JOIN (SELECT coalesce(max(permissions), 0)
                    & CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute
                                         WHERE attrelid = to_regclass('public.user_roles')
                                           AND attname = 'require_2fa' AND NOT attisdropped)
                           THEN ~1::bigint ELSE ~0::bigint END AS permissions
               FROM public.user_roles WHERE id = -99) AS everyone
 CROSS JOIN LATERAL (SELECT found.id
                       FROM public.users AS found
                      WHERE found.role_id = role.id AND found.role_id IS NOT NULL
                     OFFSET 0) AS member
 WHERE (role.permissions | everyone.permissions) & ~3211264::bigint <> 0
 ORDER BY (role.permissions | everyone.permissions) & 3 = 0, member.id
 LIMIT 1001
$by_role$;
  -- Mastodon has this table until 4.6.
  deletion_requested text := $deletion_requested$
EXISTS (SELECT FROM public.account_deletion_requests AS request
         WHERE request.account_id = person.account_id)
$deletion_requested$;
  -- One row for each member of staff. A column that this version of Mastodon lacks is taken from `missing`: unqualified
  -- names belong to the innermost query's table, or else to an outer one. Of the settings (a flat JSON object, or
  -- text that anything has damaged) only two members are returned. Every text is cut, and so is the number of rows.
  staff text := $staff$
SELECT staff.id,
       staff.role_id,
       staff.role,
       staff.permissions,
       staff.everyone_permissions,
       person.admin,
       person.email,
       person.locale,
       CASE WHEN left(person.settings, 1) = '{' AND right(person.settings, 1) = '}'
            THEN '{' || concat_ws(',',
                   substring(substr(person.settings, strpos(person.settings, '"notification_emails.software_updates"'), 99)
                             FROM '^"notification\S+"\s*:\s*(?:"(?:[^"\\]|\\.){0,40}"|[^,}]{1,40})'),
                   substring(substr(person.settings, strpos(person.settings, '"notification_emails.end_of_support"'), 99)
                             FROM '^"notification\S+"\s*:\s*(?:"(?:[^"\\]|\\.){0,40}"|[^,}]{1,40})')) || '}'
            ELSE left(person.settings, 40) END AS settings,
       person.confirmed,
       person.approved,
       person.disabled,
       account.username AS name,
       account.suspended,
       account.memorial,
       account.being_deleted OR @deletion_requested@ AS being_deleted
  FROM (@chosen@) AS staff
 CROSS JOIN (SELECT false AS admin, NULL::text AS locale, NULL::text AS settings,
                    'missing' AS confirmed_at, true AS approved, false AS disabled,
                    NULL::text AS suspended_at, false AS memorial, NULL::text AS requested_deletion_at) AS missing
 CROSS JOIN LATERAL (SELECT found.account_id,
                            left(found.email, 400) AS email,
                            left(locale, 40) AS locale,
                            btrim(left(settings::text, 65536), E' \t\r\n') AS settings,
                            admin,
                            confirmed_at IS NOT NULL AS confirmed,
                            approved,
                            disabled
                       FROM public.users AS found
                      WHERE found.id = staff.id
                     OFFSET 0) AS person
 CROSS JOIN LATERAL (SELECT left(found.username, 100) AS username,
                            suspended_at IS NOT NULL AS suspended,
                            memorial,
                            requested_deletion_at IS NOT NULL AS being_deleted
                       FROM public.accounts AS found
                      WHERE found.id = person.account_id
                     OFFSET 0) AS account
 LIMIT 1001
$staff$;
BEGIN
  IF to_regclass('public.user_roles') IS NOT NULL THEN
    chosen := by_role;
  END IF;
  IF to_regclass('public.account_deletion_requests') IS NULL THEN
    deletion_requested := 'false';
  END IF;
  RETURN QUERY EXECUTE replace(replace(staff, '@chosen@', chosen), '@deletion_requested@', deletion_requested);
END
$function$;

-- The versions of the newest 10,000 migrations that have run, and nothing else: is an upgrade finished?
CREATE OR REPLACE FUNCTION mastodon_update_check.migrations()
RETURNS TABLE (version text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
  RETURN QUERY EXECUTE $migrations$
SELECT left(found.version, 14) AS version
  FROM public.schema_migrations AS found
 WHERE found.version ~ '^[0-9]{14}$'
 ORDER BY found.version DESC
 LIMIT 10000
$migrations$;
END
$function$;

-- New functions may be executed by everybody; these by our role alone.
REVOKE ALL ON FUNCTION mastodon_update_check.staff(), mastodon_update_check.migrations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mastodon_update_check.staff(), mastodon_update_check.migrations() TO _mastodon_update_check;

-- They belong to the owner of the tables, who may read them anyway. Rights of a superuser are not lent out: the owner of
-- the database could replace the tables by views, whose functions would run with them. A role that is not a superuser can
-- hand them over only while the new owner has CREATE.
DO $do$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('public.users'));
BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = owner)
     AND NOT (SELECT rolsuper FROM pg_roles JOIN pg_database ON datdba = pg_roles.oid WHERE datname = current_database())
  THEN
    RAISE EXCEPTION 'the tables belong to the superuser %, and the database to another role: give them to Mastodon''s role, '
      'for example with REASSIGN OWNED or ALTER TABLE … OWNER TO', owner;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA mastodon_update_check TO %I', owner);
  EXECUTE format('ALTER FUNCTION mastodon_update_check.staff() OWNER TO %I', owner);
  EXECUTE format('ALTER FUNCTION mastodon_update_check.migrations() OWNER TO %I', owner);
  EXECUTE format('REVOKE CREATE ON SCHEMA mastodon_update_check FROM %I', owner);
END
$do$;

COMMENT ON FUNCTION mastodon_update_check.staff() IS
  'Users whose role makes them staff, for mastodon-update-check; nothing about other users.';
COMMENT ON FUNCTION mastodon_update_check.migrations() IS
  'Versions of the migrations that have run, for mastodon-update-check.';
COMMIT;
