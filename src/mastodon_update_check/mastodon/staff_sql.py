"""The questions that Mastodon's database is asked, and the function that asks the same with fewer rights.

One source of truth: `staff_query` puts the pieces together for a connection that may read the tables, and
`mastodon_update_check.staff()` (packaging/postgresql) holds the same pieces and puts them together in the same way.

How it is written, and why:

- Columns are taken by name out of whole rows turned into JSON: a column that this schema lacks is absent, one that a
  later Mastodon adds is there, and no migration has to ask us first.
- Staff are those whose role grants anything beyond inviting and reading public feeds: nobody else's row is looked at.
- `LATERAL … OFFSET 0` keeps the planner from any way but one look into `index_users_on_role_id` for each such role
  (the index covers only users with a role, hence `IS NOT NULL`).
- Who can view DevOps comes first, then by id, so that the bound always cuts the same people off.
- Every name is qualified: the function runs with the rights of the tables' owner.
"""

from dataclasses import dataclass
from typing import Final

STAFF_ROWS: Final = 1000
"""How many members of staff are looked at."""
FUNCTION_QUERY: Final = "SELECT mastodon_update_check.staff()"

BY_ROLE: Final = """\
SELECT staff.person,
       jsonb_build_object('id', role.id, 'name', left(role.name, 1000), 'permissions', role.permissions) AS role,
       everyone.permissions AS everyone_permissions
  FROM (SELECT coalesce(bit_or(permissions), 0) AS permissions FROM public.user_roles WHERE id = -99) AS everyone
  JOIN public.user_roles AS role
    ON CASE role.id WHEN -99 THEN role.permissions ELSE role.permissions | everyone.permissions END
       & ~3211264::bigint <> 0
 CROSS JOIN LATERAL (SELECT person
                       FROM public.users AS person
                      WHERE person.role_id = role.id AND person.role_id IS NOT NULL
                     OFFSET 0) AS staff
 ORDER BY (role.permissions | everyone.permissions) & 3 = 0, (staff.person).id
 LIMIT 1001"""
"""Mastodon 4.0 and newer: users whose role makes them staff (MASTODON.md, 6.1 and 6.2).

-99 is the everyone role; 3 is administrator | view_devops; 3211264 is what many ordinary members may: invite_users |
view_feeds | invite_bypass_approval. One row more than `STAFF_ROWS` tells that there are more.
"""

BY_ADMIN: Final = """\
SELECT person, NULL::jsonb AS role, 0::bigint AS everyone_permissions
  FROM public.users AS person
 WHERE person.admin
 ORDER BY person.id
 LIMIT 1001"""
"""Before 4.0: administrators."""

DELETION_REQUESTED: Final = """\
EXISTS (SELECT FROM public.account_deletion_requests AS request
         WHERE request.account_id = (chosen.person).account_id)"""
"""Where that table exists; elsewhere `false`."""

# `%1$s` and `%2$s` are those of PostgreSQL's `format`, which the function uses.
ROW: Final = """\
SELECT jsonb_build_object(
         'user', (SELECT jsonb_object_agg(key, CASE jsonb_typeof(value) WHEN 'string'
                           THEN to_jsonb(left(value #>> '{}', CASE key WHEN 'settings' THEN 65537 ELSE 1000 END))
                           ELSE value END)
                    FROM jsonb_each(to_jsonb(chosen.person))
                   WHERE key IN ('id', 'email', 'locale', 'settings', 'admin',
                                 'confirmed_at', 'approved', 'disabled')),
         'account', (SELECT jsonb_object_agg(key, value)
                       FROM public.accounts AS account, jsonb_each(to_jsonb(account))
                      WHERE account.id = (chosen.person).account_id
                        AND key IN ('username', 'suspended_at', 'memorial', 'requested_deletion_at')),
         'role', chosen.role,
         'everyone_permissions', chosen.everyone_permissions,
         'deletion_requested', %2$s)
  FROM (%1$s) AS chosen"""
"""One JSON object for each member of staff."""

SCHEMA_QUERY: Final = """\
SELECT users.oid IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_class
                                          WHERE relname = 'accounts' AND relnamespace = users.relnamespace),
       EXISTS (SELECT FROM pg_catalog.pg_class
                WHERE relname = 'user_roles' AND relnamespace = users.relnamespace)
         AND EXISTS (SELECT FROM pg_catalog.pg_attribute
                      WHERE attrelid = users.oid AND attname = 'role_id' AND NOT attisdropped),
       EXISTS (SELECT FROM pg_catalog.pg_attribute
                WHERE attrelid = users.oid AND attname = 'admin' AND NOT attisdropped),
       EXISTS (SELECT FROM pg_catalog.pg_class
                WHERE relname = 'account_deletion_requests' AND relnamespace = users.relnamespace),
       EXISTS (SELECT FROM pg_catalog.pg_proc AS function
                 JOIN pg_catalog.pg_namespace AS home ON home.oid = function.pronamespace
                 JOIN pg_catalog.pg_roles AS owner ON owner.oid = function.proowner
                WHERE home.nspname = 'mastodon_update_check' AND function.proname = 'staff' AND function.pronargs = 0
                  AND function.prosecdef AND (owner.rolsuper OR owner.oid = users.relowner)
                  AND has_schema_privilege(home.oid, 'USAGE') AND has_function_privilege(function.oid, 'EXECUTE')),
       coalesce(has_any_column_privilege(users.oid, 'UPDATE'), false)
  FROM (SELECT) AS once
  LEFT JOIN pg_catalog.pg_class AS users
    ON users.relname = 'users' AND users.relkind IN ('r', 'p')
       AND users.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public')"""
"""The fields of `Schema`, in their order, from the catalogue, which everybody may read."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What the database at hand offers."""

    has_users: bool
    """Whether it has Mastodon's tables at all."""
    has_roles: bool
    """Since 4.0."""
    has_admins: bool
    """Before 4.0."""
    has_deletion_requests: bool
    has_function: bool
    """Whether our function is there and may be executed. One that would run with the caller's rights, or belongs to
    neither the tables' owner nor a superuser, is not ours."""
    may_write: bool
    """Whether this login may change users."""


def staff_query(schema: Schema) -> str:
    """Return the query for staff, one JSON object a row, that fits this schema."""
    chosen = BY_ROLE if schema.has_roles else BY_ADMIN
    deletion = DELETION_REQUESTED if schema.has_deletion_requests else "false"
    return ROW.replace("%1$s", chosen).replace("%2$s", deletion)
