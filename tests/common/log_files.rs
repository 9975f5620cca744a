//! The files that a switchover of a practice cluster has left on three nodes and a HAProxy.

use std::fs;
use std::path::Path;

use pgbaton::log::{Format, Heard, Program, Stream, What};
use pgbaton::model::Time;

/// The files, one stream after the other.
pub fn heard() -> Vec<Heard> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/logs");
    let mut all = Vec::new();
    let mut nodes: Vec<_> = fs::read_dir(&root).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    nodes.sort();
    let at = Time::parse("2026-11-27T00:00:00Z").expect("a time");
    for node in nodes {
        let name = node.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        for (file, program, format) in [
            ("patroni", Program::Patroni, Format::Patroni { utc_offset: Some(0) }),
            ("postgresql", Program::Postgres, Format::PostgresStderr { prefix: "%m [%p] %q%u@%d/%a ".to_owned(), utc_offset: Some(0) }),
            ("etcd", Program::Etcd, Format::Etcd { utc_offset: Some(0) }),
            ("haproxy", Program::Haproxy, Format::Haproxy { utc_offset: Some(0) }),
        ] {
            let path = node.join(format!("log/{file}.log"));
            let Ok(bytes) = fs::read(&path) else { continue };
            let stream = Stream { node: name.clone(), program };
            let open = What::Open { format, file: format!("/lab/{name}/log/{file}.log") };
            all.push(Heard { stream: stream.clone(), at, what: open });
            let lines = bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|byte| *byte == b'\n');
            all.extend(lines.map(|line| {
                let what = What::Line { bytes: line.to_vec(), stamp: None, cut: 0 };
                Heard { stream: stream.clone(), at, what }
            }));
        }
    }
    all
}
