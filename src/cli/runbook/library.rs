//! Where runbooks come from.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use directories::ProjectDirs;

use super::paper::{columns, lines};
use crate::cli::connect::ConnectArgs;
use crate::cli::{Cli, print};
use crate::finding::explanation;
use crate::model::{clean, washed};
use crate::runbook::{BUILTIN, Runbook, parse};
use crate::userfile::Mistake;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// What an action in a file can say. The rest is the operator's: whether it is done, what is passed over, what is shown.
const FLAGS: [&str; 23] = [
    "--any",
    "--apply",
    "--assist",
    "--candidate",
    "--from-leader",
    "--host",
    "--leader",
    "--pending",
    "--pg",
    "--pg-version",
    "--port",
    "--primary-slot-name",
    "--reason",
    "--replace",
    "--restore-command",
    "--role",
    "--rolling",
    "--run",
    "--scheduled",
    "--set",
    "--timeout",
    "--undo",
    "--wait",
];

/// What stands for the cluster when a file is checked.
const CLUSTER: &str = "cluster";

/// The user's own folder.
fn folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", "pgbaton").map(|dirs| dirs.config_dir().join("runbooks"))
}

/// Whether these words are an action. What the operator has to answer, a file cannot answer.
fn valid(words: &[String]) -> Result<(), String> {
    let flag = |word: &&String| {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        word.starts_with('-') && !FLAGS.contains(&name)
    };
    if let Some(word) = words.iter().find(flag) {
        return Err(format!("{word} is not for a file to say; there are {}", FLAGS.join(", ")));
    }
    Cli::action(words, ConnectArgs::default())?;
    Cli::elsewhere(words, CLUSTER).map_or(Ok(()), Err)
}

/// Reads one, with the findings that it names looked up.
fn read(name: &str, path: &str, text: &str) -> Result<Runbook, Vec<Mistake>> {
    let runbook = parse(name, path, text, &valid)?;
    let unknown = runbook.front.findings.iter().filter(|code| explanation(code).is_none()).map(|code| {
        let line = text.lines().position(|line| line.contains(code.as_str())).map_or(1, |at| at + 1);
        let hint = Some("`pgbaton explain` lists them".to_owned());
        Mistake { path: path.to_owned(), line, column: 1, message: clean(&format!("no finding has the code {code:?}")), hint }
    });
    let unknown: Vec<Mistake> = unknown.collect();
    if unknown.is_empty() { Ok(runbook) } else { Err(unknown) }
}

fn load(path: &Path) -> anyhow::Result<Result<Runbook, Vec<Mistake>>> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    if size > LONGEST {
        bail!("{} is longer than {LONGEST} bytes", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_stem().map(|stem| clean(&stem.to_string_lossy())).unwrap_or_default();
    Ok(read(&name, &path.display().to_string(), &text))
}

/// The user's own files, by name.
fn own() -> Vec<PathBuf> {
    let Some(entries) = folder().and_then(|folder| std::fs::read_dir(folder).ok()) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    files.sort();
    files
}

/// The runbook of this name, the user's own before those that come with pgbaton; or the file.
pub(in crate::cli) fn find(name: &str) -> anyhow::Result<Runbook> {
    let told = |read: Result<Runbook, Vec<Mistake>>| {
        read.map_err(|all| anyhow::anyhow!("{}", all.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")))
    };
    if name.contains('/') || Path::new(name).extension().is_some() {
        return told(load(Path::new(name))?);
    }
    if let Some(path) = own().into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == name)) {
        return told(load(&path)?);
    }
    match BUILTIN.iter().find(|(known, _)| *known == name) {
        Some((name, text)) => told(read(name, &format!("runbooks/{name}.md"), text)),
        None => bail!("there is no runbook {:?}; `pgbaton runbook list` lists them", clean(name)),
    }
}

/// A file that is no runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Broken {
    /// The name it would have.
    pub name: String,
    /// Why not: a line for each mistake.
    pub why: Vec<String>,
}

/// All there are, the user's own before those that come with pgbaton; of a file that cannot be read why not.
pub(in crate::cli) fn all() -> Vec<Result<Runbook, Broken>> {
    all_of(&own())
}

/// What is wrong with the user's own, a line for each mistake.
pub(in crate::cli) fn mistakes() -> Vec<String> {
    own().iter().filter_map(|path| loaded(path).err()).flat_map(|broken| broken.why).collect()
}

fn loaded(path: &Path) -> Result<Runbook, Broken> {
    let name = path.file_stem().map(|stem| clean(&stem.to_string_lossy())).unwrap_or_default();
    let why = match load(path) {
        Ok(Ok(runbook)) => return Ok(runbook),
        Ok(Err(mistakes)) => mistakes.iter().map(Mistake::to_string).collect(),
        Err(why) => vec![format!("{why:#}")],
    };
    Err(Broken { name, why })
}

fn all_of(own: &[PathBuf]) -> Vec<Result<Runbook, Broken>> {
    let mut all: Vec<Result<Runbook, Broken>> = own.iter().map(|path| loaded(path)).collect();
    // A broken one of the same name is not passed over for another.
    let names: Vec<String> =
        all.iter().map(|read| read.as_ref().map_or_else(|broken| broken.name.clone(), |runbook| runbook.name.clone())).collect();
    let builtin = BUILTIN.iter().filter(|(name, _)| !names.iter().any(|own| own == name));
    all.extend(builtin.map(|(name, text)| {
        let told = |mistakes: Vec<Mistake>| mistakes.iter().map(Mistake::to_string).collect();
        read(name, &format!("runbooks/{name}.md"), text).map_err(|mistakes| Broken { name: (*name).to_owned(), why: told(mistakes) })
    }));
    all
}

/// Prints what there is.
pub(super) fn list() -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let mut table = format!("{:<20} {:<10} WHAT IT IS; WHICH FINDINGS IT ANSWERS\n", "NAME", "DANGER");
    for read in all() {
        match read {
            Ok(runbook) => {
                let findings = runbook.front.findings.join(", ");
                let answers = if findings.is_empty() { String::new() } else { format!("; answers {findings}") };
                let Runbook { name, front, .. } = &runbook;
                table += &format!("{name:<20} {:<10} {}{answers}\n", front.danger.to_string(), clean(&front.title));
            }
            Err(broken) => {
                broken.why.iter().for_each(|line| eprintln!("{}", washed(line)));
                code = ExitCode::FAILURE;
            }
        }
    }
    print(&table)?;
    Ok(code)
}

/// Prints one as it stands in its file.
pub(super) fn show(name: &str) -> anyhow::Result<ExitCode> {
    let text: String = lines(&find(name)?.text, columns()).iter().map(|line| format!("{line}\n")).collect();
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Tells every mistake in the files.
pub(super) fn check(files: &[String]) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        match load(Path::new(file))? {
            Ok(runbook) => println!("{file}: {} steps, no mistake", runbook.steps.len()),
            Err(mistakes) => {
                mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::finding::explanations;

    #[test]
    fn the_runbooks_that_come_with_it_have_no_mistake() {
        for (name, text) in BUILTIN {
            if let Err(mistakes) = read(name, &format!("runbooks/{name}.md"), text) {
                panic!("{}", mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n"));
            }
        }
    }

    #[test]
    fn a_finding_names_the_runbook_that_says_it_answers_it_and_no_other() {
        let answers = |name: &str, text: &str| read(name, name, text).map(|runbook| runbook.front.findings).unwrap_or_default();
        let said: BTreeSet<(String, &str)> =
            BUILTIN.iter().flat_map(|(name, text)| answers(name, text).into_iter().map(|code| (code, *name))).collect();
        let named: BTreeSet<(String, &str)> =
            explanations().filter_map(|explanation| Some((explanation.code.to_owned(), explanation.runbook?))).collect();
        assert_eq!(said, named);
        assert!(named.iter().any(|(code, name)| code == "split-brain" && *name == "split-brain"));
    }

    #[test]
    fn a_broken_file_is_told_in_the_place_of_the_one_that_it_was_to_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("failsafe.md");
        std::fs::write(&path, "---\ntitle: x\ndanger: reads\n---\n# X\n```pgbaton\nrequire = \"cluster.nonsense\"\n```\n").expect("a file");
        let all = all_of(std::slice::from_ref(&path));
        let broken: Vec<&Broken> = all.iter().filter_map(|read| read.as_ref().err()).collect();
        assert_eq!((broken.len(), broken[0].name.as_str(), all.len()), (1, "failsafe", BUILTIN.len()));
        assert!(broken[0].why[0].starts_with(&format!("{}:7:", path.display())), "{broken:?}");
        assert!(!all.iter().flatten().any(|runbook| runbook.name == "failsafe"), "as when it is asked for by name");
    }

    #[test]
    fn what_is_the_operators_to_say_no_file_can_say() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for fine in [
            "switchover --candidate=x",
            "restart cluster --rolling --pending",
            "reinit cluster x",
            "resume",
            "edit-config cluster --set=ttl=30",
        ] {
            assert_eq!(valid(&words(fine)), Ok(()), "{fine}");
        }
        for wrong in [
            "switchover --yes",
            "switchover -y",
            "switchover --force",
            "restart cluster --override=member",
            "edit-config cluster --quiet",
            "--config=x switchover",
            "restart other --pending",
            "switchover --leader=x other",
            "restart --role=replica x",
            "pause other --reason=x",
            "flush x restart",
            "edit-config --set=ttl=30 other",
            "status",
            "lab up",
            "runbook run x",
        ] {
            assert!(valid(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
