//! `pgbaton config`: the effective configuration with the origin of each value, and `config check`: its mistakes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{keys, themes};
use crate::config::{self, Config, ConfigError, Diagnostic, Env, Request, toml_key};
use crate::permit::{self, Policy};
use crate::shell::{keymaps_of, own_files};
use crate::userfile::Mistake;

/// `pgbaton config`.
#[derive(Debug, Default, clap::Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: Option<ConfigCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum ConfigCommand {
    /// Report mistakes as path:line:col, with hints; exit status 1 if there are any.
    Check {
        /// The file to check: pgbaton.toml, one of Patroni's, or a policy.toml; without it the one that would be used, this machine's policy, and
        /// your own keymaps and themes.
        file: Option<PathBuf>,
    },
}

/// Runs the subcommand. Mistakes of `check` go to standard output, for they are its result.
///
/// # Errors
/// No configuration can be shown, or standard output cannot be written.
pub fn run(args: ConfigArgs, file: Option<PathBuf>, cluster: Option<String>) -> anyhow::Result<ExitCode> {
    let env = Env::of_process();
    let (text, code) = match args.command {
        None => (show(&Request { file, cluster, env })?, ExitCode::SUCCESS),
        Some(ConfigCommand::Check { file: None }) if file.is_none() => {
            let (text, code) = check(&Request { file, cluster, env });
            match own_mistakes() {
                own if own.is_empty() => (text, code),
                own => (format!("{}\n{text}", own.join("\n")), ExitCode::FAILURE),
            }
        }
        Some(ConfigCommand::Check { file: named }) => check(&Request { file: named.or(file), cluster, env }),
    };
    super::print(&text)?;
    Ok(code)
}

/// The effective configuration: one `key = value   # origin` line per value, secrets as `********`. With a cluster in
/// the request only that one.
///
/// # Errors
/// Nothing was found, the file has mistakes, or the named cluster is not there or cannot be opened.
pub fn show(request: &Request) -> Result<String, ConfigError> {
    let config = config::load(request)?;
    if request.cluster.is_some() {
        config.select(None)?;
    }
    let mut text = String::new();
    for place in &config.looked {
        text.push_str(&format!("# {}: {}\n", place.place, place.outcome));
    }
    for (index, profile) in config.profiles.iter().enumerate() {
        if request.cluster.as_ref().is_some_and(|wanted| *wanted != profile.name) {
            continue;
        }
        let opens = if config.default == Some(index) { "   # opens when no cluster is named" } else { "" };
        text.push_str(&format!("\n[clusters.{}]{opens}\n", toml_key(&profile.name)));
        for fact in config.facts(index) {
            text.push_str(&format!("{fact}\n"));
        }
    }
    if request.cluster.is_none() {
        for (name, mistakes) in config.broken() {
            text.push_str(&format!("\n# {} cannot be opened:\n", toml_key(name)));
            for mistake in mistakes {
                text.push_str(&format!("# {}\n", mistake.to_string().replace('\n', "\n# ")));
            }
        }
    }
    Ok(text)
}

/// The mistakes of the file in the request, or of the one that would be used, and the exit status: 0 when there are
/// none. A certificate that is not there is a warning: the file may be meant for another machine.
pub fn check(request: &Request) -> (String, ExitCode) {
    let named = request.file.as_deref();
    let policy = match named {
        Some(file) if file.file_name() == Path::new(permit::PATH).file_name() => {
            return match Policy::read(file) {
                Ok(_) => (format!("no mistakes: {}\n", file.display()), ExitCode::SUCCESS),
                Err(mistake) => (format!("{mistake}\n"), ExitCode::FAILURE),
            };
        }
        // Under a policy that cannot be read nobody can operate.
        None => Policy::of_machine().err(),
        Some(_) => None,
    };
    let (text, code) = check_config(request);
    match policy {
        Some(mistake) => (format!("{mistake}\n{text}"), ExitCode::FAILURE),
        None => (text, code),
    }
}

/// The mistakes in the user's own keymaps and themes, each once.
fn own_mistakes() -> Vec<String> {
    let Some(folder) = super::own_folder() else { return Vec::new() };
    let mut told = Vec::new();
    let mut files = own_files(&folder.join("keymaps"), &mut told);
    files.extend(Some(folder.join("keymap.toml")).filter(|file| file.exists()));
    let (keymaps, _) = keymaps_of(Some(&folder));
    let of_themes = own_files(&folder.join("themes"), &mut told);
    let of_keymaps = files.iter().map(|file| keys::read(file, &keymaps).map(|(_, mistakes)| mistakes));
    for mistakes in of_keymaps.chain(of_themes.iter().map(|file| themes::mistakes(file, Some(&folder)))) {
        match mistakes {
            Ok(mistakes) => told.extend(mistakes.iter().map(Mistake::to_string)),
            Err(error) => told.push(format!("{error:#}")),
        }
    }
    // What one inherits from another is wrong in both.
    let mut seen = BTreeSet::new();
    told.retain(|line| seen.insert(line.clone()));
    told
}

fn check_config(request: &Request) -> (String, ExitCode) {
    let config = match config::load(request) {
        Ok(config) => config,
        Err(error) => return (format!("{error}\n"), ExitCode::FAILURE),
    };
    let mut text = String::new();
    for line in warnings(&config) {
        text.push_str(&format!("{line}\n"));
    }
    let mut seen: Vec<&Diagnostic> = Vec::new();
    for mistake in config.broken().iter().flat_map(|(_, mistakes)| mistakes) {
        // What is wrong with a variable is wrong for every cluster.
        if !seen.contains(&mistake) {
            seen.push(mistake);
            text.push_str(&format!("{mistake}\n"));
        }
    }
    if !seen.is_empty() {
        return (text, ExitCode::FAILURE);
    }
    let names: Vec<String> = config.profiles.iter().map(|p| p.name.clone()).collect();
    text.push_str(&format!("no mistakes: {}\n", names.join(", ")));
    (text, ExitCode::SUCCESS)
}

fn warnings(config: &Config) -> Vec<String> {
    let facts = (0..config.profiles.len()).flat_map(|index| config.facts(index));
    facts
        .filter_map(|fact| {
            let (origin, why) = (fact.origin.as_ref()?, fact.missing.as_ref()?);
            Some(format!("{origin}: warning: {} names {}: {why}", fact.key, fact.value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ConfigArgs,
    }

    #[test]
    fn a_policy_is_checked_by_its_name_before_it_is_the_machines() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("policy.toml");
        let told = |text: &str| {
            std::fs::write(&file, text).expect("written");
            check(&Request { file: Some(file.clone()), ..Request::default() })
        };
        let path = file.display();
        assert_eq!(told("[[operate]]\nclusters = [\"*\"]\ngroups = [\"dba\"]\n").0, format!("no mistakes: {path}\n"));
        let (text, code) = told("[[operate]]\nclusters = [\"*\"]\ngroup = [\"dba\"]\n");
        assert!(text.starts_with(&format!("{path}:3:1: unknown field `group`")), "{text}");
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    }

    #[test]
    fn check_takes_a_file_or_none() {
        let parse = |words: &[&str]| Line::try_parse_from(words).map(|line| line.args.command);
        assert!(matches!(parse(&["config"]), Ok(None)));
        assert!(matches!(parse(&["config", "check"]), Ok(Some(ConfigCommand::Check { file: None }))));
        let Ok(Some(ConfigCommand::Check { file: Some(file) })) = parse(&["config", "check", "a.toml"]) else { panic!("no file") };
        assert_eq!(file, PathBuf::from("a.toml"));
        assert!(parse(&["config", "chekc"]).is_err());
    }
}
