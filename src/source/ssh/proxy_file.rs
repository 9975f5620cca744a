//! The answer of the script `proxy`.

use std::time::Duration;

use secrecy::SecretString;

use crate::model::{ErrorKind, SourceError, spoken};

/// HAProxy's configuration as it stands on its host. There are passwords in it, so nothing prints it.
#[derive(Debug, Clone)]
pub struct ProxyText {
    /// The file's path there.
    pub path: String,
    /// What it says.
    pub text: SecretString,
    /// Why it need not be what runs, in a sentence; `None`: nothing speaks against it.
    pub not_run: Option<String>,
}

/// Reads the answer to a question for this file.
///
/// # Errors
/// The file cannot be read there, and why.
pub(super) fn read(answer: &str, path: &str) -> Result<ProxyText, SourceError> {
    let (mut changed, mut runs, mut other) = (None, None, false);
    let mut rest = answer;
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "unread" => {
                let kind = if value == "Permission denied" { ErrorKind::Denied } else { ErrorKind::Unavailable };
                return Err(SourceError::new(kind, format!("{path}: {value}")));
            }
            "changed" => changed = value.parse::<u64>().ok(),
            "runs" => runs = value.parse::<u64>().ok(),
            "other" => other = true,
            "text" => {
                let not_run = match (changed, runs) {
                    _ if other => Some("no HAProxy that runs there was started with it".to_owned()),
                    (Some(changed), Some(runs)) if is_newer(changed, runs) => Some(format!(
                        "it was changed {} ago, and the HAProxy that was started with it runs for {}, with what stood there before",
                        spoken(Duration::from_secs(changed)),
                        spoken(Duration::from_secs(runs))
                    )),
                    _ => None,
                };
                return Ok(ProxyText { path: path.to_owned(), text: rest.into(), not_run });
            }
            _ => {}
        }
    }
    Err(SourceError::new(ErrorKind::Malformed, format!("{path}: what the node answers is not understood")))
}

/// Whether a file that is unchanged for so many seconds was changed after a process was started that runs for so many. Both are cut to whole
/// seconds, so one is not counted.
pub(super) fn is_newer(unchanged: u64, runs: u64) -> bool {
    unchanged.saturating_add(1) < runs
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_file_is_taken_with_what_speaks_against_it() {
        let read = |answer: &str| read(answer, "/h.cfg");
        let text = read("changed 400\nruns 390\ntext\nlisten w\n text\n").expect("read");
        assert_eq!((text.text.expose_secret(), &text.not_run, text.path.as_str()), ("listen w\n text\n", &None, "/h.cfg"));
        let not_run = |answer: &str| read(answer).expect("read").not_run.unwrap_or_default();
        assert!(
            not_run("changed 5\nruns 390\ntext\n")
                .starts_with("it was changed 5 s ago, and the HAProxy that was started with it runs for 6 min")
        );
        assert!(not_run("changed 5\nother\ntext\n").starts_with("no HAProxy that runs there"));
        // As cut to whole seconds a file that was written just before the start can look younger by one.
        assert_eq!((not_run("changed 5\nruns 6\ntext\n"), not_run("changed 5\ntext\n")), (String::new(), String::new()));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_never_an_empty_file() {
        for (answer, says) in [
            ("unread Permission denied\n", "/h.cfg: Permission denied"),
            ("unread No such file or directory\n", "/h.cfg: No such file or directory"),
            ("", "/h.cfg: what the node answers is not understood"),
            ("changed 5\nruns 6\n", "/h.cfg: what the node answers is not understood"),
            ("\u{1b}[2Jtext\n", "/h.cfg: what the node answers is not understood"),
        ] {
            let error = read(answer, "/h.cfg").expect_err(answer);
            assert_eq!(error.message, says);
        }
    }

    #[test]
    fn a_text_with_passwords_is_not_printed() {
        let text = read("text\nstats auth a:S3cret\n", "/h.cfg").expect("read");
        assert!(!format!("{text:?}").contains("S3cret"));
    }
}
