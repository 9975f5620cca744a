//! A value over time in block characters, with gaps where nothing is known.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Point;
use crate::theme::Role;
use crate::ui::format::UNKNOWN;
use crate::ui::look::Look;

const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Bytes at the foot of the scale.
const FOOT: f64 = 16.0 * 1024.0;

/// The bytes at the top of a chart: the limit, or else a megabyte, or the largest value above it.
pub(in crate::ui) fn scale_of(points: &[Point], limit: Option<u64>) -> u64 {
    let largest = points.iter().map(|p| if let Point::Bytes(b) = p { *b } else { 0 }).max().unwrap_or(0);
    limit.unwrap_or_else(|| largest.max(1 << 20)).max(1)
}

/// Draws one column for each point. The scale is logarithmic from 16 kB (two pages of WAL) to `top`, because both 20 kB and 20 MB have to be seen.
///
/// 0 is a thin line at the foot; what is not known is said so, by a sign that no theme and no terminal makes into a value.
pub(in crate::ui) fn chart(look: &Look<'_>, points: &[Point], top: u64, limit: Option<u64>, area: Rect, buffer: &mut Buffer) {
    let steps = usize::from(area.height) * 8;
    for (x, point) in (area.x..area.right()).zip(points) {
        let bytes = match point {
            Point::Bytes(bytes) => bytes,
            Point::Nothing => continue,
            Point::Unknown => {
                if let Some(foot) = area.rows().next_back() {
                    buffer.set_stringn(x, foot.y, UNKNOWN, 1, look.style(Role::Unknown));
                }
                continue;
            }
        };
        let (level, role) = match bytes {
            0 => (1, Role::ChartAxis),
            bytes => (level(*bytes, top, steps), role_of(*bytes, limit)),
        };
        for (row, y) in (area.y..area.bottom()).rev().enumerate() {
            let filled = level.saturating_sub(row * 8).min(8);
            if filled > 0 {
                buffer.set_stringn(x, y, BLOCKS[filled - 1], 1, look.style(role));
            }
        }
    }
}

fn role_of(bytes: u64, limit: Option<u64>) -> Role {
    match limit {
        Some(limit) if bytes >= limit => Role::ChartCritical,
        Some(limit) if bytes >= limit / 2 => Role::ChartWarning,
        _ => Role::Chart,
    }
}

/// Eighths of a row, from 2 (so that it differs from 0) to `steps`.
fn level(bytes: u64, top: u64, steps: usize) -> usize {
    let part = (1.0 + bytes as f64 / FOOT).ln() / (1.0 + top as f64 / FOOT).ln();
    let above = (part * (steps.saturating_sub(1)) as f64).ceil() as usize;
    (1 + above).clamp(2.min(steps), steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_more_than_nothing_and_the_top_is_full() {
        assert_eq!(level(1, 1 << 20, 8), 2);
        assert_eq!(level(1 << 20, 1 << 20, 8), 8);
        assert_eq!(level(u64::MAX, 1, 32), 32);
        assert_eq!(level(5, 5, 0), 0);
        assert!(level(20 << 10, 1 << 20, 8) < level(200 << 10, 1 << 20, 8));
    }
}
