//! Where a program's log is, by the configuration, by what PostgreSQL tells, and by what the node answers.

use std::collections::BTreeMap;

use super::command::literally;
use super::way::filled;
use crate::config::LogProfile;
use crate::log::{Format, Program};
use crate::model::{ErrorKind, SourceError};
use crate::source::postgres::LogSettings;

/// Where lines are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file.
    File(FilePlace),
    /// In the journal, under this unit.
    Unit(String),
}

/// A file on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilePlace {
    /// Its folder.
    pub folder: String,
    /// Its name there; with a pattern what it is made of.
    pub name: String,
    /// Where the name changes with time: the names that it can have, for a shell. The newest file counts.
    pub pattern: Option<String>,
}

impl FilePlace {
    fn of(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        Self { folder: if folder.is_empty() { "/" } else { folder }.to_owned(), name: name.to_owned(), pattern: None }
    }

    /// The path of a file of this name there.
    pub fn whole(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.trim_end_matches('/'))
    }

    /// Why nothing is read when it is not there.
    pub fn missing(&self, node: &str) -> SourceError {
        SourceError::new(ErrorKind::Unavailable, format!("there is no {} on {node}", self.whole(&self.name)))
            .with_hint("another place is named in pgbaton.toml, in [clusters.NAME.logs.PROGRAM]")
    }

    /// Why nothing is read when it may not be.
    pub fn denied(&self, node: &str) -> SourceError {
        SourceError::new(ErrorKind::Denied, format!("{} on {node} may not be read by the login there", self.whole(&self.name)))
            .with_hint("on Debian the group adm reads logs; PostgreSQL's log_file_mode says who reads its files")
    }
}

/// What a node told of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// Its zone's offset, seconds east of Greenwich; `None`: it has told none that is understood.
    pub utc_offset: Option<i32>,
    /// Units that are loaded.
    pub units: Vec<String>,
    /// Files in usual places that can be read.
    pub files: Vec<String>,
    /// `log.dir` of the Patroni that runs there, where its configuration can be read.
    pub patroni_dir: Option<String>,
}

impl Answers {
    /// The answer of the script `ask`.
    pub fn read(text: &str) -> Self {
        let mut answers = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            let value = value.trim();
            match key {
                "zone" => answers.utc_offset = zone(value),
                "unit" => answers.units.push(value.to_owned()),
                "file" => answers.files.push(value.to_owned()),
                "patroni" => answers.patroni_dir = Some(value.trim_matches(['\'', '"']).to_owned()).filter(|dir| dir.starts_with('/')),
                _ => {}
            }
        }
        answers
    }

    /// The unit of a program, the plainest name first: `etcd.service` before `etcd-defrag.service`. Debian's `postgresql.service` is only a name for
    /// its instances, which do the work.
    fn unit(&self, program: Program) -> Option<&String> {
        let begins = match program {
            Program::Postgres => "postgresql",
            other => other.name(),
        };
        let mut units: Vec<&String> = self.units.iter().filter(|unit| unit.starts_with(begins)).collect();
        units.sort_by_key(|unit| (program == Program::Postgres && !unit.contains('@'), unit.len()));
        units.first().copied()
    }
}

/// `+0530` in seconds.
fn zone(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(sign * (hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60))
}

/// What is known of a node when the places of its logs are looked for.
pub(super) struct Known<'k> {
    /// The node's name.
    pub node: &'k str,
    /// Its address.
    pub host: &'k str,
    /// What the configuration says, by the program's name.
    pub logs: &'k BTreeMap<&'static str, LogProfile>,
    /// What the node told.
    pub answers: &'k Answers,
    /// What its PostgreSQL tells of its log, or why it does not.
    pub postgres: Result<&'k LogSettings, &'k SourceError>,
}

impl Known<'_> {
    /// Where this program's log is, and how its lines are written.
    ///
    /// # Errors
    /// It is not known; the error says what to do.
    pub fn place(&self, program: Program) -> Result<(Place, Format), SourceError> {
        let configured = self.logs.get(program.name());
        if let Some(file) = configured.and_then(|log| log.file.as_deref()) {
            let path = filled(file, self.node, self.host);
            return Ok((Place::File(FilePlace::of(&path)), self.format(program, &path)));
        }
        if let Some(unit) = configured.and_then(|log| log.unit.clone()) {
            return Ok((Place::Unit(unit), self.format(program, "")));
        }
        if program == Program::Postgres {
            return self.postgres();
        }
        let usual = match program {
            Program::Patroni => self.answers.patroni_dir.as_ref().map(|dir| format!("{}/patroni.log", dir.trim_end_matches('/'))),
            _ => None,
        };
        let usual_file = || self.answers.files.iter().find(|file| file.ends_with(&format!("/{}.log", program.name()))).cloned();
        match (usual, self.answers.unit(program), usual_file()) {
            (Some(path), _, _) | (None, None, Some(path)) => Ok((Place::File(FilePlace::of(&path)), self.format(program, &path))),
            (None, Some(unit), _) => Ok((Place::Unit(unit.clone()), self.format(program, ""))),
            (None, None, None) => {
                let message = format!("{} has no unit of {program}, and no log of it in a usual place", self.node);
                let name = program.name();
                Err(SourceError::new(ErrorKind::Config, message).with_hint(format!(
                    "name it in pgbaton.toml: [clusters.NAME.logs.{name}] with file = \"/PATH/OF/{{name}}.log\" or unit = \"UNIT\""
                )))
            }
        }
    }

    fn postgres(&self) -> Result<(Place, Format), SourceError> {
        let settings = self.postgres.map_err(|error| {
            let message = format!("where PostgreSQL on {} logs is not known: {error}", self.node);
            SourceError::new(error.kind, message)
                .with_hint("name it in pgbaton.toml: [clusters.NAME.logs.postgres] with file = \"/PATH/postgresql.log\"")
        })?;
        if let Some((folder, name, pattern)) = settings.file() {
            let path = format!("{folder}/{name}");
            return Ok((Place::File(FilePlace { folder, name, pattern }), self.format(Program::Postgres, &path)));
        }
        match self.answers.unit(Program::Postgres) {
            Some(unit) => Ok((Place::Unit(unit.clone()), self.format(Program::Postgres, ""))),
            None => {
                let message = format!("PostgreSQL on {} writes no log file of its own: logging_collector is off", self.node);
                Err(SourceError::new(ErrorKind::Config, message)
                    .with_hint("its lines are where Patroni's standard error goes; or name it in [clusters.NAME.logs.postgres]"))
            }
        }
    }

    fn format(&self, program: Program, path: &str) -> Format {
        let told = self.postgres.ok();
        let utc_offset = match program {
            Program::Postgres => told.map(|settings| settings.utc_offset).or(self.answers.utc_offset),
            _ => self.answers.utc_offset,
        };
        match program {
            Program::Patroni => Format::Patroni { utc_offset },
            Program::Etcd => Format::Etcd { utc_offset },
            Program::Haproxy => Format::Haproxy { utc_offset },
            Program::Postgres if path.ends_with(".csv") => Format::PostgresCsv { utc_offset },
            Program::Postgres if path.ends_with(".json") => Format::PostgresJson { utc_offset },
            Program::Postgres => {
                let configured = self.logs.get("postgres").and_then(|log| log.log_line_prefix.clone());
                let prefix = configured.or_else(|| told.map(|settings| settings.log_line_prefix.clone()));
                Format::PostgresStderr { prefix: prefix.unwrap_or_else(|| "%m [%p] ".to_owned()), utc_offset }
            }
        }
    }
}

/// The shell's pattern for the names that `log_filename` makes; `None`: it makes one only.
pub(crate) fn name_pattern(log_filename: &str) -> Option<String> {
    if !log_filename.contains('%') {
        return None;
    }
    let mut out = String::new();
    let mut chars = log_filename.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some('%') => out.push('%'),
                // Some escapes of strftime have a letter before the one that says what: %EY, %Od.
                Some('E' | 'O') => {
                    chars.next();
                    out.push('*');
                }
                _ => out.push('*'),
            },
            c => out.push_str(&literally(&c.to_string())),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LogSettings {
        LogSettings {
            data_directory: "/data".into(),
            log_directory: "log".into(),
            log_filename: "postgresql-%a.log".into(),
            log_destination: "stderr".into(),
            logging_collector: true,
            log_line_prefix: "%t [%p] ".into(),
            utc_offset: 3600,
        }
    }

    fn place(
        program: Program,
        logs: &[(&'static str, LogProfile)],
        answer: &str,
        postgres: Option<LogSettings>,
    ) -> Result<(Place, Format), String> {
        let logs = logs.iter().cloned().collect();
        let answers = Answers::read(answer);
        let silent = SourceError::new(ErrorKind::Refused, "connection refused");
        let known = Known { node: "psg1", host: "10.0.0.8", logs: &logs, answers: &answers, postgres: postgres.as_ref().ok_or(&silent) };
        known.place(program).map_err(|error| error.message)
    }

    fn file(folder: &str, name: &str, pattern: Option<&str>) -> Place {
        Place::File(FilePlace { folder: folder.into(), name: name.into(), pattern: pattern.map(str::to_owned) })
    }

    #[test]
    fn the_configuration_comes_first() {
        let given = LogProfile { file: Some("/x/{name}/a.log".into()), ..LogProfile::default() };
        let found = place(Program::Patroni, &[("patroni", given)], "zone +0200\nunit patroni.service\n", None);
        assert_eq!(found, Ok((file("/x/psg1", "a.log", None), Format::Patroni { utc_offset: Some(7200) })));
        let given = LogProfile { unit: Some("patroni@a.service".into()), ..LogProfile::default() };
        let found = place(Program::Patroni, &[("patroni", given)], "zone -0330\n", None);
        assert_eq!(found, Ok((Place::Unit("patroni@a.service".into()), Format::Patroni { utc_offset: Some(-12_600) })));
    }

    #[test]
    fn a_node_tells_where_patroni_logs_then_its_units_then_its_files() {
        let unit = |name: &str| Ok((Place::Unit(name.into()), Format::Etcd { utc_offset: None }));
        assert_eq!(
            place(Program::Etcd, &[], "unit etcd-defrag.service\nunit etcd.service\nfile /var/log/etcd/etcd.log\n", None),
            unit("etcd.service")
        );
        let found = place(Program::Patroni, &[], "unit patroni.service\npatroni '/var/log/p/'\n", None);
        assert_eq!(found, Ok((file("/var/log/p", "patroni.log", None), Format::Patroni { utc_offset: None })));
        let found = place(Program::Haproxy, &[], "file /var/log/haproxy.log\n", None);
        assert_eq!(found, Ok((file("/var/log", "haproxy.log", None), Format::Haproxy { utc_offset: None })));
        assert_eq!(place(Program::Haproxy, &[], "", None), Err("psg1 has no unit of haproxy, and no log of it in a usual place".into()));
    }

    #[test]
    fn postgresql_tells_where_it_logs() {
        let stderr = Format::PostgresStderr { prefix: "%t [%p] ".into(), utc_offset: Some(3600) };
        let found = place(Program::Postgres, &[], "", Some(settings()));
        assert_eq!(found, Ok((file("/data/log", "postgresql-%a.log", Some("postgresql-*.log")), stderr)));
        let csv =
            LogSettings { log_destination: "stderr, csvlog".into(), log_directory: "/l".into(), log_filename: "pg".into(), ..settings() };
        assert_eq!(
            place(Program::Postgres, &[], "", Some(csv)),
            Ok((file("/l", "pg.csv", None), Format::PostgresCsv { utc_offset: Some(3600) }))
        );
        let off = LogSettings { logging_collector: false, ..settings() };
        let stderr = Format::PostgresStderr { prefix: "%t [%p] ".into(), utc_offset: Some(3600) };
        let found = place(Program::Postgres, &[], "unit postgresql@15-main.service\n", Some(off.clone()));
        assert_eq!(found, Ok((Place::Unit("postgresql@15-main.service".into()), stderr)));
        assert!(place(Program::Postgres, &[], "", Some(off)).is_err_and(|e| e.contains("logging_collector is off")));
        let silent = place(Program::Postgres, &[], "", None);
        assert_eq!(silent, Err("where PostgreSQL on psg1 logs is not known: connection refused".into()));
    }

    #[test]
    fn a_real_answer_names_the_units_that_do_the_work() {
        let answers = Answers::read(include_str!("../../../tests/payloads/host/ask-systemd-252.txt"));
        assert_eq!(answers.utc_offset, Some(0));
        let unit = |program| answers.unit(program).map(String::as_str);
        assert_eq!(
            Program::ALL.map(unit),
            [Some("patroni.service"), Some("postgresql@15-main.service"), Some("etcd.service"), Some("haproxy.service")]
        );
    }

    #[test]
    fn a_zone_that_is_not_told_is_not_taken_for_greenwich() {
        for (answer, zone) in [("zone +0530", Some(19_800)), ("zone -0330", Some(-12_600)), ("zone +0000", Some(0))] {
            assert_eq!(Answers::read(answer).utc_offset, zone, "{answer}");
        }
        for answer in ["", "zone", "zone ", "zone %z", "zone UTC", "zone +05", "zone +5:30", "zone +-1+2"] {
            assert_eq!(Answers::read(answer).utc_offset, None, "{answer}");
        }
    }

    #[test]
    fn names_that_change_with_time_make_a_pattern() {
        for (name, pattern) in [
            ("postgresql.log", None),
            ("postgresql-%Y-%m-%d_%H%M%S.log", Some("postgresql-*-*-*_***.log")),
            ("a%%b[%Ed].log", Some("a%b\\[*\\].log")),
        ] {
            assert_eq!(name_pattern(name).as_deref(), pattern, "{name}");
        }
    }
}
