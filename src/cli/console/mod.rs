//! `pgbaton`: the console.

mod books;
mod chosen;
mod examining;
mod node_logs;
mod operate;

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use jiff::tz::TimeZone;

use self::books::Books;
use self::examining::Examining;
use self::node_logs::NodeLogs;
use self::operate::Operating;
use super::connect::ConnectArgs;
use super::runbook::library;
use super::start::{self, Follow};
use super::{act, mode};
use crate::action::{Audit, Base, Desk};
use crate::app::{Arrangement, Asked, Audited, ChoiceRow, CourseSheet, EventLine, Mode, Opened, Opening, PlanSheet};
use crate::config::yaml_text;
use crate::doctor::Report;
use crate::document::Document;
use crate::live::Live;
use crate::log::Heard;
use crate::model::clean;
use crate::permit::Policy;
use crate::runbook::{Left, Run};
use crate::shell::{self, Appearance, Feed, Notify, Options, Wanted, When};
use crate::source::Clock;
use crate::theme::Depth;

/// How the console looks.
#[derive(Debug, Default, clap::Args)]
pub struct ConsoleArgs {
    /// The theme, one that comes with pgbaton or one of your own [default: dark, or light where COLORFGBG tells of a light ground]
    #[arg(long, value_name = "NAME", env = "PGBATON_THEME", hide_env_values = true)]
    theme: Option<String>,
    /// The keys: default, vim, emacs, pgcenter, minimal, or a keymap of your own [default: keymap in pgbaton.toml, else default]
    #[arg(long, value_name = "NAME", env = "PGBATON_KEYMAP", hide_env_values = true)]
    keymap: Option<String>,
    /// How the panes are arranged: stacked, paired, wide, beside [default: by the size of the screen]
    #[arg(long, value_name = "NAME")]
    layout: Option<Arrangement>,
    /// When the bell rings for a change of leader or something critical: local, always, never [default: always]
    #[arg(long, value_name = "WHEN")]
    bell: Option<When>,
    /// When the desktop is notified of it: local, never, osc9, osc777 [default: local, which is not over SSH]
    #[arg(long, value_name = "WHEN")]
    notify: Option<Notify>,
    /// When the window's title tells who leads: local, always, never [default: local, which is not over SSH]
    #[arg(long, value_name = "WHEN")]
    title: Option<When>,
    /// Number of colours: mono, 16, 256, true-color [default: what the terminal says]
    #[arg(long, value_name = "DEPTH")]
    colors: Option<Depth>,
    /// Draw with ASCII only [default: by the locale]
    #[arg(long)]
    ascii: bool,
}

/// How often the mere passing of time is looked at.
const PASSING: Duration = Duration::from_millis(500);

/// Opens the console and runs it until it is left.
pub fn run(connect: &ConnectArgs, args: &ConsoleArgs) -> anyhow::Result<ExitCode> {
    // The first frame tells the time, for which the database of time zones is walked through (measured: 6 ms); meanwhile there is other work.
    std::thread::spawn(TimeZone::system);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no runtime")?;
    let exit = runtime.block_on(async {
        let profile = connect.profile(None).await?;
        let folder = super::own_folder();
        let console = &profile.console;
        let usual = Wanted::default();
        let looks = Appearance {
            theme: args.theme.as_deref().or(console.theme.as_deref()),
            ascii: args.ascii.then_some(true),
            depth: args.colors,
            synchronized: None,
            color: profile.color.as_deref(),
            keymap: args.keymap.as_deref().or(profile.keymap.as_deref()),
            sequences: Policy::of_machine().unwrap_or_default().sequences(),
            label: profile.label.as_deref(),
            arrangement: args.layout.or(word(console.layout.as_deref())),
            attention: Wanted {
                bell: args.bell.or(word(console.bell.as_deref())).unwrap_or(usual.bell),
                notify: args.notify.or(word(console.notify.as_deref())).unwrap_or(usual.notify),
                title: args.title.or(word(console.title.as_deref())).unwrap_or(usual.title),
            },
            folder: folder.as_deref(),
        };
        let clock = Clock::start();
        let audit = start::audit();
        let mut notices = Vec::new();
        let (mode, operating) = match mode::decide(&profile, connect.read_only) {
            Err(why) => (Mode::ReadOnly(why.to_string()), None),
            Ok((permit, audit)) => match Desk::open(permit, &audit, &profile, clock) {
                Ok(desk) => {
                    match desk.left_open() {
                        Ok(open) => notices.extend(open.iter().map(act::left_open)),
                        Err(why) => notices.push(why.to_string()),
                    }
                    (Mode::Operator, Some(Operating::new(desk, &profile)))
                }
                // Whoever only wants to look shall not be kept out by that.
                Err(why) => (Mode::ReadOnly(why.to_string()), None),
            },
        };
        let mut options = Options::new(&profile.name, mode, &looks, |name| std::env::var(name).ok())?;
        options.notices.extend(library::mistakes());
        options.notices.extend(notices);
        let books = Books::new(&profile);
        let logs = NodeLogs::new(profile.clone());
        let doctor = Examining::new(profile.clone());
        let live = start::start(profile, clock);
        let follow = Follow::default();
        shell::run(options, LiveFeed { live, operating, books, logs, doctor, audit, unread: true, follow }).await
    })?;
    // What a source was in the middle of is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(50));
    Ok(ExitCode::from(exit.code()))
}

/// A word of the configuration, which has allowed it.
fn word<T: FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}

/// How often an action under way is looked at, if nothing is pushed.
const LOOK: Duration = Duration::from_millis(100);

/// The same for the nodes' logs while more was heard of them than is shown.
const BEHIND: Duration = Duration::from_millis(10);

struct LiveFeed {
    live: Live,
    /// `None` in a read-only session.
    operating: Option<Operating>,
    books: Books,
    logs: NodeLogs,
    doctor: Examining,
    /// Where the audit is, or why that is not known.
    audit: Result<Audit, String>,
    /// Whether it is to be read again.
    unread: bool,
    follow: Follow,
}

impl Feed for LiveFeed {
    async fn wait(&mut self) -> Vec<EventLine> {
        loop {
            if let Some(changes) = self.follow.follow(&mut self.live) {
                self.unread = true;
                if !changes.is_empty() {
                    return lines(&changes);
                }
            }
            let busy = self.operating.as_ref().is_some_and(Operating::busy) || self.doctor.is_asking();
            let limit = match busy || self.logs.is_reading() {
                _ if self.logs.is_behind() => BEHIND,
                true => LOOK,
                false => PASSING,
            };
            let changes = match tokio::time::timeout(limit, self.live.wait()).await {
                Ok(changes) => {
                    self.logs.follow(&self.live);
                    return lines(&changes);
                }
                Err(_) if self.logs.arrived() => return Vec::new(),
                Err(_) => self.live.pass(),
            };
            if busy || !changes.is_empty() {
                return lines(&changes);
            }
        }
    }

    fn document(&mut self) -> Document {
        self.live.document()
    }

    fn plan(&mut self, asked: &Asked) -> Result<PlanSheet, String> {
        self.operating.as_mut().ok_or(READ_ONLY)?.plan(&self.live, asked)
    }

    fn confirm(&mut self, answer: &str) -> Result<CourseSheet, String> {
        self.operating.as_mut().ok_or(READ_ONLY)?.confirm(&self.live, answer)
    }

    fn list(&mut self, asked: &Asked) -> Result<(), String> {
        self.operating.as_mut().ok_or(READ_ONLY)?.list(&self.live, asked)
    }

    fn listed(&mut self) -> Option<(Asked, Result<Vec<ChoiceRow>, String>)> {
        self.operating.as_mut()?.listed()
    }

    fn draft(&mut self) -> Result<String, String> {
        self.operating.as_mut().ok_or(READ_ONLY)?.draft(&self.live)
    }

    fn configuration(&mut self) -> Result<(String, Vec<String>), String> {
        let (cluster, now) = (self.live.cluster(), self.live.now());
        let base = Base::of(cluster, now)?;
        // Cleaning trims, but here what stands before a line says where it belongs.
        let line = |line: &str| format!("{}{}", " ".repeat(line.len() - line.trim_start().len()), clean(line));
        let lines = yaml_text(&base.value).lines().map(line).collect();
        Ok((format!("Configuration of {}, revision {}", cluster.scope, base.revision), lines))
    }

    fn abandon(&mut self) {
        if let Some(operating) = &mut self.operating {
            operating.abandon();
        }
    }

    fn books(&mut self) -> Result<Vec<ChoiceRow>, String> {
        self.books.rows(&self.live.document())
    }

    fn left(&mut self) -> Vec<Left> {
        self.books.left(&self.live.document())
    }

    fn open_book(&mut self, opening: &Opening) -> Result<Opened, String> {
        self.books.open(opening, &self.live.document(), self.live.now())
    }

    fn keep(&mut self, run: &Run) -> Result<(), String> {
        self.books.keep(run)
    }

    fn plan_action(&mut self, words: &[String]) -> Result<Option<PlanSheet>, String> {
        self.operating.as_mut().ok_or(READ_ONLY)?.plan_action(&self.live, words)
    }

    fn plan_next(&mut self) -> Result<Option<PlanSheet>, String> {
        self.operating.as_mut().ok_or(READ_ONLY)?.plan_next(&self.live)
    }

    fn read_logs(&mut self) -> Result<(), String> {
        self.logs.read(&self.live);
        Ok(())
    }

    fn logs(&mut self) -> Vec<Heard> {
        self.logs.take()
    }

    fn examine(&mut self) -> Result<(), String> {
        self.doctor.ask(&self.live);
        Ok(())
    }

    fn examined(&mut self) -> Option<Result<Report, String>> {
        self.doctor.told(&mut self.live)
    }

    fn course(&mut self) -> Option<CourseSheet> {
        let sheet = self.operating.as_mut()?.look(&self.live)?;
        self.unread |= sheet.over;
        Some(sheet)
    }

    fn audit(&mut self) -> Option<Result<Vec<Audited>, String>> {
        if !std::mem::take(&mut self.unread) {
            return None;
        }
        let read = self.audit.clone().and_then(|audit| audit.read().map_err(|why| why.to_string()));
        let scope = &self.live.cluster().scope;
        Some(read.map(|(entries, _)| Audited::of(&entries).into_iter().filter(|action| action.cluster == *scope).collect()))
    }
}

/// Nothing asks in a read-only session; if something did, this would be the answer.
const READ_ONLY: &str = "this is a read-only session";

fn lines(changes: &[crate::model::Change]) -> Vec<EventLine> {
    changes.iter().map(EventLine::from).collect()
}

#[cfg(test)]
mod tests {
    use strum::VariantNames;

    use super::*;
    use crate::config::{LAYOUTS, NOTIFY, WHEN};

    #[test]
    fn every_word_that_the_configuration_allows_means_something() {
        assert_eq!((&LAYOUTS[..], &WHEN[..], &NOTIFY[..]), (Arrangement::VARIANTS, When::VARIANTS, Notify::VARIANTS));
    }
}
