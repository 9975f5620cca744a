//! `pgbaton screenshot`: a picture of the console, drawn from documents that were captured.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::{EventLine, Mode, Msg, State, TextEdit, update};
use crate::command::{Keymap, Resolved, Resolver, parse_sequence};
use crate::document::Document;
use crate::log::{Format, Heard, Program, Stream, What};
use crate::model::{Change, Time};
use crate::theme::{Depth, Library};
use crate::ui::{Look, draw, models, svg};

/// `log_line_prefix` of the practice cluster.
const POSTGRES_PREFIX: &str = "%m [%p] %q%u@%d/%a ";

/// Draw the console from captured documents, as SVG or as text.
#[derive(Debug, clap::Args)]
pub struct ScreenshotArgs {
    /// A file with what `pgbaton status --json` printed, or several of them one after the other (`--watch`); `-` reads the standard input.
    #[arg(long, value_name = "FILE")]
    pub document: PathBuf,
    /// A file with what `pgbaton events` printed meanwhile; those up to the last document are shown.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// A log of the practice cluster, as its programs write it; can be given several times.
    #[arg(long = "log", value_name = "NODE:PROGRAM:FILE", value_parser = log)]
    pub logs: Vec<(Stream, PathBuf)>,
    /// Columns and rows.
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "120x40", value_parser = size)]
    pub size: (u16, u16),
    /// The theme.
    #[arg(long, value_name = "NAME", default_value = "dark")]
    pub theme: String,
    /// Colours: mono, 16, 256, true-color.
    #[arg(long, value_name = "DEPTH", default_value = "true-color")]
    pub colors: Depth,
    /// Keys to press before the picture is taken, as in a keymap file: "tab z".
    #[arg(long, value_name = "KEYS", default_value = "")]
    pub keys: String,
    /// Draw with ASCII only.
    #[arg(long)]
    pub ascii: bool,
    /// Where to write the SVG; a name that ends in .txt gets the text instead, and without a name the text is printed.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse::<u16>().ok()?, h.parse::<u16>().ok()?)));
    match parsed {
        Some((w, h)) if (1..=500).contains(&w) && (1..=200).contains(&h) => Ok((w, h)),
        _ => Err("a size is COLUMNSxROWS, from 1x1 to 500x200".to_owned()),
    }
}

fn log(text: &str) -> Result<(Stream, PathBuf), String> {
    let mut parts = text.splitn(3, ':');
    let (node, program, file) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let program = Program::ALL.into_iter().find(|known| Some(known.name()) == program);
    match (program, file) {
        (Some(program), Some(file)) => Ok((Stream { node: node.to_owned(), program }, PathBuf::from(file))),
        _ => Err("a log is NODE:PROGRAM:FILE, of patroni, postgres, etcd or haproxy".to_owned()),
    }
}

/// What a log says, as if all of it had been heard at `at`.
fn heard((stream, file): &(Stream, PathBuf), at: Time) -> anyhow::Result<Vec<Heard>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let format = match stream.program {
        Program::Patroni => Format::Patroni { utc_offset: Some(0) },
        Program::Postgres => Format::PostgresStderr { prefix: POSTGRES_PREFIX.to_owned(), utc_offset: Some(0) },
        Program::Etcd => Format::Etcd { utc_offset: Some(0) },
        Program::Haproxy => Format::Haproxy { utc_offset: Some(0) },
    };
    let open = What::Open { format, file: file.display().to_string() };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| What::Line { bytes: line.to_vec(), stamp: None, cut: 0 });
    Ok(std::iter::once(open).chain(lines).map(|what| Heard { stream: stream.clone(), at, what }).collect())
}

/// Draws the picture.
pub fn run(args: &ScreenshotArgs) -> anyhow::Result<()> {
    let (theme, mistakes) = Library::default().theme(&args.theme, args.colors)?;
    if let Some(mistake) = mistakes.first() {
        bail!("{mistake}");
    }
    let keymap = Keymap::builtin();
    let look = Look { theme: &theme, keymap: &keymap, ascii: args.ascii };
    let mut state = State::new(models(), "", Mode::ReadOnly(String::new()));
    let mut coming = args.events.as_deref().map(events).transpose()?.unwrap_or_default();
    for document in documents(&args.document)? {
        let later = coming.iter().position(|e| e.at > document.at).unwrap_or(coming.len());
        let happened = coming.drain(..later).collect();
        update(&mut state, Msg::Document(Box::new(document), happened));
    }
    let now = state.now.unwrap_or(Time::from_micros(0));
    for log in &args.logs {
        update(&mut state, Msg::Heard(heard(log, now)?));
    }
    let mut buffer = Buffer::empty(Rect::new(0, 0, args.size.0, args.size.1));
    let mut redraw = |state: &mut State| {
        let measured = draw(state, &look, &mut buffer);
        update(state, Msg::Measured(measured));
    };
    redraw(&mut state);
    let mut resolver = Resolver::default();
    let keys = if args.keys.trim().is_empty() { Vec::new() } else { parse_sequence(&args.keys).context("--keys")? };
    for key in keys {
        match resolver.press(key, state.scopes(), &keymap) {
            Resolved::Command(id) => drop(update(&mut state, Msg::Command(id))),
            Resolved::Typed(c) => drop(update(&mut state, Msg::Text(TextEdit::Insert(c.to_string())))),
            Resolved::Pending(keys) => drop(update(&mut state, Msg::Pending(Some(keys)))),
            Resolved::Nothing(keys) => bail!("--keys: `{keys}` means nothing there"),
        }
        if state.facts.logs.log().is_unmasked() {
            bail!("--keys: no picture is drawn of secrets");
        }
        redraw(&mut state);
    }
    match &args.out {
        Some(path) if path.extension().is_none_or(|e| e != "txt") => {
            std::fs::write(path, svg::svg(&buffer, theme.screen())).with_context(|| format!("cannot write {}", path.display()))
        }
        Some(path) => std::fs::write(path, text(&buffer)).with_context(|| format!("cannot write {}", path.display())),
        None => {
            print!("{}", text(&buffer));
            Ok(())
        }
    }
}

/// Reads documents that stand one after the other.
fn documents(path: &PathBuf) -> anyhow::Result<Vec<Document>> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("cannot read the standard input")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    let read: Result<Vec<Document>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
    let documents = read.with_context(|| format!("{} is not what `pgbaton status --json` prints", path.display()))?;
    if documents.is_empty() {
        bail!("there is no document in {}", path.display());
    }
    Ok(documents)
}

/// Reads events; the first line, which tells what was there at the start, is none.
fn events(path: &Path) -> anyhow::Result<Vec<EventLine>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let wrong = || format!("{} is not what `pgbaton events` prints", path.display());
    let mut lines = Vec::new();
    for line in serde_json::Deserializer::from_str(&text).into_iter() {
        let line: serde_json::Value = line.with_context(wrong)?;
        if line["event"] != "started" {
            lines.push(EventLine::from(&serde_json::from_value::<Change>(line).with_context(wrong)?));
        }
    }
    Ok(lines)
}

/// The screen as text, without what is empty at the end of a line.
pub fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.y..area.bottom() {
        let line: String = (area.x..area.right()).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
