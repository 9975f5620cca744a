//! What has to be chosen before there can be a plan: one row of a list.

use super::act::Asked;
use super::pane::{Facts, RowId};
use crate::model::{Member, size};

/// A row that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceRow {
    /// What is handed on when it is chosen.
    pub id: RowId,
    /// Its columns.
    pub cells: Vec<String>,
}

/// Rows of which one is to be chosen. They stand as they were when the list was opened; the plan looks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it is needed for.
    pub asked: Asked,
    /// What they are.
    pub title: String,
    /// The names of the columns.
    pub head: Vec<&'static str>,
    /// The rows; there is one at least.
    pub rows: Vec<ChoiceRow>,
    /// What one may look for in vain, each with why it is no row.
    pub barred: Vec<(String, String)>,
    /// Number of the row that is selected, from 0.
    pub selected: usize,
    /// Whether it was drawn: a key that was pressed before that was meant for something else.
    pub drawn: bool,
    /// Lines scrolled past.
    pub scroll: u16,
}

/// Between the parts of a row's id. No name has it: what comes from outside is cleaned.
const PART: char = '\u{1f}';

impl Choice {
    /// A list that nobody has seen yet.
    ///
    /// # Errors
    /// There is no row; `none` says so.
    pub(super) fn of(asked: Asked, title: String, head: &[&'static str], rows: Vec<ChoiceRow>, none: &str) -> Result<Self, String> {
        if rows.is_empty() {
            return Err(none.to_owned());
        }
        Ok(Self { asked, title, head: head.to_vec(), rows, barred: Vec::new(), selected: 0, drawn: false, scroll: 0 })
    }

    /// The slots of a member that nobody uses.
    pub(super) fn slots(asked: Asked, facts: &Facts) -> Result<Self, String> {
        let name = asked.member.clone().unwrap_or_default();
        let members = || facts.document.as_deref().into_iter().flat_map(|document| &document.members);
        let known = members().find(|member| member.name == name);
        let Some(member) = known.filter(|member| member.sql.fresh && member.sql.error.is_none()) else {
            return Err(format!("the slots of {name} are not known: its PostgreSQL does not answer"));
        };
        // A member's own is in the list so that nobody looks for it; its plan says why it stays.
        let whose = |slot: &str| match members().find(|member| Member::slot_name(&member.name) == slot) {
            Some(owner) if owner.present => format!("{}'s, who needs it", owner.name),
            Some(owner) => format!("{}'s, who is missing", owner.name),
            None => "no member's".to_owned(),
        };
        let rows = member.slots.iter().filter(|slot| !slot.active && !slot.temporary).map(|slot| ChoiceRow {
            id: slot.name.clone(),
            cells: vec![
                slot.name.clone(),
                slot.kind.clone(),
                slot.retained_bytes.map_or_else(|| "?".to_owned(), size),
                slot.wal_status.clone().unwrap_or_else(|| "?".to_owned()),
                whose(&slot.name),
            ],
        });
        let rows = rows.collect();
        let none = format!("{name} has no slot that nobody uses");
        Self::of(asked, format!("Slots of {name} that nobody uses"), &["Slot", "Kind", "Keeps", "WAL", "Whose"], rows, &none)
    }

    /// The clients' sessions of a member that stand in the way, as they were read.
    pub(super) fn sessions(asked: Asked, rows: Vec<ChoiceRow>) -> Result<Self, String> {
        let name = asked.member.clone().unwrap_or_default();
        let none = format!("no session on {name} stands in the way, as far as our user may see");
        let head = ["PID", "User", "State", "Transaction", "Query for", "Blocks", "Database", "From", "Program"];
        Self::of(asked, format!("Sessions on {name}"), &head, rows, &none)
    }

    /// The servers of every HAProxy.
    pub(super) fn servers(asked: Asked, facts: &Facts) -> Result<Self, String> {
        let routes = facts.document.as_deref().into_iter().flat_map(|document| &document.routes);
        let rows = routes.flat_map(|route| {
            route.servers.iter().map(|server| ChoiceRow {
                id: [route.instance.as_str(), &route.backend, &server.name].join(&PART.to_string()),
                cells: vec![
                    route.instance.clone(),
                    route.backend.clone(),
                    server.name.clone(),
                    server.status.clone(),
                    server.sessions.map_or_else(|| "?".to_owned(), |n| n.to_string()),
                ],
            })
        });
        let rows = rows.collect();
        Self::of(asked, "Servers".to_owned(), &["HAProxy", "Backend", "Server", "Status", "Sessions"], rows, "no HAProxy tells its servers")
    }

    /// The states that a server can be given.
    pub(super) fn states(asked: Asked) -> Result<Self, String> {
        let place = asked.given.first().map(|id| id.replace(PART, " ")).unwrap_or_default();
        let states = [
            ("drain", "no new sessions; it is checked still, and the open ones go on"),
            ("maint", "no sessions and no checks"),
            ("ready", "the checks decide"),
        ];
        let rows = states.map(|(id, what)| ChoiceRow { id: id.to_owned(), cells: vec![id.to_owned(), what.to_owned()] }).to_vec();
        Self::of(asked, format!("State of {place}"), &["State", "What it means"], rows, "")
    }

    /// The parts of a chosen server: HAProxy, backend, server.
    pub fn server_of(id: &str) -> Option<(&str, &str, &str)> {
        let mut parts = id.split(PART);
        Some((parts.next()?, parts.next()?, parts.next()?)).filter(|_| parts.next().is_none())
    }
}
