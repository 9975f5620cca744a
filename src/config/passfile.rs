//! libpq's password file (`~/.pgpass`), by libpq's rules (`passwordFromFile` in fe-connect.c).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::diagnostic::shown;

/// A password file. It is read at every question, so that a change is seen and no password is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassFile {
    /// Its path.
    pub path: PathBuf,
    /// Whether somebody named it: then its absence is an error; that of `~/.pgpass` is not.
    pub required: bool,
}

/// Why a password file that is there cannot be used. libpq warns and goes on without a password, which then looks
/// like a wrong one; here the reason is kept.
#[derive(Debug, thiserror::Error)]
pub enum PassFileError {
    /// Group or others can read it.
    #[error("password file {path} is readable by others (mode {mode:04o}), so libpq and pgbaton ignore it; run: chmod 600 {path}", path = shown(.path))]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A folder, a socket, a pipe.
    #[error("password file {path} is not a plain file", path = shown(.path))]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// It cannot be opened or read.
    #[error("password file {path} cannot be read: {error}", path = shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
}

impl PassFile {
    /// The password of the first line that matches, or `None`.
    ///
    /// # Errors
    /// See [`PassFileError`].
    pub fn password(&self, host: &str, port: u16, dbname: &str, user: &str) -> Result<Option<SecretString>, PassFileError> {
        let Some(text) = self.read()? else {
            return Ok(None);
        };
        Ok(find(&text, host, port, dbname, user))
    }

    /// Why the file cannot be used now; `None`: it can, or it is not there and need not be.
    pub fn problem(&self) -> Option<PassFileError> {
        self.read().err()
    }

    fn read(&self) -> Result<Option<String>, PassFileError> {
        let path = &self.path;
        let unreadable = |error| PassFileError::Unreadable { path: path.clone(), error };
        if path == Path::new("/dev/null") {
            return Ok(None); // The usual way to say "no password file".
        }
        // Asked before it is opened: opening a pipe would wait for its writer.
        let about = match std::fs::metadata(path) {
            Ok(about) => about,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !self.required => {
                return Ok(None);
            }
            Err(e) => return Err(unreadable(e)),
        };
        if !about.is_file() {
            return Err(PassFileError::NotAFile { path: path.clone() });
        }
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(PassFileError::Permissions { path: path.clone(), mode });
        }
        let mut bytes = Vec::new();
        File::open(path).and_then(|f| f.take(1 << 20).read_to_end(&mut bytes)).map_err(unreadable)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// `host:port:database:user:password`; `*` matches anything, `\:` and `\\` are literal, `#` begins a comment.
fn find(text: &str, host: &str, port: u16, dbname: &str, user: &str) -> Option<SecretString> {
    // A server on a socket in the default place is written as localhost.
    let host = if host.is_empty() || matches!(host, "/tmp" | "/var/run/postgresql" | "/run/postgresql") { "localhost" } else { host };
    let port = port.to_string();
    let password = text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let rest = [host, &port, dbname, user].iter().try_fold(line, |rest, wanted| field(rest, wanted))?;
        Some(unescape(rest.trim_end_matches('\r')))
    })?;
    // An empty password is none, and it hides the lines below.
    (!password.is_empty()).then(|| SecretString::from(password))
}

/// The rest of the line behind a first field that matches `wanted`.
fn field<'l>(line: &'l str, wanted: &str) -> Option<&'l str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let mut wanted = wanted.chars();
    let mut chars = line.char_indices();
    loop {
        match chars.next()? {
            (at, ':') => return wanted.next().is_none().then(|| &line[at + 1..]),
            (_, '\\') => {
                let (_, literal) = chars.next()?;
                if wanted.next()? != literal {
                    return None;
                }
            }
            (_, c) => {
                if wanted.next()? != c {
                    return None;
                }
            }
        }
    }
}

/// The password field: ends at a bare colon, a backslash takes the next character as it is.
fn unescape(field: &str) -> String {
    let mut out = String::new();
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' => break,
            '\\' => out.push(chars.next().unwrap_or('\\')),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn found(text: &str, host: &str) -> Option<String> {
        find(text, host, 5432, "postgres", "ops").map(|s| s.expose_secret().to_owned())
    }

    #[test]
    fn the_first_line_that_matches_wins() {
        let text = "# psg1:5432:postgres:ops:comment\n\
            psg1:5433:*:*:port\n\
            psg1:5432:other:*:database\n\
            psg1:5432:postgres:ops:first\n\
            *:*:*:*:last\n";
        assert_eq!(found(text, "psg1").as_deref(), Some("first"));
        assert_eq!(found(text, "psg2").as_deref(), Some("last"));
    }

    #[test]
    fn escapes_and_ends_of_lines() {
        for (line, host, password) in [
            (r"fd00\:\:1:5432:*:*:a\:b\\c", "fd00::1", Some(r"a:b\c")),
            ("h:5432:*:*:a:b", "h", Some("a")),
            ("h:5432:*:*:pw\r\n", "h", Some("pw")),
            ("h:5432:*:*:\n*:*:*:*:below", "h", None),
            (r"h:5432:*:*:end\", "h", Some(r"end\")),
            ("h:5432:*:*", "h", None),
            ("h*:5432:*:*:x", "h1", None),
            ("localhost:5432:*:*:x", "", Some("x")),
            ("localhost:5432:*:*:x", "/var/run/postgresql", Some("x")),
            ("localhost:5432:*:*:x", "127.0.0.1", None),
            ("*:*:*:*:  spaced  ", "h", Some("  spaced  ")),
            ("\\*:*:*:*:a host called star\n*:*:*:*:all", "h", Some("all")),
            ("", "h", None),
            ("\\", "h", None),
            ("é:5432:*:*:ü", "é", Some("ü")),
        ] {
            assert_eq!(found(line, host).as_deref(), password, "{line:?} for {host:?}");
        }
    }
}
