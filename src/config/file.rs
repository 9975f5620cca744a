//! Reading a file that somebody named: a bounded number of bytes, and a reason when it cannot be done.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::diagnostic::Diagnostic;
use super::origin::Origin;

/// No configuration is larger; a device has no end.
const LARGEST: u64 = 1 << 20;

/// The file's text, or why it cannot be had: about the file as a whole, or about the first byte that is not text.
pub(crate) fn read_text(path: &Path) -> Result<String, Diagnostic> {
    let whole = |why: String| Diagnostic::new(Origin::Path(path.into()), why);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| whole(reason(&e)))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| whole(reason(&e)))?;
    if bytes.len() as u64 > LARGEST {
        return Err(whole("it is larger than 1 MiB".into()));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = String::from_utf8_lossy(&e.as_bytes()[..e.utf8_error().valid_up_to()]).into_owned();
        let count = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        let (line, col) = (count(good.matches('\n').count()), count(good.rsplit('\n').next().map_or(0, |l| l.chars().count())));
        Diagnostic::new(Origin::File { path: path.into(), line, col }, "this byte is not UTF-8 text")
    })
}

/// Whether nobody but its owner can read the file.
pub(crate) fn is_private(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 == 0)
}

/// The system's reason in plain words.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        std::io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}
