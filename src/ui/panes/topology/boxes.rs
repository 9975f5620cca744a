//! The picture in boxes: above, what lives from the cluster, from RabbitMQ to the target; below, the ways to the leader, the nodes and etcd. A line leads
//! from one box to another only where something is known to go along; it is thick where that was seen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::card::Card;
use super::cluster::{self, Inlet, Widths};
use super::{airflow, estate, etcd, lines, rabbitmq};
use crate::document::{Document, Level};
use crate::theme::Role;
use crate::ui::pane::Ctx;
use crate::ui::widget::Flow;

/// The least screen for boxes.
const LEAST: (u16, u16) = (112, 28);
/// Columns from which on etcd has a box of its own beside the nodes.
const WIDE: u16 = 150;
/// Columns between two boxes above, for the line there.
const GAP: u16 = 5;
/// Columns of the boxes beside the nodes.
const SIDE: u16 = 38;
/// Rows that the nodes have at least.
const CLUSTER: u16 = 12;

/// What stands above, each with its place.
struct Above<'d> {
    rabbitmq: Option<(Card<'d>, Rect)>,
    airflow: Option<(Card<'d>, Rect)>,
    dags: Option<(Card<'d>, Rect)>,
    target: Option<(Card<'d>, Rect)>,
    height: u16,
}

/// Lines, and the heads of those that end before a box.
#[derive(Default)]
struct Ways {
    flow: Flow,
    heads: Vec<(u16, u16, &'static str, Role)>,
}

impl Ways {
    fn draw(&self, ctx: &Ctx<'_>, buffer: &mut Buffer) {
        self.flow.draw(&ctx.look, buffer);
        for (x, y, head, role) in &self.heads {
            buffer.set_stringn(*x, *y, head, 1, ctx.look.style(*role));
        }
    }
}

/// Draws it; tells how many parts had no room. `None`: the screen is too small for boxes.
pub(super) fn draw(ctx: &Ctx<'_>, document: &Document, area: Rect, buffer: &mut Buffer) -> Option<usize> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let above = above(ctx, document, area);
    for (card, place) in [&above.rabbitmq, &above.airflow, &above.dags, &above.target].into_iter().flatten() {
        card.draw(ctx, *place, buffer);
    }
    let mut ways = Ways::default();
    across(document, &above, &mut ways);
    let gap = u16::from(above.height > 0);
    let below = Rect { y: area.y + above.height + gap, height: area.height - above.height - gap, ..area };
    let draw = if area.width >= WIDE { beside } else { beneath };
    let hidden = draw(ctx, document, &above, below, &mut ways, buffer);
    ways.draw(ctx, buffer);
    Some(hidden)
}

/// The boxes above: RabbitMQ, then Airflow, then the disk with the DAGs over the target, as far as there are any.
fn above<'d>(ctx: &Ctx<'_>, document: &'d Document, area: Rect) -> Above<'d> {
    let (rabbitmq, airflow) = (rabbitmq::card(ctx, document), airflow::card(ctx, document));
    let (dags, target) = (estate::dags_card(ctx, document), estate::target_card(ctx, document));
    let columns = u16::from(rabbitmq.is_some()) + u16::from(airflow.is_some()) + u16::from(dags.is_some() || target.is_some());
    if columns == 0 {
        return Above { rabbitmq: None, airflow: None, dags: None, target: None, height: 0 };
    }
    // One alone would be drawn out over the whole screen.
    let width = ((area.width - 2 - GAP * (columns - 1)) / columns).min(60);
    let of = |card: &Option<Card<'d>>| card.as_ref().map_or(0, |card| card.height(ctx, width));
    let most = area.height.saturating_sub(CLUSTER + 1);
    let height = of(&rabbitmq).max(of(&airflow)).max(of(&dags) + of(&target)).min(most);
    let mut x = area.x + 1;
    let mut column = |there: bool| {
        let at = x;
        x += if there { width + GAP } else { 0 };
        at
    };
    let (left, middle, right) = (column(rabbitmq.is_some()), column(airflow.is_some()), column(true));
    // Who has something to say is not cut for who has less.
    let upper = match (&dags, &target) {
        (Some(_), Some(_)) => of(&dags).min(height.saturating_sub(of(&target).min(4))),
        (Some(_), None) => height,
        _ => 0,
    };
    let at = |x: u16, y: u16, height: u16| Rect { x, y, width, height };
    Above {
        rabbitmq: rabbitmq.map(|card| (card, at(left, area.y, height))),
        airflow: airflow.map(|card| (card, at(middle, area.y, height))),
        dags: dags.map(|card| (card, at(right, area.y, upper))),
        target: target.map(|card| (card, at(right, area.y + upper, height - upper))),
        height,
    }
}

/// The lines among the boxes above: tasks from RabbitMQ to Airflow, DAGs to Airflow, work from Airflow on the target.
fn across(document: &Document, above: &Above<'_>, ways: &mut Ways) {
    let Some((_, airflow)) = &above.airflow else { return };
    let mut arrow = |from: u16, to: u16, y: u16, thick: bool| {
        let back = to < from;
        let (start, end) = if back { (from, to + 1) } else { (from, to - 1) };
        ways.flow.path(&[(start, y), (end, y)], thick, Role::Ok);
        ways.heads.push((to, y, if back { "◂" } else { "▸" }, Role::Ok));
    };
    if let (Some((_, place)), Some(doc)) = (&above.rabbitmq, &document.rabbitmq)
        && let Some(thick) = rabbitmq::consumed(doc)
    {
        arrow(place.right() - 1, airflow.x - 1, airflow.y + 1, thick);
    }
    if let (Some((card, place)), Some(doc)) = (&above.dags, &document.dags)
        && estate::dags_answer(doc)
        && card.level() < Level::Critical
    {
        arrow(place.x, airflow.right(), place.y + 1, false);
    }
    if let (Some((_, place)), Some(doc)) = (&above.target, &document.target)
        && estate::worked_on(doc)
    {
        arrow(airflow.right() - 1, place.x - 1, place.y + 1, true);
    }
}

/// Below, on a wide screen: etcd, who takes over and what is at risk beside the nodes.
fn beside(ctx: &Ctx<'_>, document: &Document, above: &Above<'_>, area: Rect, ways: &mut Ways, buffer: &mut Buffer) -> usize {
    let cards = [Some(etcd::card(ctx, document)), estate::rescue_card(ctx, document), Some(etcd::next_card(document))];
    let left = Rect { width: area.width - SIDE - 1, ..area };
    let drawn = cluster::draw(ctx, document, Some(Widths { proxy: 42, flow: 16 }), left, buffer);
    inlets(ctx, document, above, &drawn.inlets, area, ways);
    let (mut y, mut hidden) = (area.y, drawn.hidden);
    for card in cards.into_iter().flatten() {
        let height = card.height(ctx, SIDE).min(area.bottom().saturating_sub(y));
        if height < 3 {
            hidden += 1;
            continue;
        }
        card.draw(ctx, Rect { x: area.right() - SIDE - 1, y, width: SIDE, height }, buffer);
        y += height;
    }
    hidden
}

/// Below, on a narrower one: the same on lines under the nodes.
fn beneath(ctx: &Ctx<'_>, document: &Document, above: &Above<'_>, area: Rect, ways: &mut Ways, buffer: &mut Buffer) -> usize {
    let cards: Vec<Card<'_>> = [Some(etcd::card(ctx, document)), estate::rescue_card(ctx, document), Some(etcd::next_card(document))]
        .into_iter()
        .flatten()
        .collect();
    let kept = lines::wanted(&cards, area.width).min(area.height / 3);
    let picture = Rect { height: area.height - kept - 1, ..area };
    let drawn = cluster::draw(ctx, document, Some(Widths { proxy: 36, flow: 12 }), picture, buffer);
    inlets(ctx, document, above, &drawn.inlets, area, ways);
    let y = area.y + drawn.used + 1;
    drawn.hidden + lines::draw(ctx, &cards, Rect { y, height: area.bottom().saturating_sub(y), ..area }, buffer)
}

/// From Airflow to the HAProxies of those machines on which it is at work, where sessions go through them.
fn inlets(ctx: &Ctx<'_>, document: &Document, above: &Above<'_>, inlets: &[Inlet], area: Rect, ways: &mut Ways) {
    let (Some((_, from)), Some(doc)) = (&above.airflow, &document.airflow) else { return };
    let hosts = airflow::hosts(ctx, doc);
    let is = |name: &str| hosts.iter().any(|host| host == name || host.split('.').next() == Some(name));
    let (x, gap) = (from.x + from.width / 2, area.y - 1);
    // What is wrong is drawn last, over what they share.
    let mut used: Vec<&Inlet> = inlets.iter().filter(|inlet| inlet.flows && is(&inlet.name)).collect();
    used.sort_by_key(|inlet| inlet.role != Role::Ok);
    for Inlet { place: (end, y), role, .. } in used {
        let bus = end - 1;
        ways.flow.path(&[(x, from.bottom() - 1), (x, gap), (bus, gap), (bus, *y), (*end, *y)], true, *role);
        ways.heads.push((*end, *y, "▸", *role));
    }
}
