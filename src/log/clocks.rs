//! By how much the nodes' clocks are reckoned to be ahead of ours, when messages are put in order.

use std::collections::BTreeMap;

use crate::model::ClockSkew;

/// By how much each node's clock is reckoned to be ahead of ours, by the rule of [`ClockSkew::reckoned`]. A node whose clock nobody tells any more
/// keeps what was known of it.
#[derive(Debug, Clone, Default)]
pub struct Clocks(BTreeMap<String, i64>);

impl Clocks {
    /// Learns what is known of a node's clock now; what it is reckoned with from now on, microseconds, if that is another than before.
    pub fn hear(&mut self, node: &str, skew: ClockSkew) -> Option<i64> {
        let before = self.ahead(node);
        let ahead = skew.reckoned(before);
        if ahead == before {
            return None;
        }
        self.0.insert(node.to_owned(), ahead);
        Some(ahead)
    }

    /// By how much a node's clock is ahead, microseconds, negative when it is behind; 0 also when that is not known.
    pub fn ahead(&self, node: &str) -> i64 {
        self.0.get(node).copied().unwrap_or(0)
    }
}

/// `3.2 s ahead`, `12 ms behind`; `None`: less than a millisecond, to which times in logs are written.
pub fn ahead_told(micros: i64) -> Option<String> {
    let direction = if micros < 0 { "behind" } else { "ahead" };
    match micros.unsigned_abs() {
        0..500 => None,
        span @ 500..100_000 => Some(format!("{} ms {direction}", (span + 500) / 1000)),
        span => Some(format!("{:.1} s {direction}", span as f64 / 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reckoned_with_moves_only_when_it_must() {
        let mut clocks = Clocks::default();
        let mut hear = |least, most| clocks.hear("a", ClockSkew { least, most });
        assert_eq!(hear(-500, 500), None);
        assert_eq!(hear(2_999_000, 3_001_000), Some(3_000_000));
        assert_eq!(hear(2_999_500, 3_002_000), None, "it may be right still");
        assert_eq!(hear(4_000_000, 4_002_000), Some(4_001_000));
        assert_eq!(hear(-600_000, 4_400_000), Some(0), "they may agree");
        assert_eq!(clocks.ahead("a"), 0);
    }

    #[test]
    fn a_difference_has_words_from_a_millisecond_on() {
        for (micros, told) in
            [(0, None), (-499, None), (500, Some("1 ms ahead")), (-12_400, Some("12 ms behind")), (3_240_000, Some("3.2 s ahead"))]
        {
            assert_eq!(ahead_told(micros).as_deref(), told, "{micros}");
        }
    }
}
