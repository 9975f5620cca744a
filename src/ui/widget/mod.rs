//! What several panes are made of.

mod chart;
mod flow;
mod frame;
mod list;
mod sheet;
mod table;
mod typed;

pub(super) use chart::{chart, scale_of};
pub(super) use flow::Flow;
pub(super) use frame::frame;
pub(super) use list::{Item, list};
pub(super) use sheet::Sheet;
pub(super) use table::{Align, Cell, Column, Row, first_row, mark, table};
pub(super) use typed::{typed_line, typed_lines};
