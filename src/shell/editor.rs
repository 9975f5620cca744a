//! The editor of whoever operates, on a file in a folder that only they can enter; both are gone afterwards, unless this process is killed.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::process::ExitStatus;

use anyhow::{Context, bail};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use tempfile::TempDir;
use tokio::process::Command;

/// A text that is edited.
#[derive(Debug)]
pub struct Edit {
    /// Only we can enter it: what the editor leaves beside the file goes away with it.
    folder: TempDir,
}

impl Edit {
    /// Puts the text into a file.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn of(text: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("pgbaton-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .context("no temporary folder")?;
        let edit = Self { folder };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(edit.path());
        file.and_then(|mut file| file.write_all(text.as_bytes())).context("the temporary file cannot be written")?;
        Ok(edit)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("configuration.yaml")
    }

    /// The editor on it: `$VISUAL`, else `$EDITOR`, else the machine's.
    pub fn command(&self) -> Command {
        let named = |name: &str| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
        let editor = named("VISUAL").or_else(|| named("EDITOR"));
        let editor = editor.unwrap_or_else(|| "$(command -v editor || echo vi)".to_owned());
        // By way of a shell, as git does it: the variable may have arguments.
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(self.path());
        shell
    }

    /// The text as it is when the editor has ended.
    ///
    /// # Errors
    /// The editor failed: then nothing counts of what it has left.
    pub fn text(&self, status: ExitStatus) -> anyhow::Result<String> {
        if !status.success() {
            bail!("the editor ended with {status}; nothing was changed");
        }
        // By its name: editors put a new file in the old one's place.
        std::fs::read_to_string(self.path()).context("what was edited cannot be read")
    }
}

/// What an editor that was killed may have left switched on: reports of the mouse and of the focus, keys of the application's own, marked pastes.
const SOBER: &[u8] = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m";

/// The terminal's modes before an editor gets it; put back afterwards, whatever the editor has left.
pub struct Modes(Option<Termios>);

impl Modes {
    /// As they are now.
    pub fn keep() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }

    /// Puts them back, and throws away what was typed into an editor that did not take it any more: it would be meant for us then.
    pub fn restore(self) {
        let mut out = io::stdout().lock();
        if out.is_terminal() {
            let _ = out.write_all(SOBER).and_then(|()| out.flush());
        }
        if let Some(modes) = self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
        }
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn what_a_failed_editor_has_left_does_not_count() {
        let edit = Edit::of("ttl: 30\n").expect("a file");
        assert_eq!(edit.text(ExitStatus::from_raw(0)).expect("the text"), "ttl: 30\n");
        for (status, why) in [(1 << 8, "exit status: 1"), (9, "signal: 9")] {
            let error = edit.text(ExitStatus::from_raw(status)).expect_err("it failed").to_string();
            assert!(error.starts_with("the editor ended with ") && error.contains(why), "{error}");
        }
        let folder = edit.folder.path().to_owned();
        assert_eq!(std::fs::metadata(edit.path()).expect("the file").permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&folder).expect("a folder").permissions().mode() & 0o777, 0o700);
        std::fs::write(folder.join("configuration.yaml~"), "ttl: 20\n").expect("an editor's leavings");
        drop(edit);
        assert!(!folder.exists());
    }
}
