//! `pgbaton audit`: who did what, and what became of it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use super::connect::ConnectArgs;
use super::start::audit;
use crate::action::Entry;
use crate::app::Audited;
use crate::config::{Env, Request, Selected, load};
use crate::model::clean;

/// `pgbaton audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// Only actions on this cluster of pgbaton.toml, or of this scope [default: the cluster that is configured]
    #[arg(value_name = "CLUSTER", conflicts_with = "all")]
    cluster: Option<String>,
    /// Actions on every cluster
    #[arg(long)]
    all: bool,
    /// The lines as they are in the file
    #[arg(long)]
    json: bool,
    /// The newest N actions
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    number: usize,
}

/// Whose actions are told.
#[derive(Debug, PartialEq, Eq)]
enum Of {
    /// Those on the cluster of this scope.
    Scope(String),
    /// All, and why not those on one cluster, where that was not asked for.
    All(Option<String>),
}

impl Of {
    /// The cluster of this name or scope, else the one that is configured. The audit is there without any configuration and without etcd, and is told
    /// without them too.
    fn given(request: &Request, cluster: Option<&str>) -> Self {
        let selected =
            load(request).map_err(|why| why.to_string()).and_then(|config| config.select(cluster).map_err(|why| why.to_string()));
        // Where was looked is told by `pgbaton config`.
        let first = |why: &str| {
            let line = why.lines().next().unwrap_or_default();
            line.strip_suffix(':').map_or(line, |line| line.rsplit_once(". ").map_or(line, |(sentence, _)| sentence)).to_owned()
        };
        match (selected, cluster) {
            (Ok(Selected::One(profile)), _) if profile.scope.is_some() => Self::Scope(profile.scope.unwrap_or_default()),
            // It may not be configured any more, or not here.
            (_, Some(scope)) => Self::Scope(scope.to_owned()),
            (Ok(Selected::One(_)), None) => Self::All(Some("the configuration names no scope".to_owned())),
            (Ok(Selected::Several(profiles)), None) => {
                let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
                Self::All(Some(format!("several are configured: {}", names.join(", "))))
            }
            (Err(why), None) => Self::All(Some(first(&why))),
        }
    }

    fn is_told(&self, action: &Audited) -> bool {
        match self {
            Self::Scope(scope) => action.cluster == *scope,
            Self::All(_) => true,
        }
    }

    /// What is told and what is not, in a line.
    fn head(&self, all: &[Audited], number: usize) -> String {
        let told = all.iter().filter(|action| self.is_told(action)).count();
        let newest = if told > number { format!(", the newest {number}") } else { String::new() };
        let actions = if told == 1 { "action" } else { "actions" };
        match (self, all.len() - told) {
            (Self::Scope(scope), 0) => format!("cluster {}: {told} {actions} from this machine{newest}", clean(scope)),
            (Self::Scope(scope), others) => {
                format!(
                    "cluster {}: {told} {actions} from this machine{newest}; {others} on other clusters, --all shows them",
                    clean(scope)
                )
            }
            (Self::All(None), _) => format!("every cluster: {told} {actions} from this machine{newest}"),
            (Self::All(Some(why)), _) => format!("every cluster ({}): {told} {actions} from this machine{newest}", clean(why)),
        }
    }
}

/// Prints them, oldest first.
pub fn run(connect: &ConnectArgs, args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let audit = audit().map_err(anyhow::Error::msg)?;
    let (entries, bad) = audit.read()?;
    let request = Request { file: connect.config.clone(), cluster: None, env: Env::of_process() };
    let of = match args.all {
        true => Of::All(None),
        false => Of::given(&request, args.cluster.as_deref().or(connect.cluster.as_deref())),
    };
    let all = Audited::of(&entries);
    let head = of.head(&all, args.number);
    let actions: Vec<&Audited> = all.iter().filter(|action| of.is_told(action)).collect();
    let mut out = String::new();
    if args.json {
        // What is printed is the file's own lines, and nothing else.
        eprintln!("note: {head}");
    } else {
        let _ = writeln!(out, "{head}");
    }
    for action in actions.iter().skip(actions.len().saturating_sub(args.number)) {
        if args.json {
            for line in entries.iter().filter(|entry: &&Entry| entry.id == action.id) {
                let _ = writeln!(out, "{}", serde_json::to_string(line)?);
            }
        } else {
            tell(&mut out, action);
        }
    }
    std::io::stdout().lock().write_all(out.as_bytes())?;
    if bad > 0 {
        eprintln!("note: {bad} lines of {} are none of ours", audit.path().display());
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(out: &mut String, action: &Audited) {
    let _ = writeln!(out, "{}  {}: {}, by {}", action.at, action.cluster, action.sentence, action.who);
    let _ = match &action.outcome {
        Some((outcome, sentence)) => writeln!(out, "    {outcome}: {sentence}"),
        None => writeln!(out, "    no end: it is under way, or what became of it is not known"),
    };
    for (name, text) in action.details.iter().filter(|(name, _)| !["order", "same as", "answered", "answer"].contains(name)) {
        let _ = writeln!(out, "    {name:<12} {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;

    fn action(cluster: &str) -> Audited {
        Audited {
            id: String::new(),
            at: Time::from_micros(0),
            cluster: cluster.to_owned(),
            sentence: String::new(),
            who: String::new(),
            outcome: None,
            details: Vec::new(),
        }
    }

    /// What is told with this pgbaton.toml when this cluster is named.
    fn of(toml: &str, cluster: Option<&str>) -> Of {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pgbaton.toml");
        std::fs::write(&file, toml).expect("a file");
        Of::given(&Request { file: Some(file), cluster: None, env: Env::default() }, cluster)
    }

    #[test]
    fn the_actions_are_those_on_the_cluster_that_is_meant_and_all_only_where_none_is() {
        const ONE: &str = "[clusters.card]\nscope = \"card-scope\"\netcd.endpoints = [\"http://192.0.2.1:2379\"]\n";
        const TWO: &str = "[clusters.other]\nscope = \"other-scope\"\netcd.endpoints = [\"http://192.0.2.1:2379\"]\n";
        let scope = |name: &str| Of::Scope(name.to_owned());
        assert_eq!(of(ONE, None), scope("card-scope"));
        let both = format!("{ONE}{TWO}");
        assert_eq!(of(&both, Some("other")), scope("other-scope"), "by its name in the configuration");
        assert_eq!(of(&both, Some("gone")), scope("gone"), "or by its scope, which nobody configures any more");
        assert_eq!(of(&both, None), Of::All(Some("several are configured: card, other".to_owned())));
        let Of::All(Some(why)) = of("[clusters.card]\nscoop = \"x\"\n", None) else { panic!("no cluster is meant") };
        assert!(!why.is_empty() && !why.contains('\n'), "{why}");
    }

    #[test]
    fn the_head_says_whose_actions_they_are_and_how_many_are_not_told() {
        let all = ["card", "card", "other"].map(action);
        let card = Of::Scope("card".to_owned());
        assert_eq!(card.head(&all, 20), "cluster card: 2 actions from this machine; 1 on other clusters, --all shows them");
        assert_eq!(card.head(&all[..2], 1), "cluster card: 2 actions from this machine, the newest 1");
        assert_eq!(Of::Scope("third".to_owned()).head(&[], 20), "cluster third: 0 actions from this machine");
        assert_eq!(Of::All(None).head(&all[..1], 20), "every cluster: 1 action from this machine");
        assert_eq!(Of::All(Some("no x".to_owned())).head(&all, 2), "every cluster (no x): 3 actions from this machine, the newest 2");
        assert!(all.iter().filter(|action| card.is_told(action)).all(|action| action.cluster == "card"));
    }
}
