//! Where the panes are.
//!
//! A screen has bands, one above the other; a band has one pane or two. Every band first gets what it needs at least, the important ones
//! first; then what it would like; what is left goes to those that can use more.

use ratatui::layout::Rect;

use super::look::Look;
use super::pane::{Ctx, Want};
use super::panes::PANES;
use crate::app::{Arrangement, State};

/// Columns between two panes of a band.
const GUTTER: u16 = 2;

/// Panes by number from 0, with the share of the width in percent.
type Band = &'static [(usize, u16)];

const NARROW: &[Band] = &[&[(0, 100)], &[(1, 50), (2, 50)], &[(3, 100)], &[(4, 100)], &[(5, 100)]];
const MEDIUM: &[Band] = &[&[(0, 100)], &[(1, 50), (2, 50)], &[(3, 50), (4, 50)], &[(5, 100)]];
const WIDE: &[Band] = &[&[(0, 100)], &[(1, 100)], &[(2, 50), (3, 50)], &[(4, 100)], &[(5, 50), (DETAILS, 50)]];
const BESIDE: &[Band] = &[&[(0, 100)], &[(1, 100)], &[(2, 50), (3, 50)], &[(4, 100)], &[(5, 100)]];

/// In place of a pane's number: the details of the row that is selected.
pub(super) const DETAILS: usize = usize::MAX;

/// Columns that the details have at the side.
const SIDE: u16 = 88;

/// The panes by importance, when there is not room for all: members, findings, routes, quorum, lag, events.
const IMPORTANCE: [usize; 6] = [0, 4, 3, 2, 1, 5];

/// The visible panes and their places, with [`DETAILS`] among them where there is room for that.
pub(super) fn places(state: &State, look: &Look<'_>, body: Rect) -> Vec<(usize, Rect)> {
    if state.zoom || state.panes.get(state.focus).is_some_and(|pane| pane.alone()) {
        return vec![(state.focus, body)];
    }
    let arrangement = state.arrangement.unwrap_or_else(|| Arrangement::usual(body.width)).within(body.width);
    if arrangement == Arrangement::Beside {
        let side = SIDE.min(body.width * 2 / 5);
        let x = body.right().saturating_sub(side);
        let main = Rect { width: body.width.saturating_sub(side + GUTTER), ..body };
        let mut places = banded(state, look, BESIDE, main);
        places.push((DETAILS, Rect { x, width: side, ..body }));
        return places;
    }
    let bands = match arrangement {
        Arrangement::Stacked => NARROW,
        Arrangement::Paired => MEDIUM,
        Arrangement::Wide | Arrangement::Beside => WIDE,
    };
    banded(state, look, bands, body)
}

fn banded(state: &State, look: &Look<'_>, bands: &[Band], body: Rect) -> Vec<(usize, Rect)> {
    let wants: Vec<Want> = bands.iter().map(|band| want(state, look, band, body.width)).collect();
    let mut order: Vec<usize> = (0..bands.len()).collect();
    order.sort_by_key(|band| rank(bands[*band], state.focus));
    let heights = share(&wants, &order, body.height);
    let mut places = Vec::new();
    let mut y = body.y;
    for (band, height) in bands.iter().zip(heights) {
        if height == 0 {
            continue;
        }
        places.extend(columns(band, Rect { y, height, ..body }));
        y += height;
    }
    places
}

fn columns(band: Band, area: Rect) -> Vec<(usize, Rect)> {
    let mut x = area.x;
    let mut places = Vec::new();
    for (at, (number, share)) in band.iter().enumerate() {
        let last = at + 1 == band.len();
        let width = if last { area.right().saturating_sub(x) } else { (u32::from(area.width) * u32::from(*share) / 100) as u16 };
        places.push((*number, Rect { x, width, ..area }));
        x = (x + width + GUTTER).min(area.right());
    }
    places
}

/// A band wants what the hungriest of its panes wants.
fn want(state: &State, look: &Look<'_>, band: Band, width: u16) -> Want {
    let area = Rect { x: 0, y: 0, width, height: 1 };
    let wants = columns(band, area).into_iter().filter_map(|(number, area)| {
        let (pane, ctx) = (PANES.get(number)?, Ctx::of(state, look, number)?);
        Some(pane.want(&ctx, area.width))
    });
    wants.fold(Want { min: 0, ideal: 0, max: 0 }, |a, b| Want { min: a.min.max(b.min), ideal: a.ideal.max(b.ideal), max: a.max.max(b.max) })
}

/// The importance of a band is that of its best pane; the pane with the focus comes right after the members.
fn rank(band: Band, focus: usize) -> usize {
    let of = |number: usize| {
        let place = IMPORTANCE.iter().position(|n| *n == number).unwrap_or(IMPORTANCE.len());
        if number == focus { place.min(1) * 2 } else { place * 2 + 1 }
    };
    band.iter().map(|(number, _)| of(*number)).min().unwrap_or(usize::MAX)
}

/// Heights of the bands with their titles; 0: there is no room.
fn share(wants: &[Want], order: &[usize], height: u16) -> Vec<u16> {
    let mut heights = vec![0u16; wants.len()];
    let mut left = height;
    for band in order {
        let need = wants[*band].min + 1;
        if need <= left {
            heights[*band] = need;
            left -= need;
        } else if *band == order[0] && left > 0 {
            // Even the most important one does not fit: it gets what there is.
            heights[*band] = left;
            left = 0;
        }
    }
    for band in order {
        if heights[*band] > 0 {
            let more = (wants[*band].ideal + 1).saturating_sub(heights[*band]).min(left);
            heights[*band] += more;
            left -= more;
        }
    }
    // One line after the other in turn, so that what is left is spread evenly.
    while left > 0 {
        let mut given = false;
        for band in order {
            if left > 0 && heights[*band] > 0 && heights[*band] < wants[*band].max.saturating_add(1) {
                heights[*band] += 1;
                left -= 1;
                given = true;
            }
        }
        if !given {
            break;
        }
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn want(min: u16, ideal: u16, max: u16) -> Want {
        Want { min, ideal, max }
    }

    #[test]
    fn the_important_ones_get_theirs_first() {
        let wants = [want(4, 4, 4), want(3, 5, 9), want(1, 2, 99)];
        assert_eq!(share(&wants, &[0, 2, 1], 5), [5, 0, 0]);
        assert_eq!(share(&wants, &[0, 2, 1], 8), [5, 0, 3]);
        assert_eq!(share(&wants, &[0, 2, 1], 12), [5, 4, 3]);
        assert_eq!(share(&wants, &[0, 2, 1], 40), [5, 10, 25]);
    }

    #[test]
    fn what_does_not_fit_is_cut_only_for_the_first() {
        assert_eq!(share(&[want(20, 20, 20), want(1, 1, 1)], &[0, 1], 6), [6, 0]);
        assert_eq!(share(&[want(20, 20, 20)], &[0], 0), [0]);
    }

    #[test]
    fn the_columns_of_a_band_fill_it() {
        let area = Rect { x: 0, y: 0, width: 81, height: 3 };
        let places = columns(&[(1, 50), (2, 50)], area);
        assert_eq!(places[0].1.width + GUTTER + places[1].1.width, 81);
        assert_eq!(columns(&[(1, 50), (2, 50)], Rect { width: 1, ..area })[1].1.width, 0);
    }
}
