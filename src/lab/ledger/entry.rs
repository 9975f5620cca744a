//! One line of the ledger: one attempted write and what became of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One attempt. A number is never tried twice: an attempt whose end is unknown stays unknown here, and the table tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number that the row carries.
    pub seq: u64,
    /// When the attempt began.
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub ms: u64,
    /// True only after the server acknowledged the commit.
    pub ok: bool,
    /// Why not, in the server's or the system's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The ledger's file below a lab's folder.
#[must_use]
pub fn path(dir: &Path) -> PathBuf {
    dir.join("ledger/ledger.jsonl")
}

/// All entries. A last line without its end (the client was killed while writing it) is left out.
///
/// # Errors
/// When there is no ledger, or a line in it is not an entry.
pub fn all(dir: &Path) -> Result<Vec<Entry>> {
    let path = path(dir);
    let mut reader = BufReader::new(File::open(&path).with_context(|| format!("no ledger at {}", path.display()))?);
    let mut entries = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        if line.ends_with('\n') {
            let number = entries.len() + 1;
            entries.push(serde_json::from_str(&line).with_context(|| format!("{}:{number}: not an entry", path.display()))?);
        }
        line.clear();
    }
    Ok(entries)
}

/// The last whole entry, without reading the rest of the file; `None` when there is none.
#[must_use]
pub fn last(dir: &Path) -> Option<Entry> {
    let mut file = File::open(path(dir)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(8192))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let whole = &bytes[..bytes.iter().rposition(|b| *b == b'\n')?];
    let start = whole.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    serde_json::from_slice(&whole[start..]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_written_last_line_is_not_an_entry() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("ledger")).unwrap();
        let good = r#"{"seq":1,"at":"2026-11-24T03:12:44Z","ms":3,"ok":true}"#;
        std::fs::write(path(dir.path()), format!("{good}\n{}\n{}", good.replace(":1,", ":2,"), &good[..20])).unwrap();
        assert_eq!(all(dir.path()).unwrap().iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(last(dir.path()).unwrap().seq, 2);
        std::fs::write(path(dir.path()), "{}\n").unwrap();
        assert!(format!("{:#}", all(dir.path()).unwrap_err()).contains("ledger.jsonl:1"));
        assert_eq!(last(dir.path()), None);
    }
}
