//! What the machine has to know of a pane: its rows, by identity.

use super::{Audited, EventLog, Examination, LagHistory, Logs};
use crate::command::Scope;
use crate::document::Document;

/// What a row is about: a member's name, a finding's code and subject. Never its place: rows move, and an index would be another row's.
pub type RowId = String;

/// What there is to show.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The picture; `None` before the first one.
    pub document: Option<Box<Document>>,
    /// How far the members were behind.
    pub history: LagHistory,
    /// What has happened.
    pub events: EventLog,
    /// What was done to this cluster from this machine, oldest first; the error says why that is not known.
    pub audit: Result<Vec<Audited>, String>,
    /// What the nodes say.
    pub logs: Logs,
    /// What the doctor says.
    pub doctor: Examination,
}

impl Default for Facts {
    fn default() -> Self {
        let audit = Err("the audit was not read".to_owned());
        Self {
            document: None,
            history: LagHistory::default(),
            events: EventLog::default(),
            audit,
            logs: Logs::default(),
            doctor: Examination::default(),
        }
    }
}

/// What the one who looks has chosen in a pane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The selected row; it may be hidden by the filter or gone.
    pub selected: Option<RowId>,
    /// Which of [`PaneModel::sorts`] orders the rows.
    pub sort: usize,
    /// Whether that order is turned round.
    pub reverse: bool,
    /// Rows without this text are hidden, upper and lower case alike.
    pub filter: String,
}

impl View {
    /// Whether a row with these texts passes the filter.
    pub fn passes<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> bool {
        let wanted = self.filter.to_lowercase();
        wanted.is_empty() || texts.into_iter().any(|text| text.to_lowercase().contains(&wanted))
    }
}

/// A pane, without its picture.
pub trait PaneModel: Sync {
    /// Its name in the title, the help, the command line.
    fn title(&self) -> &'static str;

    /// The scopes whose keys count in it, innermost first.
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::List, Scope::Global]
    }

    /// Its rows in the order in which they are shown, without those that the filter hides.
    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId>;

    /// The orders that its rows can have, the usual one first; fewer than two: they cannot be sorted.
    fn sorts(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it has the whole screen when it has the focus, and no place otherwise.
    fn alone(&self) -> bool {
        false
    }

    /// Whether its rows are members, so that a row can be acted on.
    fn rows_are_members(&self) -> bool {
        false
    }

    /// Whether its first row is the newest, and what it is looked at for: who goes away leaves it there.
    fn newest_first(&self) -> bool {
        false
    }

    /// Whether it shows what the doctor says, who is asked when one comes to it.
    fn examines(&self) -> bool {
        false
    }

    /// Whether a row can be opened.
    fn opens(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for dyn PaneModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.title())
    }
}
