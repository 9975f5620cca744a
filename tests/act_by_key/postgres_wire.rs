//! The statements in what a client sends to PostgreSQL (its manual, "Message Formats").

/// Every statement, and `message X` for each other message that could carry something: function calls, data of a copy.
pub fn statements(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    // A request for TLS (80877103) or GSS (80877104) may come before the start, which is the first message with neither.
    loop {
        let (Some(length), Some(code)) = (number(at), number(at + 4)) else { return found };
        let Some(start) = bytes.get(at..at + length) else { return found };
        at += length;
        if !matches!(code, 80_877_103 | 80_877_104) {
            found.push(format!("start {}", String::from_utf8_lossy(&start[8..]).replace('\0', " ").trim()));
            break;
        }
    }
    while let (Some(kind), Some(length)) = (bytes.get(at), number(at + 1)) {
        let Some(body) = bytes.get(at + 5..at + 1 + length) else { return found };
        let text = |part: Option<&[u8]>| String::from_utf8_lossy(part.unwrap_or_default()).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut parts = body.split(|byte| *byte == 0);
        match kind {
            b'Q' => found.push(text(parts.next())),
            b'P' => found.push(text(parts.nth(1))),
            // Password, bind, describe, execute, sync, close, flush, end.
            b'p' | b'B' | b'D' | b'E' | b'S' | b'C' | b'H' | b'X' => {}
            other => found.push(format!("message {}", char::from(*other))),
        }
        at += 1 + length;
    }
    found
}

#[test]
fn statements_are_found() {
    let mut bytes = vec![0, 0, 0, 8, 4, 210, 22, 47];
    bytes.extend([0, 0, 0, 16, 0, 3, 0, 0]);
    bytes.extend(b"user\0a\0\0");
    bytes.extend([b'Q', 0, 0, 0, 13]);
    bytes.extend(b"SELECT\n1\0");
    bytes.extend([b'F', 0, 0, 0, 4]);
    assert_eq!(statements(&bytes), ["start user a", "SELECT 1", "message F"]);
    assert_eq!(statements(&bytes[..30]), ["start user a"]);
}
