//! Somebody at a terminal, who answers what a runbook asks.

use std::path::Path;
use std::time::Duration;

use crate::common::lab::{TestLab, pgbaton, said, until};
use crate::common::pty::Pty;

/// Longer than anything that works takes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Somebody at a terminal, with a home.
pub struct Operator<'l> {
    pub lab: &'l TestLab,
    home: tempfile::TempDir,
}

impl<'l> Operator<'l> {
    pub fn of(lab: &'l TestLab) -> Self {
        Self { lab, home: tempfile::tempdir().unwrap() }
    }

    fn env(&self) -> Vec<(String, String)> {
        let home = self.home.path().to_str().unwrap();
        let folders = [("XDG_STATE_HOME", format!("{home}/state")), ("XDG_CONFIG_HOME", format!("{home}/config"))];
        [("HOME", home.to_owned())].into_iter().chain(folders).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// A runbook of their own.
    pub fn own_runbook(&self, name: &str, text: &str) -> std::path::PathBuf {
        let folder = self.home.path().join("config/pgbaton/runbooks");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    }

    pub fn start(&self, words: &[&str]) -> Pty {
        self.console(&[&["runbook"], words].concat(), (300, 500))
    }

    /// pgbaton in a terminal of this size.
    pub fn console(&self, words: &[&str], size: (u16, u16)) -> Pty {
        let config = self.lab.config();
        let args = [&["-c", config.to_str().unwrap()], words].concat();
        let env = self.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &args, &env, size);
        pty.patience = PATIENCE;
        pty
    }

    /// pgbaton at no terminal.
    pub fn pgbaton(&self, words: &[&str]) -> std::process::Command {
        let mut command = pgbaton();
        command.arg("-c").arg(self.lab.config()).args(words).envs(self.env());
        command
    }

    /// A runbook's command at no terminal.
    pub fn tried(&self, words: &[&str]) -> std::process::Output {
        self.pgbaton(&[&["runbook"], words].concat()).output().unwrap()
    }

    /// The id of the run that was begun last.
    pub fn last_run(&self) -> String {
        let history = self.told(&["history"]);
        history.lines().last().and_then(|line| line.split_whitespace().next()).unwrap_or_else(|| panic!("{history}")).to_owned()
    }

    /// Waits until one look at the cluster finds it.
    pub fn sees(&self, finding: &str) {
        until(finding, PATIENCE, || {
            let document = self.lab.status();
            if document.findings.iter().any(|found| found.code == finding) { Ok(()) } else { Err(format!("{:?}", document.findings)) }
        });
    }

    /// What a command that asks nothing prints.
    pub fn told(&self, words: &[&str]) -> String {
        let out = self.tried(words);
        assert!(out.status.success(), "{}", said(&out));
        String::from_utf8(out.stdout).unwrap()
    }
}

/// The line that the cursor is on.
fn line(screen: &vt100::Screen) -> String {
    let (row, _) = screen.cursor_position();
    let cols = screen.size().1.get();
    screen.rows(0, cols).nth(row.into()).unwrap_or_default().trim_end().to_owned()
}

/// Waits until the question is where the cursor is, and nothing is typed behind it yet.
pub fn asked(pty: &mut Pty, question: &str) {
    pty.until(question, |screen| {
        let line = line(screen);
        let typed = question.starts_with("to do it") && line.ends_with(question);
        // Half a question on the screen is not one that can be answered.
        line.contains(question) && (typed || ["]", "abort the run:", "?", ":"].iter().any(|end| line.ends_with(end)))
    });
}

/// Waits for the question, and answers it. The next one may have the same words, and so may the answered one: it is left behind before that is
/// looked for.
pub fn answer(pty: &mut Pty, question: &str, answer: &str) {
    asked(pty, question);
    let prompt = line(pty.parser.screen());
    // The space behind the question may come after what is typed.
    let is_answered = |line: &str| line.strip_prefix(&prompt).is_some_and(|rest| rest.trim() == answer);
    let answered = |screen: &vt100::Screen| screen.contents().lines().filter(|line| is_answered(line)).count();
    let before = answered(pty.parser.screen());
    pty.press(&format!("{answer}\r"));
    pty.until("the answer taken", |screen| answered(screen) > before && !is_answered(&line(screen)));
}

/// Waits for a command that is to be run elsewhere, does what stands for it here, and says so.
pub fn did(pty: &mut Pty, command: &str, does: impl FnOnce()) {
    const DONE: &str = "Is it done, and did it do what it should? [yes/no]";
    asked(pty, DONE);
    let screen = pty.screen();
    let shown = screen
        .lines()
        .rev()
        .skip_while(|line| !line.contains(DONE))
        .skip(1)
        .take_while(|line| !line.contains("  run "))
        .collect::<Vec<_>>();
    assert!(shown.iter().any(|line| line.contains(command)), "{command}: {shown:?}\n{screen}");
    does();
    answer(pty, DONE, "yes");
}

/// Answers several questions with yes.
pub fn yes(pty: &mut Pty, questions: &[&str]) {
    for question in questions {
        answer(pty, &format!("{question} [yes/no]"), "yes");
    }
}

/// The end, with everything that was on the screen.
pub fn finished(pty: &mut Pty) -> String {
    let code = pty.end();
    let screen = pty.screen();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("steps are behind us"), "{screen}");
    screen
}
