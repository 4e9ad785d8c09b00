//! The short list of fragments in which the two engines differ. Everything else is one text for both.

/// Which database is behind a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded database.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    /// `column` contains the pattern `placeholder` in any case; the pattern comes from [`contains`].
    pub(crate) fn like_any_case(self, column: &str, placeholder: &str) -> String {
        match self {
            Self::Sqlite => format!("{column} LIKE {placeholder} ESCAPE '\\'"),
            Self::Postgres => format!("{column} ILIKE {placeholder} ESCAPE '\\'"),
        }
    }

    /// `column` contains the text `placeholder`, upper and lower case apart.
    pub(crate) fn contains_exact(self, column: &str, placeholder: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({column}, {placeholder}) > 0"),
            Self::Postgres => format!("strpos({column}, {placeholder}) > 0"),
        }
    }

    /// Keeps the rows that a SELECT of a transaction finds in `table` from being deleted until its end; many transactions may do so at once.
    /// SQLite has one writer, which nobody can get ahead of.
    pub(crate) fn keeping(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR SHARE OF {table}"),
        }
    }

    /// Keeps the row that a SELECT of a transaction finds from being held alone by another until its end; whoever only changes it goes on.
    /// On SQLite as [`Self::keeping`].
    pub(crate) fn staying(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR KEY SHARE",
        }
    }

    /// Holds the row that a SELECT of a transaction finds against other changes until its end; those who let it stay go on. On SQLite as
    /// [`Self::keeping`].
    pub(crate) fn changing(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR NO KEY UPDATE",
        }
    }

    /// Holds the rows that a SELECT of a transaction finds alone until its end. On SQLite as [`Self::keeping`].
    pub(crate) fn alone(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// The strings of the JSON array in `placeholder`, as a one-column subquery: many values, one statement text.
    pub(crate) fn json_strings(self, placeholder: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT value FROM json_each({placeholder}))"),
            Self::Postgres => format!("(SELECT value FROM json_array_elements_text({placeholder}::json))"),
        }
    }

    /// The integers of the JSON array in `placeholder`, as a one-column subquery.
    pub(crate) fn json_integers(self, placeholder: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT value FROM json_each({placeholder}))"),
            Self::Postgres => format!("(SELECT value::bigint FROM json_array_elements_text({placeholder}::json))"),
        }
    }

    /// A JSON object as text out of `'key', value` pairs.
    pub(crate) fn json_object(self, pairs: &str) -> String {
        match self {
            Self::Sqlite => format!("json_object({pairs})"),
            Self::Postgres => format!("json_build_object({pairs})"),
        }
    }

    /// All rows of a group as one JSON array in a text; `object` comes from [`Self::json_object`].
    pub(crate) fn json_array(self, object: &str, order: &str) -> String {
        match self {
            Self::Sqlite => format!("json_group_array({object} ORDER BY {order})"),
            Self::Postgres => format!("json_agg({object} ORDER BY {order})::text"),
        }
    }

    /// The objects of the JSON array in `placeholder` as a subquery with these columns, and `position`, which counts them up.
    pub(crate) fn json_rows(self, placeholder: &str, columns: &[(&str, Json)]) -> String {
        match self {
            Self::Sqlite => {
                let columns: String = columns.iter().map(|(name, _)| format!(", json_extract(value, '$.{name}') AS {name}")).collect();
                format!("(SELECT key AS position{columns} FROM json_each({placeholder}))")
            }
            Self::Postgres => {
                let names: String = columns.iter().map(|(name, _)| format!("{name}, ")).collect();
                let types: Vec<_> = columns.iter().map(|(name, json)| format!("{name} {}", json.postgres())).collect();
                format!(
                    "(SELECT * FROM ROWS FROM (json_to_recordset({placeholder}::json) AS ({})) WITH ORDINALITY AS items ({names}position))",
                    types.join(", ")
                )
            }
        }
    }
}

/// What a value of a JSON object is in SQL.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Json {
    /// A number without a fraction.
    Integer,
    /// A string.
    Text,
}

impl Json {
    fn postgres(self) -> &'static str {
        match self {
            Self::Integer => "BIGINT",
            Self::Text => "TEXT",
        }
    }
}

/// A `LIKE` pattern for "contains `text`", wildcards in it escaped with a backslash.
pub(crate) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_in_a_searched_text_stand_for_themselves() {
        assert_eq!(super::contains(r"a_b%c\d"), r"%a\_b\%c\\d%");
    }
}
