//! The panes, one file each.

mod airflow;
mod asked;
mod audit;
mod doctor;
mod events;
mod findings;
mod host;
mod lag;
pub(super) mod logs;
mod member_details;
mod members;
mod quorum;
mod routes;
mod slots;
mod topology;

use super::pane::Pane;
use crate::app::PaneModel;

/// The panes, in the order of their numbers. One line each.
pub static PANES: [&dyn Pane; 11] = [
    &members::Members,
    &lag::Lag,
    &quorum::Quorum,
    &routes::Routes,
    &findings::Findings,
    &events::Events,
    &audit::Audit,
    &logs::Logs,
    &airflow::Airflow,
    &topology::Topology,
    &doctor::Doctor,
];

/// The panes as the machine knows them.
pub fn models() -> Vec<&'static dyn PaneModel> {
    PANES.iter().map(|pane| *pane as &'static dyn PaneModel).collect()
}
