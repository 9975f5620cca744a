//! How long something has been so.

use std::time::Duration;

use super::Time;

/// Whether something is so, and since when, over the answers of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lasting(Option<Known>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is not so.
    No,
    /// It was so at the first answer; nobody saw it begin.
    Found,
    /// It was seen to begin.
    Since(Time),
}

impl Lasting {
    /// Takes in an answer.
    pub(super) fn follow(&mut self, so: bool, at: Time) {
        self.0 = Some(match (so, self.0) {
            (false, _) => Known::No,
            (true, None) => Known::Found,
            (true, Some(Known::No)) => Known::Since(at),
            (true, Some(before)) => before,
        });
    }

    /// Whether it has been so for `span`. What was so when it was first asked for counts as long-standing: one who looks only once must hear of
    /// it too.
    pub fn lasts(&self, now: Time, span: Duration) -> bool {
        match self.0 {
            None | Some(Known::No) => false,
            Some(Known::Found) => true,
            Some(Known::Since(at)) => now.since(at) >= span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_before_our_eyes_must_last_what_was_there_need_not() {
        let at = |seconds: i64| Time::from_micros(seconds * 1_000_000);
        let five = Duration::from_secs(5);
        let mut lasting = Lasting::default();
        assert!(!lasting.lasts(at(0), five));
        lasting.follow(true, at(1));
        assert!(lasting.lasts(at(1), five));
        lasting.follow(false, at(2));
        assert!(!lasting.lasts(at(9), five));
        lasting.follow(true, at(10));
        lasting.follow(true, at(13));
        assert!(!lasting.lasts(at(14), five));
        assert!(lasting.lasts(at(15), five));
        lasting.follow(false, at(16));
        lasting.follow(true, at(17));
        assert!(!lasting.lasts(at(21), five));
    }
}
