//! Sizes in sentences.

/// `24 kB`, `4.2 MB`: powers of 1024, as PostgreSQL's `pg_size_pretty` has them.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..=10_239 => format!("{bytes} B"),
        10_240..=1_048_575 => format!("{} kB", bytes / 1024),
        1_048_576..=1_073_741_823 => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GB", bytes as f64 / 1_073_741_824.0),
    }
}
