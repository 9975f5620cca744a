//! On which cluster a run can be gone on with.

use super::Run;

/// Where a cluster is, and which one it is: two can have the same name in etcd, and one that was restored from the other has its identifier too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its name in the configuration.
    pub cluster: String,
    /// The namespace and Patroni's scope.
    pub key: String,
    /// The endpoints of etcd in the configuration.
    pub etcd: Vec<String>,
    /// Its system identifier, if it is known.
    pub system: Option<String>,
}

impl Run {
    /// Why this is not the cluster that the run was begun on. What is not known on one of the two sides tells nothing.
    pub fn misplaced(&self, here: &Place) -> Option<String> {
        let of = |etcd: &[String]| etcd.join(", ");
        // An etcd that lost or won a member is the same.
        let apart = !self.etcd.is_empty() && !here.etcd.is_empty() && !self.etcd.iter().any(|url| here.etcd.contains(url));
        let (then, now) = match (&self.system, &here.system) {
            _ if self.cluster != here.cluster => (self.cluster.clone(), here.cluster.clone()),
            _ if self.key != here.key => (self.key.clone(), here.key.clone()),
            _ if apart => (format!("in the etcd {}", of(&self.etcd)), format!("in {}", of(&here.etcd))),
            (Some(then), Some(now)) if then != now => (format!("the system {then}"), now.clone()),
            _ => return None,
        };
        Some(format!("it was {then} then, and is {now} now"))
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn plain() -> Run {
        Run::sample(String::new())
    }

    #[test]
    fn a_run_is_gone_on_with_on_its_own_cluster_alone() {
        let urls = |urls: &[&str]| urls.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>();
        let run = Run { etcd: urls(&["http://a:2379", "http://b:2379"]), system: Some("7".to_owned()), ..plain() };
        let here = Place { cluster: run.cluster.clone(), key: run.key.clone(), etcd: run.etcd.clone(), system: run.system.clone() };
        assert_eq!(run.misplaced(&here), None);
        let table = [
            (Place { cluster: "stage".to_owned(), ..here.clone() }, Some("it was card then, and is stage now")),
            (Place { key: "/db/card".to_owned(), ..here.clone() }, Some("it was /service/card then, and is /db/card now")),
            (
                Place { etcd: urls(&["http://c:2379"]), ..here.clone() },
                Some("it was in the etcd http://a:2379, http://b:2379 then, and is in http://c:2379 now"),
            ),
            (Place { system: Some("8".to_owned()), ..here.clone() }, Some("it was the system 7 then, and is 8 now")),
            (Place { etcd: urls(&["http://b:2379", "http://c:2379"]), ..here.clone() }, None),
            (Place { etcd: Vec::new(), system: None, ..here.clone() }, None),
        ];
        for (there, told) in table {
            assert_eq!(run.misplaced(&there).as_deref(), told, "{there:?}");
        }
        let before = serde_json::to_string(&plain()).expect("JSON");
        assert!(!before.contains("etcd"), "{before}");
        let before: Run = serde_json::from_str(&before).expect("a run of before they were kept");
        assert_eq!(before.misplaced(&Place { system: None, ..here }), None);
    }
}
