//! Whatever stands in a file, the parsers answer with a configuration or with mistakes; they never panic.

use std::path::PathBuf;

use pgbaton::cli::config::{check, show};
use proptest::prelude::*;

use crate::support::World;

/// Files to damage: everything that is a test case of its own.
fn seeds() -> Vec<Vec<u8>> {
    let folders = ["tests/configs/valid", "tests/configs/invalid"];
    let mut paths: Vec<PathBuf> =
        folders.iter().flat_map(|f| std::fs::read_dir(f).expect("a folder").map(|e| e.expect("an entry").path())).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths
        .into_iter()
        .filter(|p| p.is_file() && p.extension().is_none_or(|e| e != "expected"))
        .map(|p| std::fs::read(p).expect("a file"))
        .collect();
    assert!(seeds.len() > 20);
    seeds
}

/// Reads the bytes as each kind of file there is.
fn read_as_everything(bytes: &[u8]) {
    let mut world = World::new();
    for name in ["f.toml", "f.yml", "f", "home/.pg_service.conf", "home/.pgpass"] {
        let path = world.write(name, "");
        std::fs::write(&path, bytes).expect("a file");
        if !name.starts_with("home") {
            world.request.file = Some(path);
            let (text, _) = check(&world.request);
            assert!(!text.is_empty());
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "control characters in {text:?}");
            if let Ok(text) = show(&world.request) {
                assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "control characters in {text:?}");
            }
        }
    }
    world.request.file = Some(world.write("good.toml", "[clusters.a.etcd]\nendpoints = [\"a\"]\n"));
    if let Ok(pgbaton::config::Selected::One(profile)) = world.load().and_then(|c| c.select(None)) {
        let _ = profile.postgres.password_for("a", 1);
    }
    world.var("PGSERVICE", "a");
    let _ = check(&world.request);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn arbitrary_words(text in "([a-z3:. \n\t\"'\\[\\]{}=#*&<>|,-]|etcd3|hosts|clusters|scope|\u{1b}|é|<<: |\\[clusters.a.etcd\\]\n){0,60}") {
        read_as_everything(text.as_bytes());
    }

    #[test]
    fn damaged_files(which in any::<prop::sample::Index>(), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..6)) {
        let all = seeds();
        let mut bytes = which.get(&all).clone();
        for (at, byte, what) in cuts {
            if bytes.is_empty() { break; }
            let at = at.index(bytes.len());
            match what {
                0 => { bytes.remove(at); }
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        read_as_everything(&bytes);
    }

    #[test]
    fn arbitrary_variables(name in prop::sample::select(vec![
        "PATRONI_ETCD3_HOSTS", "PATRONI_ETCD3_URL", "PATRONI_ETCD3_HOST", "DCS_URL", "PATRONI_CONFIGURATION", "PATRONI_NAMESPACE",
        "PATRONI_SCOPE", "PGSSLMODE", "PGCONNECT_TIMEOUT", "PGSERVICE", "PGSERVICEFILE", "PGPASSFILE", "PGBATON_CONFIG", "PATRONICTL_CONFIG_FILE",
    ]), value in "\\PC{0,40}|(etcd3?|https?)://[a-z:@/\\[\\]0-9]{0,20}") {
        let mut world = World::new();
        if name != "PATRONI_CONFIGURATION" {
            world.write("etc/patroni.yml", "etcd3: {host: a}\n");
        }
        world.var(name, value);
        let (text, _) = check(&world.request);
        prop_assert!(!text.is_empty());
    }
}

/// Nesting must not use up the stack, nor aliases the memory.
#[test]
fn deep_and_wide_files_are_refused() {
    for deep in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        format!("[{}]", vec!["a"; 50_000].join(".")),
        format!("{} = 1", vec!["a"; 50_000].join(".")),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}{}", "{b = ".repeat(50_000), "}".repeat(50_000)),
        (0..5_000).map(|n| format!("{}a{n}:\n", " ".repeat(n))).collect(),
        (0..5_000).map(|n| format!("a{n}: &a{n} [*a{}]\n", n.max(1) - 1)).collect(),
        "x".repeat(2 << 20),
    ] {
        read_as_everything(deep.as_bytes());
    }
}
