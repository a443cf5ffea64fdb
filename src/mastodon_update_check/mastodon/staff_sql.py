"""The questions that Mastodon's database is asked, and the function that asks the same with fewer rights.

One source of truth: `staff_query` puts the pieces together for a connection that may read the tables, and
`mastodon_update_check.staff()` (packaging/postgresql) holds the same pieces and puts them together in the same way.

How it is written, and why:

- A column that this schema lacks is taken from `missing`: unqualified names are looked for in the innermost query's
  table first, and only then outside. So a column that a later Mastodon adds is there by itself, and only the columns
  that are named need be readable. A column that is missing speaks against nobody.
- Staff are those whose role grants anything beyond inviting and reading public feeds: nobody else's row is looked at.
- `LATERAL … OFFSET 0` keeps the planner from any way but one look into an index for each row on its left: that on
  `users.role_id` covers only users with a role, hence `IS NOT NULL`.
- Who can view DevOps comes first, then by id, so that the bound always cuts the same people off.
- Every table is qualified: the function runs with the rights of the tables' owner.
"""

from dataclasses import dataclass
from typing import Final

STAFF_ROWS: Final = 1000
"""How many members of staff are looked at."""
FUNCTION_QUERY: Final = "SELECT * FROM mastodon_update_check.staff()"

BY_ROLE: Final = """\
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
 LIMIT 1001"""
"""Mastodon 4.0 and newer: users whose role makes them staff (MASTODON.md, 6.1 and 6.2).

-99 is the everyone role; 3 is administrator | view_devops; 3211264 is what many ordinary members may: invite_users |
view_feeds | invite_bypass_approval. One row more than `STAFF_ROWS` tells that there are more.
"""

BY_ADMIN: Final = """\
SELECT found.id,
       NULL::bigint AS role_id,
       'admin' AS role,
       0::bigint AS permissions,
       0::bigint AS everyone_permissions
  FROM public.users AS found
 WHERE found.admin
 ORDER BY found.id
 LIMIT 1001"""
"""Before 4.0: administrators."""

DELETION_REQUESTED: Final = """\
EXISTS (SELECT FROM public.account_deletion_requests AS request
         WHERE request.account_id = person.account_id)"""
"""Where that table exists; elsewhere `false`."""

# `%1$s` and `%2$s` are those of PostgreSQL's `format`, which the function uses.
ROW: Final = """\
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
                     OFFSET 0) AS account"""
"""One row for each member of staff."""

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
    """Return the query for staff that fits this schema."""
    chosen = BY_ROLE if schema.has_roles else BY_ADMIN
    deletion = DELETION_REQUESTED if schema.has_deletion_requests else "false"
    return ROW.replace("%1$s", chosen).replace("%2$s", deletion)
