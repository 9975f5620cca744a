//! The fault matrix: faults thrown at real clusters, and whether the program says what is true, in time, and nothing else.
//!
//! See the README beside this file for what is judged and how it is run.
#![allow(clippy::unwrap_used)]

mod bench;
mod case;
mod cases;
mod console;
#[path = "../common/lab.rs"]
mod lab;
#[path = "../common/pty.rs"]
#[allow(dead_code, reason = "each test file uses its part of it")]
mod pty;
mod table;
mod watcher;
mod witness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use bench::Bench;
use case::{Case, Variant};
use table::Row;

#[test]
fn every_fault_is_shown_in_time_and_nothing_is_invented() {
    let all = cases::all();
    let wanted = std::env::var("PGBATON_FAULTS").unwrap_or_default();
    let root = rustix::process::getuid().is_root();
    let chosen: Vec<&Case> = all.iter().filter(|c| is_wanted(c, &wanted) && (root || !c.variant.root) && (c.possible)()).collect();
    println!("{} of {} cases", chosen.len(), all.len());
    let begun = Instant::now();
    // Two clusters at a time: a case is waiting for most of its time.
    let lane = |variants: &[&'static Variant]| {
        let mut rows: Vec<Row> = Vec::new();
        for variant in variants {
            let its: Vec<&Case> = chosen.iter().copied().filter(|c| c.variant == *variant).collect();
            if !its.is_empty() {
                run(variant, &its, &mut rows);
            }
        }
        rows
    };
    let (first, others) = cases::VARIANTS.split_at(1);
    let rows: Vec<Row> = thread::scope(|scope| {
        let beside = scope.spawn(|| lane(others));
        let mut rows = lane(first);
        rows.extend(beside.join().expect("a case that panics is caught"));
        rows
    });
    println!("{} cases in {:.0} s", rows.len(), begun.elapsed().as_secs_f64());
    if std::env::var_os("PGBATON_FAULTS_WRITE").is_some() {
        table::write(&rows, &all);
    }
    let failed: Vec<String> = rows.iter().filter(|r| !r.wrong.is_empty()).map(|r| format!("{}: {}", r.name, r.wrong.join("; "))).collect();
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), rows.len(), failed.join("\n"));
}

/// Runs the cases of one cluster; one that broke down is followed by a new cluster.
fn run(variant: &'static Variant, its: &[&Case], rows: &mut Vec<Row>) {
    let mut bench: Option<Bench> = None;
    for case in its {
        let begun = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| bench.get_or_insert_with(|| Bench::up(variant)).run(case)));
        let row = result.unwrap_or_else(|panic| {
            // Its end takes the logs with it.
            if let Some(bench) = bench.take() {
                println!("    the logs are kept in {}", bench.keep_logs(case.name).display());
            }
            let said = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            let mut row = Row::of(case);
            row.wrong.push(format!("broke off: {}", said.unwrap_or_default()));
            row
        });
        println!("{}    took {:.0} s", row.told(), begun.elapsed().as_secs_f64());
        rows.push(row);
    }
}

fn is_wanted(case: &Case, wanted: &str) -> bool {
    match wanted {
        "" => case.core,
        "most" => !case.long,
        "all" => true,
        words => words.split(',').any(|word| case.name.contains(word.trim()) || case.variant.name == word.trim()),
    }
}

#[test]
fn every_case_has_a_name_of_its_own_and_its_cluster_is_run() {
    let all = cases::all();
    for (i, case) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|c| (c.name, c.variant.name) != (case.name, case.variant.name)), "{} is there twice", case.name);
        assert!(cases::VARIANTS.contains(&case.variant), "{} is never run", case.name);
        assert!(!case.name.contains('|'), "{} would break the table", case.name);
    }
}
