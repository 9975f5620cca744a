//! The newest readings of something, to tell what lasts from a single outlier.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Time;

/// How many readings are kept.
const KEPT: usize = 16;

/// The newest readings, each with its moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recent<T>(VecDeque<(Time, T)>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Recent<T> {
    /// Takes a reading in; the oldest one goes when there are too many.
    pub fn push(&mut self, value: T, at: Time) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((at, value));
    }

    /// Forgets them all: what comes next does not continue them.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The newest one.
    pub fn last(&self) -> Option<&T> {
        self.0.back().map(|(_, value)| value)
    }

    /// All that are kept, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.0.iter().rev().map(|(_, value)| value)
    }

    /// When the newest one was given.
    pub fn at(&self) -> Option<Time> {
        self.0.back().map(|(at, _)| *at)
    }

    /// The newest one that was given at `moment` or before.
    pub fn until(&self, moment: Time) -> Option<&T> {
        self.0.iter().rev().find(|(at, _)| *at <= moment).map(|(_, value)| value)
    }

    /// The newest one of which `is` is true, if it holds as [`holds`](Self::holds) has it: while one outlier does not end it, it is told by
    /// what it rests on.
    pub fn held(&self, needed: usize, is: impl Fn(&T) -> bool) -> Option<&T> {
        let held = self.holds(needed, &is);
        self.0.iter().rev().map(|(_, value)| value).find(|value| held && is(value))
    }

    /// Whether `is` holds, judged without flapping: it begins to hold after `needed` readings in a row of which it is true, and holds until it
    /// is false of as many in a row.
    pub fn holds(&self, needed: usize, is: impl Fn(&T) -> bool) -> bool {
        let (mut holds, mut against) = (false, 0);
        for (_, value) in &self.0 {
            against = if is(value) == holds { 0 } else { against + 1 };
            if against >= needed {
                holds = !holds;
                against = 0;
            }
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(values: &[u32]) -> Recent<u32> {
        let mut recent = Recent::default();
        values.iter().enumerate().for_each(|(i, v)| recent.push(*v, Time::from_micros(i as i64)));
        recent
    }

    #[test]
    fn one_outlier_neither_begins_nor_ends_it() {
        let over = |values: &[u32]| recent(values).holds(3, |v| *v > 5);
        for (values, expected) in [
            (&[][..], false),
            (&[9, 9], false),
            (&[9, 9, 1, 9, 9], false),
            (&[9, 9, 9], true),
            (&[9, 9, 9, 1, 1, 9], true),
            (&[9, 9, 9, 1, 1, 1], false),
            (&[9, 9, 9, 1, 1, 1, 9, 9], false),
        ] {
            assert_eq!(over(values), expected, "{values:?}");
            let last = values.iter().rev().find(|v| **v > 5);
            assert_eq!(recent(values).held(3, |v| *v > 5), last.filter(|_| expected), "{values:?}");
        }
    }

    #[test]
    fn the_oldest_go() {
        let many: Vec<u32> = (0..100).collect();
        let recent = recent(&many);
        assert_eq!((recent.0.len(), recent.last(), recent.at()), (KEPT, Some(&99), Some(Time::from_micros(99))));
        assert_eq!((recent.until(Time::from_micros(90)), recent.until(Time::from_micros(5))), (Some(&90), None));
    }
}
