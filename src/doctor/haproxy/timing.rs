//! When a server's checks bring it up and take it down (HAProxy's configuration manual, 5.2: `inter`, `fastinter`, `downinter`, `rise`, `fall`).

use std::time::Duration;

/// How a server is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// `inter`: the pause between two checks.
    pub inter: Duration,
    /// `fastinter`: the same while a server is on its way up or down; `None`: `inter`.
    pub fastinter: Option<Duration>,
    /// `downinter`: the same while it is down; `None`: `inter`.
    pub downinter: Option<Duration>,
    /// `rise`: good checks in a row that bring it up.
    pub rise: u32,
    /// `fall`: bad ones that take it down.
    pub fall: u32,
}

/// HAProxy's own.
impl Default for Timing {
    fn default() -> Self {
        Self { inter: Duration::from_secs(2), fastinter: None, downinter: None, rise: 2, fall: 3 }
    }
}

/// A span, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// With the checks at the luckiest moment.
    pub least: Duration,
    /// With the checks at the unluckiest one.
    pub most: Duration,
}

impl Timing {
    fn fast(&self) -> Duration {
        self.fastinter.unwrap_or(self.inter)
    }

    /// How long a server stays UP after it has begun to answer badly. The first bad check comes within `inter`, the others `fastinter` apart.
    pub fn down(&self) -> Span {
        let rest = self.fast().saturating_mul(self.fall.saturating_sub(1));
        Span { least: rest, most: self.inter.saturating_add(rest) }
    }

    /// How long a server stays DOWN after it has begun to answer well.
    pub fn up(&self) -> Span {
        let rest = self.fast().saturating_mul(self.rise.saturating_sub(1));
        Span { least: rest, most: self.downinter.unwrap_or(self.inter).saturating_add(rest) }
    }

    /// For how long an old leader with this timing and a `new` one may be UP together, if the new one answers well as soon as the old one answers
    /// badly: at most, and on average over all moments at which the checks may fall. Later it is as much less.
    pub fn overlap(&self, new: &Self) -> (Duration, Duration) {
        let (down, up) = (self.down(), new.up());
        let mean = |span: Span| (span.least + span.most) / 2;
        (down.most.saturating_sub(up.least), mean(down).saturating_sub(mean(up)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds; 0: not set.
    fn timing(inter: u64, fastinter: u64, downinter: u64, fall: u32, rise: u32) -> Timing {
        let set = |ms: u64| (ms > 0).then(|| Duration::from_millis(ms));
        Timing { inter: Duration::from_millis(inter), fastinter: set(fastinter), downinter: set(downinter), rise, fall }
    }

    #[test]
    fn two_are_up_together_when_rising_is_quicker_than_falling() {
        for (what, timing, most, mean) in [
            // Its document and measurement: tests/doctor.rs.
            ("Patroni's sample", timing(3000, 0, 0, 3, 2), 6000, 3000),
            ("the practice cluster's", timing(1000, 500, 1000, 2, 4), 0, 0),
            ("one check less to rise", timing(1000, 500, 1000, 2, 3), 500, 0),
            ("a long inter before the first bad check", timing(5000, 500, 1000, 2, 4), 4000, 1000),
            ("HAProxy's own", Timing::default(), 4000, 2000),
            ("one check decides", timing(2000, 0, 0, 1, 1), 2000, 0),
        ] {
            assert_eq!(timing.overlap(&timing), (Duration::from_millis(most), Duration::from_millis(mean)), "{what}");
        }
    }

    #[test]
    fn each_server_counts_with_its_own() {
        let (slow, quick) = (timing(3000, 0, 0, 3, 4), timing(3000, 0, 0, 3, 1));
        assert_eq!(slow.overlap(&slow).0, Duration::ZERO);
        assert_eq!(slow.overlap(&quick).0, Duration::from_secs(9));
    }
}
