//! The console at the end of a slow line: 4 KiB/s, 300 ms on the way.

mod common {
    pub mod interactions;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
    pub mod sample;
}

use common::sample;
use std::path::Path;
use std::time::{Duration, Instant};

use common::interactions::{IN_TIME, INTERACTIONS};
use common::pty::{DEADLINE, Line, Pty, console};
use pgbaton::theme::Depth;

const LINE: Line = Line { bytes_per_second: 4096, delay: Duration::from_millis(300) };
const SIZE: (u16, u16) = (80, 24);

/// Bytes of all frames so far, and how many they were.
fn sent(trace: &Path) -> (usize, usize) {
    let text = std::fs::read_to_string(trace).unwrap_or_default();
    let sizes = text.lines().filter_map(|line| line.split(' ').nth(1)?.parse::<usize>().ok());
    sizes.fold((0, 0), |(bytes, frames), size| (bytes + size, frames + 1))
}

/// What a key costs does not grow unseen. The figures: `cargo bench --bench bytes`.
#[test]
fn every_ordinary_interaction_is_as_short_as_it_was() {
    for interaction in INTERACTIONS {
        let bytes = interaction.bytes(SIZE, Depth::Indexed);
        assert!(bytes <= interaction.most, "{}: {bytes} bytes, no more than {} are allowed", interaction.name, interaction.most);
        assert!(bytes > 0, "{} changes nothing", interaction.name);
    }
    assert!(INTERACTIONS.iter().all(|i| i.most <= IN_TIME), "every one of them is on the screen within a second");
}

/// Something new comes a thousand times a second, and keys are pressed: what waits for the line when a key is pressed is no more than what
/// leaves room for its effect within a second, the picture on the far side is never an old one, and what did not fit was never sent.
#[test]
fn on_a_slow_line_a_key_waits_for_nothing_that_is_queued() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let mut pty =
        Pty::spawn_on(Some(LINE), &console(), &["healthy", "flood"], &[("PGBATON_TRACE_BYTES", trace.to_str().expect("a path"))], SIZE);
    pty.until_text("psg1 leads");
    pty.until("a picture of data", |screen| screen.contents().contains("was made"));
    let queued = |pty: &Pty| sent(&trace).0.saturating_sub(pty.carried());
    let begun = Instant::now();
    // The first picture is a whole screen.
    while queued(&pty) > 0 {
        assert!(begun.elapsed() < DEADLINE, "the first picture is not through");
        pty.until_quiet(Duration::from_millis(1));
    }
    let ((bytes_before, frames_before), begun) = (sent(&trace), Instant::now());
    let (mut most_queued, mut most_carried, mut slowest) = (0, 0, Duration::ZERO);
    for n in 0..12 {
        // The worst moment: a picture has just been sent.
        let (frames, waited) = (sent(&trace).1, Instant::now());
        while sent(&trace).1 == frames {
            assert!(waited.elapsed() < DEADLINE, "nothing is drawn any more");
            pty.until_quiet(Duration::from_millis(1));
        }
        let (key, effect, gone) = if n % 2 == 0 { ("\t", "━ 2 Lag", "━ 1") } else { ("\x1b[Z", "━ 1 Members", "━ 2") };
        let (waits, before) = (queued(&pty), pty.carried());
        pty.press(key);
        slowest = slowest.max(pty.until("the other pane", |screen| {
            let text = screen.contents();
            text.contains(effect) && !text.contains(gone)
        }));
        most_queued = most_queued.max(waits);
        most_carried = most_carried.max(pty.carried() - before);
    }
    let (bytes, frames) = (sent(&trace).0 - bytes_before, sent(&trace).1 - frames_before);
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "at most {most_queued} bytes wait when a key is pressed, {most_carried} are carried until its effect, after {slowest:.2?} at most;"
    );
    println!("{frames} frames, {:.0} bytes a second, {:.0} pictures could have been made", bytes as f64 / seconds, seconds * 1000.0);
    assert!(most_queued < 1000, "{most_queued} bytes wait for the line when a key is pressed");
    assert!(most_carried <= LINE.bytes_per_second, "{most_carried} bytes came before the key's effect");
    assert!(frames < 12 * 2 + (seconds * 6.0) as usize, "{frames} frames in {seconds:.1} s");
    pty.press("q");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();
}

/// What is shown at the far side is of now: nothing has piled up on the way.
#[test]
fn on_a_slow_line_what_is_shown_is_of_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let (count, trace) = (folder.path().join("count"), folder.path().join("trace"));
    let args = ["healthy", "flood", count.to_str().expect("a path")];
    let mut pty = Pty::spawn_on(Some(LINE), &console(), &args, &[("PGBATON_TRACE_BYTES", trace.to_str().expect("a path"))], SIZE);
    let made = || std::fs::read_to_string(&count).map_or(0, |text| text.lines().count());
    pty.until("forty pictures", |_| made() >= 40);
    let here = made();
    let far = pty.until("them at the far side", |screen| {
        let text = screen.contents();
        let numbers = text.lines().filter_map(|line| line.split("document ").nth(1)?.split(' ').next()?.parse::<usize>().ok());
        numbers.max().is_some_and(|newest| newest + 10 >= here)
    });
    let waiting = sent(&trace).0.saturating_sub(pty.carried());
    println!("picture {here} was at the far side after {far:.2?}; {waiting} bytes wait");
    assert!(waiting < 4096, "{waiting} bytes wait");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

/// What nodes log is taken in as it comes, however long the line keeps the next picture back: else it would pile up and be shown late.
#[test]
fn on_a_slow_line_logs_are_taken_in_between_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = folder.path().join("count");
    let mut pty = Pty::spawn_on(Some(LINE), &console(), &["healthy", "flood", count.to_str().expect("a path")], &[], SIZE);
    let made = || -> Vec<u64> {
        let text = std::fs::read_to_string(&count).unwrap_or_default();
        text.lines().filter_map(|line| line.split_once(' ')?.1.parse().ok()).collect()
    };
    // In the first second nothing is held back.
    let opened = Instant::now();
    pty.until("the end of the opening", |_| opened.elapsed() > Duration::from_secs(2));
    let before = made().len();
    pty.until("eight more pictures", |_| made().len() > before + 8);
    let listened = made();
    let (pictures, times) = (listened.len() - before, listened[listened.len() - 1] - listened[before]);
    println!("{pictures} pictures, {times} times it was listened");
    assert!(times > 10 * pictures as u64, "{times} times for {pictures} pictures");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn what_is_idle_sends_nothing_however_slow_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (count, trace) = (folder.path().join("count"), folder.path().join("trace"));
    let args = ["healthy", "still", count.to_str().expect("a path")];
    let mut pty = Pty::spawn_on(Some(LINE), &console(), &args, &[("PGBATON_TRACE_BYTES", trace.to_str().expect("a path"))], SIZE);
    pty.until_text("psg1 leads");
    let made = || std::fs::read_to_string(&count).map_or(0, |text| text.lines().count());
    let begun = Instant::now();
    while made() < 4 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no four pictures");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(sent(&trace).1, 1, "one frame for pictures that say the same");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}
