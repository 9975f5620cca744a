//! The text of every file that a cluster is started from: parameters in, text out.
//!
//! The practice cluster and `pgbaton scaffold` write by the same functions, so that what is given to a user is what every test has run. What
//! differs between the two is a parameter. Each file explains itself in comments: it is read at night by somebody who has not written it.
//!
//! | question | file |
//! |---|---|
//! | etcd's options, as arguments and as a file | [`etcd`] |
//! | `patroni.yml`, and what a parameter of PostgreSQL is there for | [`patroni`] |
//! | HAProxy's checks | [`haproxy`] |
//! | the roles in PostgreSQL and what they may do | [`roles`] |
//! | how Airflow reaches its database, and its settings for when that goes away | [`airflow`] |
//! | how systemd keeps the programs up | [`unit`] |
//! | `pgbaton.toml` and the password file | [`console`] |
//! | the picture of the estate | [`diagram`] |

pub mod airflow;
pub mod console;
pub mod diagram;
pub mod etcd;
pub mod haproxy;
pub mod patroni;
pub mod roles;
pub mod unit;

/// Paths of a certificate, its key, and the certificate of the CA that signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The CA's certificate.
    pub ca: String,
    /// The certificate.
    pub cert: String,
    /// Its key.
    pub key: String,
}

/// A machine: its name and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// How it is called in all files.
    pub name: String,
    /// Where it listens.
    pub address: String,
}

/// `http`, or `https` where there are certificates.
#[must_use]
pub fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

/// A text in YAML's single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Comment lines, each begun by `lead` and `# `, no longer than a person reads.
fn comment(lead: &str, text: &str) -> String {
    const WIDTH: usize = 110;
    let mut out = String::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && lead.len() + line.chars().count() + word.chars().count() + 3 > WIDTH {
                out.push_str(&format!("{lead}# {line}\n"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        out.push_str(format!("{lead}# {line}").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{comment, quoted};

    #[test]
    fn a_quote_does_not_end_a_text_in_yaml() {
        assert_eq!(quoted("it's"), "'it''s'");
    }

    #[test]
    fn a_long_comment_is_broken_between_words_and_none_is_lost() {
        let text = ["word"; 60].join(" ");
        let lines = comment("    ", &text);
        assert!(lines.lines().all(|line| line.starts_with("    # word") && line.len() <= 110), "{lines}");
        assert_eq!(lines.matches("word").count(), 60);
        assert_eq!(comment("", "one\ntwo"), "# one\n# two\n");
    }
}
