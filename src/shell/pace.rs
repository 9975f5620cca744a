//! How often data may be drawn, so that a key waits behind one picture at most. In the first second, while the picture comes together, nothing is
//! held back.
//!
//! Between us and a slow line there are buffers that take everything at once, and no system call tells how full they are. So we reckon with
//! the slowest line that we promise anything for, and let it carry what it was sent before data sends more. Keys do not wait for that.

use std::time::Duration;

use tokio::time::Instant;

/// Bytes that the slowest line carries in a second.
const SLOWEST_LINE: u32 = 4096;

/// Data is drawn no more often than this, and no less often than [`RAREST`] as long as the line has room.
const USUAL: Duration = Duration::from_millis(200);
const RAREST: Duration = Duration::from_millis(500);

/// No picture waits longer than this for the line: on a fast one, keys that are held down would keep what is new away for ever.
const LONGEST: Duration = Duration::from_millis(1500);

/// What there is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Values that have changed.
    Values,
    /// Something has happened.
    Event,
    /// Another leads, or nobody. The new leader follows the loss of the old one within a moment, and must not wait behind the picture of that.
    Leader,
}

/// When the line will have carried what it was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// When the last byte is through.
    through: Instant,
    /// How long it is then kept free for keys: half of what the line carries is theirs.
    free: Duration,
    /// How long a picture has to stand.
    usual: Duration,
}

impl Pace {
    /// A line that carries nothing yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { through: now, free: Duration::ZERO, usual: USUAL }
    }

    /// A frame was sent, if there was something to send.
    pub(super) fn sent(&mut self, bytes: usize, now: Instant) {
        if bytes == 0 {
            return;
        }
        let takes = Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / SLOWEST_LINE;
        self.through = (self.through.max(now) + takes).min(now + takes + LONGEST);
        self.free = takes;
    }

    /// The system took so long to accept a frame: it is full.
    pub(super) fn accepted(&mut self, took: Duration) {
        self.usual = (took * 4).clamp(USUAL, RAREST);
    }

    /// How long a picture has to stand.
    pub(super) fn usual(&self) -> Duration {
        self.usual
    }

    /// When data that is due may be drawn. News does not wait for the line to have been free for a while; who leads waits for nothing.
    pub(super) fn from(&self, due: Instant, news: News) -> Instant {
        let free = match news {
            News::Values => self.through + self.free,
            News::Event => self.through,
            News::Leader => due,
        };
        due.max(free).min(due + LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of every size, as fast as they may come, on a line of 4 KiB/s: what is under way when a key is pressed is one frame at most.
    #[test]
    fn data_never_has_more_than_one_frame_under_way() {
        let begun = Instant::now();
        let (mut pace, mut now, mut sent) = (Pace::new(begun), begun, 0u64);
        for n in 0..400u64 {
            let bytes = [22, 140, 300, 3000, 140][(n % 5) as usize];
            now = pace.from(now + Duration::from_millis(1), if n % 7 == 0 { News::Event } else { News::Values });
            let carried = (now - begun).as_secs_f64() * f64::from(SLOWEST_LINE);
            assert!(sent as f64 <= carried + 1.0, "{} bytes wait when the next frame is sent", sent as f64 - carried);
            pace.sent(bytes as usize, now);
            sent += bytes;
        }
        let rate = sent as f64 / (now - begun).as_secs_f64();
        assert!(rate < f64::from(SLOWEST_LINE) * 0.65, "{rate} bytes a second leave no room for keys");
    }

    #[test]
    fn keys_that_are_held_down_do_not_keep_data_away() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        for n in 0..1000 {
            pace.sent(3000, begun + Duration::from_millis(30 * n));
        }
        let due = begun + Duration::from_secs(1);
        assert!(pace.from(due, News::Values) <= due + LONGEST, "thirty seconds of keys");
        let later = begun + Duration::from_secs(40);
        assert_eq!(pace.from(later, News::Values), later, "and nothing of them is left to wait for");
    }

    #[test]
    fn an_idle_line_holds_nothing_up_and_a_full_one_is_spared() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        pace.sent(140, begun);
        let later = begun + USUAL;
        assert_eq!(pace.from(later, News::Values), later, "140 bytes are through before the next picture is due");
        pace.sent(3000, later);
        let [values, event, leader] = [News::Values, News::Event, News::Leader].map(|news| pace.from(later, news));
        assert!(event > later + RAREST && values > event);
        assert_eq!(leader, later, "who leads is not kept waiting by the picture that said that nobody does");
        pace.accepted(Duration::from_secs(1));
        assert_eq!(pace.usual(), RAREST);
    }
}
