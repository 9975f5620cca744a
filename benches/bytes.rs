//! Bytes that a terminal is sent for each ordinary thing that happens: `cargo bench --bench bytes`.
//!
//! Nothing is timed; the counts are the same on every machine. `tests/slow_line.rs` fails when one of them has grown.

#[path = "../tests/common/interactions.rs"]
mod interactions;
#[path = "../tests/common/sample/mod.rs"]
mod sample;

use interactions::{IN_TIME, INTERACTIONS};
use pgbaton::theme::Depth;

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (160, 48), (250, 70)];

fn main() {
    println!("bytes on the wire; in brackets: seconds that 4 KiB/s with 300 ms on the way need at 80x24");
    println!("{:<26}{:>18}{:>9}{:>9}{:>9}{:>12}{:>9}", "", "80x24", "120x40", "160x48", "250x70", "true colour", "at most");
    for interaction in INTERACTIONS {
        let counts: Vec<usize> = SIZES.iter().map(|size| interaction.bytes(*size, Depth::Indexed)).collect();
        let seconds = 0.3 + counts[0] as f64 / 4096.0;
        let late = if counts[0] > IN_TIME { "!" } else { " " };
        println!(
            "{:<26}{:>9} ({seconds:.2} s){late}{:>8}{:>9}{:>9}{:>12}{:>9}",
            interaction.name,
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            interaction.bytes(SIZES[0], Depth::TrueColor),
            interaction.most
        );
    }
}
