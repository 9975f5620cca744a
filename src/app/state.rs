//! Everything that decides what is on the screen.

use super::log_commands;
use super::{Arrangement, Book, Choice, CourseSheet, Dialog, Editor, Facts, Field, Held, Looks, Palette, PaneModel, Question, RowId, View};
use crate::command::Scope;
use crate::document::Level;
use crate::model::Time;
use crate::runbook::Left;

/// Whether anything can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Nothing, and why: there is no object in the process that could write.
    ReadOnly(String),
    /// Actions are possible.
    Operator,
}

/// Something that pgbaton itself has to say, in the last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters. A warning stays until it is dismissed and goes into the events; anything less goes with the next command.
    pub level: Level,
    /// One sentence.
    pub text: String,
}

/// What lies over the panes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// Every key.
    Help {
        /// The scopes of the place where it was opened, innermost first.
        place: &'static [Scope],
        /// Lines without this text are hidden.
        query: String,
        /// Lines scrolled past.
        scroll: u16,
    },
    /// Everything about one row.
    Details {
        /// Number of the pane, from 0.
        pane: usize,
        /// The row.
        row: RowId,
        /// Lines scrolled past.
        scroll: u16,
    },
    /// A text that is needed for a plan.
    Question(Box<Question>),
    /// A list of which one row is needed for a plan.
    Choice(Box<Choice>),
    /// The search for a command.
    Palette(Box<Palette>),
    /// The themes, or the keymaps.
    Looks(Looks),
    /// A text.
    Text {
        /// What it is.
        title: String,
        /// Its lines.
        lines: Vec<String>,
        /// Lines scrolled past.
        scroll: u16,
    },
    /// A plan that waits for an answer.
    Plan(Box<Dialog>),
    /// The runbook that was opened.
    Book {
        /// Lines scrolled past.
        scroll: u16,
    },
    /// The action under way, or the last one.
    Course {
        /// Lines scrolled past.
        scroll: u16,
    },
}

impl Overlay {
    /// Lines scrolled past; `None`: it does not scroll.
    pub fn scroll_mut(&mut self) -> Option<&mut u16> {
        Some(match self {
            Overlay::Looks(_) => return None,
            Overlay::Book { scroll }
            | Overlay::Help { scroll, .. }
            | Overlay::Details { scroll, .. }
            | Overlay::Text { scroll, .. }
            | Overlay::Course { scroll } => scroll,
            Overlay::Plan(dialog) => &mut dialog.scroll,
            Overlay::Question(question) => &mut question.scroll,
            Overlay::Choice(choice) => &mut choice.scroll,
            Overlay::Palette(palette) => &mut palette.scroll,
        })
    }
}

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// The filter of the pane with the focus.
    Filter,
    /// The search of the help.
    Search,
    /// The search for a command.
    Palette,
    /// The answer to a plan.
    Answer,
    /// The answer to a question before it.
    Words,
    /// The search in the logs.
    LogSearch,
    /// The time that the logs are to be shown of.
    LogTime,
    /// The word that has secrets shown in the logs.
    LogUnmask,
    /// The file that lines of the logs are saved to.
    LogSave,
}

/// What drawing has found out, for the next command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Rows of each pane that fit at once.
    pub pages: Vec<u16>,
    /// Lines of the overlay that fit at once.
    pub overlay_page: u16,
    /// How far the overlay can be scrolled.
    pub overlay_end: u16,
    /// Columns of the screen.
    pub columns: u16,
}

/// Everything that decides what is on the screen.
#[derive(Debug, Clone)]
pub struct State {
    /// The panes, in the order of their numbers.
    pub panes: Vec<&'static dyn PaneModel>,
    /// What there is to show.
    pub facts: Facts,
    /// What was chosen in each pane.
    pub views: Vec<View>,
    /// Number of the pane that has the focus, from 0.
    pub focus: usize,
    /// Number of the pane among others that had it last: where one that has the screen for itself is left for.
    pub(super) among: usize,
    /// Whether that pane has the whole screen.
    pub zoom: bool,
    /// How the panes are arranged; `None`: by the size of the screen.
    pub arrangement: Option<Arrangement>,
    /// The theme that is shown.
    pub theme: String,
    /// The themes that there are.
    pub themes: Vec<String>,
    /// The keymap that counts.
    pub keymap: String,
    /// The keymaps that there are.
    pub keymaps: Vec<String>,
    /// The folder that a file is put into whose name has none; empty: not known.
    pub folder: String,
    /// What lies over the panes.
    pub overlay: Option<Overlay>,
    /// What is being typed.
    pub typing: Option<Typing>,
    /// Where in that text one is, and what was typed before.
    pub editor: Editor,
    /// What pgbaton itself has to say.
    pub notice: Option<Notice>,
    /// Keys of a sequence that has not ended.
    pub pending: Option<String>,
    /// The time of the newest message.
    pub now: Option<Time>,
    /// The cluster's name before the first document.
    pub cluster: String,
    /// What the configuration calls its environment: `PROD`.
    pub label: Option<String>,
    /// Whether anything can be changed.
    pub mode: Mode,
    /// The action under way, or the last one.
    pub course: Option<CourseSheet>,
    /// The runbook that was opened.
    pub book: Option<Book>,
    /// The runs of this cluster that were left in their middle, the last one first, as they were when the disk was looked at.
    pub left: Vec<Left>,
    /// Whether nothing was pressed for a while, or what was pressed has changed what is on the screen.
    pub rested: bool,
    /// An answer to the runbook that counts as soon as nothing was pressed for a while after it.
    pub held: Option<Held>,
    /// Whether leaving was asked for while an action is under way; the second time counts.
    pub leaving: bool,
    /// What drawing has found out.
    pub measured: Measured,
}

/// What kind of picture there is: two of one scene differ in what they tell.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    overlay: Option<std::mem::Discriminant<Overlay>>,
    zoom: bool,
    arrangement: Option<Arrangement>,
}

impl State {
    /// What kind of picture this is.
    pub fn scene(&self) -> Scene {
        let overlay = self.overlay.as_ref().map(std::mem::discriminant);
        Scene { overlay, zoom: self.zoom, arrangement: self.arrangement }
    }

    /// The console as it opens.
    pub fn new(panes: Vec<&'static dyn PaneModel>, cluster: impl Into<String>, mode: Mode) -> Self {
        let views = vec![View::default(); panes.len()];
        Self {
            panes,
            facts: Facts::default(),
            views,
            focus: 0,
            among: 0,
            zoom: false,
            arrangement: None,
            theme: String::new(),
            themes: Vec::new(),
            keymap: String::new(),
            keymaps: Vec::new(),
            folder: String::new(),
            overlay: None,
            typing: None,
            editor: Editor::default(),
            notice: None,
            pending: None,
            now: None,
            cluster: cluster.into(),
            label: None,
            mode,
            course: None,
            book: None,
            left: Vec::new(),
            rested: false,
            held: None,
            leaving: false,
            measured: Measured::default(),
        }
    }

    /// The scopes whose keys count now, innermost first.
    pub fn scopes(&self) -> &'static [Scope] {
        match (self.typing, &self.overlay, self.panes.get(self.focus)) {
            (Some(_), _, _) => &[Scope::Text, Scope::Global],
            (None, Some(Overlay::Book { .. }), _) => &[Scope::Book, Scope::Overlay, Scope::Global],
            (None, Some(Overlay::Choice(_) | Overlay::Looks(_)), _) => &[Scope::Choice, Scope::Global],
            (None, Some(_), _) => &[Scope::Overlay, Scope::Global],
            (None, None, Some(pane)) => pane.scopes(),
            (None, None, None) => &[Scope::Global],
        }
    }

    /// What the text is for that is being typed.
    pub fn field(&self) -> Option<Field> {
        Some(match (self.typing?, &self.overlay) {
            (Typing::Filter, _) => Field::Filter,
            (Typing::Search, _) => Field::Search,
            (Typing::Palette, _) => Field::Palette,
            (Typing::LogSearch, _) => Field::LogSearch,
            (Typing::LogTime, _) => Field::LogTime,
            (Typing::LogSave, _) => Field::LogSave,
            (Typing::Words, Some(Overlay::Question(question))) => Field::Words(question.wanted),
            (Typing::Words | Typing::Answer | Typing::LogUnmask, _) => Field::Answer,
        })
    }

    /// Whether it matters that nothing is pressed for a while: a plan's word stands there in full and nobody was told yet that Enter does it, or a
    /// runbook can be answered.
    pub fn answered(&self) -> bool {
        match &self.overlay {
            Some(Overlay::Plan(dialog)) => !dialog.rested && dialog.complete(),
            Some(Overlay::Book { .. } | Overlay::Palette(_)) => !self.rested || self.held.is_some(),
            _ => false,
        }
    }

    /// The member that is selected in the pane that has the focus, if it can be seen there.
    ///
    /// # Errors
    /// There is none; the error says what to do.
    pub fn acted_on(&self) -> Result<String, &'static str> {
        const SELECT: &str = "select a member first, in the Members pane";
        let of_members = self.panes.get(self.focus).is_some_and(|pane| pane.rows_are_members());
        let selected = self.view().and_then(|view| view.selected.clone()).filter(|_| of_members).ok_or(SELECT)?;
        // A row that the filter hides, or that is gone, is not what the one who presses the key looks at.
        if self.rows(self.focus).contains(&selected) { Ok(selected) } else { Err(SELECT) }
    }

    /// Whether what is on the screen is not the plain view: there is something to go back from.
    pub fn inside(&self) -> bool {
        let filtered = self.view().is_some_and(|view| !view.filter.is_empty());
        let narrowed = log_commands::here(self) && log_commands::narrowed(self);
        self.overlay.is_some() || self.typing.is_some() || self.zoom || filtered || narrowed || self.alone(self.focus)
    }

    /// Whether a pane has the screen for itself, whatever the arrangement is.
    pub(super) fn alone(&self, pane: usize) -> bool {
        self.panes.get(pane).is_some_and(|pane| pane.alone())
    }

    /// What was chosen in the pane that has the focus.
    pub fn view(&self) -> Option<&View> {
        self.views.get(self.focus)
    }

    /// The rows of a pane as they are shown.
    pub fn rows(&self, pane: usize) -> Vec<RowId> {
        match (self.panes.get(pane), self.views.get(pane)) {
            (Some(model), Some(view)) => model.rows(&self.facts, view),
            _ => Vec::new(),
        }
    }
}
