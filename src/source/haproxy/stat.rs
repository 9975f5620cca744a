//! HAProxy's statistics as CSV (management guide, 9.1): what the page gives under `;csv`, and the socket as the answer to `show stat`.

use csv::{ByteRecord, ErrorKind as CsvError, ReaderBuilder};

use crate::model::{ErrorKind, HaproxyServer, HaproxyStatus, SourceError, clean};

/// How the first line begins, in every version.
const HEADER: &[u8] = b"# pxname,svname,";

/// Value of the column `type` for a server; frontends are 0, backends 1, listening sockets 3.
const SERVER: &str = "2";

/// The servers in it. Columns are found by their names, as versions add some; a line with more or fewer fields than the header is an error,
/// and so is a text that does not end with a line's end.
pub(super) fn parse(text: &[u8]) -> Result<HaproxyStatus, SourceError> {
    if !text.starts_with(HEADER) {
        return Err(foreign(text));
    }
    if !text.ends_with(b"\n") {
        return Err(malformed("HAProxy's statistics are cut off".to_owned()));
    }
    let mut reader = ReaderBuilder::new().from_reader(text);
    let columns = Columns::of(reader.byte_headers().map_err(|e| unreadable(&e))?)?;
    let mut servers = Vec::new();
    for row in reader.byte_records() {
        let row = row.map_err(|e| unreadable(&e))?;
        if columns.is_server(&row) {
            servers.push(columns.server(&row));
        }
    }
    Ok(HaproxyStatus { servers })
}

/// Where the columns are. The optional ones may be absent: old versions have no `addr`, none but the first three is needed to be useful.
struct Columns {
    backend: usize,
    name: usize,
    status: usize,
    kind: Option<usize>,
    address: Option<usize>,
    check_status: Option<usize>,
    check_code: Option<usize>,
    check_duration: Option<usize>,
    sessions: Option<usize>,
    last_change: Option<usize>,
    rise: Option<usize>,
    fall: Option<usize>,
}

impl Columns {
    fn of(header: &ByteRecord) -> Result<Self, SourceError> {
        let find = |name: &str| header.iter().position(|field| field.strip_prefix(b"# ").unwrap_or(field) == name.as_bytes());
        let must = |name: &str| find(name).ok_or_else(|| malformed(format!("HAProxy's statistics have no column {name:?}")));
        Ok(Self {
            backend: must("pxname")?,
            name: must("svname")?,
            status: must("status")?,
            kind: find("type"),
            address: find("addr"),
            check_status: find("check_status"),
            check_code: find("check_code"),
            check_duration: find("check_duration"),
            sessions: find("scur"),
            last_change: find("lastchg"),
            rise: find("check_rise"),
            fall: find("check_fall"),
        })
    }

    fn is_server(&self, row: &ByteRecord) -> bool {
        match text(row, self.kind) {
            Some(kind) => kind == SERVER,
            None => !matches!(row.get(self.name), Some(b"FRONTEND" | b"BACKEND")),
        }
    }

    fn server(&self, row: &ByteRecord) -> HaproxyServer {
        HaproxyServer {
            backend: text(row, Some(self.backend)).unwrap_or_default(),
            name: text(row, Some(self.name)).unwrap_or_default(),
            address: text(row, self.address),
            status: text(row, Some(self.status)).unwrap_or_default(),
            check_status: text(row, self.check_status),
            // 0 while a check runs and for checks below HTTP: no code, rather than a code of nought.
            check_code: number(row, self.check_code).filter(|code| *code != 0),
            check_ms: number(row, self.check_duration),
            sessions: number(row, self.sessions),
            last_change: number(row, self.last_change),
            rise: number(row, self.rise),
            fall: number(row, self.fall),
        }
    }
}

/// A field's text without control characters; an empty one is none.
fn text(row: &ByteRecord, column: Option<usize>) -> Option<String> {
    let field = clean(&String::from_utf8_lossy(row.get(column?)?));
    (!field.is_empty()).then_some(field)
}

fn number<N: std::str::FromStr>(row: &ByteRecord, column: Option<usize>) -> Option<N> {
    text(row, column)?.parse().ok()
}

fn malformed(sentence: String) -> SourceError {
    SourceError::new(ErrorKind::Malformed, sentence)
}

fn unreadable(error: &csv::Error) -> SourceError {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        CsvError::UnequalLengths { expected_len, len, .. } => {
            malformed(format!("line {line} of HAProxy's statistics has {len} fields instead of {expected_len}"))
        }
        _ => malformed(format!("HAProxy's statistics cannot be read: {error}")),
    }
}

/// A sentence for what is no statistics at all.
fn foreign(text: &[u8]) -> SourceError {
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return malformed("an empty answer instead of HAProxy's statistics".to_owned());
    }
    if start.starts_with(b"<") {
        return malformed("a web page instead of HAProxy's statistics".to_owned())
            .with_hint("the URL must be the one of `stats uri` in haproxy.cfg");
    }
    let line: String = String::from_utf8_lossy(start).lines().next().unwrap_or_default().chars().take(80).collect();
    malformed(format!("instead of HAProxy's statistics: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(name: &str) -> HaproxyStatus {
        let path = format!("{}/tests/payloads/haproxy/{name}", env!("CARGO_MANIFEST_DIR"));
        parse(&std::fs::read(&path).expect("the file is there")).expect("parses")
    }

    fn server<'a>(status: &'a HaproxyStatus, backend: &str, name: &str) -> &'a HaproxyServer {
        status.servers.iter().find(|s| s.backend == backend && s.name == name).expect("the server is listed")
    }

    #[test]
    fn a_page_gives_every_server_and_nothing_else() {
        let status = captured("page-hba-reject.csv");
        let names: Vec<_> = status.servers.iter().map(|s| format!("{}/{} {}", s.backend, s.name, s.status)).collect();
        assert_eq!(
            names,
            ["primary/psg1 DOWN", "primary/psg2 DOWN", "primary/psg3 UP", "replicas/psg1 UP", "replicas/psg2 UP", "replicas/psg3 DOWN"]
        );
        let leader = server(&status, "primary", "psg3");
        assert_eq!((leader.check_status.as_deref(), leader.check_code, leader.check_ms), (Some("L7OK"), Some(200), Some(1)));
        assert_eq!((leader.sessions, leader.last_change, leader.address.as_deref()), (Some(0), Some(403), None));
        assert_eq!((leader.rise, leader.fall), (Some(2), Some(3)), "HAProxy's own, which Patroni's sample has too");
    }

    #[test]
    fn a_socket_gives_addresses_too() {
        let status = captured("socket-healthy.txt");
        assert_eq!(server(&status, "primary", "psg3").address.as_deref(), Some("192.0.2.13:5432"));
    }

    #[test]
    fn a_check_that_runs_has_no_code() {
        let hung = captured("show-stat-l7tout.csv");
        let running = server(&hung, "pg_write", "vm9");
        assert_eq!((running.check_status.as_deref(), running.check_code, running.check_ms), (Some("* L7TOUT"), None, Some(5002)));
        let refused = captured("show-stat-l4con.csv");
        let refused = server(&refused, "pg_write", "vm10");
        assert_eq!((refused.status.as_str(), refused.check_status.as_deref(), refused.check_code), ("DOWN", Some("L4CON"), None));
    }

    #[test]
    fn maintenance_is_not_taken_for_anything_else() {
        let status = captured("show-stat-drain-maint.csv");
        let fenced = server(&status, "pg_write", "vm10");
        assert_eq!((fenced.status.as_str(), fenced.takes_sessions()), ("MAINT", false));
    }

    #[test]
    fn quoted_fields_and_strange_statuses_are_kept() {
        let text = "# pxname,svname,status,check_desc,type,lastchg,\n\
            w,FRONTEND,OPEN,,0,,\n\
            w,sock-1,OPEN,,3,,\n\
            w,psg1,UP 1/3,\"Layer7 wrong status: \"\"503\"\", via check\",2,7,\n\
            w,psg2,no check,\"two\nlines\",2,-1,\n\n";
        let status = parse(text.as_bytes()).expect("parses");
        let seen: Vec<_> = status.servers.iter().map(|s| (s.name.as_str(), s.status.as_str(), s.last_change, s.sessions)).collect();
        assert_eq!(seen, [("psg1", "UP 1/3", Some(7), None), ("psg2", "no check", None, None)]);
    }

    #[test]
    fn without_the_type_column_the_names_tell() {
        let text = "# pxname,svname,status,\nw,FRONTEND,OPEN,\nw,a,UP,\nw,BACKEND,UP,\n";
        assert_eq!(parse(text.as_bytes()).expect("parses").servers.len(), 1);
    }

    #[test]
    fn a_cut_text_is_an_error_wherever_it_is_cut() {
        let whole =
            std::fs::read(format!("{}/tests/payloads/haproxy/page-hba-reject.csv", env!("CARGO_MANIFEST_DIR"))).expect("the file is there");
        for cut in (0..whole.len()).filter(|cut| *cut == 0 || whole[cut - 1] != b'\n') {
            assert_eq!(parse(&whole[..cut]).expect_err("cut").kind, ErrorKind::Malformed, "{cut}");
        }
        let short = parse(b"# pxname,svname,status,\na,b,UP,\na,b\n").expect_err("a short line");
        assert_eq!(short.message, "line 3 of HAProxy's statistics has 2 fields instead of 4");
    }

    #[test]
    fn what_is_no_csv_is_said() {
        let page = parse(b"\n<!DOCTYPE HTML><html>").expect_err("html");
        assert!(page.message.contains("web page") && page.hint.is_some(), "{page:?}");
        assert_eq!(parse(b"").expect_err("empty").message, "an empty answer instead of HAProxy's statistics");
        assert_eq!(
            parse(b"Unknown command: 'show stat'\n\x1b[2J").expect_err("text").message,
            "instead of HAProxy's statistics: Unknown command: 'show stat'"
        );
        let header = parse(b"# pxname,svname,qcur\n").expect_err("no status");
        assert_eq!(header.message, "HAProxy's statistics have no column \"status\"");
    }
}
