//! The picture of the estate as SVG: who runs where, and who talks to whom.

use std::fmt::Write;

use super::Machine;

/// A machine with what runs on it.
#[derive(Debug)]
pub struct Place<'a> {
    /// Its name and address.
    pub machine: &'a Machine,
    /// What runs there, a line each.
    pub programs: Vec<String>,
}

/// The estate.
#[derive(Debug)]
pub struct Estate<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// Machines with HAProxy, in the upper row.
    pub machines: Vec<Place<'a>>,
    /// Nodes, in the lower row.
    pub nodes: Vec<Place<'a>>,
    /// What is said below the picture.
    pub notes: &'a [String],
}

const WIDTH: usize = 270;
const GAP: usize = 30;
const MARGIN: usize = 30;
const LINE: usize = 20;
/// Room between the two rows, for the lines between them.
const BETWEEN: usize = 120;
const TOP: usize = 70;
/// Room for the longest sentence.
const SENTENCE: usize = 570;

/// A text between XML's tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn height(row: &[Place<'_>]) -> usize {
    48 + row.iter().map(|place| place.programs.len()).max().unwrap_or(0) * LINE
}

fn row_width(count: usize) -> usize {
    (count * (WIDTH + GAP)).saturating_sub(GAP)
}

fn text(out: &mut String, x: usize, y: usize, style: &str, words: &str) {
    let _ = writeln!(out, r#"<text x="{x}" y="{y}" {style}>{}</text>"#, escaped(words));
}

impl Estate<'_> {
    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let widest = row_width(self.machines.len().max(self.nodes.len())).max(SENTENCE);
        let width = widest + 2 * MARGIN;
        let (upper, lower) = (height(&self.machines), height(&self.nodes));
        let second = TOP + upper + BETWEEN;
        let below = second + lower + 70;
        let height = below + self.notes.len() * LINE + MARGIN;
        let left = |count: usize| MARGIN + (widest - row_width(count)) / 2;
        let middle = |row: &[Place<'_>], at: usize| left(row.len()) + at * (WIDTH + GAP) + WIDTH / 2;

        let mut out = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14">"#
        );
        out.push('\n');
        let _ = writeln!(out, "<title>{}</title>", escaped(self.cluster));
        let _ = writeln!(out, r##"<rect width="{width}" height="{height}" fill="#ffffff"/>"##);
        text(&mut out, MARGIN, 42, r#"font-size="20" font-weight="bold""#, self.cluster);
        for from in 0..self.machines.len() {
            for to in 0..self.nodes.len() {
                let (x1, x2) = (middle(&self.machines, from), middle(&self.nodes, to));
                let (y1, y2) = (TOP + upper, second);
                let _ = writeln!(out, r##"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#8a8f98" stroke-dasharray="4 4"/>"##);
            }
        }
        if self.nodes.len() > 1 {
            let (x1, x2, y) = (middle(&self.nodes, 0), middle(&self.nodes, self.nodes.len() - 1), second + lower + 20);
            let _ = writeln!(out, r##"<path d="M{x1} {} V{y} H{x2} V{}" fill="none" stroke="#2f6f4f" stroke-width="2"/>"##, y - 20, y - 20);
            for at in 1..self.nodes.len() - 1 {
                let x = middle(&self.nodes, at);
                let _ = writeln!(out, r##"<line x1="{x}" y1="{}" x2="{x2}" y2="{y}" stroke="#2f6f4f" stroke-width="2"/>"##, y - 20, x2 = x);
            }
            text(
                &mut out,
                x1 + 6,
                y + 18,
                r##"fill="#2f6f4f" font-size="12""##,
                "etcd: a majority decides; PostgreSQL: the leader streams to the others",
            );
        }
        let words = "HAProxy asks each Patroni who leads, and sends writes to that one alone";
        let centre = r##"fill="#4a4f57" font-size="12" text-anchor="middle" stroke="#ffffff" stroke-width="5" paint-order="stroke""##;
        text(&mut out, width / 2, TOP + upper + BETWEEN / 2 + 4, centre, words);
        for (row, y, tall, ground) in [(&self.machines, TOP, upper, "#eef3fb"), (&self.nodes, second, lower, "#eef7f1")] {
            for (at, place) in row.iter().enumerate() {
                let x = left(row.len()) + at * (WIDTH + GAP);
                let _ =
                    writeln!(out, r##"<rect x="{x}" y="{y}" width="{WIDTH}" height="{tall}" rx="6" fill="{ground}" stroke="#4a4f57"/>"##);
                text(&mut out, x + 12, y + 24, r#"font-weight="bold""#, &place.machine.name);
                text(&mut out, x + WIDTH - 12, y + 24, r##"text-anchor="end" fill="#4a4f57""##, &place.machine.address);
                for (line, program) in place.programs.iter().enumerate() {
                    text(&mut out, x + 12, y + 50 + line * LINE, "", program);
                }
            }
        }
        for (line, note) in self.notes.iter().enumerate() {
            text(&mut out, MARGIN, below + line * LINE, r##"fill="#4a4f57""##, note);
        }
        out.push_str("</svg>\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_is_in_it_once_and_no_name_breaks_out() {
        let machines = ["a", "b<&", "c"].map(|name| Machine { name: name.into(), address: format!("at-{}", &name[..1]) });
        let place = |machine| Place { machine, programs: vec!["HAProxy".into()] };
        let notes = ["\"so\"".to_owned()];
        let estate = Estate {
            cluster: "x",
            machines: vec![place(&machines[0])],
            nodes: vec![place(&machines[1]), place(&machines[2])],
            notes: &notes,
        };
        let svg = estate.svg();
        for words in [">a<", ">b&lt;&amp;<", ">c<", ">at-a<", ">at-b<", ">at-c<", "&quot;so&quot;"] {
            assert_eq!(svg.matches(words).count(), 1, "{words} in {svg}");
        }
        assert_eq!(svg.matches("<rect").count(), 4, "the ground and a box for each");
        assert_eq!(svg.matches("stroke-dasharray").count(), 2, "the HAProxy asks both nodes");
    }
}
