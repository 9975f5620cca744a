//! Every code has words that help, and a test of its own.

use std::collections::BTreeSet;

use pgbaton::finding::explanations;

#[test]
fn every_code_is_explained() {
    let mut codes = BTreeSet::new();
    for e in explanations() {
        assert!(codes.insert(e.code), "{} is explained twice", e.code);
        assert!(e.code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", e.code);
        for text in [e.fires, e.matters].iter().chain(e.next) {
            assert!(text.len() > 30 && text.ends_with('.'), "{}: {text:?} is no sentence", e.code);
            assert!(!text.contains("  "), "{}: {text:?} has a gap", e.code);
        }
        // It stands behind "Fires when".
        assert!(
            !e.fires.starts_with(|c: char| c.is_ascii_uppercase()) || e.fires.starts_with("PostgreSQL") || e.fires.starts_with("Patroni")
        );
        assert!(!e.next.is_empty(), "{} does not say what to do", e.code);
    }
}

/// A test that names it; whether it is a good one, its reader judges.
#[test]
fn every_code_has_a_test_of_its_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/picture");
    let tests: String = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let untested: Vec<&str> = explanations().map(|e| e.code).filter(|code| !tests.contains(&format!("\"{code}\""))).collect();
    assert!(untested.is_empty(), "no test names {untested:?}");
}
