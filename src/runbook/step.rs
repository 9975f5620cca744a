//! A step: a fenced block of the kind `pgbaton`.

use std::time::Duration;

use super::answers::{Answers, of_member};
use super::members::{Among, Loop, among};
use super::placeholder::{ALWAYS, is_name, misplaced, misplaced_in_condition};
use crate::condition::{Condition, unknown_fields};
use crate::model::quantity;
use crate::userfile::{Entry, Reader, Value, nearest};

/// The longest that a run may wait for something: a week.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 86_400);

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id, for the run's record.
    pub id: String,
    /// The heading above it.
    pub title: String,
    /// The prose between that heading, or the step before, and it.
    pub prose: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// What is to be done.
    pub kind: Kind,
    /// A condition without which it is passed over.
    pub only_if: Option<String>,
    /// The loop that it belongs to, by the id of the step that begins it.
    pub within: Option<String>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The condition must hold now, or the run stops; `otherwise` says what that means.
    Require {
        /// In CEL over the document.
        condition: String,
        /// What it means when it does not hold.
        otherwise: Option<String>,
    },
    /// The condition must come to hold within so long.
    Wait {
        /// In CEL over the document.
        condition: String,
        /// How long that may take.
        deadline: Duration,
        /// Whether the run goes on when it has not come to hold by then: what follows depends on it.
        goes_on: bool,
    },
    /// A subcommand of pgbaton, with its arguments.
    Action(String),
    /// A question; the answer is a value from then on.
    Ask {
        /// The question.
        question: String,
        /// The value's name.
        into: String,
        /// What it can be.
        answers: Answers,
    },
    /// A command that the operator runs elsewhere, and says when it is done.
    Command {
        /// The command.
        command: String,
        /// Where.
        on: Option<String>,
    },
    /// Something that only a person can see: a question with yes or no.
    Look {
        /// The question.
        question: String,
        /// The answer with which the run goes on.
        wanted: bool,
    },
    /// The steps under its heading are taken once for each.
    ForEach(Loop),
    /// The steps under its heading are taken if this holds now, in CEL over the document; else they are passed over with it.
    When(String),
}

impl Kind {
    /// Whether the steps under its heading belong to it.
    pub fn heads(&self) -> bool {
        matches!(self, Self::ForEach(_) | Self::When(_))
    }
}

/// The fields of a step; those of the first row say what kind it is.
const KINDS: [&str; 8] = ["require", "wait", "action", "ask", "command", "look", "for_each", "when"];
const OTHERS: [&str; 12] =
    ["id", "only_if", "otherwise", "deadline", "at_deadline", "into", "choices", "among", "which", "on", "as", "wanted"];

/// What the block says, without what its place in the file adds.
pub(super) struct Block {
    pub(super) id: Option<(String, usize)>,
    pub(super) kind: Kind,
    pub(super) only_if: Option<String>,
    /// Every text in which values can stand, with its place.
    pub(super) texts: Vec<(String, usize)>,
}

/// Reads a block that begins at byte `at`. What is wrong goes to the reader; then there is no block.
pub(super) fn read(reader: &mut Reader<'_>, entries: &[Entry], at: usize) -> Option<Block> {
    let mut fields = Fields { reader, entries, failed: false };
    fields.known();
    if fields.failed {
        return None;
    }
    let named: Vec<&Entry> = entries.iter().filter(|entry| KINDS.contains(&entry.key.as_str())).collect();
    let [kind] = named.as_slice() else {
        let told = if named.is_empty() { "this step does nothing" } else { "a step does one thing" };
        fields.reader.mistake(named.get(1).map_or(at, |entry| entry.key_at), told, Some(format!("one of {}", KINDS.join(", "))));
        return None;
    };
    let subject = fields.text(&kind.key)?;
    let (kind, own): (Kind, &[&str]) = match kind.key.as_str() {
        "require" => (Kind::Require { condition: subject, otherwise: fields.text_if("otherwise") }, &["otherwise"]),
        "wait" => {
            let deadline = fields.text_if("deadline");
            let span = deadline.as_deref().and_then(quantity::span).filter(|span| *span <= LONGEST_WAIT);
            if span.is_none() {
                let told = if deadline.is_some() { "a deadline is a time up to 7 days" } else { "a wait has a deadline" };
                fields.wrong("deadline", at, told, Some("deadline = \"5min\"".to_owned()));
            }
            let then = fields.text_if("at_deadline");
            if !matches!(then.as_deref(), None | Some("stop" | "go on")) {
                fields.wrong(
                    "at_deadline",
                    at,
                    "at its deadline a wait stops the run, or goes on",
                    Some("at_deadline = \"go on\"".to_owned()),
                );
            }
            let goes_on = then.as_deref() == Some("go on");
            (Kind::Wait { condition: subject, deadline: span.unwrap_or_default(), goes_on }, &["deadline", "at_deadline"])
        }
        "action" => (Kind::Action(subject), &[]),
        "ask" => {
            let into = fields.text_if("into").unwrap_or_default();
            if !is_name(&into) || ALWAYS.contains(&into.as_str()) {
                fields.wrong("into", at, "a question says where its answer goes", Some("into = \"candidate\"".to_owned()));
            }
            let answers = fields.answers(at);
            (Kind::Ask { question: subject, into, answers }, &["into", "choices", "among", "which"])
        }
        "command" => (Kind::Command { command: subject, on: fields.text_if("on") }, &["on"]),
        "look" => {
            let wanted = fields.text_if("wanted");
            if !matches!(wanted.as_deref(), None | Some("yes" | "no")) {
                fields.wrong("wanted", at, "what is wanted is yes or no", None);
            }
            (Kind::Look { question: subject, wanted: wanted.as_deref() != Some("no") }, &["wanted"])
        }
        "when" => (Kind::When(subject), &[]),
        _ => {
            let among = fields.members("for_each", &subject, at);
            let name = fields.text_if("as").unwrap_or_else(|| "member".to_owned());
            if !is_name(&name) || ALWAYS.contains(&name.as_str()) {
                fields.wrong("as", at, "no name for a value", Some("as = \"member\"".to_owned()));
            }
            (Kind::ForEach(Loop { among, name }), &["as"])
        }
    };
    for entry in entries.iter().filter(|e| OTHERS.contains(&e.key.as_str()) && !["id", "only_if"].contains(&e.key.as_str())) {
        if !own.contains(&entry.key.as_str()) {
            fields.wrong(&entry.key, at, &format!("`{}` does not belong to this kind of step", entry.key), None);
        }
    }
    for key in ["require", "wait", "when", "only_if"] {
        fields.condition(key, str::to_owned);
    }
    fields.condition("which", |which| of_member("'x'", which));
    fields.outside_quotes("command", misplaced);
    fields.id();
    let id = fields.place("id").and_then(|place| fields.text_if("id").map(|id| (id, place)));
    let only_if = fields.text_if("only_if");
    let (failed, texts) = (fields.failed, texts(entries));
    (!failed).then_some(Block { id, kind, only_if, texts })
}

fn texts(entries: &[Entry]) -> Vec<(String, usize)> {
    let used = entries.iter().filter(|entry| {
        !["id", "into", "as", "deadline", "at_deadline", "for_each", "wanted", "choices", "among"].contains(&entry.key.as_str())
    });
    used.filter_map(|entry| match &entry.value {
        Value::Text(text) => Some((text.clone(), entry.value_at)),
        _ => None,
    })
    .collect()
}

struct Fields<'r, 't, 'e> {
    reader: &'r mut Reader<'t>,
    entries: &'e [Entry],
    failed: bool,
}

impl Fields<'_, '_, '_> {
    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.find(key).map(|entry| entry.value_at)
    }

    fn wrong(&mut self, key: &str, at: usize, told: &str, hint: Option<String>) {
        let place = self.place(key).unwrap_or(at);
        self.reader.mistake(place, told, hint);
        self.failed = true;
    }

    fn known(&mut self) {
        for entry in self.entries {
            if !KINDS.contains(&entry.key.as_str()) && !OTHERS.contains(&entry.key.as_str()) {
                let near = nearest(&entry.key, KINDS.into_iter().chain(OTHERS)).map(|near| format!("did you mean `{near}`?"));
                let all = || format!("a step has {}, {}", KINDS.join(", "), OTHERS.join(", "));
                self.reader.mistake(entry.key_at, format!("unknown key `{}`", entry.key), Some(near.unwrap_or_else(all)));
                self.failed = true;
            }
        }
    }

    /// A text that must not be empty.
    fn text(&mut self, key: &str) -> Option<String> {
        let text = self.text_if(key)?;
        if text.trim().is_empty() {
            self.wrong(key, 0, "an empty text", None);
        }
        Some(text)
    }

    fn text_if(&mut self, key: &str) -> Option<String> {
        match self.find(key).map(|entry| entry.value.clone()) {
            Some(Value::Text(text)) => Some(text),
            Some(other) => {
                self.wrong(key, 0, &format!("expected a string, found {}", other.kind()), None);
                None
            }
            None => None,
        }
    }

    /// Whom a word means.
    fn members(&mut self, key: &str, word: &str, at: usize) -> Among {
        among(word).unwrap_or_else(|hint| {
            self.wrong(key, at, &format!("nobody is meant by {word:?}"), Some(hint));
            Among::Members
        })
    }

    /// What a question can be answered with.
    fn answers(&mut self, at: usize) -> Answers {
        if self.find("which").is_some() && self.find("among").is_none() {
            self.wrong("which", at, "it is said of members; there is no `among`", None);
        }
        match (self.text("choices"), self.text("among")) {
            (Some(_), Some(_)) => {
                self.wrong("among", at, "a question has its choices or its members, not both", None);
                Answers::Anything
            }
            (Some(choices), None) => {
                let all: Vec<String> = choices.split(',').map(|choice| choice.trim().to_owned()).collect();
                if all.len() < 2 || all.iter().any(String::is_empty) {
                    self.wrong("choices", at, "there are two choices at least", Some("choices = \"yes, no\"".to_owned()));
                }
                Answers::OneOf(all)
            }
            (None, Some(word)) => Answers::Among(self.members("among", &word, at), self.text("which")),
            (None, None) => Answers::Anything,
        }
    }

    /// An id is a name whose parts can be parted.
    fn id(&mut self) {
        let Some(Value::Text(id)) = self.find("id").map(|entry| entry.value.clone()) else { return };
        if !is_name(&id.replace('-', "_")) {
            self.wrong("id", 0, "an id has small letters, digits, - and _ only", None);
        }
    }

    /// Whether every name in it stands where a value can.
    fn outside_quotes(&mut self, key: &str, misplaced: fn(&str) -> Option<&str>) {
        let Some(Value::Text(text)) = self.find(key).map(|entry| entry.value.clone()) else { return };
        if let Some(name) = misplaced(&text) {
            let told = format!("{{{name}}} stands within quotes, or touches what is before it");
            self.wrong(key, 0, &told, Some("a value is quoted when it is filled in".to_owned()));
        }
    }

    /// Whether it can be read as a condition, with some value for each name in it; `whole` makes it one over the document.
    fn condition(&mut self, key: &str, whole: fn(&str) -> String) {
        let Some(Value::Text(text)) = self.find(key).map(|entry| entry.value.clone()) else { return };
        self.outside_quotes(key, misplaced_in_condition);
        let values = super::placeholder::names(&text).into_iter().map(|name| (name.to_owned(), "x".to_owned())).collect();
        let filled = super::fill_condition(&text, &values).unwrap_or_default();
        // By itself too: in brackets, two halves could be one.
        let whole = whole(&filled);
        if let Err(mistake) = Condition::parse(&filled).and(Condition::parse(&whole)) {
            self.wrong(key, 0, &format!("it is no condition: {}", mistake.message), None);
        }
        let Some(place) = self.place(key) else { return };
        for unknown in unknown_fields(&whole) {
            // Where the word stands, behind the quote that the text begins with.
            let before = if unknown.of.is_some() { "." } else { "" };
            let within = text.find(&format!("{before}{}", unknown.field)).map_or(0, |at| at + before.len() + 1);
            let whose = unknown.of.as_deref().map_or_else(|| "the document".to_owned(), |of| format!("`{of}`"));
            let near = nearest(&unknown.field, unknown.known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let hint = near.unwrap_or_else(|| format!("there are {}", unknown.known.join(", ")));
            self.reader.mistake(place + within, format!("{whose} has no field `{}`", unknown.field), Some(hint));
            self.failed = true;
        }
    }
}
