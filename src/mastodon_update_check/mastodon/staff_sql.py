"""The questions that Mastodon's database is asked, and the function that asks the same with fewer rights.

One source of truth: `staff_query` puts the pieces together for a connection that may read the tables, and
`mastodon_update_check.staff()` (packaging/postgresql) holds the same pieces and puts them together in the same way.

How it is written, and why:

- Columns are taken by name out of whole rows turned into JSON: one that this schema lacks is null, one that a later
  Mastodon adds is there, and no migration has to ask us first.
- A column that is missing speaks against nobody: `coalesce` where null would.
- Staff are those whose role grants anything beyond inviting and reading public feeds: nobody else's row is looked at.
- `LATERAL … OFFSET 0` keeps the planner from any way but one look into `index_users_on_role_id` for each such role
  (the index covers only users with a role, hence `IS NOT NULL`). `OFFSET 0` in `ROW` has it make JSON once a user.
- Who can view DevOps comes first, then by id, so that the bound always cuts the same people off.
- Every name is qualified: the function runs with the rights of the tables' owner.
"""

from dataclasses import dataclass
from typing import Final

STAFF_ROWS: Final = 1000
"""How many members of staff are looked at."""
FUNCTION_QUERY: Final = "SELECT mastodon_update_check.staff()"

BY_ROLE: Final = """\
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
 LIMIT 1001"""
"""Mastodon 4.0 and newer: users whose role makes them staff (MASTODON.md, 6.1 and 6.2).

-99 is the everyone role; 3 is administrator | view_devops; 3211264 is what many ordinary members may: invite_users |
view_feeds | invite_bypass_approval. One row more than `STAFF_ROWS` tells that there are more.
"""

BY_ADMIN: Final = """\
SELECT person, person.account_id, NULL::jsonb AS role, 0::bigint AS everyone_permissions
  FROM public.users AS person
 WHERE person.admin
 ORDER BY person.id
 LIMIT 1001"""
"""Before 4.0: administrators."""

DELETION_REQUESTED: Final = """\
EXISTS (SELECT FROM public.account_deletion_requests AS request
         WHERE request.account_id = chosen.account_id)"""
"""Where that table exists; elsewhere `false`."""

# `%1$s` and `%2$s` are those of PostgreSQL's `format`, which the function uses.
ROW: Final = """\
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
        OFFSET 0) AS staff"""
"""One JSON object for each member of staff."""

SCHEMA_QUERY: Final = """\
SELECT to_regclass('public.users') IS NOT NULL AND to_regclass('public.accounts') IS NOT NULL,
       to_regclass('public.user_roles') IS NOT NULL,
       to_regclass('public.account_deletion_requests') IS NOT NULL,
       CASE WHEN has_schema_privilege(to_regnamespace('mastodon_update_check'), 'USAGE')
            THEN to_regprocedure('mastodon_update_check.staff()')::oid END,
       coalesce(has_table_privilege(to_regclass('public.users'), 'UPDATE'), false)"""
"""The fields of `Schema`, in their order: what the catalogue says, which everybody may read."""

FUNCTION_IS_OURS: Final = """\
SELECT function.prosecdef
       AND pg_catalog.has_function_privilege(function.oid, 'EXECUTE')
       AND (owner.rolsuper
            OR owner.oid = (SELECT relowner FROM pg_catalog.pg_class WHERE oid = to_regclass('public.users')))
  FROM pg_catalog.pg_proc AS function
  JOIN pg_catalog.pg_roles AS owner ON owner.oid = function.proowner
 WHERE function.oid = %s"""
"""Whether a function of that name may be used: one that would run with the caller's rights, or belongs to neither the
tables' owner nor a superuser, is not what `packaging/postgresql` makes."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What the database at hand offers."""

    has_users: bool
    """Whether it has Mastodon's tables at all."""
    has_roles: bool
    """Since 4.0; before, users have a column `admin`."""
    has_deletion_requests: bool
    function: int | None
    """A function of our name."""
    may_write: bool
    """Whether this login may change users."""


def staff_query(schema: Schema) -> str:
    """Return the query for staff, one JSON object a row, that fits this schema."""
    chosen = BY_ROLE if schema.has_roles else BY_ADMIN
    deletion = DELETION_REQUESTED if schema.has_deletion_requests else "false"
    return ROW.replace("%1$s", chosen).replace("%2$s", deletion)
