//! Settings of a PostgreSQL, as `pg_settings` has them.

use std::collections::BTreeMap;

/// Settings by name, in the units of `pg_settings`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(pub BTreeMap<String, Parameter>);

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `setting`: what our session has.
    pub setting: String,
    /// `source`: where it has it from.
    pub source: String,
}

/// The sources that a session has for itself: they say nothing of what others have.
const OWN: [&str; 5] = ["database", "user", "database user", "client", "session"];

impl Parameters {
    /// A setting as the server has it for everybody; `None`: this version has none of the name, our user may not see it, or our session has its own.
    pub fn of_server(&self, name: &str) -> Option<&str> {
        let parameter = self.0.get(name).filter(|parameter| !OWN.contains(&parameter.source.as_str()))?;
        Some(&parameter.setting)
    }

    /// The same as a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.of_server(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_session_has_for_itself_says_nothing_of_the_others() {
        let parameter = |source: &str| Parameter { setting: "7".to_owned(), source: source.to_owned() };
        let all = [("a", "configuration file"), ("b", "client"), ("c", "user"), ("d", "default")];
        let parameters = Parameters(all.map(|(name, source)| (name.to_owned(), parameter(source))).into());
        assert_eq!(["a", "b", "c", "d", "e"].map(|name| parameters.number(name)), [Some(7), None, None, Some(7), None]);
    }
}
