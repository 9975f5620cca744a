//! Which clusters there are under a namespace.

use std::collections::BTreeSet;

use super::Endpoint;
use super::link::{Access, Identity};
use super::race::race;
use crate::config::Profile;
use crate::model::{Consistency, SourceError, SourceKind};

/// The scopes of the Patroni clusters under the profile's namespace, sorted.
///
/// Without a quorum one endpoint's own word is taken: an old list of names is better than no way in.
pub async fn discover(profile: &Profile) -> Result<Vec<String>, SourceError> {
    let access = Access::new(&profile.etcd);
    let endpoints = profile.etcd.endpoints.iter().map(|e| Endpoint::parse(e)).collect::<Result<Vec<_>, _>>()?;
    let names = async |consistency| {
        race(&endpoints, SourceKind::Dcs.deadline(), async |endpoint| {
            access.open(endpoint, Identity::User).await?.names(&profile.namespace, consistency).await
        })
        .await
    };
    let found = match names(Consistency::Linearizable).await {
        Ok(found) => found,
        Err(error) => names(Consistency::Serializable).await.map_err(|_| error)?,
    };
    Ok(scopes(&found))
}

/// A first part of a path is a scope when a key of Patroni's lies below it.
fn scopes(names: &[String]) -> Vec<String> {
    let found: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| name.split_once('/'))
        .filter(|(_, key)| matches!(*key, "initialize" | "config" | "leader") || key.starts_with("members/"))
        .map(|(scope, _)| scope)
        .collect();
    found.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::scopes;

    #[test]
    fn a_scope_is_known_by_patronis_keys() {
        let names =
            ["psg/leader", "psg/members/psg1", "empty/history", "new/initialize", "dead/config", "app/config/x", "leader", "z/membersx"];
        assert_eq!(scopes(&names.map(str::to_owned)), ["dead", "new", "psg"]);
    }
}
