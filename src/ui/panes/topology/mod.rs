//! The estate as a picture: the HAProxies, the node that each sends writes to, what runs on the nodes, and what lives from them. It has the
//! screen when it has the focus, and no place beside the others.

mod airflow;
mod boxes;
mod card;
mod cluster;
mod estate;
mod etcd;
mod lines;
mod node;
mod part;
mod rabbitmq;
mod route;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use self::card::Card;
use self::part::{Part, parts};
use super::{member_details, routes};
use crate::app::{Facts, PaneModel, RowId, View};
use crate::document::Document;
use crate::theme::Role;
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::mark;

/// The pane.
pub(super) struct Topology;

impl PaneModel for Topology {
    fn title(&self) -> &'static str {
        "Topology"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        let Some(document) = facts.document.as_deref() else { return Vec::new() };
        parts(document).iter().map(Part::id).filter(|id| view.passes([id.as_str()])).collect()
    }

    fn alone(&self) -> bool {
        true
    }
}

impl Pane for Topology {
    fn summary(&self, _: &Ctx<'_>) -> Vec<Span<'static>> {
        Vec::new()
    }

    fn want(&self, _: &Ctx<'_>, _width: u16) -> Want {
        Want { min: 1, ideal: 16, max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else {
            ctx.say("waiting for the first answer", Role::Muted, area, buffer);
            return Drawn::default();
        };
        let hidden = boxes::draw(ctx, document, area, buffer).unwrap_or_else(|| on_lines(ctx, document, area, buffer));
        Drawn { page: area.height, hidden }
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        match row.split_once(' ') {
            Some(("route", id)) => routes::details(ctx, id, width),
            Some(("node", name)) => member_details::details(ctx, name, width),
            Some(("rabbit", name)) => rabbitmq::node_details(ctx, name, width),
            Some(("queue", name)) => rabbitmq::queue_details(ctx, name, width),
            Some(("mount", name)) => estate::mount_details(ctx, name, width),
            _ => match row {
                "etcd" => etcd::details(ctx, width),
                "airflow" => super::airflow::whole(ctx, width),
                "programs" => airflow::programs_details(ctx, width),
                "pools" => airflow::pools_details(ctx, width),
                "rabbitmq" => rabbitmq::details(ctx, width),
                "dags" => estate::dags_details(ctx, width),
                "target" => estate::target_details(ctx, width),
                _ => None,
            },
        }
    }
}

/// The cluster on lines, and each system around it on a line below; tells how many parts had no room.
fn on_lines(ctx: &Ctx<'_>, document: &Document, area: Rect, buffer: &mut Buffer) -> usize {
    let around: [Option<Card<'_>>; 7] = [
        Some(etcd::card(ctx, document)),
        Some(etcd::next_card(document)),
        airflow::card(ctx, document),
        rabbitmq::card(ctx, document),
        estate::dags_card(ctx, document),
        estate::target_card(ctx, document),
        estate::rescue_card(ctx, document),
    ];
    let cards: Vec<Card<'_>> = around.into_iter().flatten().collect();
    // What is below the picture must not push the nodes away.
    let kept = lines::wanted(&cards, area.width).min(area.height / 3);
    let picture = Rect { height: area.height.saturating_sub(kept + 1), ..area };
    let drawn = cluster::draw(ctx, document, None, picture, buffer);
    let y = area.y + drawn.used + 1;
    drawn.hidden + lines::draw(ctx, &cards, Rect { y, height: area.bottom().saturating_sub(y), ..area }, buffer)
}

/// Marks a part where it is the one that is selected; as long as none was, the first of them.
fn mark_if(ctx: &Ctx<'_>, part: Option<&Part<'_>>, place: Rect, buffer: &mut Buffer) {
    let Some(id) = part.map(Part::id).filter(|_| ctx.focused && !place.is_empty()) else { return };
    let selected = match &ctx.view.selected {
        Some(selected) => *selected == id,
        None => Topology.rows(ctx.facts, ctx.view).first() == Some(&id),
    };
    if selected {
        mark(ctx, place.intersection(buffer.area), buffer);
    }
}
