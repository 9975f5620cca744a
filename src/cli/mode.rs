//! Whether this session may change something: policy, flag, variable, configuration.

use crate::config::Profile;
use crate::permit::{self, Asked, AuditPolicy, Operator, Permit, Policy, ReadOnly};

/// Decides for the profile's cluster, whose scope is set. Called once, before anything is read that only writing needs.
pub fn decide(profile: &Profile, flag: bool) -> Result<(Permit, AuditPolicy), ReadOnly> {
    let policy = Policy::of_machine();
    let asked = Asked { flag, variable: by_variable(), profile: profile.read_only };
    let scope = profile.scope.as_deref().unwrap_or_default();
    let audit = policy.as_ref().map(|policy| policy.audit.clone()).unwrap_or_default();
    let permit = permit::decide(policy.as_ref().map_err(Clone::clone), Operator::of_process(), scope, asked)?;
    Ok((permit, audit))
}

/// Whether `PGBATON_READ_ONLY` asks for it.
pub fn by_variable() -> bool {
    Asked::by_variable(std::env::var_os("PGBATON_READ_ONLY").as_deref())
}
