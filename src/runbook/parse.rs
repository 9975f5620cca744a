//! From a file to a runbook, or to what is wrong with it.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use super::members::Loop;
use super::placeholder::{ALWAYS, names};
use super::step::{self, Block, Kind, Step};
use super::{Front, Runbook, front};
use crate::userfile::{Mistake, Reader};

/// A fenced block of the kind `pgbaton`, or a heading.
enum Piece {
    Heading { level: HeadingLevel, title: String, range: Range<usize> },
    Step { inner: Range<usize>, range: Range<usize> },
}

/// Reads a runbook. `path` is what mistakes name; `valid` looks at each action's words and says what is wrong with them.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, path: &str, text: &str, valid: &dyn Fn(&[String]) -> Result<(), String>) -> Result<Runbook, Vec<Mistake>> {
    let mut reader = Reader::at(path, text);
    let (matter, pieces) = pieces(text);
    let front = match matter {
        None => {
            reader.mistake(
                0,
                "a runbook begins with its front matter",
                Some("--- title: ... danger: ... ---, in lines of their own".to_owned()),
            );
            None
        }
        Some(range) => match front::read(&text[range.clone()]) {
            Ok(front) => Some(front),
            Err((line, column, told)) => {
                let skipped: usize = text[range.clone()].split_inclusive('\n').take(line - 1).map(str::len).sum();
                let rest = &text[range.start + skipped..];
                let within: usize = rest.chars().take(column - 1).map(char::len_utf8).sum();
                reader.mistake(range.start + skipped + within, told, None);
                None
            }
        },
    };
    let mut mistakes = reader.finish();
    let steps = steps(path, text, &pieces, front.as_ref(), valid, &mut mistakes);
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    match front {
        Some(front) if mistakes.is_empty() => {
            let intro = intro(text, &pieces).to_owned();
            Ok(Runbook { name: name.to_owned(), front, text: text.to_owned(), intro, steps })
        }
        _ => Err(mistakes),
    }
}

/// What stands between the first heading and the next one; what stands before a step is that step's.
fn intro<'t>(text: &'t str, pieces: &[Piece]) -> &'t str {
    let between = match pieces {
        [Piece::Heading { range: first, .. }, Piece::Heading { range: next, .. }, ..] => text.get(first.end..next.start),
        _ => None,
    };
    between.unwrap_or_default().trim()
}

/// A loop or a branch that the steps belong to.
struct Within {
    /// Of the heading under which it runs.
    level: HeadingLevel,
    /// The step that begins it.
    id: String,
    /// The name that holds there.
    name: Option<String>,
    /// How many of the names that are known stay so after it: what was asked in a branch is known there alone.
    known: usize,
}

impl Within {
    fn new(level: HeadingLevel, id: &str, name: Option<&String>, known: usize) -> Self {
        Self { level, id: id.to_owned(), name: name.cloned(), known }
    }
}

fn pieces(text: &str) -> (Option<Range<usize>>, Vec<Piece>) {
    let (mut matter, mut pieces) = (None, Vec::new());
    let mut in_matter = false;
    let mut heading: Option<(HeadingLevel, String)> = None;
    // A step's block, and within it the range of its text as soon as there is some.
    let mut block: Option<Option<Range<usize>>> = None;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_YAML_STYLE_METADATA_BLOCKS).into_offset_iter() {
        match event {
            Event::Start(Tag::MetadataBlock(MetadataBlockKind::YamlStyle)) => in_matter = matter.is_none(),
            Event::End(TagEnd::MetadataBlock(_)) => in_matter = false,
            Event::Text(_) if in_matter => matter = Some(matter.map_or(range.clone(), |before: Range<usize>| before.start..range.end)),
            Event::Start(Tag::Heading { level, .. }) => heading = Some((level, String::new())),
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, title)) = heading.take() {
                    pieces.push(Piece::Heading { level, title, range });
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if info.split_whitespace().next() == Some("pgbaton") => {
                block = Some(None)
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some(inner) = block.take() {
                    let end = range.end;
                    pieces.push(Piece::Step { inner: inner.unwrap_or(end..end), range });
                }
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some((_, title)) = &mut heading {
                    title.push_str(&words);
                }
                if let Some(inner) = &mut block {
                    *inner = Some(inner.clone().map_or(range.clone(), |before| before.start..range.end));
                }
            }
            _ => {}
        }
    }
    (matter, pieces)
}

/// The file with everything but a part of it blanked, so that places in the part are places in the file.
fn only(text: &str, part: &Range<usize>) -> String {
    let blank = |text: &str| text.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect::<String>();
    format!("{}{}{}", blank(&text[..part.start]), &text[part.clone()], blank(&text[part.end..]))
}

fn steps(
    path: &str,
    text: &str,
    pieces: &[Piece],
    front: Option<&Front>,
    valid: &dyn Fn(&[String]) -> Result<(), String>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut known: Vec<String> = ALWAYS.iter().map(|name| (*name).to_owned()).collect();
    known.extend(front.iter().flat_map(|front| front.inputs.iter().map(|input| input.name.clone())));
    let (mut title, mut level, mut from) = (String::new(), HeadingLevel::H1, 0);
    let mut within: Option<Within> = None;
    for piece in pieces {
        match piece {
            Piece::Heading { level: own, title: words, range } => {
                (title, level, from) = (words.clone(), *own, range.end);
                if let Some(left) = within.take_if(|within| *own <= within.level) {
                    known.truncate(left.known);
                }
            }
            Piece::Step { inner, range } => {
                let alone = only(text, inner);
                let (mut reader, entries) = Reader::parse(path, &alone);
                // What is no TOML is told as that alone.
                let block = if reader.has_mistakes() { None } else { step::read(&mut reader, &entries, range.start) };
                if let Some(Block { id, kind, only_if, texts }) = block {
                    let id_at = id.as_ref().map_or(range.start, |(_, at)| *at);
                    let id = id.map_or_else(|| format!("step{}", steps.len() + 1), |(id, _)| id);
                    if steps.iter().any(|step| step.id == id) {
                        reader.mistake(id_at, format!("two steps have the id {id:?}"), None);
                    }
                    let here: Vec<&str> =
                        known.iter().map(String::as_str).chain(within.iter().filter_map(|within| within.name.as_deref())).collect();
                    for (words, at) in &texts {
                        for name in names(words).into_iter().filter(|name| !here.contains(name)) {
                            reader.mistake(
                                *at,
                                format!("nothing here is called {{{name}}}"),
                                Some(format!("there are {}", here.join(", "))),
                            );
                        }
                    }
                    let of = within.as_ref().map(|within| within.id.clone());
                    match &kind {
                        Kind::Action(words) => {
                            let values = here
                                .iter()
                                .map(|name| ((*name).to_owned(), if *name == "cluster" { "cluster" } else { "x" }.to_owned()))
                                .collect();
                            let at = texts.first().map_or(range.start, |(_, at)| *at);
                            if let Err(why) = super::words(words, &values).and_then(|words| valid(&words)) {
                                reader.mistake(at, format!("this is no action: {why}"), None);
                            }
                        }
                        Kind::Ask { into: name, .. } | Kind::ForEach(Loop { name, .. }) if known.contains(name) => {
                            reader.mistake(
                                range.start,
                                format!("{name} is known already"),
                                Some("a new value has a name of its own".to_owned()),
                            );
                        }
                        Kind::Ask { into, .. } => known.push(into.clone()),
                        kind if kind.heads() && within.is_some() => {
                            reader.mistake(
                                range.start,
                                "a loop or a branch within another",
                                Some("give it a heading beside that one".to_owned()),
                            );
                        }
                        Kind::ForEach(Loop { name, .. }) => within = Some(Within::new(level, &id, Some(name), usize::MAX)),
                        Kind::When(_) => within = Some(Within::new(level, &id, None, known.len())),
                        _ => {}
                    }
                    let line = text[..range.start].matches('\n').count() + 1;
                    let prose = text.get(from..range.start).unwrap_or_default().trim().to_owned();
                    steps.push(Step { id, title: title.clone(), prose, line, kind, only_if, within: of });
                }
                from = range.end;
                mistakes.extend(reader.finish());
            }
        }
    }
    if steps.is_empty() && mistakes.is_empty() {
        let mut reader = Reader::at(path, text);
        reader.mistake(text.len(), "a runbook without a step", Some("a step is a fenced block of the kind pgbaton".to_owned()));
        mistakes.extend(reader.finish());
    }
    steps
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
