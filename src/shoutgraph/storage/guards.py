"""The roles of a database of PostgreSQL, and everything that guards it as one hash: who loosens a guard changes it.

It says the same of a schema on every version that is served, so it names no number of the catalogue and no text that
the server words by itself. Source: docs/adr/0014-postgresql.md.
"""

import functools
import hashlib
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from shoutgraph.domain import errors

OWNER: Final = "shoutgraph_owner"
APP: Final = "shoutgraph_app"
SEQUENCER: Final = "shoutgraph_sequencer"
REPORT: Final = "shoutgraph_report"
ROLES: Final = (OWNER, APP, SEQUENCER, REPORT)
SCHEMAS_MAX: Final = 4
"""How many schemas are remembered with their digest: a process opens the same one again and again."""
TURN: Final = "60s"
"""How long a migration waits for another one to end."""


def digest(raw: "psycopg.Connection[Any]") -> str:
    """SHA-256 over columns, constraints, indexes, triggers, rules, functions, rights and roles."""
    return _hashed(tuple(tuple(tuple(map(str, row)) for row in raw.execute(query).fetchall()) for query in _QUERIES))


@functools.lru_cache(maxsize=SCHEMAS_MAX)
def _hashed(answers: tuple[tuple[tuple[str, ...], ...], ...]) -> str:
    found = hashlib.sha256()
    for rows in answers:
        for row in sorted([" ".join(part.split()) for part in row] for row in rows):
            for part in map(str.encode, row):
                found.update(len(part).to_bytes(4) + part)
        found.update(bytes(4))  # a row of one query is no row of the next
    return found.hexdigest()


def require_role(raw: "psycopg.Connection[Any]", role: str) -> None:
    """Says at once that whoever logs in may not take a role that is needed later.

    Raises:
        StoreUnavailableError: they may not.
    """
    [(user, may)] = raw.execute("SELECT session_user, pg_has_role(session_user, $1, 'MEMBER')", (role,)).fetchall()
    if not may:
        raise errors.StoreUnavailableError(f"cannot open {raw.info.dbname}: {user} may not be {role}", retry_after_s=0)


def prepare_roles(connection: sa.Connection, *, patience: str, lock: int) -> None:
    """Begins a migration: alone, in bounded time, and as the owner of the tables, whose role is made if it is missing.

    The roles are the whole server's: databases beside this one may have made them already.
    """
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{TURN}'"))
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{patience}'"))
    known = set(connection.execute(sa.text("SELECT rolname FROM pg_roles")).scalars())
    for role in ROLES:
        if role not in known:
            connection.execute(sa.text(_MAKE_ROLE.format(role=role)))
    joined = sa.text("SELECT pg_has_role(current_user, :role, 'MEMBER')")
    for role in ROLES:
        if not connection.execute(joined, {"role": role}).scalar():
            connection.execute(sa.text(f"GRANT {role} TO CURRENT_USER"))
    # else anybody could put functions beside ours, which a call might find to fit better
    connection.execute(sa.text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    connection.execute(sa.text(f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}"))
    connection.execute(sa.text(f"GRANT USAGE ON SCHEMA public TO {APP}, {SEQUENCER}, {REPORT}"))
    connection.execute(sa.text(f"SET LOCAL ROLE {OWNER}"))


_MAKE_ROLE: Final = (
    "DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
)


def _who(grantee: str) -> str:
    return f"CASE {grantee} WHEN 0 THEN 'PUBLIC' ELSE {grantee}::regrole::text END"


_ROLE_NAMES: Final = "('" + "', '".join(ROLES) + "')"
_OURS: Final = "n.nspname = 'public' AND c.relname <> 'alembic_version'"
_RELATION: Final = "JOIN pg_class c ON c.oid = {} JOIN pg_namespace n ON n.oid = c.relnamespace"
_NO_EXTENSION: Final = "NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.objid = {} AND x.deptype = 'e')"

_COLUMNS: Final = f"""
SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
    a.attidentity, coalesce(l.collname, ''), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
  FROM pg_attribute a {_RELATION.format("a.attrelid")}
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
  WHERE {_OURS} AND c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped"""  # noqa: S608 - constants

_TABLES: Final = f"""
SELECT c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE {_OURS} AND c.relkind NOT IN ('i', 'I', 't', 'c')"""  # noqa: S608 - constants

_CHILDREN: Final = f"SELECT c.relname FROM pg_inherits i {_RELATION.format('i.inhparent')} WHERE {_OURS}"  # noqa: S608

_CONSTRAINTS: Final = f"""
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
  FROM pg_constraint k {_RELATION.format("k.conrelid")} WHERE {_OURS} AND k.contype <> 'n'"""  # noqa: S608 - constants

_INDEXES: Final = f"""
SELECT i.indexrelid::regclass, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisunique, i.indimmediate
  FROM pg_index i {_RELATION.format("i.indrelid")} WHERE {_OURS}"""  # noqa: S608 - constants

_TRIGGERS: Final = f"""
SELECT c.relname, CASE WHEN t.tgisinternal THEN coalesce(k.conname, '') ELSE t.tgname END, t.tgenabled, t.tgtype,
    t.tgdeferrable, t.tginitdeferred, p.proname, t.tgattr, t.tgargs, t.tgisinternal,
    CASE WHEN t.tgisinternal THEN '' ELSE regexp_replace(pg_get_triggerdef(t.oid), '^.*? ON ', '') END
  FROM pg_trigger t {_RELATION.format("t.tgrelid")} JOIN pg_proc p ON p.oid = t.tgfoid
    LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
  WHERE {_OURS}"""  # noqa: S608 - constants

_RULES: Final = f"""
SELECT c.relname, r.rulename, r.ev_type, r.ev_enabled, r.is_instead
  FROM pg_rewrite r {_RELATION.format("r.ev_class")} WHERE {_OURS}"""  # noqa: S608 - constants

_POLICIES: Final = f"SELECT c.relname, y.polname FROM pg_policy y {_RELATION.format('y.polrelid')} WHERE {_OURS}"  # noqa: S608

_FUNCTIONS: Final = f"""
SELECT p.proname, pg_get_function_identity_arguments(p.oid), p.prosrc, p.prosecdef, p.proconfig, p.provolatile,
    p.proisstrict, l.lanname, p.proowner::regrole
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  WHERE n.nspname = 'public' AND {_NO_EXTENSION.format("p.oid")}"""  # noqa: S608 - constants

_OPERATORS: Final = f"""
SELECT o.oprname, o.oprcode FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  WHERE n.nspname = 'public' AND {_NO_EXTENSION.format("o.oid")}"""  # noqa: S608 - constants

_RIGHTS: Final = f"""
SELECT c.relname, {_who("g.grantee")}, g.privilege_type, g.is_grantable
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) g
  WHERE {_OURS} AND g.grantee <> c.relowner
UNION ALL SELECT c.relname || '.' || a.attname, {_who("g.grantee")}, g.privilege_type, g.is_grantable
  FROM pg_attribute a {_RELATION.format("a.attrelid")}, aclexplode(a.attacl) g
  WHERE {_OURS} AND g.grantee <> c.relowner
UNION ALL SELECT p.proname, {_who("g.grantee")}, g.privilege_type, g.is_grantable
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
    aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
  WHERE n.nspname = 'public' AND g.grantee <> p.proowner AND {_NO_EXTENSION.format("p.oid")}
UNION ALL SELECT n.nspname, {_who("g.grantee")}, g.privilege_type, g.is_grantable
  FROM pg_namespace n, aclexplode(n.nspacl) g
  WHERE n.nspname = 'public' AND g.grantee <> n.nspowner AND g.privilege_type = 'CREATE'"""  # noqa: S608 - constants

_ROLES: Final = f"""
SELECT rolname::text, rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication FROM pg_roles
  WHERE rolname IN {_ROLE_NAMES}
UNION ALL SELECT m.roleid::regrole || ' of ' || m.member::regrole, true FROM pg_auth_members m
  JOIN pg_roles r ON r.oid = m.member WHERE r.rolname IN {_ROLE_NAMES}"""  # noqa: S608 - constants

_QUERIES: Final = (
    *(_COLUMNS, _TABLES, _CHILDREN, _CONSTRAINTS, _INDEXES, _TRIGGERS, _RULES, _POLICIES, _FUNCTIONS, _OPERATORS),
    *(_RIGHTS, _ROLES),
)
