//! Secrets in lines, taken out, and kept aside for who asks for them.
//!
//! A log is not written for those who must not know a password, but a screen is looked at by more, and a file that is saved goes farther. Rather
//! too much is masked than too little.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use super::pattern::ours;

/// A value in quotes of any kind, or up to what ends a word. Quotes that nothing closes reach to the end of the line.
macro_rules! value {
    () => {
        r#"(?:''(?:[^'])*(?:''|$)|\\'(?:[^'\\]|\\[^'])*(?:\\'|$)|\\"(?:[^"\\]|\\[^"])*(?:\\"|$)|"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|''|\\.)*(?:'|$)|\$\$.*?(?:\$\$|$)|[^\s,;&'"(){}\[\]]+)"#
    };
}

/// What is cheap to look for, and without which there is nothing to mask.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    ours(
        r"(?i)passw|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|bearer|basic |authorization|://|md5[0-9a-f]{32}|scram-sha|private key|^\s*[a-z0-9+/=]{60}",
    )
});

static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    // A name of a secret, a sign that gives it a value, the value: `password=x`, `"token": "x"`, `sslpassword => x`, `PGPASSWORD=x`.
    let named = concat!(
        r#"(?i)(\b[a-z0-9_.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key)[a-z0-9_-]*(?:\\?["'])?\s*(?:=>|:=|=|:)\s*)"#,
        value!()
    );
    // SQL: PASSWORD 'x', in any of its quotes.
    let sql =
        r#"(?i)\b(password\s+)(?:e?'(?:[^'\\]|''|\\.)*(?:'|$)|u&'[^']*(?:'|$)|\$(?P<tag>[a-z_]*)\$.*?(?:\$[a-z_]*\$|$)|"[^"]*(?:"|$))"#;
    vec![
        // Before the names: what a header says has two words.
        (ours(r#"(?i)(\b(?:proxy-)?authorization(?:\\?["'])?\s*[:=]\s*\\?["']?)(?:[a-z][a-z0-9-]*\s+)?[^\s"'\\]+"#), "${1}***"),
        (ours(r"(?i)\b(bearer)\s+[a-z0-9+/=._~-]{6,}"), "${1} ***"),
        (ours(r"\b([Bb][Aa][Ss][Ii][Cc])\s+(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)"), "${1} ***"),
        (ours(r"\b([Bb][Aa][Ss][Ii][Cc])\s+[A-Za-z+/]*(?:[0-9][A-Za-z+/]*|[a-z][A-Z][A-Za-z+/]*)[A-Za-z0-9+/=]{6,}"), "${1} ***"),
        (ours(r#"(?i)([a-z][a-z0-9+.-]*://[^\s:/@"']*):[^\s/@"']+@"#), "${1}:***@"),
        (ours(sql), "${1}'***'"),
        (ours(named), "${1}***"),
        (ours(r"\bmd5[0-9a-fA-F]{32}"), "md5***"),
        (ours(r"(?i)scram-sha-(\d+)\$[^\s'\x22]+"), "SCRAM-SHA-${1}$$***"),
        (ours(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*"), "${1}***"),
        // A line of such a key, which comes alone.
        (ours(r"^\s*[A-Za-z0-9+/=]{60,80}$"), "***"),
    ]
});

/// The text with `***` in place of what looks like a password, a token or a key.
pub fn mask(text: &str) -> Cow<'_, str> {
    if !HINT.is_match(text) {
        return Cow::Borrowed(text);
    }
    let mut masked = Cow::Borrowed(text);
    for (rule, put) in RULES.iter() {
        if let Cow::Owned(changed) = rule.replace_all(&masked, *put) {
            masked = Cow::Owned(changed);
        }
    }
    masked
}

/// A text as it stood before something in it was masked; nothing where nothing was. Neither `{:?}` nor JSON shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bare(Option<Box<str>>);

impl Bare {
    /// The masked text, and the one before if it is another.
    pub(super) fn beside(text: String) -> (String, Self) {
        let masked = match mask(&text) {
            Cow::Borrowed(_) => return (text, Self(None)),
            Cow::Owned(masked) => masked,
        };
        let bare = (masked != text).then(|| text.into_boxed_str());
        (masked, Self(bare))
    }

    /// The text.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Made into another text, if there is one.
    pub(super) fn map(self, change: impl FnOnce(&str) -> String) -> Self {
        Self(self.0.map(|text| change(&text).into_boxed_str()))
    }

    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        self.get().map_or(0, str::len)
    }
}

impl fmt::Debug for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "***" } else { "-" })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bare, mask};

    #[test]
    fn no_secret_is_left() {
        let table = [
            ("host=10.0.0.1 user=replicator password=S3cret port=5432", "host=10.0.0.1 user=replicator password=*** port=5432"),
            (
                "primary_conninfo = 'user=replicator passfile=/x password=S3cret'",
                "primary_conninfo = 'user=replicator passfile=/x password=***'",
            ),
            (r"primary_conninfo = 'user=r password=''S3 cret'' host=a'", "primary_conninfo = 'user=r password=*** host=a'"),
            (r"dsn password=\'S3 cret\' x", "dsn password=*** x"),
            ("postgres://app:S3cret@10.0.0.1:5432/app?x=1", "postgres://app:***@10.0.0.1:5432/app?x=1"),
            (
                "STATEMENT:  ALTER ROLE app PASSWORD 'S3cret''s' VALID UNTIL 'infinity'",
                "STATEMENT:  ALTER ROLE app PASSWORD '***' VALID UNTIL 'infinity'",
            ),
            ("CREATE USER x WITH ENCRYPTED PASSWORD E'S3\\'cret';", "CREATE USER x WITH ENCRYPTED PASSWORD '***';"),
            ("ALTER ROLE app PASSWORD $x$S3cret$x$;", "ALTER ROLE app PASSWORD '***';"),
            ("alter role app password 'S3cret that is cut", "alter role app password '***'"),
            (
                r#"{"restapi": {"authentication": {"username": "p", "password": "S3cret"}}}"#,
                r#"{"restapi": {"authentication": {"username": "p", "password": ***}}}"#,
            ),
            (r#"conf {\"password\":\"S3cret\",\"a\":1}"#, r#"conf {\"password\":***,\"a\":1}"#),
            ("PGPASSWORD=S3cret psql", "PGPASSWORD=*** psql"),
            ("password: S3cret", "password: ***"),
            ("sslpassword => 'S3cret', x", "sslpassword => ***, x"),
            ("GET /x?token=S3cret&a=1", "GET /x?token=***&a=1"),
            ("Authorization: Basic cGF0cm9uaTpTM2NyZXQ=", "Authorization: ***"),
            ("authorization: S3cretS3cret", "authorization: ***"),
            ("sent Bearer S3cret.S3cret.S3cret", "sent Bearer ***"),
            ("with Basic cGF0cm9uaTpTM2NyZXQ= sent", "with Basic *** sent"),
            ("rolpassword md50123456789abcdef0123456789abcdef", "rolpassword md5***"),
            ("SCRAM-SHA-256$4096:S3cret==$x:y given", "SCRAM-SHA-256$*** given"),
            ("-----BEGIN RSA PRIVATE KEY-----S3cret", "-----BEGIN RSA PRIVATE KEY-----***"),
            ("  MIIEpAIBAAKCAQEAx0S3cretS3cretS3cretS3cretS3cretS3cretS3cretS3cr", "***"),
            ("AWS_SECRET_ACCESS_KEY=S3cret", "AWS_SECRET_ACCESS_KEY=***"),
        ];
        for (line, expected) in table {
            assert_eq!(mask(line), expected, "{line}");
        }
    }

    #[test]
    fn what_was_masked_is_kept_aside_and_not_printed() {
        let (masked, bare) = Bare::beside("password=S3cret".to_owned());
        assert_eq!((masked.as_str(), bare.get()), ("password=***", Some("password=S3cret")));
        assert_eq!(format!("{bare:?}"), "***");
        let (same, none) = Bare::beside("password=***".to_owned());
        assert_eq!((same.as_str(), none.get()), ("password=***", None));
    }

    #[test]
    fn an_ordinary_line_stays_as_it_is() {
        for line in [
            "no action. I am (psg2), a secondary, and following a leader (psg1)",
            r#"password authentication failed for user "app""#,
            "simple token is not cryptographically signed",
            "Basic authentication is required",
            "Selected new etcd server http://10.77.86.11:2379",
            "published http://10.0.0.1:2380/x@y",
            "auth token expired",
        ] {
            assert_eq!(mask(line), line);
        }
    }
}
