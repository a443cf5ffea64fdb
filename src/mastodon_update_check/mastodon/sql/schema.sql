-- Properties of this database, from the catalogue, which every role may read. A function of ours is used only if it runs
-- with the rights of the tables' owner or of a superuser, as install.sql makes it.
SELECT pg_catalog.json_build_object(
  'has_users', to_regclass('public.users') IS NOT NULL AND to_regclass('public.accounts') IS NOT NULL,
  'has_roles', to_regclass('public.user_roles') IS NOT NULL,
  'has_deletion_requests', to_regclass('public.account_deletion_requests') IS NOT NULL,
  'may_write', coalesce(has_table_privilege(to_regclass('public.users'), 'UPDATE'), false),
  'server_version', current_setting('server_version'),
  'functions', coalesce((
    SELECT json_agg(function.proname)
      FROM pg_catalog.pg_proc AS function
      JOIN pg_catalog.pg_roles AS owner ON owner.oid = function.proowner
     WHERE function.pronamespace = to_regnamespace('mastodon_update_check')
       AND function.proname IN ('staff', 'migrations')
       AND function.pronargs = 0
       AND function.prosecdef
       AND has_schema_privilege(function.pronamespace, 'USAGE')
       AND has_function_privilege(function.oid, 'EXECUTE')
       AND (owner.rolsuper OR owner.oid = (SELECT relowner FROM pg_catalog.pg_class
                                            WHERE oid = to_regclass('public.users')))
  ), '[]'))::text
