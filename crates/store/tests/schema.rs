//! The schemas of the two engines are one: after all migrations, every table, column, key and index of one is in the other, but for the short list
//! of differences that are meant.

use std::collections::BTreeSet;

use store::Db;
use testkit::database;

/// A schema, one line for each thing in it.
type Schema = BTreeSet<String>;

/// What one engine has and the other has not, and is meant to. Everything else in which they differ is a mistake of a migration.
///
/// Levelled out where the schemas are read, as the languages differ there: the names of types, identity columns (SQLite counts its INTEGER PRIMARY
/// KEY up by itself), the names of the indexes behind keys, whether a primary key says NOT NULL, collations (SQLite's is byte by byte anyway), and
/// the tables that an engine or the migrations keep for themselves.
const MEANT: &[&str] = &[];

const SQLITE_COLUMNS: &str = r#"SELECT m.name, c.name, upper(c.type), c."notnull" <> 0 OR c.pk > 0, c.dflt_value
    FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND m.name <> '_sqlx_migrations'"#;
const POSTGRES_COLUMNS: &str =
    "SELECT table_name::text, column_name::text, upper(data_type::text), is_nullable = 'NO', column_default::text
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";

const SQLITE_PRIMARY: &str = "SELECT m.name, group_concat(c.name, ', ' ORDER BY c.pk)
    FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND c.pk > 0 AND m.name <> '_sqlx_migrations' GROUP BY m.name";
const POSTGRES_PRIMARY: &str = "SELECT k.conrelid::regclass::text, string_agg(a.attname::text, ', ' ORDER BY p.n)
    FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY p (number, n)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number
    WHERE k.contype = 'p' AND k.connamespace = 'public'::regnamespace AND k.conrelid <> '_sqlx_migrations'::regclass GROUP BY k.oid, k.conrelid";

/// Table, name, whether unique, whether a constraint of the table made it, its columns, and the statement with its condition.
const SQLITE_INDEXES: &str = r#"SELECT m.name, l.name, l."unique" <> 0, l.origin = 'u', (
            SELECT group_concat(coalesce(x.name, '(expression)') || CASE WHEN x."desc" THEN ' desc' ELSE '' END, ', ' ORDER BY x.seqno)
            FROM pragma_index_xinfo(l.name) x WHERE x.key),
        CASE WHEN l.partial THEN (SELECT i.sql FROM sqlite_master i WHERE i.type = 'index' AND i.name = l.name) END
    FROM sqlite_master m JOIN pragma_index_list(m.name) l WHERE m.type = 'table' AND l.origin <> 'pk' AND m.name <> '_sqlx_migrations'"#;
const POSTGRES_INDEXES: &str =
    "SELECT x.indrelid::regclass::text, x.indexrelid::regclass::text, x.indisunique, EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype = 'u'), (
            SELECT string_agg(CASE WHEN x.indkey[n - 1] = 0 THEN '(expression)' ELSE pg_get_indexdef(x.indexrelid, n, true) END
                || CASE WHEN x.indoption[n - 1] & 1 = 1 THEN ' desc' ELSE '' END, ', ' ORDER BY n)
            FROM generate_series(1, x.indnkeyatts::int) n),
        'WHERE ' || pg_get_expr(x.indpred, x.indrelid)
    FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = 'public'::regnamespace AND NOT x.indisprimary AND t.relname <> '_sqlx_migrations'";

/// Table, column, the table and column that it names, and what becomes of it when that goes.
const SQLITE_REFERENCES: &str = r#"SELECT m.name, f."from", f."table", coalesce(f."to", 'id'), f.on_delete
    FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"#;
const POSTGRES_REFERENCES: &str = "SELECT k.conrelid::regclass::text, a.attname::text, k.confrelid::regclass::text, b.attname::text,
        CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END
    FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) p (mine, theirs)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.mine JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.theirs
    WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace";

/// Reads rows of a statement from whichever database is there.
macro_rules! rows {
    ($db:expr, $sqlite:expr, $postgres:expr) => {
        match $db {
            Db::Sqlite { readers, .. } => sqlx::query_as($sqlite).fetch_all(readers).await.expect("SQLite describes itself"),
            Db::Postgres { pool, .. } => sqlx::query_as($postgres).fetch_all(pool).await.expect("PostgreSQL describes itself"),
        }
    };
}

async fn schema(db: &Db) -> Schema {
    let mut found = Schema::new();
    let columns: Vec<(String, String, String, bool, Option<String>)> = rows!(db, SQLITE_COLUMNS, POSTGRES_COLUMNS);
    for (table, name, kind, always, default) in columns {
        let null = if always { "not null" } else { "null" };
        let default = default.map(|text| format!(" default {}", plain(&text))).unwrap_or_default();
        found.insert(format!("table {table}"));
        found.insert(format!("column {table}.{name}: {} {null}{default}", type_of(&kind)));
    }
    let primary: Vec<(String, String)> = rows!(db, SQLITE_PRIMARY, POSTGRES_PRIMARY);
    found.extend(primary.into_iter().map(|(table, columns)| format!("primary key {table} ({columns})")));
    let indexes: Vec<(String, String, bool, bool, String, Option<String>)> = rows!(db, SQLITE_INDEXES, POSTGRES_INDEXES);
    for (table, name, unique, of_a_key, columns, condition) in indexes {
        let kind = if unique { "unique index" } else { "index" };
        let condition = condition.as_deref().and_then(|sql| sql.split_once("WHERE ")).map(|(_, text)| format!(" where {}", plain(text)));
        found.insert(match of_a_key {
            true => format!("unique key {table} ({columns})"),
            false => format!("{kind} {name} on {table} ({columns}){}", condition.unwrap_or_default()),
        });
    }
    let references: Vec<(String, String, String, String, String)> = rows!(db, SQLITE_REFERENCES, POSTGRES_REFERENCES);
    for (table, column, other, theirs, end) in references {
        found.insert(format!("reference {table}.{column} to {other}.{theirs}, {}", end.to_lowercase()));
    }
    found
}

/// One name for what both engines keep alike.
fn type_of(kind: &str) -> &str {
    match kind {
        "INTEGER" | "BIGINT" => "integer",
        "BLOB" | "BYTEA" => "bytes",
        "TEXT" => "text",
        "BOOLEAN" => "boolean",
        other => other,
    }
}

/// An expression without what PostgreSQL adds when it tells it: parentheses and casts.
fn plain(expression: &str) -> String {
    expression.replace("::text", "").replace("::bigint", "").replace(['(', ')'], "").to_lowercase()
}

/// What only one of the two has.
fn apart(sqlite: &Schema, postgres: &Schema) -> Vec<String> {
    let only =
        |name: &str, mine: &Schema, other: &Schema| mine.difference(other).map(|line| format!("only {name}: {line}")).collect::<Vec<_>>();
    [only("SQLite", sqlite, postgres), only("PostgreSQL", postgres, sqlite)].concat()
}

#[tokio::test]
async fn both_engines_have_one_schema() {
    let embedded = database::sqlite().await;
    let sqlite = schema(&embedded.db).await;
    for line in [
        "table project",
        "column project.deleted_at: integer null",
        "column project.name: text not null",
        "column manifest.content: bytes not null",
        "primary key project (id)",
        "primary key artifact_blob (artifact_id, blob_id)",
        "unique key blob (digest)",
        "unique index project_name on project (name) where deleted_at is null",
        "index audit_log_recent on audit_log (op_time desc, id desc)",
        "reference artifact.repository_id to repository.id, no action",
    ] {
        assert!(sqlite.contains(line), "{line} is not read from SQLite:\n{sqlite:#?}");
    }
    let Some(server) = database::postgres().await else { return };
    let postgres = schema(&server.db).await;
    assert_eq!(apart(&sqlite, &postgres), MEANT, "the schemas differ");
    let Db::Postgres { pool, .. } = &server.db else { panic!("PostgreSQL") };
    // Whatever differs is seen.
    for change in [
        "ALTER TABLE project ALTER COLUMN name DROP NOT NULL",
        "ALTER TABLE project ADD COLUMN colour TEXT",
        "DROP INDEX audit_log_recent",
        "ALTER TABLE artifact_label DROP CONSTRAINT artifact_label_pkey",
        "CREATE TABLE cellar (id BIGINT)",
    ] {
        let before = apart(&sqlite, &schema(&server.db).await).len();
        sqlx::query(change).execute(pool).await.expect(change);
        assert!(apart(&sqlite, &schema(&server.db).await).len() > before, "{change} is not seen");
    }
    server.drop_now().await;
}
