//! `pgbaton approve` and `pgbaton run`: what needs two persons.

use std::process::ExitCode;

use serde_json::json;

use super::{FIRST, HowArgs, Means, ask, confirm, follow, print, refuse, tell, told};
use crate::action::{Audit, Desk, Light, Outcome, Plan, Request, Waiting, approve};
use crate::cli::connect::{ConnectArgs, runtime};
use crate::cli::mode;
use crate::cli::situation::with_situation;
use crate::cli::start::start;
use crate::live::Live;
use crate::model::{clean, washed};
use crate::permit::{self, Asked, Operator, Policy, Requests};
use crate::source::Clock;

/// The exit code of an action that was asked for and waits for a second person.
pub const ASKED: u8 = 5;

/// `pgbaton approve`.
#[derive(Debug, clap::Args)]
pub struct ApproveArgs {
    /// The requests, by name or file [default: list those that wait]
    #[arg(value_name = "ID|FILE")]
    requests: Vec<String>,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    /// The requests and the outcomes as JSON lines
    #[arg(long)]
    json: bool,
}

/// `pgbaton run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The requests, by name or file, one after the other as long as each is done
    #[arg(value_name = "ID|FILE", required = true)]
    requests: Vec<String>,
    /// Answer the question with yes
    #[arg(long, short)]
    yes: bool,
    /// The plan and the outcome as JSON lines
    #[arg(long)]
    json: bool,
}

/// Has a plan wait for a second person.
pub(super) fn wait(live: &Live, desk: &Desk, how: &HowArgs, plan: &Plan) -> ExitCode {
    match with_situation(live, |s| desk.ask(plan, &how.overridden, s)) {
        Err(why) => refuse(how, Some(plan.name), &why.to_string()),
        Ok(Waiting { asked, request, note }) => {
            if let Some(note) = &note {
                tell(&format!("note: {note}"));
            }
            let id = &asked.id;
            tell(&format!("ASKED: nothing is done yet; another operator has to approve it until {}: pgbaton approve {id}", request.until));
            tell(&format!("hint: then, by you: pgbaton run {id}"));
            if how.json {
                print(&line("asked", &Waiting { asked, request, note }));
            }
            ExitCode::from(ASKED)
        }
    }
}

impl ApproveArgs {
    /// Does it, or lists what waits.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let policy = Policy::of_machine()?;
        let requests = Requests::open(&policy)?;
        let now = Clock::start().now();
        if self.requests.is_empty() {
            for id in requests.all()? {
                let Ok(waiting) = read(&requests, &id) else { continue };
                if waiting.request.until < now || requests.spent(&id) {
                    continue;
                }
                let by = Operator::of_uid(waiting.asked.owner).user;
                print(&match self.json {
                    true => line("request", &waiting),
                    false => row(&waiting.request, &id, &by),
                });
            }
            return Ok(ExitCode::SUCCESS);
        }
        let how = HowArgs { yes: self.yes, json: self.json, ..HowArgs::default() };
        for word in &self.requests {
            match self.one(connect, &policy, &requests, word) {
                Ok(said) if self.json => print(&said),
                Ok(said) => tell(&said),
                Err(why) => return Ok(refuse(&how, Some("approve"), &format!("{why:#}"))),
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Approves one; what is said of it.
    fn one(&self, connect: &ConnectArgs, policy: &Policy, requests: &Requests, word: &str) -> anyhow::Result<String> {
        let waiting = read(requests, &requests.named(word)?)?;
        let asked = Asked { flag: connect.read_only, variable: mode::by_variable(), profile: false };
        let permit = permit::decide(Ok(policy), Operator::of_process(), &waiting.request.scope, asked)
            .map_err(|why| anyhow::anyhow!("read-only: {why}"))?;
        print(&if self.json { line("request", &waiting) } else { shown(&waiting) });
        let answered = if self.yes {
            "--yes".to_owned()
        } else if ask::can_ask() {
            ask::flush()?;
            let answer = ask::line("approve it? [y/N] ")?;
            anyhow::ensure!(matches!(answer.as_str(), "y" | "yes"), "it was not approved");
            answer
        } else {
            anyhow::bail!("nobody can be asked here; --yes answers");
        };
        let audit = Audit::place(&policy.audit)?;
        if let Some(note) = approve(&permit, &audit, requests, &waiting, &answered, Clock::start().now())? {
            tell(&format!("note: {note}"));
        }
        let id = &waiting.asked.id;
        Ok(match self.json {
            true => format!(
                "{}\n",
                json!({ "event": "outcome", "operation": "approve", "outcome": Outcome::Done, "sentence": format!("{id} is approved") })
            ),
            false => format!("DONE: {id} is approved; {} carries it out: pgbaton run {id}", Operator::of_uid(waiting.asked.owner).user),
        })
    }
}

impl RunArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        runtime()?.block_on(async {
            for word in &self.requests {
                let code = self.one(connect, word).await?;
                if code != ExitCode::SUCCESS {
                    return Ok(code);
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    async fn one(&self, connect: &ConnectArgs, word: &str) -> anyhow::Result<ExitCode> {
        let mut how = HowArgs { yes: self.yes, json: self.json, ..HowArgs::default() };
        let policy = Policy::of_machine()?;
        let requests = Requests::open(&policy)?;
        let Waiting { asked, request, .. } = match requests.named(word).map_err(Into::into).and_then(|id| read(&requests, &id)) {
            Ok(waiting) => waiting,
            Err(why) => return Ok(refuse(&how, None, &why.to_string())),
        };
        how.overridden.clone_from(&request.overridden);
        let profile = connect.profile(connect.cluster.as_deref().or(Some(&request.cluster))).await?;
        let desk = match Means::of(connect, &profile)? {
            Ok(means) => means,
            Err(read_only) => return Ok(refuse(&how, None, &format!("read-only: {read_only}"))),
        };
        let Means { desk, clock } = desk;
        let approved = match desk.approved(&requests, asked) {
            Ok(approved) => approved,
            Err(why) => return Ok(refuse(&how, Some(&request.name), &why.to_string())),
        };
        let mut live = start(profile, clock);
        live.settle(FIRST).await;
        let plan = match with_situation(&live, |s| Ok::<_, String>(Plan::of(request.operation(s)?, s))) {
            Ok(plan) => plan,
            Err(why) => return Ok(refuse(&how, Some(&request.name), &why)),
        };
        print(&if how.json { told::plan_json(&plan)? } else { told::plan(&plan) });
        tell(&format!("note: {} has approved it", approved.by().user));
        if let Err(why) = request.still(&plan) {
            return Ok(refuse(&how, Some(&request.name), &why));
        }
        for differs in request.differs(&plan) {
            tell(&format!("note: {differs}"));
        }
        let confirmed = match confirm(&mut live, &how, plan, Vec::new()).await? {
            Ok(confirmed) => confirmed,
            Err(why) => return Ok(refuse(&how, Some(&request.name), &why)),
        };
        match with_situation(&live, |s| desk.execute_approved(&confirmed, &approved, &requests, s)) {
            Ok(execution) => follow(&mut live, execution, how.json).await.map(|outcome| ExitCode::from(outcome.code())),
            Err(why) => Ok(refuse(&how, Some(&request.name), &why.to_string())),
        }
    }
}

fn read(requests: &Requests, id: &str) -> anyhow::Result<Waiting> {
    let asked = requests.read(id)?;
    let request = Request::parse(&asked.bytes).map_err(anyhow::Error::msg)?;
    Ok(Waiting { asked, request, note: None })
}

/// A request in the list of those that wait. It was written by another, too.
fn row(request: &Request, id: &str, by: &str) -> String {
    format!("{id}  {}: {}, asked by {by}, until {}\n", clean(&request.scope), clean(&request.sentence), request.until)
}

/// A request for the one who is to approve it. It was written by another: every text of it is washed.
fn shown(waiting: &Waiting) -> String {
    let Waiting { asked, request, .. } = waiting;
    let by = Operator::of_uid(asked.owner);
    let mut out = format!("request {}, asked by {} at {}, good until {}\n", asked.id, by.user, request.at, request.until);
    out += &told::lines(
        (&request.scope, &request.sentence),
        &request.checks,
        &request.effects,
        &Ok::<_, String>(request.order.clone()),
        request.patronictl.as_deref(),
    );
    for check in request.checks.iter().filter(|check| check.light == Light::Red) {
        out += &format!("passed over: {}\n", washed(&check.id));
    }
    // By this the plan is judged that is carried out; what stands above could have been written otherwise.
    out += &format!("exact:  {}\n", washed(&request.request.to_string()));
    out + &format!("hash:   {}\n", asked.sha256)
}

fn line(event: &str, waiting: &Waiting) -> String {
    let Waiting { asked, request, .. } = waiting;
    let line = json!({ "event": event, "id": asked.id, "sha256": asked.sha256, "asked_by": Operator::of_uid(asked.owner).user, "request": request });
    format!("{line}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A request that somebody has written by hand, with this text wherever one is free.
    fn written_by_hand(text: &str) -> Waiting {
        let check = json!({ "id": text, "light": "red", "sentence": text, "patroni_would": true });
        let who = json!({ "user": text, "uid": 7, "groups": [text], "sudo_user": text, "ssh_client": text, "host": text });
        let basis = json!({ "current": true, "leader": text, "timeline": 1, "paused": false, "request": null });
        let bytes = json!({
            "cluster": text, "scope": text, "system_identifier": text, "at": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:00:00Z",
            "who": who, "operation": { "do": "remove" }, "name": text, "sentence": text, "member": text, "order": text, "request": text,
            "patronictl": text, "effects": [text], "checks": [check], "overridden": [text], "basis": basis,
        });
        let bytes = serde_json::to_vec(&bytes).expect("JSON");
        let request = Request::parse(&bytes).expect("a request");
        let asked = crate::permit::AskedFile { id: "0123456789abcdef".to_owned(), sha256: String::new(), owner: 7, bytes };
        Waiting { asked, request, note: None }
    }

    #[test]
    fn what_another_wrote_moves_no_cursor_of_the_one_who_reads_it() {
        for hostile in ["x\u{1b}[2J", "x\ny", "x\u{9b}2J", "x\u{202e}y"] {
            let waiting = written_by_hand(hostile);
            let row = row(&waiting.request, &waiting.asked.id, "anna");
            assert_eq!(row.matches('\n').count(), 1, "{row:?}");
            for line in row.lines().chain(shown(&waiting).lines()) {
                assert_eq!(line, washed(line), "{hostile:?}");
            }
            assert!(row.starts_with("0123456789abcdef  x"), "{row:?}");
            assert!(shown(&waiting).lines().all(|line| !line.starts_with('y')), "{hostile:?}");
        }
    }

    #[test]
    fn a_setting_that_may_be_a_secret_is_found_in_a_request_written_by_hand() {
        let change = |name: &str| {
            let change = json!({ "path": ["postgresql", "parameters", name], "after": "x" });
            json!({ "do": "edit-config", "revision": 1, "changes": [change], "undo": null })
        };
        for (name, whole) in [("work_mem", true), ("primary_conninfo", false)] {
            let mut text: serde_json::Value = serde_json::from_slice(&written_by_hand("x").asked.bytes).expect("JSON");
            text["operation"] = change(name);
            let request = Request::parse(text.to_string().as_bytes()).expect("a request");
            assert_eq!(request.operation.whole().is_ok(), whole, "{name}");
        }
    }

    #[test]
    fn why_a_file_is_no_request_is_told_washed() {
        let bytes = br#"{"operation": {"do": "\u001b[2J"}, "cluster": "x"}"#;
        let why = Request::parse(bytes).expect_err("it is none");
        assert_eq!(why, washed(&why));
    }
}
