//! What a terminal is sent for each ordinary thing that happens, in bytes. The counts are those of a recorded state, so they are the same on
//! every machine.

use pgbaton::app::{EventLine, Mode, Msg, State, TextEdit, update};
use pgbaton::command::{CommandId, Keymap};
use pgbaton::document::{Document, Level};
use pgbaton::shell::{Order, difference};
use pgbaton::theme::{Depth, Library};
use pgbaton::ui::{Look, draw, models};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::sample;

/// What 4 KiB/s carry in the 700 ms that a second has left when the line takes 300 ms.
pub const IN_TIME: usize = 4096 * 7 / 10;

/// A name, and what happens before and then.
pub struct Interaction {
    pub name: &'static str,
    before: &'static [Step],
    then: Step,
    /// More than this at 80x24 in 256 colours is a regression.
    pub most: usize,
}

#[derive(Clone, Copy)]
enum Step {
    Command(CommandId),
    Type(&'static str),
    Pending(&'static str),
    Picture(fn() -> Document),
}

use Step::{Command, Pending, Picture, Type};

/// What happens after what, and the most that it may cost.
const fn one(name: &'static str, before: &'static [Step], then: Step, most: usize) -> Interaction {
    Interaction { name, before, then, most }
}

/// One second after the sample: only the time has passed.
fn a_second_later() -> Document {
    let mut document = sample::healthy();
    document.at = sample::at(sample::NOW + 1);
    document
}

/// One second after the sample, with new lags.
fn new_lags() -> Document {
    let mut document = a_second_later();
    for (n, member) in document.members.iter_mut().enumerate() {
        member.replay_lag_bytes = member.replay_lag_bytes.map(|lag| lag + 31_000 * (n as u64 + 1));
        member.replay_lag_seconds = member.replay_lag_seconds.map(|seconds| seconds + 0.2);
    }
    document
}

/// psg2 has taken over.
fn another_leads() -> Document {
    let mut document = a_second_later();
    document.members.swap(0, 1);
    for (member, name) in document.members.iter_mut().zip(["psg2", "psg1"]) {
        member.name = name.to_owned();
    }
    document.headline.leads = "psg2 leads".to_owned();
    document.cluster.leader = Some("psg2".to_owned());
    document.cluster.timeline = Some(8);
    document.cluster.leader_since = Some(document.at);
    for route in &mut document.routes {
        route.up = route.up.iter().map(|up| if up == "psg1" { "psg2" } else { "psg1" }.to_owned()).collect();
    }
    document.forecast.leader = Some("psg2".to_owned());
    document.forecast.next = vec!["psg1".to_owned()];
    document
}

/// Every interaction. The bounds are a tenth above what it was when they were last looked at, and no more than comes within a second.
pub const INTERACTIONS: &[Interaction] = &[
    one("a second passes", &[], Picture(a_second_later), 40),
    one("new lags", &[], Picture(new_lags), 160),
    one("a row down", &[], Command(CommandId::Down), 290),
    one("to the next pane", &[], Command(CommandId::PaneNext), 720),
    one("to pane 6", &[], Command(CommandId::Pane6), 760),
    one("zoom", &[], Command(CommandId::Zoom), 890),
    one("zoom back", &[Command(CommandId::Zoom)], Command(CommandId::Zoom), 1890),
    one("begin a filter", &[], Command(CommandId::Filter), 170),
    one("a letter of a filter", &[Command(CommandId::Filter)], Type("p"), 190),
    one("a filter that hides rows", &[Command(CommandId::Filter)], Type("psg2"), 2190),
    one("sort", &[], Command(CommandId::SortNext), 170),
    one("details", &[], Command(CommandId::Open), 2560),
    one("a line of details", &[Command(CommandId::Open)], Command(CommandId::Down), 970),
    one("details closed", &[Command(CommandId::Open)], Command(CommandId::Back), IN_TIME),
    one("help", &[], Command(CommandId::Help), 2560),
    one("help closed", &[Command(CommandId::Help)], Command(CommandId::Back), IN_TIME),
    one("the keys after a", &[], Pending("a"), 1700),
    one("another leads", &[], Picture(another_leads), 570),
    one("nobody leads", &[], Picture(sample::no_leader), IN_TIME),
    one("everything anew", &[], Command(CommandId::Redraw), IN_TIME),
];

fn step(state: &mut State, step: Step) {
    match step {
        Command(id) => drop(update(state, Msg::Command(id))),
        Type(text) => drop(update(state, Msg::Text(TextEdit::Insert(text.to_owned())))),
        Pending(keys) => drop(update(state, Msg::Pending(Some(keys.to_owned())))),
        Picture(document) => {
            let document = document();
            let changed = document.cluster.leader.as_deref() != Some("psg1");
            let told = EventLine::new(document.at, Level::Ok, "leader-changed", "psg2 leads instead of psg1, on timeline 8");
            drop(update(state, Msg::Document(Box::new(document), if changed { vec![told] } else { Vec::new() })));
        }
    }
}

fn picture(state: &mut State, look: &Look<'_>, size: (u16, u16)) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    let measured = draw(state, look, &mut buffer);
    update(state, Msg::Measured(measured));
    buffer
}

impl Interaction {
    /// The bytes that it costs on a screen of this size.
    pub fn bytes(&self, size: (u16, u16), depth: Depth) -> usize {
        let (theme, _) = Library::default().theme("dark", depth).expect("the theme");
        let keymap = Keymap::builtin();
        let look = Look { theme: &theme, keymap: &keymap, ascii: false };
        let mut state = State::new(models(), "card-prod", Mode::ReadOnly("this machine has no policy".to_owned()));
        for document in sample::history_to(&sample::healthy(), 600) {
            update(&mut state, Msg::Document(Box::new(document), Vec::new()));
        }
        picture(&mut state, &look, size);
        for before in self.before {
            step(&mut state, *before);
            picture(&mut state, &look, size);
        }
        let scene = state.scene();
        let before = picture(&mut state, &look, size);
        step(&mut state, self.then);
        let after = picture(&mut state, &look, size);
        // What the terminal shows counts for nothing when it is to be drawn anew.
        let (before, anew) = match self.then {
            Command(CommandId::Redraw) => (Buffer::empty(Rect::new(0, 0, size.0, size.1)), true),
            _ => (before, false),
        };
        let order = if anew || state.scene() != scene { Order::Any } else { Order::Reading };
        difference(&before, &after, order).len()
    }
}
