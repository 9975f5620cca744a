//! As much of Rust's grammar as it takes to see what a file imports.

/// The text without comments, without what is inside of strings, and without items for tests only.
pub fn code(text: &str) -> String {
    without_tests(&without_prose(text))
}

/// Comments, strings and characters blanked.
fn without_prose(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if starts(at, "/*") {
            let mut depth = 0;
            loop {
                if starts(at, "/*") {
                    depth += 1;
                    at += 2;
                } else if starts(at, "*/") {
                    depth -= 1;
                    at += 2;
                } else {
                    at += 1;
                }
                if depth == 0 || at >= chars.len() {
                    break;
                }
            }
        } else if chars[at] == 'r' && !wordlike(chars.get(at.wrapping_sub(1)).copied()) && raw_hashes(&chars, at + 1).is_some() {
            let hashes = raw_hashes(&chars, at + 1).unwrap();
            let end = format!("\"{}", "#".repeat(hashes));
            at += hashes + 2;
            while at < chars.len() && !starts(at, &end) {
                at += 1;
            }
            at += end.len();
            out.push_str("\"\"");
        } else if chars[at] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
            out.push_str("\"\"");
        } else if chars[at] == '\'' && (starts(at + 1, "\\") || chars.get(at + 2) == Some(&'\'')) {
            // A character; a lifetime has no closing quote.
            at += if chars[at + 1] == '\\' { 3 } else { 2 };
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// How many `#` a raw string has whose `r` stands before `at`; `None`: it is no raw string.
fn raw_hashes(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars.get(at..)?.iter().take_while(|c| **c == '#').count();
    (chars.get(at + hashes) == Some(&'"')).then_some(hashes)
}

/// Items under `#[cfg(test)]` cut out.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let Some(at) = code.find(MARK) else { return code.to_owned() };
    let rest = &code[at + MARK.len()..];
    let mut depth = 0;
    let end = rest.char_indices().find_map(|(i, c)| match c {
        '{' => {
            depth += 1;
            None
        }
        '}' => {
            depth -= 1;
            (depth == 0).then_some(i + 1)
        }
        ';' if depth == 0 => Some(i + 1),
        _ => None,
    });
    format!("{}{}", &code[..at], without_tests(&rest[end.unwrap_or(rest.len())..]))
}

/// The files of modules for tests only that a file declares: `#[cfg(test)] mod x_tests;`, with its `#[path]` if there is one.
pub fn test_files(text: &str) -> Vec<String> {
    let after = text.split("#[cfg(test)]").skip(1);
    let file = |item: &str| {
        let item = item.trim_start();
        let (path, item) = match item.strip_prefix("#[path = \"") {
            Some(rest) => {
                let (path, rest) = rest.split_once("\"]")?;
                (Some(path.to_owned()), rest.trim_start())
            }
            None => (None, item),
        };
        let name = item.strip_prefix("mod ")?.split_once(';')?.0;
        name.chars().all(|c| wordlike(Some(c))).then(|| path.unwrap_or_else(|| format!("{name}.rs")))
    };
    after.filter_map(file).collect()
}

fn wordlike(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The names that follow `root::` everywhere: `a` of `root::a::b`, `a` and `b` of `root::{a::x, b}`.
pub fn heads(code: &str, root: &str) -> Vec<String> {
    let path = format!("{root}::");
    let found = code.match_indices(&path).filter(|(at, _)| !wordlike(code[..*at].chars().next_back()));
    found.flat_map(|(at, _)| firsts(&code[at + path.len()..])).collect()
}

/// The names that follow `depth` times `super::`.
pub fn super_heads(code: &str, depth: usize) -> Vec<String> {
    let path = "super::".repeat(depth);
    let found = code.match_indices(&path).filter(|(at, _)| !code[..*at].ends_with("::"));
    found.flat_map(|(at, _)| firsts(&code[at + path.len()..])).collect()
}

/// The first names of a path's rest: of each part when it begins with a brace.
fn firsts(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String { text.trim_start().chars().take_while(|c| wordlike(Some(*c))).collect() };
    let Some(group) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            c if depth == 0 => parts.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    parts.iter().map(|part| word(part)).filter(|name| !name.is_empty()).collect()
}

/// Whether `word` stands in the code as a word of its own.
pub fn names(code: &str, word: &str) -> bool {
    let alone = |at: usize| {
        let (before, after) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
        !wordlike(before) && !wordlike(after)
    };
    code.match_indices(word).any(|(at, _)| alone(at))
}
