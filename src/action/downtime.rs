//! How long writes were away on a route: from what was heard through it to a sentence. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::Time;

/// One attempt to reach somebody who takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it was begun.
    pub begun: Time,
    /// When its answer came, or it was given up.
    pub at: Time,
    /// What came of it.
    pub said: Said,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Whoever answered takes writes, on this timeline.
    Writes(Option<u32>),
    /// Whoever answered is in recovery.
    InRecovery,
    /// Nobody answered within the attempt's time.
    Nothing,
}

/// What was heard through one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    route: String,
    /// The timeline of the first who took writes.
    first: Option<u32>,
    /// The last who took writes: when, and on which timeline.
    last: Option<(Time, Option<u32>)>,
    /// Whether an attempt that was begun after that has failed.
    failed: bool,
    longest: Option<Duration>,
}

impl Absence {
    /// Nothing was heard through this route.
    pub fn new(route: &str) -> Self {
        Self { route: route.to_owned(), first: None, last: None, failed: false, longest: None }
    }

    /// The route.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Takes an attempt in, in the order in which they ended.
    pub fn take(&mut self, sample: Sample) {
        let timeline = match sample.said {
            Said::Writes(timeline) => timeline,
            Said::InRecovery | Said::Nothing => {
                // One that hung while a later one was answered is no absence.
                self.failed |= self.last.is_some_and(|(at, _)| sample.begun >= at);
                return;
            }
        };
        if let Some((at, before)) = self.last {
            // A late word of the old leader.
            if before > timeline {
                return;
            }
            if self.failed || before != timeline {
                self.longest = self.longest.max(Some(sample.at.since(at)));
            }
        }
        self.first = self.first.or(timeline);
        self.last = Some((sample.at, timeline));
        self.failed = false;
    }

    /// Whether the new leader was reached through it: on a later timeline than whoever took writes at first.
    pub fn moved(&self) -> bool {
        self.first.is_some() && self.last.is_some_and(|(_, timeline)| timeline > self.first)
    }

    /// The longest time between two who took writes in which nobody did; `None`: not known, because it lasts, or none was seen.
    pub fn away(&self) -> Option<Duration> {
        self.longest.filter(|_| !self.failed)
    }

    fn still(&self, now: Time) -> Option<Duration> {
        self.last.filter(|_| self.failed).map(|(at, _)| now.since(at))
    }
}

/// How long writes were away: `writes were away for 1.9 s on vm1, 2.1 s on vm4`. `None`: they were not, as far as was seen.
pub fn away(routes: &[Absence], now: Time) -> Option<String> {
    let mut told: Vec<String> = Vec::new();
    let known: Vec<String> =
        routes.iter().filter_map(|route| Some(format!("{:.1} s on {}", route.away()?.as_secs_f64(), route.route))).collect();
    if !known.is_empty() {
        told.push(format!("writes were away for {}", known.join(", ")));
    }
    for route in routes {
        match route.still(now) {
            Some(span) => told.push(format!("writes on {} have been away for {:.1} s and still are", route.route, span.as_secs_f64())),
            None if route.last.is_none() => told.push(format!("nobody who takes writes was reached on {}", route.route)),
            None => {}
        }
    }
    (!told.is_empty()).then(|| told.join("; "))
}

/// The same of what the audit has of an action, route by route; `None`: it was not measured.
pub fn measured(downtime_ms: &BTreeMap<String, Option<u64>>) -> Option<String> {
    let known: Vec<String> =
        downtime_ms.iter().filter_map(|(route, ms)| Some(format!("{:.1} s on {route}", (*ms)? as f64 / 1000.0))).collect();
    let unknown: Vec<&str> = downtime_ms.iter().filter(|(_, ms)| ms.is_none()).map(|(route, _)| route.as_str()).collect();
    match (known.as_slice(), unknown.join(", ")) {
        ([], unknown) if unknown.is_empty() => None,
        ([], unknown) => Some(format!("for how long writes were away on {unknown} is not known")),
        (known, unknown) if unknown.is_empty() => Some(format!("writes were away for {}", known.join(", "))),
        (known, unknown) => Some(format!("writes were away for {}; for how long on {unknown} is not known", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> Time {
        Time::from_micros(ms * 1000)
    }

    /// Attempts as (begun, ended, what was said), milliseconds.
    fn heard(attempts: &[(i64, i64, Said)]) -> Absence {
        let mut absence = Absence::new("vm1");
        for (begun, at, said) in attempts {
            absence.take(Sample { begun: ms(*begun), at: ms(*at), said: *said });
        }
        absence
    }

    const OLD: Said = Said::Writes(Some(7));
    const NEW: Said = Said::Writes(Some(8));
    const READS: Said = Said::InRecovery;
    const NOTHING: Said = Said::Nothing;

    #[test]
    fn it_lasts_from_the_last_who_took_writes_to_the_first_who_does_again() {
        /// When an attempt began, when it was over, milliseconds, and what was said.
        type Attempts = &'static [(i64, i64, Said)];
        let cases: [(&str, Attempts, Option<u64>, bool); 9] = [
            ("a switchover", &[(0, 2, OLD), (50, 52, NOTHING), (100, 102, READS), (1950, 1952, NEW)], Some(1950), true),
            ("no attempt fell into it", &[(0, 2, OLD), (50, 62, NEW)], Some(60), true),
            ("nothing has happened", &[(0, 2, OLD), (50, 52, OLD)], None, false),
            ("it lasts", &[(0, 2, OLD), (50, 52, NOTHING)], None, false),
            ("it began before we looked", &[(0, 2, NOTHING), (50, 52, NEW)], None, false),
            ("the old leader came back", &[(0, 2, OLD), (50, 52, NOTHING), (400, 402, OLD)], Some(400), false),
            ("one hung while others were answered", &[(0, 2, OLD), (60, 62, OLD), (10, 1010, NOTHING), (1020, 1022, OLD)], None, false),
            ("a late word of the old leader", &[(0, 2, OLD), (50, 300, NEW), (40, 310, OLD), (350, 352, NEW)], Some(298), true),
            (
                "the longest of two",
                &[(0, 0, OLD), (50, 50, NOTHING), (100, 100, OLD), (150, 150, NOTHING), (900, 900, NEW)],
                Some(800),
                true,
            ),
        ];
        for (name, attempts, away, moved) in cases {
            let absence = heard(attempts);
            assert_eq!((absence.away(), absence.moved()), (away.map(Duration::from_millis), moved), "{name}");
        }
    }

    #[test]
    fn the_sentence_says_what_is_known_of_each_route() {
        let one = heard(&[(0, 0, OLD), (50, 50, NOTHING), (1900, 1900, NEW)]);
        let named = |absence: &Absence, route: &str| Absence { route: route.to_owned(), ..absence.clone() };
        let lasts = named(&heard(&[(0, 0, OLD), (50, 50, NOTHING)]), "vm4");
        let never = named(&heard(&[(0, 0, NOTHING)]), "vm5");
        let quiet = named(&heard(&[(0, 0, OLD), (50, 50, OLD)]), "vm6");
        assert_eq!(away(&[one.clone(), named(&one, "vm4")], ms(3000)).as_deref(), Some("writes were away for 1.9 s on vm1, 1.9 s on vm4"));
        assert_eq!(
            away(&[one, lasts, never], ms(3000)).as_deref(),
            Some(
                "writes were away for 1.9 s on vm1; writes on vm4 have been away for 3.0 s and still are; nobody who takes writes was reached on vm5"
            )
        );
        assert_eq!(away(&[quiet], ms(3000)), None);
        assert_eq!(away(&[], ms(0)), None);
    }

    #[test]
    fn what_the_audit_has_is_told_route_by_route_and_what_is_not_known_is_not_zero() {
        let told = |routes: &[(&str, Option<u64>)]| measured(&routes.iter().map(|(route, ms)| ((*route).to_owned(), *ms)).collect());
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[("vm1", Some(1949)), ("vm4", Some(2100))]).as_deref(), Some("writes were away for 1.9 s on vm1, 2.1 s on vm4"));
        assert_eq!(
            told(&[("vm1", Some(1900)), ("vm4", None)]).as_deref(),
            Some("writes were away for 1.9 s on vm1; for how long on vm4 is not known")
        );
        assert_eq!(told(&[("vm1", None)]).as_deref(), Some("for how long writes were away on vm1 is not known"));
    }
}
