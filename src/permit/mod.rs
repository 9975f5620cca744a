//! Who may change something: decided once, before anything is read with which something could be changed.
//!
//! A [`Permit`] is a value that only [`decide`] makes. Whatever can write takes one to come into being (`action::client`), so that without it
//! there is no object in the process that could, and the secrets that writing needs are not revealed ([`crate::config::Login::reveal`]).

mod approval;
mod operator;
mod policy;
mod requests;

pub use approval::{Approved, NotApproved, approve, may_approve};
pub use operator::Operator;
pub use policy::{AuditPolicy, OPERATIONS, PATH, Policy, PolicyError, RequestsPolicy};
pub use requests::{AskedFile, Requests, RequestsError};

use crate::model::clean;

/// That the one who works here may change one cluster.
///
/// It cannot be made outside of this module:
///
/// ```compile_fail,E0451
/// use pgbaton::permit::{Operator, Permit, Policy};
/// let permit = Permit { operator: Operator::of_process(), scope: "x".to_owned(), policy: Policy::default() };
/// ```
///
/// Nor copied to be kept for later:
///
/// ```compile_fail,E0599
/// use pgbaton::permit::Permit;
/// fn kept(permit: &Permit) -> Permit {
///     permit.clone()
/// }
/// ```
///
/// What can be done with it is to look at it:
///
/// ```
/// use pgbaton::permit::Permit;
/// fn scope(permit: &Permit) -> &str {
///     permit.scope()
/// }
/// ```
#[derive(Debug)]
pub struct Permit {
    operator: Operator,
    scope: String,
    policy: Policy,
}

impl Permit {
    /// Who works here.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// Patroni's scope of the cluster that it is for.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The policy by which it was given.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether this may be done without a second person. `also`: other operations that do what it does too.
    ///
    /// # Errors
    /// The policy wants one; the error is a sentence.
    pub fn alone(&self, operation: &str, also: &[&str]) -> Result<(), String> {
        let scope = &self.scope;
        let wanted = [&[operation], also].concat().into_iter().find(|name| self.policy.wants_second(scope, name));
        let Some(wanted) = wanted else { return Ok(()) };
        let does = if wanted == operation { String::new() } else { format!(", which this {operation} can be") };
        Err(format!(
            "{PATH} wants a second person for {wanted} on {scope}{does}: ask by the command line (pgbaton {} {scope} ...), have it approved by \
             another (pgbaton approve), then pgbaton run",
            operation.split_once("flush-").map_or(operation, |_| "flush")
        ))
    }
}

/// Why nothing may be changed. Displays as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadOnly {
    /// The machine's policy file lets somebody else operate this cluster.
    #[error("{PATH} does not let {user} operate {scope}")]
    Policy {
        /// The one who works here.
        user: String,
        /// Patroni's scope.
        scope: String,
    },
    /// The policy file cannot be used; then nobody may.
    #[error("nobody may operate while the policy file cannot be used: {0}")]
    BadPolicy(PolicyError),
    /// `--read-only`.
    #[error("this session was started with --read-only")]
    Flag,
    /// `PGBATON_READ_ONLY`.
    #[error("PGBATON_READ_ONLY is set")]
    Variable,
    /// `read_only` of the cluster's configuration.
    #[error("the configuration says read_only for this cluster")]
    Profile,
}

/// What was asked for, apart from the policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// `--read-only` was given.
    pub flag: bool,
    /// `PGBATON_READ_ONLY` is set to something that is not a no.
    pub variable: bool,
    /// The cluster's configuration says `read_only`.
    pub profile: bool,
}

impl Asked {
    /// What a value of `PGBATON_READ_ONLY` asks for: anything but nothing, `0`, `no`, `off` and `false` is a yes.
    pub fn by_variable(value: Option<&std::ffi::OsStr>) -> bool {
        value.is_some_and(|value| !matches!(value.to_string_lossy().trim().to_lowercase().as_str(), "" | "0" | "no" | "off" | "false"))
    }
}

/// Decides. Each of policy, flag, variable and configuration can only take the permit away; the policy's word is told first.
pub fn decide(policy: Result<&Policy, PolicyError>, operator: Operator, scope: &str, asked: Asked) -> Result<Permit, ReadOnly> {
    let policy = policy.map_err(ReadOnly::BadPolicy)?;
    if !policy.lets(&operator, scope) {
        // It can be of a request that another has written.
        return Err(ReadOnly::Policy { user: operator.user, scope: clean(scope) });
    }
    match asked {
        Asked { flag: true, .. } => Err(ReadOnly::Flag),
        Asked { variable: true, .. } => Err(ReadOnly::Variable),
        Asked { profile: true, .. } => Err(ReadOnly::Profile),
        Asked { flag: false, variable: false, profile: false } => Ok(Permit { operator, scope: scope.to_owned(), policy: policy.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(user: &str, groups: &[&str]) -> Operator {
        Operator { user: user.to_owned(), groups: groups.iter().map(|g| (*g).to_owned()).collect(), ..Operator::of_process() }
    }

    #[test]
    fn each_can_take_it_away_and_none_can_give_it_back() {
        let open = Policy::default();
        assert!(decide(Ok(&open), operator("a", &[]), "x", Asked::default()).is_ok());
        let flag = Asked { flag: true, ..Asked::default() };
        assert_eq!(decide(Ok(&open), operator("a", &[]), "x", flag).err(), Some(ReadOnly::Flag));
        let variable = Asked { variable: true, ..Asked::default() };
        assert_eq!(decide(Ok(&open), operator("a", &[]), "x", variable).err(), Some(ReadOnly::Variable));
        let profile = Asked { profile: true, ..Asked::default() };
        assert_eq!(decide(Ok(&open), operator("a", &[]), "x", profile).err(), Some(ReadOnly::Profile));
        let strict = Policy::parse(PATH, "[[operate]]\nclusters = [\"card-*\"]\ngroups = [\"dba\"]\n").expect("a policy");
        assert!(decide(Ok(&strict), operator("a", &["dba"]), "card-prod", Asked::default()).is_ok());
        let refused = decide(Ok(&strict), operator("a", &["staff"]), "card-prod", Asked::default()).expect_err("no permit");
        assert_eq!(refused.to_string(), "/etc/pgbaton/policy.toml does not let a operate card-prod");
        assert!(decide(Ok(&strict), operator("a", &["dba"]), "other", Asked::default()).is_err());
        let hostile = decide(Ok(&strict), operator("a", &["dba"]), "x\u{1b}[2J", Asked::default()).expect_err("no permit");
        assert_eq!(hostile.to_string(), "/etc/pgbaton/policy.toml does not let a operate x\u{FFFD}[2J");
    }

    #[test]
    fn what_does_the_same_as_another_needs_two_persons_where_that_does() {
        let text = "[[operate]]\nclusters = [\"*\"]\ngroups = [\"dba\"]\n[[second_person]]\nclusters = [\"*\"]\noperations = [\"pause\"]\n\
                    [requests]\ndir = \"/r\"\n[audit]\ndir = \"/a\"\n";
        let policy = Policy::parse(PATH, text).expect("a policy");
        let permit = decide(Ok(&policy), operator("a", &["dba"]), "x", Asked::default()).expect("a permit");
        assert!(permit.alone("edit-config", &[]).is_ok());
        let both = permit.alone("edit-config", &["pause", "resume"]).expect_err("it pauses");
        let told = "/etc/pgbaton/policy.toml wants a second person for pause on x, which this edit-config can be: ask by the command line \
                    (pgbaton edit-config x ...), ";
        assert!(both.starts_with(told), "{both}");
        assert!(permit.alone("pause", &[]).expect_err("it pauses").contains("for pause on x: ask by"));
    }

    #[test]
    fn a_policy_that_cannot_be_used_lets_nobody() {
        let bad = Policy::parse(PATH, "[[operate]]\nuser = [\"a\"]\n").expect_err("a mistake");
        let refused = decide(Err(bad), operator("root", &["root"]), "x", Asked::default()).expect_err("no permit");
        assert!(refused.to_string().contains("/etc/pgbaton/policy.toml:2:1: unknown field `user`"), "{refused}");
    }

    #[test]
    fn the_variable_can_say_no() {
        for (value, asks) in [("", false), ("0", false), ("False", false), ("off", false), ("1", true), ("yes", true), ("nonsense", true)] {
            assert_eq!(Asked::by_variable(Some(value.as_ref())), asks, "{value}");
        }
        assert!(!Asked::by_variable(None));
    }
}
