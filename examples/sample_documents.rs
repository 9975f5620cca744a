//! Prints a sample document, or ten minutes of them, as JSON lines: `cargo run --example sample_documents -- lagging history`.
//!
//! What it prints is what `pgbaton screenshot --document` reads.

#[path = "../tests/common/sample/mod.rs"]
mod sample;

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "healthy".to_owned());
    let Some((_, document)) = sample::all().into_iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = sample::all().iter().map(|(name, _)| *name).collect();
        eprintln!("there is no sample {name}; there are {}", names.join(", "));
        std::process::exit(2);
    };
    let documents = if args.next().is_some() { sample::history_to(&document, 600) } else { vec![document] };
    for document in documents {
        println!("{}", serde_json::to_string(&document).expect("a document is JSON"));
    }
}
