//! A condition over the document, in CEL (Common Expression Language): `members.all(m, m.replay_lag_bytes < 1000000)`.
//!
//! It has three outcomes: it holds, it does not, or it cannot be judged. CEL itself knows two and an error, and calls some comparisons with an
//! unknown value true (`null != "psg1"`); what that would be true of is not known, so here it is the third (`known.rs`). What the
//! document still holds of sources that are silent is unknown too (`facts.rs`).

mod facts;
mod fields;
mod known;
mod live;

pub use fields::{Unknown, unknown_fields};
pub use live::live;

use cel::{Context, ExecutionError, IdedExpr, Program, Value};

use crate::document::Document;
use crate::model::clean;

/// A condition that can be read.
#[derive(Debug)]
pub struct Condition {
    expression: IdedExpr,
}

/// What is wrong with the text of a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct Mistake {
    /// Where, in characters from 1 on.
    pub column: usize,
    /// What.
    pub message: String,
}

impl Condition {
    /// Reads a condition of one line.
    ///
    /// # Errors
    /// It is not CEL.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let program = Program::compile(text).map_err(|errors| {
            let first = errors.errors.iter().min_by_key(|error| error.pos);
            let column = first.and_then(|error| usize::try_from(error.pos.1).ok()).unwrap_or_default();
            let message = first.map_or("it cannot be read".to_owned(), |error| plain(&error.msg));
            Mistake { column: column.max(1), message: clean(&message) }
        })?;
        Ok(Self { expression: known::demanded(program.expression().clone()) })
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// It cannot be judged; the sentence says why: something is not known, there is no such field, it is not a question with yes or no.
    pub fn holds(&self, document: &Document) -> Result<bool, String> {
        let mut context = Context::default();
        known::define(&mut context).map_err(|error| error.to_string())?;
        for (name, value) in facts::of(document)? {
            context.add_variable_from_value(name, value);
        }
        let told = |why: String| clean(&why);
        match context.resolve(&self.expression).map_err(|error| told(reason(&error)))? {
            Value::Bool(holds) => Ok(holds),
            Value::Null => Err("what it asks for is not known".to_owned()),
            other => Err(told(format!("it is no condition: its value is of the type {}", other.type_of()))),
        }
    }
}

/// The parser's sentence without the list of everything that could stand there.
fn plain(message: &str) -> String {
    // The usual slip, which the parser tells in its own words.
    if message.contains("token recognition error at: '= '") {
        return "a single = compares nothing: two values are compared by ==".to_owned();
    }
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split_once(" expecting {").map_or(message, |(before, _)| before);
    message.replace("'<EOF>'", "the end").replace("<EOF>", "the end")
}

/// Why something cannot be judged, in the document's words.
fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::FunctionError { function, message } if function == known::NAME => message.clone(),
        ExecutionError::NoSuchKey(key) => format!("the document has no field {key} there"),
        ExecutionError::UndeclaredReference(name) => format!("the document has no field {name}, and CEL no function of that name"),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
