//! How the space on a file system changes over time, and when it will be full if it goes on so.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Space, Time};

/// Three looks back: at what fills a disk now, at what goes on, and at what does it day by day. Nobody can tell from ten minutes how tomorrow will
/// be, nor what the next checkpoint gives back.
const NOW: Look = Look { step: seconds(10), window: seconds(600), shortest: seconds(300), ahead: 6.0 };
const NEAR: Look = Look { step: seconds(60), window: seconds(3600), shortest: seconds(1800), ahead: 24.0 };
const FAR: Look = Look { step: seconds(1200), window: seconds(86_400), shortest: seconds(7200), ahead: 30.0 };

/// In how many parts of the time that was watched it must have become less: what comes once, or comes and goes, is no trend.
const PARTS: usize = 4;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    /// Readings that are nearer to each other are kept as one.
    step: Duration,
    /// How far back they are kept.
    window: Duration,
    /// How long it must have been watched before a rate is told.
    shortest: Duration,
    /// How many times as far ahead as it was watched an end may lie to be told.
    ahead: f64,
}

/// The space on a file system over the last day, as far as it was watched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpaceTrend {
    now: Row,
    near: Row,
    far: Row,
}

/// How fast a file system fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filling {
    /// Bytes a second, above 0.
    pub rate: f64,
    /// Until nothing is available, if it goes on so.
    pub left: Duration,
    /// Over how long that was watched.
    pub over: Duration,
}

impl SpaceTrend {
    /// Takes in a reading.
    pub(super) fn record(&mut self, space: &Space, at: Time) {
        self.now.record(NOW, space, at);
        self.near.record(NEAR, space, at);
        self.far.record(FAR, space, at);
    }

    /// How fast it fills, by the row that has it full first; `None` while it does not, when it was not watched for long enough, and when the
    /// end lies too far ahead to be told from what was seen.
    pub fn filling(&self) -> Option<Filling> {
        let told = [(NOW, &self.now), (NEAR, &self.near), (FAR, &self.far)].into_iter().filter_map(|(look, row)| row.filling(look));
        told.min_by_key(|filling| filling.left)
    }
}

/// Readings in steps, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
struct Row {
    /// When a step began, its last reading, and the bytes that were available then.
    steps: VecDeque<(Time, Time, u64)>,
    /// The size of the file system; one that was made larger begins anew.
    size: u64,
    /// The median of the slopes between each two steps, bytes a second.
    slope: Option<f64>,
}

impl Row {
    fn record(&mut self, look: Look, space: &Space, at: Time) {
        if self.size != space.size {
            *self = Self { size: space.size, ..Self::default() };
        }
        match self.steps.back_mut().filter(|(begun, _, _)| at.since(*begun) < look.step) {
            Some((_, last, available)) => (*last, *available) = (at, space.available),
            None => {
                self.steps.push_back((at, at, space.available));
                while self.steps.front().is_some_and(|(_, last, _)| at.since(*last) > look.window) {
                    self.steps.pop_front();
                }
            }
        }
        self.slope = self.median();
    }

    fn span(&self) -> Duration {
        self.steps.front().zip(self.steps.back()).map_or(Duration::ZERO, |(first, last)| last.1.since(first.1))
    }

    fn median(&self) -> Option<f64> {
        let points: Vec<(Time, f64)> = self.steps.iter().map(|(_, at, available)| (*at, *available as f64)).collect();
        let later = |n: usize| points.iter().skip(n + 1).map(move |point| (n, point));
        let slope = |(n, (at, available)): (usize, &(Time, f64))| {
            let span = at.since(points[n].0).as_secs_f64();
            (span > 0.0).then(|| (available - points[n].1) / span)
        };
        let mut slopes: Vec<f64> = (0..points.len()).flat_map(later).filter_map(slope).collect();
        slopes.sort_by(f64::total_cmp);
        slopes.get(slopes.len() / 2).copied()
    }

    /// Whether less became available in each part of the time that was watched.
    fn falls(&self) -> bool {
        let at = |part: usize| self.steps.get((self.steps.len() - 1) * part / PARTS).map(|(_, _, available)| *available);
        (0..PARTS).all(|part| at(part).zip(at(part + 1)).is_some_and(|(before, after)| after < before))
    }

    fn filling(&self, look: Look) -> Option<Filling> {
        let over = self.span();
        let rate = -self.slope.filter(|_| over >= look.shortest)?;
        let left = self.steps.back()?.2 as f64 / rate;
        (rate >= 1.0 && self.falls() && left <= over.as_secs_f64() * look.ahead).then(|| Filling {
            rate,
            left: Duration::from_secs_f64(left),
            over,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1 << 30;

    /// A file system of 100 GB that has so much available at each second, asked each ten.
    fn watched(seconds: u64, available: impl Fn(u64) -> u64) -> SpaceTrend {
        let mut trend = SpaceTrend::default();
        for second in (0..=seconds).step_by(10) {
            let free = available(second);
            let space = Space { device: 1, mount: "/".into(), size: 100 * GB, free, available: free, inodes: None, inodes_free: 0 };
            trend.record(&space, Time::from_micros(i64::try_from(second).expect("small") * 1_000_000));
        }
        trend
    }

    #[test]
    fn nothing_is_told_before_enough_was_seen() {
        let fills = |s: u64| 2 * GB - s * 1_000_000;
        assert_eq!(watched(290, fills).filling(), None);
        let told = watched(310, fills).filling().expect("it fills");
        assert!((999_000.0..1_001_000.0).contains(&told.rate), "{told:?}");
        assert_eq!((told.left.as_secs(), told.over), (1837, Duration::from_secs(310)));
    }

    #[test]
    fn ten_minutes_say_nothing_of_tomorrow_and_an_hour_nothing_of_next_week() {
        let slowly = |s: u64| 50 * GB - s * 50_000;
        assert_eq!(watched(600, slowly).filling(), None);
        assert_eq!(watched(7000, slowly).filling(), None);
        let told = watched(90_000, slowly).filling().expect("a day says it");
        assert!((49_000.0..51_000.0).contains(&told.rate), "{told:?}");
        assert!(told.over > Duration::from_secs(80_000), "{told:?}");
        let faster = |s: u64| 20 * GB - s * 500_000;
        assert_eq!(watched(600, faster).filling(), None);
        let told = watched(3700, faster).filling().expect("an hour says it");
        assert!(told.over > Duration::from_secs(3500) && told.left > Duration::from_secs(36_000), "{told:?}");
    }

    #[test]
    fn what_comes_and_goes_is_no_trend() {
        // A file of 5 GB once, WAL that is recycled, a file that grows and goes, space that is freed, none of it.
        assert_eq!(watched(3000, |s| if s < 1500 { 8 * GB } else { 3 * GB }).filling(), None);
        assert_eq!(watched(3000, |s| 3 * GB - (s % 300) * 1_000_000).filling(), None);
        assert_eq!(watched(3000, |s| if s > 2900 { 3 * GB } else { 3 * GB - s * 1_000_000 }).filling(), None);
        assert_eq!(watched(3000, |s| 3 * GB + s * 1_000_000).filling(), None);
        assert_eq!(watched(3000, |_| 10 * GB).filling(), None);
    }

    #[test]
    fn what_comes_in_bursts_is_a_trend_once_it_was_seen_for_long_enough() {
        let bursts = |s: u64| 6 * GB - s / 400 * 400_000_000;
        assert_eq!(watched(590, bursts).filling(), None);
        let told = watched(3600, bursts).filling().expect("it fills");
        assert!((900_000.0..1_100_000.0).contains(&told.rate), "{told:?}");
    }

    #[test]
    fn what_begins_now_is_told_though_the_day_was_quiet() {
        let sudden = |s: u64| if s < 80_000 { 5 * GB } else { 5 * GB - (s - 80_000) * 2_000_000 };
        assert_eq!(watched(80_300, sudden).filling(), None);
        let told = watched(80_600, sudden).filling().expect("it fills");
        assert!(told.rate > 1_900_000.0 && told.over <= Duration::from_secs(610), "{told:?}");
    }

    #[test]
    fn a_file_system_that_was_made_larger_begins_anew() {
        let mut trend = watched(3000, |s| 4 * GB - s * 1_000_000);
        assert!(trend.filling().is_some());
        let larger =
            Space { device: 1, mount: "/".into(), size: 200 * GB, free: 100 * GB, available: 100 * GB, inodes: None, inodes_free: 0 };
        trend.record(&larger, Time::from_micros(3_010_000_000));
        assert_eq!(trend.filling(), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let trend = watched(200_000, |_| GB);
        assert!(
            trend.now.steps.len() <= 62 && trend.near.steps.len() <= 62 && trend.far.steps.len() <= 74,
            "{} {}",
            trend.near.steps.len(),
            trend.far.steps.len()
        );
    }
}
