//! What is to be read next of a file, after what was read, as the folder looks now.

use super::command::FileId;

/// The most of a file's beginning that is remembered: it tells a file from another one that took its inode, and a copy from the rest.
pub(super) const HEAD: usize = 128;

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its name in the folder.
    pub name: String,
    /// Device and inode.
    pub id: FileId,
    /// Bytes.
    pub size: u64,
    /// When it was last written to, nanoseconds since the Unix epoch, by the node's clock.
    pub modified: u128,
    /// Its first bytes, at most [`HEAD`]; `None`: it may not be read.
    pub head: Option<Vec<u8>>,
}

/// How far was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// Of which file.
    pub id: FileId,
    /// Bytes from its beginning.
    pub offset: u64,
    /// Its first bytes, as far as they were seen.
    pub head: Vec<u8>,
}

/// One stretch to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The file's name.
    pub name: String,
    /// It must be this one still.
    pub id: FileId,
    /// The first byte.
    pub from: u64,
    /// Its first bytes.
    pub head: Vec<u8>,
}

/// What is to be read: all parts but the last to their end, the last one on and on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    /// In this order; never empty.
    pub parts: Vec<Part>,
    /// Whether the first part goes on with the file that was read last.
    pub goes_on: bool,
    /// Why something may be missing before the first part.
    pub gap: Option<&'static str>,
}

/// Why lines can be missing.
const EMPTIED: &str = "the file was emptied, and no copy of it was found";
const GONE: &str = "the file was replaced, and the old one was not found";
const PACKED: &str = "the file was replaced, and what followed is compressed";

impl Course {
    /// The course after `at`, with the folder's files and which of them is the current one. `emptied`: the current one is known to have been
    /// emptied since. `back`: how many bytes before the end reading begins when nothing was read yet.
    pub fn of(at: Option<&Position>, seen: &[Seen], current: &Seen, emptied: bool, back: u64) -> Self {
        let whole = |file: &Seen| part(file, 0);
        let Some(at) = at else {
            return Self { parts: vec![part(current, current.size.saturating_sub(back))], goes_on: false, gap: None };
        };
        let fits = |file: &Seen| file.size >= at.offset && agrees(file, at);
        if current.id == at.id && fits(current) && !emptied {
            return Self { parts: vec![part(current, at.offset)], goes_on: true, gap: None };
        }
        // Moved away under another name, or copied to one before it was emptied.
        let moved = seen.iter().find(|file| file.id == at.id && file.id != current.id && fits(file));
        let copied = || seen.iter().find(|file| file.id != current.id && !at.head.is_empty() && fits(file));
        let Some(old) = moved.or_else(copied) else {
            let gap = match (at.offset, current.id == at.id) {
                (0, _) => None,
                (_, true) => Some(EMPTIED),
                (_, false) => Some(GONE),
            };
            return Self { parts: vec![whole(current)], goes_on: false, gap };
        };
        let between = |file: &&Seen| file.id != old.id && file.id != current.id && file.modified >= old.modified;
        let mut later: Vec<&Seen> = seen.iter().filter(between).collect();
        later.sort_by_key(|file| file.modified);
        let packed = later.iter().any(|file| is_packed(file));
        let mut parts = vec![part(old, at.offset)];
        parts.extend(later.into_iter().filter(|file| !is_packed(file)).map(whole));
        parts.push(whole(current));
        Self { parts, goes_on: true, gap: packed.then_some(PACKED) }
    }
}

fn part(file: &Seen, from: u64) -> Part {
    Part { name: file.name.clone(), id: file.id.clone(), from, head: file.head.clone().unwrap_or_default() }
}

/// Whether a file begins as the one that was read.
fn agrees(file: &Seen, at: &Position) -> bool {
    let Some(head) = &file.head else { return false };
    let known = at.head.len().min(HEAD);
    head.len() >= known && head[..known] == at.head[..known]
}

/// gzip, zstd, xz, bzip2.
fn is_packed(file: &Seen) -> bool {
    let magic: [&[u8]; 4] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[0xfd, 0x37, 0x7a, 0x58], b"BZh"];
    file.head.as_ref().is_none_or(|head| magic.iter().any(|m| head.starts_with(m)))
}

/// The answer of the script `look`, newest first; lines that are not understood are left out.
pub(super) fn read_look(answer: &str) -> Vec<Seen> {
    answer.lines().filter_map(read_line).collect()
}

fn read_line(line: &str) -> Option<Seen> {
    let (facts, name) = line.split_once('/')?;
    let mut facts = facts.split(' ');
    let (modified, id, size, head) = (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
    let (seconds, part) = modified.split_once('.').unwrap_or((modified, "0"));
    let modified = seconds.parse::<u128>().ok()? * 1_000_000_000 + format!("{part:0<9}").get(..9)?.parse::<u128>().ok()?;
    let head = if head == "-" { None } else { Some(unhex(head)?) };
    Some(Seen { name: name.to_owned(), id: id.to_owned(), size: size.parse().ok()?, modified, head })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, id: &str, size: u64, modified: u128, head: &str) -> Seen {
        Seen { name: name.into(), id: id.into(), size, modified, head: Some(head.as_bytes().to_vec()) }
    }

    fn at(id: &str, offset: u64, head: &str) -> Position {
        Position { id: id.into(), offset, head: head.as_bytes().to_vec() }
    }

    fn course(position: Option<&Position>, seen: &[Seen], emptied: bool) -> (Vec<(String, u64)>, bool, Option<&'static str>) {
        let course = Course::of(position, seen, &seen[0], emptied, 100);
        (course.parts.into_iter().map(|part| (part.name, part.from)).collect(), course.goes_on, course.gap)
    }

    fn parts(all: &[(&str, u64)]) -> Vec<(String, u64)> {
        all.iter().map(|(name, from)| ((*name).to_owned(), *from)).collect()
    }

    #[test]
    fn reading_begins_some_way_before_the_end() {
        assert_eq!(course(None, &[file("l", "1:1", 1000, 5, "abc")], false), (parts(&[("l", 900)]), false, None));
        assert_eq!(course(None, &[file("l", "1:1", 10, 5, "abc")], false), (parts(&[("l", 0)]), false, None));
    }

    #[test]
    fn the_same_file_goes_on_where_it_was() {
        let seen = [file("l", "1:1", 1000, 5, "abc")];
        assert_eq!(course(Some(&at("1:1", 700, "ab")), &seen, false), (parts(&[("l", 700)]), true, None));
    }

    #[test]
    fn a_file_that_was_moved_is_read_to_its_end_and_then_all_that_followed() {
        let seen = [
            file("l", "1:3", 10, 9, "new"),
            file("l.1", "1:2", 20, 8, "mid"),
            file("l.2", "1:1", 800, 7, "abc"),
            file("l.3", "1:0", 9, 3, "x"),
        ];
        assert_eq!(course(Some(&at("1:1", 700, "abc")), &seen, false), (parts(&[("l.2", 700), ("l.1", 0), ("l", 0)]), true, None));
    }

    #[test]
    fn what_was_copied_before_it_was_emptied_is_read_from_the_copy() {
        let seen = [file("l", "1:1", 10, 9, "new"), file("l.1", "1:2", 800, 8, "abc")];
        assert_eq!(course(Some(&at("1:1", 700, "abc")), &seen, false), (parts(&[("l.1", 700), ("l", 0)]), true, None));
        // It has grown past the place again, with the same beginning.
        let grown = [file("l", "1:1", 900, 9, "abc"), file("l.1", "1:2", 800, 8, "abc")];
        assert_eq!(course(Some(&at("1:1", 700, "abc")), &grown, true), (parts(&[("l.1", 700), ("l", 0)]), true, None));
    }

    #[test]
    fn what_cannot_be_found_is_a_gap() {
        let emptied = [file("l", "1:1", 10, 9, "new")];
        assert_eq!(course(Some(&at("1:1", 700, "abc")), &emptied, false), (parts(&[("l", 0)]), false, Some(EMPTIED)));
        let replaced = [file("l", "1:2", 10, 9, "new"), file("l.1", "1:3", 9, 8, "other")];
        assert_eq!(course(Some(&at("1:1", 700, "abc")), &replaced, false), (parts(&[("l", 0)]), false, Some(GONE)));
        let mut packed = file("l.1.gz", "1:3", 9, 8, "");
        packed.head = Some(vec![0x1f, 0x8b, 8]);
        let seen = [file("l", "1:4", 10, 9, "new"), packed, file("l.2", "1:1", 800, 7, "abc")];
        assert_eq!(course(Some(&at("1:1", 700, "abc")), &seen, false), (parts(&[("l.2", 700), ("l", 0)]), true, Some(PACKED)));
    }

    #[test]
    fn an_inode_that_another_file_took_is_another_file() {
        let seen = [file("l", "1:1", 1000, 9, "xyz")];
        assert_eq!(course(Some(&at("1:1", 700, "abc")), &seen, false).2, Some(EMPTIED));
    }

    #[test]
    fn a_file_of_which_nothing_was_read_leaves_no_gap() {
        let seen = [file("l", "1:2", 10, 9, "new")];
        assert_eq!(course(Some(&at("1:1", 0, "")), &seen, false), (parts(&[("l", 0)]), false, None));
    }

    #[test]
    fn the_answer_of_a_look_is_read() {
        let seen = read_look(
            "1795736898.569760134 65024:10223797 12 61310a/x y/z.log.1\n1795736898.5 1:2 0 /empty\n1.0 1:3 4 -/denied\nnonsense\n",
        );
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert_eq!(seen[0].modified, 1_795_736_898_569_760_134);
        assert_eq!((seen[0].name.as_str(), seen[0].size, seen[0].head.as_deref()), ("x y/z.log.1", 12, Some(&b"a1\n"[..])));
        assert_eq!((seen[1].modified, seen[1].head.as_deref()), (1_795_736_898_500_000_000, Some(&b""[..])));
        assert_eq!(seen[2].head, None);
    }
}
