//! A line in the place it has; what is cut says so.

use ratatui::buffer::Buffer;
use ratatui::text::Line;

use super::format::display_width;

/// Draws a line in so many columns; when it is wider, its end is the sign for that.
pub(super) fn put(buffer: &mut Buffer, x: u16, y: u16, line: &Line<'_>, width: u16) {
    buffer.set_line(x, y, line, width);
    // Blanks at its end are no loss.
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    if display_width(text.trim_end()) <= usize::from(width) || width == 0 {
        return;
    }
    let last = x.saturating_add(width - 1);
    // A character of two columns that ends there gives up both.
    let wide = width > 1 && buffer.cell((last - 1, y)).is_some_and(|cell| display_width(cell.symbol()) > 1);
    for (x, symbol) in [(last - u16::from(wide), "…"), (last, if wide { " " } else { "…" })] {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    fn drawn(text: &str, width: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        put(&mut buffer, 1, 0, &Line::from(text.to_owned()), width);
        (0..12).map(|x| buffer[(x, 0)].symbol().to_owned()).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn what_is_cut_says_so_and_what_fits_does_not() {
        assert_eq!(drawn("healthy", 7), " healthy");
        assert_eq!(drawn("healthy", 6), " healt…");
        assert_eq!(drawn("healthy", 1), " …");
        assert_eq!(drawn("healthy", 0), "");
        assert_eq!(drawn("healthy   ", 8), " healthy");
        // The wide ones take two columns, and the second of the last one is cut.
        assert_eq!(drawn("a日本語", 6).split_whitespace().collect::<String>(), "a日本…");
    }
}
