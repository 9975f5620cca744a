//! The front matter: what a runbook says of itself.

use serde::Deserialize;

use super::answers::{Answers, of_member};
use super::facts::Fact;
use super::members::Among;
use super::placeholder::{ALWAYS, is_name, names};
use crate::condition::{Condition, unknown_fields};
use crate::model::clean;

/// What a runbook says of itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// One line.
    pub title: String,
    /// The worst that its actions do.
    pub danger: Danger,
    /// For which clusters it is, as a condition over the document; without one it is for all.
    #[serde(default)]
    pub suits: Option<String>,
    /// The codes of the findings that it is the answer to.
    #[serde(default)]
    pub findings: Vec<String>,
    /// What has to be said before it begins.
    #[serde(default)]
    pub inputs: Vec<Input>,
}

/// Something that has to be said before a run begins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name: `{candidate}` stands for it.
    pub name: String,
    /// What is asked.
    pub question: String,
    /// The words of which one is the answer.
    #[serde(default)]
    pub choices: Vec<String>,
    /// The members of which one is the answer.
    #[serde(default)]
    pub among: Option<Among>,
    /// Those of them who can be chosen, as a condition over `m`, the member, and the document; the others are named with why they cannot.
    #[serde(default)]
    pub which: Option<String>,
    /// What of the finding that the run answers is the answer.
    #[serde(default)]
    pub fact: Option<Fact>,
}

impl Input {
    /// What it can be.
    pub fn answers(&self) -> Answers {
        match self.among {
            Some(among) => Answers::Among(among, self.which.clone()),
            None if self.choices.is_empty() => Answers::Anything,
            None => Answers::OneOf(self.choices.clone()),
        }
    }
}

/// The worst that the actions of a runbook do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Danger {
    /// Nothing is changed.
    Reads,
    /// Settings change, or replicas are restarted or copied; clients that write notice nothing.
    Changes,
    /// Clients that write are interrupted.
    Interrupts,
    /// Data can be lost.
    Loses,
}

/// What is wrong with the condition by which the members are narrowed.
fn narrowed(input: &Input, which: &str) -> Result<(), String> {
    if input.among.is_none() {
        return Err("it is said of members; there is no `among`".to_owned());
    }
    if let Some(name) = names(which).first() {
        return Err(format!("{{{name}}} is not known before the run begins"));
    }
    let whole = of_member("'x'", which);
    Condition::parse(which).and(Condition::parse(&whole)).map_err(|mistake| format!("it is no condition: {}", mistake.message))?;
    match unknown_fields(&whole).first() {
        Some(unknown) => Err(format!("there is no field `{}`", unknown.field)),
        None => Ok(()),
    }
}

/// Reads it. The error has a line and a column in the front matter, from 1.
pub(super) fn read(yaml: &str) -> Result<Front, (usize, usize, String)> {
    let mut front: Front = serde_saphyr::from_str(yaml).map_err(|error| {
        let place = error.location();
        let number = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1);
        let (line, column) = (number(place.map(|at| at.line())), number(place.map(|at| at.column())));
        let told = error.to_string();
        let told = told.lines().next().unwrap_or_default();
        // The parser's sentence begins with the place too, counted from another line.
        let told = told.strip_prefix("error: line ").and_then(|told| told.split_once(": ")).map_or(told, |(_, said)| said);
        (line, column, told.to_owned())
    })?;
    let at = |text: &str| yaml.lines().position(|line| line.contains(text)).map_or(1, |line| line + 1);
    if let Some(Err(mistake)) = front.suits.as_deref().map(Condition::parse) {
        return Err((at("suits"), 1, format!("suits is no condition: {mistake}")));
    }
    if let Some(unknown) = front.suits.as_deref().map(unknown_fields).unwrap_or_default().first() {
        return Err((at("suits"), 1, format!("suits: the document has no field `{}` there", unknown.field)));
    }
    for (n, input) in front.inputs.iter().enumerate() {
        if ALWAYS.contains(&input.name.as_str()) || front.inputs[..n].iter().any(|other| other.name == input.name) {
            return Err((at(&input.name), 1, format!("{} is known already", input.name)));
        }
        if !is_name(&input.name) {
            return Err((at(&input.name), 1, format!("an input's name has letters, digits and _ only, not {:?}", input.name)));
        }
        if input.among.is_some() && !input.choices.is_empty() {
            return Err((at(&input.name), 1, "an input has its choices or its members, not both".to_owned()));
        }
        if let Some(which) = &input.which {
            narrowed(input, which).map_err(|told| (at(which), 1, format!("which: {told}")))?;
        }
    }
    // They are shown.
    front.title = clean(&front.title);
    front.suits = front.suits.map(|suits| clean(&suits));
    for input in &mut front.inputs {
        input.question = clean(&input.question);
        input.choices.iter_mut().for_each(|choice| *choice = clean(choice));
    }
    Ok(front)
}
