//! The roles in PostgreSQL, and what each may do. Running any of it again changes nothing but the passwords.

use secrecy::{ExposeSecret, SecretString};

/// Who only looks: pgbaton's reading role.
pub const CONSOLE: &str = "pgbaton";
/// Who gives orders: pgbaton's operator.
pub const OPERATOR: &str = "pgbaton_operator";

/// A text as SQL writes it.
fn literal(text: &str) -> String {
    // With standard_conforming_strings, which is the default, a backslash is a backslash.
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as SQL writes it.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Makes a role that can log in, unless it is there, and sets its password.
#[must_use]
pub fn login(role: &str, attributes: &str, password: &SecretString) -> String {
    let (name, text) = (identifier(role), literal(role));
    format!(
        "DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text}) THEN
        CREATE ROLE {name};
    END IF;
END $$;
ALTER ROLE {name} WITH LOGIN{attributes} PASSWORD {};
",
        literal(password.expose_secret())
    )
}

/// The role that reads: it sees everybody's activity and no data.
#[must_use]
pub fn console(password: &SecretString) -> String {
    login(CONSOLE, "", password) + &format!("GRANT pg_monitor TO {CONSOLE};\n")
}

/// The role that gives orders: checkpoints, slots (by REPLICATION), replay, other sessions' ends.
///
/// Before PostgreSQL 15 only superusers may ask for a checkpoint.
#[must_use]
pub fn operator(password: &SecretString) -> String {
    login(OPERATOR, " REPLICATION", password)
        + &format!(
            "GRANT pg_monitor, pg_signal_backend TO {OPERATOR};
GRANT EXECUTE ON FUNCTION pg_wal_replay_resume() TO {OPERATOR};
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_checkpoint') THEN
        GRANT pg_checkpoint TO {OPERATOR};
    END IF;
END $$;
"
        )
}

/// Makes a database of that name and owner, for `psql`: a database cannot be made inside of a block.
#[must_use]
pub fn database(name: &str, owner: &str) -> String {
    let create = format!("CREATE DATABASE {} OWNER {}", identifier(name), identifier(owner));
    format!("SELECT {} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {}) \\gexec\n", literal(&create), literal(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_password_or_a_name_ends_nothing() {
        let sql = login("o\"dd", "", &"it's".into());
        assert!(sql.contains("CREATE ROLE \"o\"\"dd\";") && sql.ends_with("LOGIN PASSWORD 'it''s';\n"), "{sql}");
        assert!(database("a'b", "c").contains("'CREATE DATABASE \"a''b\" OWNER \"c\"'"));
    }
}
